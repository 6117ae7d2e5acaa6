"""Accounts handed from one rep to another, with the next steps that go with them; each can be taken back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from storage.errors import BadInput, NotFound
from storage.ground import AnyRow, account, handoff, next_step
from storage.ledger import LedgerVerbs
from storage.records import Handoff

_h = handoff.c


class HandoffVerbs(LedgerVerbs):
    """What can be done about who owns an account."""

    def hand_over(self, account_id: int, to_rep: str, by: str) -> Handoff:
        """Make a rep the owner of an account; our open next steps of the owner before move along. Raises BadInput."""
        with self._write() as connection:
            before = self._account(connection, account_id)
            if before.owner == to_rep:
                raise BadInput(f"{before.name} is theirs already.")
            moved = self._move_steps(connection, account_id, to_rep)
            self._own(connection, account_id, to_rep)
            values: dict[str, Any] = {
                "team_id": self.team_id,
                "account_id": account_id,
                "from_rep": before.owner,
                "to_rep": to_rep,
                "by": by,
                "at": self._now(),
                "steps": [{"id": step, "owner": owner} for step, owner in moved],
            }
            made = connection.execute(insert(handoff).values(**values).returning(*_h)).one()
        return _to_handoff(made)

    def undo_handoff(self, handoff_id: int) -> Handoff:
        """Give the account and the steps that moved back, but for what has been given on since. Raises NotFound."""
        with self._write() as connection:
            mine = and_(_h.team_id == self.team_id, _h.id == handoff_id, _h.undone_at.is_(None))
            row = connection.execute(update(handoff).where(mine).values(undone_at=self._now()).returning(*_h)).first()
            if row is None:
                raise NotFound("There is no such hand-off here, or it was taken back already.")
            if self._account(connection, row.account_id).owner == row.to_rep:
                self._own(connection, row.account_id, row.from_rep)
            for step in row.steps:
                still = and_(
                    next_step.c.team_id == self.team_id,
                    next_step.c.id == step["id"],
                    next_step.c.owner == row.to_rep,
                    next_step.c.done_at.is_(None),
                )
                connection.execute(update(next_step).where(still).values(owner=step["owner"]))
        return _to_handoff(row)

    def handoffs(self, account_id: int) -> tuple[Handoff, ...]:
        """Every hand-off of an account, oldest first."""
        mine = select(handoff).where(_h.team_id == self.team_id, _h.account_id == account_id).order_by(_h.id)
        with self._read() as connection:
            return tuple(_to_handoff(row) for row in connection.execute(mine))

    def _move_steps(self, connection: Connection, account_id: int, to_rep: str) -> list[tuple[int, str]]:
        n = next_step.c
        ours = and_(
            n.team_id == self.team_id,
            n.account_id == account_id,
            n.side == "ours",
            n.done_at.is_(None),
            n.dropped_at.is_(None),
            n.owner != to_rep,
        )
        moved = [(row.id, row.owner) for row in connection.execute(select(n.id, n.owner).where(ours).order_by(n.id))]
        connection.execute(update(next_step).where(ours).values(owner=to_rep))
        return moved

    def _own(self, connection: Connection, account_id: int, rep: str) -> None:
        mine = and_(account.c.team_id == self.team_id, account.c.id == account_id)
        connection.execute(update(account).where(mine).values(owner=rep))


def _to_handoff(row: AnyRow) -> Handoff:
    at: datetime = row.at
    steps = tuple(int(step["id"]) for step in row.steps)
    return Handoff(row.id, row.account_id, row.from_rep, row.to_rep, row.by, at, steps, row.undone_at)
