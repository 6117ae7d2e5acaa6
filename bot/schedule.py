"""When a digest is due: what people say becomes a cron expression in an IANA zone, and that the next instant. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim

from storage.errors import BadInput

GRACE = timedelta(hours=1)
"""A slot that was missed is posted late within it; after it the slot is skipped, and said to be."""

FARTHEST = timedelta(days=8)
"""Every plan has a slot a week, so a next one beyond this was counted by a clock that was ahead."""

USAGE = "Say when, for example: /digest here weekly monday 9:00 (or: weekdays 8:30, daily 9:00, monday thursday 9am)."
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ZONES_SHOWN = 100
_DAYS = {"monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 0}
_SHORT = {name[:3]: number for name, number in _DAYS.items()} | _DAYS | {"tues": 2, "wednes": 3, "thurs": 4}
_TIME = re.compile(r"^(?:at)?(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?$")
_FILLERS = frozenset(("weekly", "every", "each", "on", "at", "and", "week", "o'clock"))


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule: `cron` has five fields and holds in the zone `tz`."""

    cron: str
    tz: str

    @property
    def words(self) -> str:
        """`every Monday at 9:00 (Europe/Berlin)`."""
        minute, hour, _, _, days = self.cron.split()
        names = {str(number): name.capitalize() for name, number in _DAYS.items()}
        when = {"*": "every day", "1-5": "every weekday"}.get(days) or "every " + ", ".join(
            names[day] for day in days.split(",")
        )
        return f"{when} at {hour}:{int(minute):02} ({self.tz})"

    @property
    def time(self) -> str:
        """`09:00`, as a time picker has it."""
        minute, hour, *_ = self.cron.split()
        return f"{int(hour):02}:{int(minute):02}"

    @property
    def days(self) -> frozenset[str]:
        """The days of the week in small letters."""
        listed = self.cron.split()[-1]
        numbers = {"*": "0,1,2,3,4,5,6", "1-5": "1,2,3,4,5"}.get(listed, listed).split(",")
        return frozenset(name for name, number in _DAYS.items() if str(number) in numbers)


def zones_like(typed: str) -> tuple[str, ...]:
    """Time zones with what was typed in their names, those whose city begins with it first."""
    wanted = typed.strip().casefold().replace(" ", "_")
    found = [zone for zone in sorted(available_timezones()) if wanted in zone.casefold() and _is_place(zone)]
    found.sort(key=lambda zone: not zone.casefold().rpartition("/")[2].startswith(wanted))
    return tuple(found[:ZONES_SHOWN])


def _is_place(zone: str) -> bool:
    return zone == "UTC" or ("/" in zone and not zone.startswith(("Etc/", "SystemV/")))


def parse(text: str, tz: str) -> Plan:
    """What a person typed as a plan. Raises BadInput with an example."""
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of the zone files is an OSError
        raise BadInput(f"'{tz[:40]}' is no time zone; use a name such as Europe/Berlin.") from error
    words = re.sub(r"[,;]", " ", text.casefold()).split()
    days, hour, minute = "", -1, 0
    chosen: list[int] = []
    for word in _joined(words):
        time = _TIME.match(word)
        if word in ("daily", "day"):
            days = "*"
        elif word in ("weekdays", "weekday", "workdays"):
            days = "1-5"
        elif word.rstrip("s") in _SHORT or word in _SHORT:
            chosen.append(_SHORT[word if word in _SHORT else word.rstrip("s")])
        elif time and hour >= 0:
            raise BadInput(f"A digest has one hour of the day, and '{word[:40]}' would be a second one. {USAGE}")
        elif time:
            hour, minute = _hour(time)
        elif word not in _FILLERS:
            raise BadInput(f"I do not understand '{word[:40]}'. {USAGE}")
    days = ",".join(str(day) for day in dict.fromkeys(chosen)) or days
    if not days or not 0 <= hour < 24 or not 0 <= minute < 60:
        raise BadInput(USAGE)
    return Plan(f"{minute} {hour} * * {days}", tz)


def _joined(words: list[str]) -> list[str]:
    """`9 am` is one word."""
    joined: list[str] = []
    for word in words:
        if word in ("am", "pm") and joined:
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _hour(time: re.Match[str]) -> tuple[int, int]:
    hour, half = int(time[1]), time[3]
    if half and not 1 <= hour <= 12:
        return -1, 0
    return (hour % 12 + (12 if half == "pm" else 0) if half else hour), int(time[2] or 0)


def next_after(cron: str, tz: str, moment: datetime) -> datetime:
    """The next instant after a moment, in UTC. A skipped hour runs at the next valid minute, a doubled one once."""
    slots = (slot.astimezone(UTC) for slot in CronSim(cron, moment.astimezone(ZoneInfo(tz))))
    # From within the second of two equal hours CronSim goes back to the first.
    return next(slot for slot in slots if slot > moment)


@dataclass(frozen=True, slots=True)
class Due:
    """The newest slot that has come, whether it is too late for it, how many older ones it stands for, and the next."""

    slot: datetime
    is_late: bool
    missed: int
    next_at: datetime


def due(cron: str, tz: str, next_at: datetime, now: datetime, grace: timedelta = GRACE) -> Due | None:
    """What is due at `now`; None when nothing is. Slots missed before the newest are coalesced into it."""
    if next_at > now:
        return None
    slot, missed = next_at, 0
    while (following := next_after(cron, tz, slot)) <= now:
        slot, missed = following, missed + 1
    return Due(slot, now - slot > grace, missed, following)
