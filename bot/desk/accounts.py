"""Accounts by name: lists, guesses and imports."""

from typing import Any

from bot.desk.base import Base, Viewer
from storage import Account, Contact, Imported, Opportunity
from storage.errors import BadInput


class AccountVerbs(Base):
    """What can be done with accounts."""

    def import_payload(self, viewer: Viewer, payload: Any) -> Imported:
        """Write accounts with all that is nested under them."""
        return self._team(viewer).import_payload(payload, viewer.user)

    def account_names(self, viewer: Viewer) -> tuple[tuple[str, str], ...]:
        """(key, name) of every account, by name."""
        return tuple((a.key, a.name) for a in self._team(viewer).accounts())

    def create_account(self, viewer: Viewer, name: str) -> Account:
        """A new account, owned by whoever makes it; one of exactly that name is handed back."""
        return self._team(viewer).create_account(name, owner=viewer.user)

    def rename_account(self, viewer: Viewer, who: str, name: str) -> Account:
        """Another name; the old one goes on finding it. Without `who` it is the channel's account. Raises BadInput."""
        team = self._team(viewer)
        return team.rename_account(self._who(team, who, viewer).account.id, name)

    def to_merge(self, viewer: Viewer, who: str, into: str) -> tuple[Account, Account, int]:
        """The account that would go, the one that would stay, and how many notes would move. Raises BadInput."""
        team = self._team(viewer)
        gone, kept = self._who(team, who, viewer).account, self._who(team, into, viewer).account
        if gone.id == kept.id:
            raise BadInput("These are the same account.")
        return gone, kept, len(team.timeline(gone.id))

    def merge_accounts(self, viewer: Viewer, account_id: int, into_id: int) -> tuple[Account, int]:
        """Make one account of two; gives the one that is left and the number to undo it by. Raises BadInput."""
        team = self._team(viewer)
        number = team.merge_accounts(account_id, into_id, viewer.user)
        return next(a for a in team.accounts() if a.id == into_id), number

    def undo_merge(self, viewer: Viewer, merge_id: int) -> Account:
        """Take a merge back, within thirty days. Raises NotFound."""
        return self._team(viewer).undo_merge(merge_id)

    def link_channel(self, viewer: Viewer, who: str) -> Account | None:
        """Let the viewer's channel stand for an account, or with an empty name for none."""
        team = self._team(viewer)
        account = self._who(team, who, viewer).account if who else None
        team.link_channel(viewer.channel, account.id if account else None)
        return account

    def linked(self, viewer: Viewer) -> Account | None:
        """The account the viewer's channel stands for."""
        return self._team(viewer).channel_account(viewer.channel) if viewer.channel else None

    def choose(self, viewer: Viewer, asked: str, chosen: str) -> None:
        """Remember who was meant by a name in the viewer's channel."""
        team = self._team(viewer)
        team.remember_choice(viewer.channel, asked, team.who(chosen).account.id)

    def deals_and_people(self, viewer: Viewer, key: str) -> tuple[tuple[Opportunity, ...], tuple[Contact, ...]]:
        """The open deals of an account and the people there, for a form. Raises UnknownAccount."""
        team = self._team(viewer)
        account = team.who(key).account
        deals = tuple(o for o in team.opportunities(account.id) if o.status == "open")
        return deals, team.contacts(account.id)

    def find_accounts(self, viewer: Viewer, typed: str, limit: int = 50) -> tuple[tuple[str, str], ...]:
        """(key, name) of accounts whose name or key holds what was typed, those that begin with it first."""
        wanted = typed.casefold().strip()
        found = [(k, n) for k, n in self.account_names(viewer) if wanted in n.casefold() or wanted in k.casefold()]
        return tuple(sorted(found, key=lambda pair: not pair[1].casefold().startswith(wanted))[:limit])

    def guess(self, viewer: Viewer, text: str) -> str:
        """The key of the one account whose name, or one of whose people, a text mentions; "" for none or several."""
        words = f" {text.casefold()} "
        team = self._team(viewer)
        named = {a.key for a in team.accounts() if _mentions(words, a.name)}
        if not named:
            keys = {a.id: a.key for a in team.accounts()}
            named = {keys[c.account_id] for c in team.people() if c.account_id in keys and _mentions(words, c.name)}
        return named.pop() if len(named) == 1 else ""


def _mentions(words: str, name: str) -> bool:
    bare = name.casefold()
    first = bare.split()[0] if bare.split() else ""
    return len(bare) > 2 and (bare in words or (len(first) > 3 and f" {first} " in words))
