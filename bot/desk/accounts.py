"""Accounts by name: lists, guesses and imports."""

from typing import Any

from bot.desk.base import Base, Viewer
from storage import Imported


class AccountVerbs(Base):
    """What can be done with accounts."""

    def import_payload(self, viewer: Viewer, payload: Any) -> Imported:
        """Write accounts with all that is nested under them."""
        return self._team(viewer).import_payload(payload, viewer.user)

    def account_names(self, viewer: Viewer) -> tuple[tuple[str, str], ...]:
        """(key, name) of every account, by name."""
        return tuple((a.key, a.name) for a in self._team(viewer).accounts())

    def guess(self, viewer: Viewer, text: str) -> str:
        """The key of the one account whose name, or one of whose people, a text mentions; "" for none or several."""
        words = f" {text.casefold()} "
        team = self._team(viewer)
        named = {a.key for a in team.accounts() if _mentions(words, a.name)}
        if not named:
            named = {a.key for a in team.accounts() if any(_mentions(words, c.name) for c in team.contacts(a.id))}
        return named.pop() if len(named) == 1 else ""


def _mentions(words: str, name: str) -> bool:
    bare = name.casefold()
    first = bare.split()[0] if bare.split() else ""
    return len(bare) > 2 and (bare in words or (len(first) > 3 and f" {first} " in words))
