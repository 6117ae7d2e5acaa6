"""The zones of those who log notes: "tomorrow" is a day where it was written, whoever reads the note and when."""

from sqlalchemy import and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from storage.errors import BadInput
from storage.ground import TeamGround, person

UNKNOWN = "UTC"


class PeopleVerbs(TeamGround):
    """What is known of the reps of a workspace."""

    def remember_zone(self, user: str, tz: str) -> None:
        """Keep a rep's IANA zone. UTC, which also stands for not knowing, does not replace another one."""
        if tz == UNKNOWN or not user:
            return
        mine = and_(person.c.team_id == self.team_id, person.c.user == user)
        with self._read() as connection:
            known = connection.execute(select(person.c.tz).where(mine)).scalar_one_or_none()
        if known == tz:
            return
        fresh = {"tz": tz, "quiet_from": 19, "quiet_to": 8, "reminders": True, "active": True}
        try:
            with self._ground.db.write() as connection:
                if known is None:
                    connection.execute(insert(person).values(team_id=self.team_id, user=user, **fresh))
                else:
                    connection.execute(update(person).where(mine).values(tz=tz))
        except (IntegrityError, BadInput):
            # Another process has just written the same: it is known now.
            return

    def zones(self) -> dict[str, str]:
        """The zones of those reps whose zone is known."""
        with self._read() as connection:
            rows = connection.execute(select(person.c.user, person.c.tz).where(person.c.team_id == self.team_id))
            return {row.user: row.tz for row in rows if row.tz}
