"""Accounts, the people at them and their deals; and who a name means."""

from collections import Counter
from dataclasses import dataclass

from rapidfuzz import fuzz, process
from sqlalchemy import Connection, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from storage.clean import clean_line, name_key
from storage.errors import AmbiguousName, BadInput, UnknownAccount
from storage.ground import AnyRow, TeamGround, account, alias, channel_account, contact, opportunity
from storage.records import Account, Contact, Opportunity, Resolved

FUZZY_FLOOR = 85
FUZZY_GAP = 8
"""rapidfuzz scores, 0..100, measured on names of accounts: below the floor it is somebody else, within the gap it is
asked."""

ACCOUNT_COLUMNS = (account.c.id, account.c.key, account.c.name, account.c.stage, account.c.owner, account.c.properties)


@dataclass(frozen=True, slots=True)
class _Name:
    """One name in the workspace and whom it means."""

    key: str
    shown: str
    account_id: int
    contact_id: int | None = None


class AccountVerbs(TeamGround):
    """What can be done with accounts and people."""

    def who(self, name: str) -> Resolved:
        """Who a name or key means: exactly, else by likeness, else asked. Raises UnknownAccount or AmbiguousName."""
        if not name_key(name):
            raise UnknownAccount(name)
        with self._read() as connection:
            return self._resolve(connection, name)

    def split_who(self, text: str) -> tuple[Resolved, str]:
        """The account or person a line begins with, and the rest of the line.

        `Acme Corp: text`, `acme-01 text` and `Priya Sharma text` all work: a colon decides, else the longest name that
        is known. Raises UnknownAccount (with the part that was taken for a name) or AmbiguousName.
        """
        name, rest = self.split_name(text)
        return self.who(name), rest

    def split_name(self, text: str) -> tuple[str, str]:
        """The part of a line that is taken for a name, and the rest; whether anybody is called so is not asked."""
        head, colon, rest = text.partition(":")
        is_hour = head[-1:].isdigit() and rest[:1].isdigit()
        if colon and not is_hour and len(head) <= 80 and "\n" not in head and "://" not in text[: len(head) + 3]:
            return head.strip(), rest.strip()
        words = text.split()
        heads = [(n, name_key(" ".join(words[:n]))) for n in range(min(6, len(words)), 0, -1)]
        with self._read() as connection:
            size = next((n for n, key in heads if key and self._names(connection, key)), 1)
        return " ".join(words[:size]), " ".join(text.split(maxsplit=size)[size:])

    def accounts(self) -> tuple[Account, ...]:
        """Every account, by name."""
        query = select(*ACCOUNT_COLUMNS).where(account.c.team_id == self.team_id, account.c.merged_into.is_(None))
        with self._read() as connection:
            return tuple(_account(row) for row in connection.execute(query.order_by(account.c.name_key, account.c.id)))

    def create_account(self, name: str, key: str = "", stage: str = "", owner: str = "") -> Account:
        """A new account; an account of exactly that name is handed back instead of doubled."""
        shown = clean_line(name)
        if not name_key(shown):
            raise BadInput("An account needs a name.")
        with self._write() as connection:
            found = self._account_named(connection, name_key(shown))
            if found is not None:
                return found
            values = {
                "team_id": self.team_id,
                "key": clean_line(key) or self._free_key(connection, name_key(shown)),
                "name": shown,
                "name_key": name_key(shown),
                "stage": stage,
                "owner": owner,
                "properties": {},
                "created_at": self._now(),
            }
            try:
                made = connection.execute(insert(account).values(**values).returning(*ACCOUNT_COLUMNS)).one()
            except IntegrityError as error:
                raise BadInput(f"There is already an account with the id '{values['key']}'.") from error
            return _account(made)

    def rename_account(self, account_id: int, name: str) -> Account:
        """Give an account another name; the old one goes on finding it. Raises BadInput when another has that name."""
        shown = clean_line(name)
        if not name_key(shown):
            raise BadInput("An account needs a name.")
        with self._write() as connection:
            old = self._account(connection, account_id)
            other = self._account_named(connection, name_key(shown))
            if other is not None and other.id != account_id:
                raise BadInput(f"There is already an account called '{other.name}'. Merge the two instead.")
            self._add_alias(connection, account_id, old.name)
            connection.execute(
                update(account)
                .where(account.c.team_id == self.team_id, account.c.id == account_id)
                .values(name=shown, name_key=name_key(shown))
            )
            return self._account(connection, account_id)

    def set_owner(self, account_id: int, owner: str) -> Account:
        """Make a rep the owner of an account."""
        with self._write() as connection:
            mine = (account.c.team_id == self.team_id) & (account.c.id == account_id)
            connection.execute(update(account).where(mine).values(owner=owner))
            return self._account(connection, account_id)

    def contacts(self, account_id: int) -> tuple[Contact, ...]:
        """The people at an account."""
        with self._read() as connection:
            return self._contacts(connection, account_id)

    def people(self) -> tuple[Contact, ...]:
        """Everybody at every account."""
        with self._read() as connection:
            return self._contacts(connection)

    def opportunities(self, account_id: int) -> tuple[Opportunity, ...]:
        """The deals of an account."""
        with self._read() as connection:
            return self._opportunities(connection, account_id)

    def link_channel(self, channel: str, account_id: int | None) -> None:
        """Let a Slack channel stand for an account, or (None) for none."""
        row = (channel_account.c.team_id == self.team_id) & (channel_account.c.channel == channel)
        with self._write() as connection:
            connection.execute(delete(channel_account).where(row))
            if account_id is not None:
                values = {"team_id": self.team_id, "channel": channel, "account_id": account_id}
                connection.execute(insert(channel_account).values(**values))

    def channel_account(self, channel: str) -> Account | None:
        """The account a channel stands for."""
        query = (
            select(*ACCOUNT_COLUMNS)
            .join(channel_account, channel_account.c.account_id == account.c.id)
            .where(channel_account.c.team_id == self.team_id, channel_account.c.channel == channel)
        )
        with self._read() as connection:
            row = connection.execute(query).first()
        return _account(row) if row else None

    def _resolve(self, connection: Connection, name: str) -> Resolved:
        by_key = select(*ACCOUNT_COLUMNS).where(account.c.team_id == self.team_id, account.c.merged_into.is_(None))
        rows = connection.execute(by_key.where(func.lower(account.c.key) == name.strip().lower())).all()
        # Phones begin a line with a capital: "Acme-01" is acme-01, unless both exist.
        row = next((r for r in rows if r.key == name.strip()), rows[0] if len(rows) == 1 else None)
        if row:
            return Resolved(_account(row))
        # Most names are typed as they are: the index finds them, and a workspace's whole book is not read.
        chosen = _only(self._names(connection, name_key(name))) or _choose(name, self._names(connection))
        found = self._account(connection, chosen.account_id)
        if chosen.contact_id is None:
            return Resolved(found)
        people = self._contacts(connection, found.id)
        return Resolved(found, next(c for c in people if c.id == chosen.contact_id))

    def _names(self, connection: Connection, only: str = "") -> list[_Name]:
        """Every name of the workspace and whom it means; with `only` those that compare as it."""
        alive = (account.c.team_id == self.team_id) & account.c.merged_into.is_(None)
        companies = select(account.c.name_key, account.c.name, account.c.id, account.c.key).where(alive)
        former = select(alias.c.name_key, alias.c.name, alias.c.account_id).where(alias.c.team_id == self.team_id)
        people = (
            select(contact.c.name_key, contact.c.name, contact.c.account_id, contact.c.id, account.c.name)
            .join(account, (account.c.id == contact.c.account_id) & alive)
            .where(contact.c.team_id == self.team_id)
        )
        if only:
            companies = companies.where(account.c.name_key == only)
            former = former.where(alias.c.name_key == only)
            people = people.where(contact.c.name_key == only)
        firms = connection.execute(companies).all()
        twice = {k for k, n in Counter(f.name_key for f in firms).items() if n > 1}
        names = [_Name(f.name_key, f"{f.name} ({f.key})" if f.name_key in twice else f.name, f.id) for f in firms]
        taken = {n.key for n in names}
        names += [_Name(k, shown, id_) for k, shown, id_ in connection.execute(former) if k not in taken]
        names += [_Name(k, f"{n} ({firm})", a, c) for k, n, a, c, firm in connection.execute(people)]
        return names

    def _account(self, connection: Connection, account_id: int) -> Account:
        mine = select(*ACCOUNT_COLUMNS).where(account.c.team_id == self.team_id, account.c.id == account_id)
        row = connection.execute(mine).first()
        if row is None:
            raise UnknownAccount(str(account_id))
        return _account(row)

    def _account_named(self, connection: Connection, key: str) -> Account | None:
        mine = (account.c.team_id == self.team_id) & account.c.merged_into.is_(None)
        row = connection.execute(select(*ACCOUNT_COLUMNS).where(mine, account.c.name_key == key)).first()
        return _account(row) if row else None

    def _free_key(self, connection: Connection, wanted: str) -> str:
        stem = wanted.replace(" ", "-")[:60]
        mine = select(account.c.key).where(
            account.c.team_id == self.team_id, or_(account.c.key == stem, account.c.key.like(f"{stem}-%"))
        )
        taken = set(connection.execute(mine).scalars())
        return next(k for k in (stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))) if k not in taken)

    def _add_alias(self, connection: Connection, account_id: int, name: str) -> None:
        key = name_key(name)
        connection.execute(delete(alias).where(alias.c.team_id == self.team_id, alias.c.name_key == key))
        connection.execute(insert(alias).values(team_id=self.team_id, name_key=key, name=name, account_id=account_id))

    def _forget_alias(self, connection: Connection, account_id: int, name: str) -> None:
        mine = (alias.c.team_id == self.team_id) & (alias.c.account_id == account_id)
        connection.execute(delete(alias).where(mine, alias.c.name_key == name_key(name)))

    def _contacts(self, connection: Connection, account_id: int | None = None) -> tuple[Contact, ...]:
        mine = contact.c.team_id == self.team_id
        mine = mine if account_id is None else mine & (contact.c.account_id == account_id)
        columns = (contact.c.id, contact.c.key, contact.c.account_id, contact.c.name, contact.c.role)
        return tuple(Contact(*row) for row in connection.execute(select(*columns).where(mine).order_by(contact.c.id)))

    def _opportunities(self, connection: Connection, account_id: int | None = None) -> tuple[Opportunity, ...]:
        mine = opportunity.c.team_id == self.team_id
        mine = mine if account_id is None else mine & (opportunity.c.account_id == account_id)
        o = opportunity.c
        columns = (o.id, o.key, o.account_id, o.name, o.amount, o.currency, o.status, o.closed_at)
        return tuple(Opportunity(*row) for row in connection.execute(select(*columns).where(mine).order_by(o.id)))


