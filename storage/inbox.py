"""Deliveries that have been taken: the same key a second time is a duplicate. Kept for a week."""

from datetime import timedelta

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.exc import IntegrityError

from storage.ground import Ground, inbox

KEPT = timedelta(days=7)
_x = inbox.c


class Inbox:
    """The inbox of every workspace."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def take(self, team_id: str, key: str) -> bool:
        """Write a delivery down; False when it has come before."""
        now = self._ground.now()
        try:
            with self._ground.db.write() as connection:
                known = and_(_x.team_id == team_id, _x.delivery_key == key)
                if connection.execute(select(_x.at).where(known)).first():
                    return False
                connection.execute(delete(inbox).where(_x.at < now - KEPT))
                connection.execute(insert(inbox).values(team_id=team_id, delivery_key=key, at=now))
        except IntegrityError:
            # Another process wrote the same one in between.
            return False
        return True
