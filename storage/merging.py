"""Two accounts made one, undone within thirty days; and what was chosen when a name was asked for."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select, update

from storage.clean import name_key
from storage.errors import BadInput, NotFound
from storage.ground import (
    AnyRow,
    account,
    alias,
    channel_account,
    choice,
    contact,
    interaction,
    link,
    merge,
    next_step,
    opportunity,
    signal,
)
from storage.handoffs import HandoffVerbs
from storage.notes import TRY_AGAIN
from storage.records import Account

UNDO_DAYS = 30
_CHUNK = 500
"""Ids in one statement: both databases have a limit on its parameters."""
_m = merge.c
_KEYED: tuple[Table, ...] = (contact, opportunity, interaction, next_step)
_MOVED: tuple[Table, ...] = (*_KEYED, signal, link)


class MergeVerbs(HandoffVerbs):
    """What can be done about accounts that are one, and names that are several."""

    def merge_accounts(self, account_id: int, into_id: int, by: str) -> int:
        """Move all of one account into another; its name goes on finding it. Returns the number to undo it by."""
        if account_id == into_id:
            raise BadInput("These are the same account.")
        with self._write() as connection:
            gone, kept = self._account(connection, account_id), self._account(connection, into_id)
            if self._is_merged(connection, account_id) or self._is_merged(connection, into_id):
                raise BadInput("That account was merged already.")
            moved = self._move_all(connection, account_id, kept.id)
            mine = and_(account.c.team_id == self.team_id, account.c.id == account_id)
            connection.execute(update(account).where(mine).values(merged_into=into_id))
            for name in (gone.key, gone.name):
                self._add_alias(connection, into_id, name)
            values: dict[str, Any] = {
                "team_id": self.team_id,
                "account_id": account_id,
                "into_id": into_id,
                "by": by,
                "at": self._now(),
                "moved": moved,
            }
            return int(connection.execute(insert(merge).values(**values).returning(_m.id)).scalar_one())

    def undo_merge(self, merge_id: int) -> Account:
        """Take a merge of the last thirty days back: what moved returns. Raises NotFound."""
        with self._write() as connection:
            mine = and_(_m.team_id == self.team_id, _m.id == merge_id, _m.undone_at.is_(None))
            row = connection.execute(select(merge).where(mine, _m.at >= self._now() - timedelta(UNDO_DAYS))).first()
            if row is None:
                raise NotFound("There is no such merge here, or it is too old to be taken back.")
            if self._is_merged(connection, row.into_id):
                raise BadInput("The account it went into was merged itself since. Take that one back first.")
            connection.execute(update(merge).where(mine).values(undone_at=self._now()))
            alive = and_(account.c.team_id == self.team_id, account.c.id == row.account_id)
            connection.execute(update(account).where(alive).values(merged_into=None))
            back = self._account(connection, row.account_id)
            for name in (back.key, back.name):
                self._forget_alias(connection, row.into_id, name)
            self._move_back(connection, row)
            return back

    def remember_choice(self, channel: str, asked: str, account_id: int) -> None:
        """Who was meant by a name in a channel: the next time it is not asked."""
        key = and_(choice.c.team_id == self.team_id, choice.c.channel == channel, choice.c.asked == name_key(asked))
        with self._write() as connection:
            connection.execute(delete(choice).where(key))
            values = {"team_id": self.team_id, "channel": channel, "asked": name_key(asked), "account_id": account_id}
            connection.execute(insert(choice).values(**values))

    def choice(self, channel: str, asked: str) -> Account | None:
        """Who was meant by a name in a channel, if it was chosen once."""
        key = and_(choice.c.team_id == self.team_id, choice.c.channel == channel, choice.c.asked == name_key(asked))
        with self._read() as connection:
            row = connection.execute(select(choice.c.account_id).where(key)).first()
            return self._account(connection, row.account_id) if row else None

    def remember_deal(self, channel: str, account_id: int, opportunity_id: int) -> None:
        """Which of an account's deals was meant in a channel."""
        key = and_(
            choice.c.team_id == self.team_id, choice.c.channel == channel, choice.c.asked == _deal_of(account_id)
        )
        values = {"team_id": self.team_id, "channel": channel, "asked": _deal_of(account_id), "account_id": account_id}
        with self._write() as connection:
            connection.execute(delete(choice).where(key))
            connection.execute(insert(choice).values(**values, opportunity_id=opportunity_id))

    def remembered_deal(self, channel: str, account_id: int) -> str:
        """The key of the deal that was meant in a channel, while it is open; else ""."""
        key = and_(
            choice.c.team_id == self.team_id, choice.c.channel == channel, choice.c.asked == _deal_of(account_id)
        )
        deal = select(opportunity.c.key).join(choice, choice.c.opportunity_id == opportunity.c.id)
        here = and_(key, opportunity.c.account_id == account_id, opportunity.c.status == "open")
        with self._read() as connection:
            return str(connection.execute(deal.where(here)).scalar() or "")

    def private_channels(self) -> frozenset[str]:
        """The private channels that notes were captured in."""
        i = interaction.c
        mine = select(i.visibility).where(i.team_id == self.team_id, i.visibility != "").distinct()
        with self._read() as connection:
            return frozenset(connection.execute(mine).scalars())

    def _is_merged(self, connection: Connection, account_id: int) -> bool:
        mine = and_(account.c.team_id == self.team_id, account.c.id == account_id)
        return connection.execute(select(account.c.merged_into).where(mine)).scalar() is not None

    def _move_all(self, connection: Connection, account_id: int, into_id: int) -> dict[str, list[Any]]:
        """Move every row; gives what it takes to bring each back, by table, with keys changed and persons made one."""
        moved: dict[str, list[Any]] = {"keys": [], "same_person": self._same_people(connection, account_id, into_id)}
        stay = {gone for _, gone in moved["same_person"]}
        for table in _MOVED:
            of_one = and_(table.c.team_id == self.team_id, table.c.account_id == account_id)
            found = connection.execute(select(table.c.id).where(of_one)).scalars()
            ids = [id_ for id_ in found if table is not contact or id_ not in stay]
            moved["keys"] += self._put(connection, table, ids, into_id)
            moved[table.name] = ids
        for kept, gone in moved["same_person"]:
            self._give_notes(connection, moved["interaction"], gone, kept)
        for table in (alias, channel_account, choice):
            moved[table.name] = self._move_names(connection, table, account_id, into_id)
        return moved

    def _move_back(self, connection: Connection, row: AnyRow) -> None:
        notes = self._with_versions(connection, row.moved.get("interaction", ()))
        for table in _MOVED:
            ids = notes if table is interaction else list(row.moved.get(table.name, ()))
            self._put(connection, table, ids, row.account_id, only_of=row.into_id)
        for table in (signal, next_step):
            for some in _chunks(notes):
                # Read again since: what was understood then has other ids.
                of_them = and_(table.c.team_id == self.team_id, table.c.interaction_id.in_(some))
                connection.execute(update(table).where(of_them).values(account_id=row.account_id))
        for kept, gone in row.moved.get("same_person", ()):
            self._give_notes(connection, notes, kept, gone)
        self._leave_deals(connection, notes, row.into_id)
        self._give_keys(connection, row.moved.get("keys", ()), row.account_id)
        for table in (alias, channel_account, choice):
            for names in row.moved.get(table.name, ()):
                one = and_(*(table.c[column] == value for column, value in names.items()))
                mine = and_(table.c.team_id == self.team_id, table.c.account_id == row.into_id, one)
                connection.execute(update(table).where(mine).values(account_id=row.account_id))

    def _with_versions(self, connection: Connection, ids: Sequence[int]) -> list[int]:
        """Notes with the versions that corrections since the merge have kept: rows of their own."""
        found = dict.fromkeys(ids)
        for some in _chunks(ids):
            later = and_(interaction.c.team_id == self.team_id, interaction.c.version_of.in_(some))
            found |= dict.fromkeys(connection.execute(select(interaction.c.id).where(later)).scalars())
        return list(found)

    def _put(
        self, connection: Connection, table: Table, ids: Sequence[int], account_id: int, *, only_of: int | None = None
    ) -> list[list[Any]]:
        """Give rows to an account; gives [table, id, former key] of each row whose key was taken there."""
        changed: list[list[Any]] = []
        values: dict[str, Any] = {"account_id": account_id}
        if table is interaction:
            values |= {"indexed_as": "stale", "revision": interaction.c.revision + 1, **TRY_AGAIN}
        for some in _chunks(ids):
            mine = and_(table.c.team_id == self.team_id, table.c.id.in_(some))
            mine = mine if only_of is None else and_(mine, table.c.account_id == only_of)
            if table in _KEYED:
                changed += self._make_keys_free(connection, table, mine, account_id)
            connection.execute(update(table).where(mine).values(**values))
        return changed

    def _make_keys_free(self, connection: Connection, table: Table, mine: Any, account_id: int) -> list[list[Any]]:
        """A key that the other account uses, too, gets the row's own number behind it."""
        changed: list[list[Any]] = []
        theirs = select(table.c.key).where(table.c.team_id == self.team_id, table.c.account_id == account_id)
        taken = set(connection.execute(theirs).scalars())
        for row in connection.execute(select(table.c.id, table.c.key).where(mine, table.c.key.in_(theirs))).all():
            key = row.key
            while key in taken:
                key = f"{key}-{row.id}"
            taken.add(key)
            one = and_(table.c.team_id == self.team_id, table.c.id == row.id)
            connection.execute(update(table).where(one).values(key=key))
            changed.append([table.name, row.id, row.key])
        return changed

    def _give_keys(self, connection: Connection, keys: Sequence[Sequence[Any]], account_id: int) -> None:
        """Former keys back, where nobody has taken them meanwhile."""
        tables = {table.name: table for table in _KEYED}
        for name, id_, key in keys:
            table = tables[name]
            of_one = and_(table.c.team_id == self.team_id, table.c.account_id == account_id)
            if connection.execute(select(table.c.id).where(of_one, table.c.key == key)).first() is None:
                connection.execute(update(table).where(of_one, table.c.id == id_).values(key=key))

    def _same_people(self, connection: Connection, account_id: int, into_id: int) -> list[list[int]]:
        """[kept, gone] for everybody who is known at both accounts: two of one name could never be told apart."""
        people = select(contact.c.name_key, contact.c.id).where(contact.c.team_id == self.team_id)
        known: dict[str, int] = {}
        for row in connection.execute(people.where(contact.c.account_id == into_id).order_by(contact.c.id.desc())):
            known[row.name_key] = row.id
        theirs = connection.execute(people.where(contact.c.account_id == account_id).order_by(contact.c.id))
        return [[known[row.name_key], row.id] for row in theirs if row.name_key in known]

    def _give_notes(self, connection: Connection, notes: Sequence[int], person: int, other: int) -> None:
        for some in _chunks(notes):
            i = interaction.c
            theirs = and_(i.team_id == self.team_id, i.id.in_(some), i.contact_id == person)
            connection.execute(update(interaction).where(theirs).values(contact_id=other))

    def _leave_deals(self, connection: Connection, notes: Sequence[int], into_id: int) -> None:
        """Notes that were put into a deal of the other account since do not take it along."""
        deals = select(opportunity.c.id).where(
            opportunity.c.team_id == self.team_id, opportunity.c.account_id == into_id
        )
        for some in _chunks(notes):
            for table, key in ((interaction, interaction.c.id), (next_step, next_step.c.interaction_id)):
                mine = and_(table.c.team_id == self.team_id, key.in_(some), table.c.opportunity_id.in_(deals))
                connection.execute(update(table).where(mine).values(opportunity_id=None))

    def _move_names(self, connection: Connection, table: Table, account_id: int, into_id: int) -> list[dict[str, Any]]:
        """Former names, channels and choices; gives the columns that tell each row."""
        columns = [column for column in table.primary_key.columns if column.name != "team_id"]
        mine = and_(table.c.team_id == self.team_id, table.c.account_id == account_id)
        rows = [dict(row._mapping) for row in connection.execute(select(*columns).where(mine))]
        connection.execute(update(table).where(mine).values(account_id=into_id))
        return rows


def _deal_of(account_id: int) -> str:
    # No name a person types compares as this: names lose their punctuation.
    return f"#deal {account_id}"


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
