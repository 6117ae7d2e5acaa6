"""When digests are due: what people type, and what the clocks of three zones do to it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.schedule import Plan, due, next_after, parse
from storage.errors import BadInput

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata")


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("weekly monday 9:00", "0 9 * * 1"),
        ("monday at 9am", "0 9 * * 1"),
        ("every Friday 16:30", "30 16 * * 5"),
        ("weekdays 8:30", "30 8 * * 1-5"),
        ("daily 7 pm", "0 19 * * *"),
        ("mondays, thursdays 12am", "0 0 * * 1,4"),
        ("sun 10.15", "15 10 * * 0"),
        ("every monday 9", "0 9 * * 1"),
        ("monday, thursday at 9am", "0 9 * * 1,4"),
        ("every day at 9 o'clock", "0 9 * * *"),
    ],
)
def test_what_people_type_is_understood(text: str, cron: str) -> None:
    """Days, hours and halves of the day in the usual spellings."""
    assert parse(text, "UTC").cron == cron


@pytest.mark.parametrize("text", ["", "monday", "9:00", "monday 25:00", "someday 9:00", "monday 13pm", "monday 9:75"])
def test_what_cannot_be_understood_is_said_with_an_example(text: str) -> None:
    """No day, no hour, or neither: one sentence with the way to say it."""
    with pytest.raises(BadInput, match="for example"):
        parse(text, "UTC")


def test_two_hours_of_a_day_are_refused() -> None:
    """Neither is chosen for the person."""
    with pytest.raises(BadInput, match="one hour of the day"):
        parse("monday 9:00 17:00", "UTC")


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "Europe", "", "../etc/passwd", "x" * 300, "a\0b"])
def test_what_is_no_zone_is_named(zone: str) -> None:
    """A zone that does not exist is not taken for UTC, and the folder of a continent is none either."""
    with pytest.raises(BadInput, match="is no time zone") as caught:
        parse("monday 9:00", zone)
    assert zone[:40] in str(caught.value)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 9 * * 1", "every Monday at 9:00 (UTC)"),
        ("5 16 * * 1-5", "every weekday at 16:05 (UTC)"),
        ("0 0 * * *", "every day at 0:00 (UTC)"),
        ("30 8 * * 1,0", "every Monday, Sunday at 8:30 (UTC)"),
    ],
)
def test_a_plan_is_said_in_words(cron: str, words: str) -> None:
    """Days by name, the hour, the zone."""
    assert Plan(cron, "UTC").words == words


def test_weekdays_are_monday_to_friday() -> None:
    """Cron counts from Sunday, and some schedulers do not."""
    moment, days = datetime(2026, 6, 6, tzinfo=UTC), []
    for _ in range(6):
        moment = next_after("0 9 * * 1-5", "UTC", moment)
        days.append(moment.strftime("%a"))
    assert days == ["Mon", "Tue", "Wed", "Thu", "Fri", "Mon"]


FORWARD_AND_BACK = [
    # Clocks go forward over the hour: it runs at the next valid minute.
    ("Europe/Berlin", 2, 30, datetime(2026, 3, 28, 12), ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
    ("America/New_York", 2, 30, datetime(2026, 3, 7, 12), ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"]),
    ("Australia/Lord_Howe", 2, 15, datetime(2026, 10, 3, 12), ["2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"]),
    # Clocks go back over it: it runs once.
    ("Europe/Berlin", 2, 30, datetime(2026, 10, 24, 12), ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
    ("America/New_York", 1, 30, datetime(2026, 10, 31, 12), ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"]),
    ("Australia/Lord_Howe", 1, 45, datetime(2026, 4, 4, 12), ["2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"]),
]


@pytest.mark.parametrize(("zone", "hour", "minute", "before", "expected"), FORWARD_AND_BACK)
def test_a_skipped_hour_runs_at_the_next_minute_and_a_doubled_one_once(
    zone: str, hour: int, minute: int, before: datetime, expected: list[str]
) -> None:
    """Both changes of the clock, in Berlin, New York and Lord Howe (which moves by half an hour)."""
    moment = before.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for wanted in expected:
        moment = next_after(f"{minute} {hour} * * *", zone, moment)
        assert moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") == wanted


@given(
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.integers(0, 59),
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)),
)
def test_the_next_slot_is_later_and_at_the_hour_asked_for(zone: str, hour: int, minute: int, naive: datetime) -> None:
    """Slots only go forward; away from a change of the clock each has the local time that was asked for."""
    now = naive.replace(tzinfo=UTC)
    following = next_after(f"{minute} {hour} * * *", zone, now)
    assert now < following <= now + timedelta(hours=50)
    local = following.astimezone(ZoneInfo(zone))
    around = {(local + timedelta(hours=h)).utcoffset() for h in (-3, 3)}
    assert len(around) > 1 or (local.hour, local.minute) == (hour, minute)


CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1)),
    ("America/New_York", datetime(2026, 3, 8, 7)),
    ("America/New_York", datetime(2026, 11, 1, 6)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30)),
]
"""Zones, and the moment in UTC at which their clocks change."""


@example(CHANGES[1], 2 * 60 + 30, 10)
@example(CHANGES[3], 60 + 30, 10)
@example(CHANGES[4], 60 + 45, 5)
@given(st.sampled_from(CHANGES), st.integers(0, 4 * 60 - 1), st.integers(-4 * 60, 2 * 60))
def test_around_a_change_of_the_clock_there_is_one_slot_a_day_and_each_is_later(
    change: tuple[str, datetime], minute: int, before: int
) -> None:
    """From any minute, those of the doubled hour too: strictly later, no day twice, none left out."""
    zone, at = change
    moments = [at.replace(tzinfo=UTC) + timedelta(minutes=before)]
    for _ in range(4):
        moments.append(next_after(f"{minute % 60} {minute // 60} * * *", zone, moments[-1]))
    assert all(earlier < later for earlier, later in pairwise(moments))
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in moments[1:]]
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


@given(
    st.sampled_from(CHANGES), st.integers(0, 23), st.integers(0, 59), st.integers(-72 * 60, 72 * 60), st.integers(0, 20)
)
def test_what_is_due_is_the_newest_slot_and_none_is_left_uncounted(
    change: tuple[str, datetime], hour: int, minute: int, start: int, days: int
) -> None:
    """The slot has come, the next has not, and walking slot by slot meets as many as are counted."""
    zone, at = change
    cron, first = f"{minute} {hour} * * *", at.replace(tzinfo=UTC) + timedelta(minutes=start)
    walked = [next_after(cron, zone, first)]
    now = walked[0] + timedelta(days=days, minutes=30)
    while walked[-1] <= now:
        walked.append(next_after(cron, zone, walked[-1]))
    coming = due(cron, zone, walked[0], now)
    assert coming is not None
    assert (coming.slot, coming.next_at, coming.missed) == (walked[-2], walked[-1], len(walked) - 2)
    assert coming.slot <= now < coming.next_at


def test_missed_slots_are_one_and_a_late_one_is_skipped() -> None:
    """Three missed days are one slot; more than an hour late it is skipped, and the next is in the future."""
    first = datetime(2026, 6, 1, 9, tzinfo=UTC)
    soon = due("0 9 * * *", "UTC", first, first + timedelta(days=3, minutes=30))
    assert soon is not None
    assert (soon.slot, soon.missed, soon.is_late) == (first + timedelta(days=3), 3, False)
    late = due("0 9 * * *", "UTC", first, first + timedelta(hours=2))
    assert late is not None
    assert late.is_late
    assert due("0 9 * * *", "UTC", first, first - timedelta(seconds=1)) is None