def _account(row: AnyRow) -> Account:
    return Account(row.id, row.key, row.name, row.stage, row.owner, row.properties)


def _choose(name: str, names: list[_Name]) -> _Name:
    wanted = name_key(name)
    exact = [n for n in names if n.key == wanted or (wanted.startswith(n.key) and name_key(n.shown) == wanted)]
    found = _only(exact)
    if found is None and exact:
        raise AmbiguousName(name, [n.shown for n in _firms(exact) or exact])
    return found or _likeliest(name, wanted, names)


def _only(exact: list[_Name]) -> _Name | None:
    """A company's own name wins over a person's; two of the same kind are asked."""
    found = _firms(exact) or exact
    return found[0] if len(found) == 1 else None


def _firms(names: list[_Name]) -> list[_Name]:
    return [n for n in names if n.contact_id is None]


def _likeliest(name: str, wanted: str, names: list[_Name]) -> _Name:
    scored = process.extract(wanted, [n.key for n in names], scorer=fuzz.WRatio, limit=6, score_cutoff=FUZZY_FLOOR)
    near = [(names[place], score) for _, score, place in scored if _whole_words(wanted, names[place].key)]
    if not near:
        raise UnknownAccount(name)
    best, score = near[0]
    rivals = [n for n, s in near if score - s < FUZZY_GAP and (n.account_id, n.contact_id) != _identity(best)]
    if rivals:
        raise AmbiguousName(name, list(dict.fromkeys([best.shown, *(n.shown for n in rivals)])))
    return best


def _identity(name: _Name) -> tuple[int, int | None]:
    return name.account_id, name.contact_id


def _whole_words(wanted: str, known: str) -> bool:
    # WRatio gives 90 to any substring: "tech" would be Fintech. Each word asked for has to resemble a whole word.
    return all(any(_alike(w, k) for k in known.split()) for w in wanted.split())


def _alike(word: str, known: str) -> bool:
    shorter, longer = sorted((word, known), key=len)
    # "Acme Corporation" is Acme Corp: the beginning of a word stands for it.
    return fuzz.ratio(word, known) >= FUZZY_FLOOR - 5 or (len(shorter) > 2 and longer.startswith(shorter))
