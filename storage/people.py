"""What is known of a workspace's people: their zones ("tomorrow" is a day where it was written, whoever reads the note
and when), and how they want to be reminded."""

from dataclasses import asdict, dataclass

from sqlalchemy import and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from storage.errors import BadInput
from storage.ground import TeamGround, person

_p = person.c
UNKNOWN = "UTC"
HOURS = 24


@dataclass(frozen=True, slots=True)
class Preferences:
    """Whether a person is reminded at all, and not from `quiet_from` to `quiet_to`: hours of their own day, 0-23."""

    reminders: bool = True
    quiet_from: int = 19
    quiet_to: int = 8

    def allow(self, hour: int) -> bool:
        """Whether a reminder may go out in this hour of their day."""
        if self.quiet_from < self.quiet_to:
            return self.reminders and not self.quiet_from <= hour < self.quiet_to
        return self.reminders and self.quiet_to <= hour < self.quiet_from


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

    def preferences(self, user: str) -> Preferences:
        """A person's, or those of everybody who has set none."""
        mine = and_(_p.team_id == self.team_id, _p.user == user)
        with self._read() as connection:
            row = connection.execute(select(_p.reminders, _p.quiet_from, _p.quiet_to).where(mine)).first()
        return Preferences(*row) if row else Preferences()

    def prefer(self, user: str, wanted: Preferences) -> Preferences:
        """Keep what a person wants. Raises BadInput for hours that leave no hour of the day."""
        hours = (wanted.quiet_from, wanted.quiet_to)
        if not all(0 <= hour < HOURS for hour in hours) or hours[0] == hours[1]:
            raise BadInput("Quiet hours are two different hours of the day, 0 to 23, for example 19-8.")
        mine = and_(_p.team_id == self.team_id, _p.user == user)
        values = asdict(wanted)
        with self._write() as connection:
            if connection.execute(update(person).where(mine).values(**values)).rowcount:
                return wanted
            try:
                with connection.begin_nested():
                    fresh = {"team_id": self.team_id, "user": user, "tz": "", "active": True, **values}
                    connection.execute(insert(person).values(**fresh))
            except IntegrityError:  # another click made it in between
                connection.execute(update(person).where(mine).values(**values))
        return wanted
