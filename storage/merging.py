"""Two accounts made one, undone within thirty days; and what was chosen when a name was asked for."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select, update

from storage.clean import name_key
from storage.errors import BadInput, NotFound
from storage.ground import (
    account,
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
            moved = {table.name: self._move(connection, table, account_id, into_id) for table in _MOVED}
            mine = and_(account.c.team_id == self.team_id, account.c.id == account_id)
            connection.execute(update(account).where(mine).values(merged_into=into_id))
            self._add_alias(connection, into_id, gone.name)
            for table in (channel_account, choice):
                rows = and_(table.c.team_id == self.team_id, table.c.account_id == account_id)
                connection.execute(update(table).where(rows).values(account_id=kept.id))
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
            connection.execute(update(merge).where(mine).values(undone_at=self._now()))
            alive = and_(account.c.team_id == self.team_id, account.c.id == row.account_id)
            connection.execute(update(account).where(alive).values(merged_into=None))
            for table in _MOVED:
                for start in range(0, len(row.moved.get(table.name, ())), 500):
                    ids = row.moved[table.name][start : start + 500]
                    still = and_(table.c.id.in_(ids), table.c.account_id == row.into_id)
                    self._put(connection, table, still, row.account_id)
            back = self._account(connection, row.account_id)
            self._forget_alias(connection, row.into_id, back.name)
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

    def private_channels(self) -> frozenset[str]:
        """The private channels that notes were captured in."""
        i = interaction.c
        mine = select(i.visibility).where(i.team_id == self.team_id, i.visibility != "").distinct()
        with self._read() as connection:
            return frozenset(connection.execute(mine).scalars())

    def _is_merged(self, connection: Connection, account_id: int) -> bool:
        mine = and_(account.c.team_id == self.team_id, account.c.id == account_id)
        return connection.execute(select(account.c.merged_into).where(mine)).scalar() is not None

    def _move(self, connection: Connection, table: Table, account_id: int, into_id: int) -> list[int]:
        of_one = and_(table.c.team_id == self.team_id, table.c.account_id == account_id)
        ids = list(connection.execute(select(table.c.id).where(of_one)).scalars())
        self._put(connection, table, of_one, into_id)
        return ids

    def _put(self, connection: Connection, table: Table, rows: Any, account_id: int) -> None:
        mine = and_(table.c.team_id == self.team_id, rows)
        if table in _KEYED:
            self._make_keys_free(connection, table, mine, account_id)
        values: dict[str, Any] = {"account_id": account_id}
        if table is interaction:
            values |= {"indexed_as": "stale", "revision": interaction.c.revision + 1, **TRY_AGAIN}
        connection.execute(update(table).where(mine).values(**values))

    def _make_keys_free(self, connection: Connection, table: Table, mine: Any, account_id: int) -> None:
        """A key that the other account uses, too, gets the row's own number behind it."""
        theirs = select(table.c.key).where(table.c.team_id == self.team_id, table.c.account_id == account_id)
        twice = connection.execute(select(table.c.id, table.c.key).where(mine, table.c.key.in_(theirs))).all()
        for row in twice:
            one = and_(table.c.team_id == self.team_id, table.c.id == row.id)
            connection.execute(update(table).where(one).values(key=f"{row.key}-{row.id}"))
