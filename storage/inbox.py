"""Deliveries that have been taken: the same key a second time is a duplicate. Kept for a week; greetings for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, insert, null, select, update
from sqlalchemy.exc import IntegrityError

from storage.ground import Ground, inbox

KEPT = timedelta(days=7)
WAIT = timedelta(minutes=2)
"""Longer than any answer takes: a question that old was asked of a process that has ended."""
STALE = timedelta(minutes=30)
"""A question that old is not answered any more: whoever asked has gone on, and Slack takes no answer to a command."""
MOST_TRIES = 3
_HELLO = "hello:"
_x = inbox.c


@dataclass(frozen=True, slots=True)
class Delivery:
    """A question that was taken and not answered. `work` is what it was taken with."""

    team_id: str
    key: str
    work: Mapping[str, Any]


class Inbox:
    """The inbox of every workspace."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def take(self, team_id: str, key: str, work: Mapping[str, Any] | None = None) -> bool:
        """Write a delivery down; False when it has come before. `work` is kept until `done`."""
        now = self._ground.now()
        try:
            with self._ground.db.write() as connection:
                known = and_(_x.team_id == team_id, _x.delivery_key == key)
                if connection.execute(select(_x.at).where(known)).first():
                    return False
                old = and_(_x.at < now - KEPT, _x.delivery_key.not_like(f"{_HELLO}%"))
                connection.execute(delete(inbox).where(old))
                held = dict(work) if work is not None else None
                row = {"team_id": team_id, "delivery_key": key, "at": now, "work": held, "tries": 0}
                connection.execute(insert(inbox).values(**row))
        except IntegrityError:
            # Another process wrote the same one in between.
            return False
        return True

    def greet(self, team_id: str, user: str) -> bool:
        """Write down that somebody is greeted; False when they have been before. This is not forgotten."""
        return self.take(team_id, f"{_HELLO}{user}")

    def done(self, team_id: str, key: str) -> None:
        """A question was answered: its words are not needed here any more."""
        with self._ground.db.write() as connection:
            this = and_(_x.team_id == team_id, _x.delivery_key == key)
            connection.execute(update(inbox).where(this).values(work=null()))

    def unanswered(self, wait: timedelta = WAIT) -> tuple[Delivery, ...]:
        """Take up the questions that nobody has answered for `wait`, each by one process and a few times at most.

        Those older than half an hour are let go. A question may be answered twice, when a process ends just after
        answering.
        """
        now = self._ground.now()
        waiting = _x.work.is_not(None)
        found = select(_x.team_id, _x.delivery_key, _x.at, _x.tries).where(waiting, _x.at <= now - wait)
        with self._ground.db.read() as connection:
            rows = connection.execute(found).all()
        if not rows:
            return ()
        with self._ground.db.write() as connection:
            connection.execute(update(inbox).where(waiting, _x.at < now - STALE).values(work=null()))
            taken = []
            for row in rows:
                if row.tries >= MOST_TRIES or row.at > now - wait * (row.tries + 1):
                    continue
                this = and_(_x.team_id == row.team_id, _x.delivery_key == row.delivery_key, _x.tries == row.tries)
                claim = update(inbox).where(this, waiting).values(tries=row.tries + 1).returning(_x.work)
                work = connection.execute(claim).scalar_one_or_none()
                taken += [Delivery(row.team_id, row.delivery_key, work)] if work is not None else []
        return tuple(taken)
