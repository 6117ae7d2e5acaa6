"""How a person wants to be reminded."""

from dataclasses import asdict, dataclass

from sqlalchemy import and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from storage.errors import BadInput
from storage.ground import TeamGround, person

_p = person.c
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


class PreferenceVerbs(TeamGround):
    """What a workspace knows of how its people want to be reminded."""

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
