"""When a phrase says that something is due, seen from Monday 15 June 2026."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.dues import find_due, resolve

MONDAY = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
CASES = {
    "by friday": "2026-06-19",
    "on Monday": "2026-06-22",
    "next Tuesday": "2026-06-23",
    "this thursday": "2026-06-18",
    "tomorrow": "2026-06-16",
    "today": "2026-06-15",
    "EOD": "2026-06-15",
    "by EOW": "2026-06-19",
    "EOM": "2026-06-30",
    "EOQ": "2026-06-30",
    "by end of week": "2026-06-19",
    "end of the month": "2026-06-30",
    "end of next month": "2026-07-31",
    "by Q3": "2026-09-30",
    "in Q1": "2027-03-31",
    "by Q4 2027": "2027-12-31",
    "this week": "2026-06-19",
    "next week": "2026-06-26",
    "next month": "2026-07-31",
    "next quarter": "2026-09-30",
    "in two weeks": "2026-06-29",
    "in 3 business days": "2026-06-18",
    "in 5 working days": "2026-06-22",
    "in a month": "2026-07-15",
    "in 10 days": "2026-06-25",
    "by 3 July": "2026-07-03",
    "on July 3rd": "2026-07-03",
    "3rd of July": "2026-07-03",
    "by 1 May": "2027-05-01",
    "2026-06-20": "2026-06-20",
    "after the board on 1 December": "2026-12-01",
    "by December": "2026-12-31",
    "end of August": "2026-08-31",
    "mid-July": "2026-07-15",
    "early September": "2026-09-07",
    "in the new year": "2027-01-01",
}


@pytest.mark.parametrize(("phrase", "day"), CASES.items())
def test_a_phrase_means_a_day(phrase: str, day: str) -> None:
    """Each phrase of the grammar is the day a colleague would write down."""
    assert resolve(phrase, MONDAY, ZONE) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("phrase", "day"), [("until Q3", "2026-07-01"), ("until December", "2026-12-01"), ("next month", "2026-07-01")]
)
def test_a_pause_ends_where_its_period_begins(phrase: str, day: str) -> None:
    """Until Q3 is over on 1 July; by Q3 is due on 30 September."""
    assert resolve(phrase, MONDAY, ZONE, end=False) == date.fromisoformat(day)


@pytest.mark.parametrize("sentence", ["we sat down together", "he may sign", "they march on", "second thoughts"])
def test_what_is_no_date_is_none(sentence: str) -> None:
    """Words that only look like days or months do not make something due."""
    assert find_due(sentence) == ""


def test_the_day_is_the_reps_not_the_servers() -> None:
    """Late on Monday in UTC it is already Tuesday in Sydney."""
    late = datetime(2026, 6, 15, 23, 0, tzinfo=UTC)
    assert resolve("tomorrow", late, ZoneInfo("Australia/Sydney")) == date(2026, 6, 17)


def test_an_impossible_day_is_none() -> None:
    """31 June is no day, and no error either."""
    assert resolve("by 31 June", MONDAY, ZONE) is None
