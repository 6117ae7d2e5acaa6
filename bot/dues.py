"""When something is due: a small closed grammar first, `dateparser` only for what a preposition introduced.

Measured on phrases of sales notes, `dateparser` alone gets half of them right and takes "sat down" for Saturday.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
# "sat" and "sun" are words of their own; those two days are only read in full.
_DAY = r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|saturday|sunday)"
_MONTH = rf"(?:{'|'.join(MONTHS)}|{'|'.join(m[:3] for m in MONTHS)}|sept)"
_ISO = r"\d{4}-\d{2}-\d{2}"
_PHRASE = "|".join(
    (
        _ISO,
        r"eo[dwmqy]\b",
        r"q[1-4](?: \d{4})?\b",
        rf"\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b(?:,? \d{{4}})?",
        rf"{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?",
        r"(?:the )?(?:end|beginning|start) of (?:the |next |this )?(?:day|week|month|quarter|year)",
        rf"(?:the )?end of {_MONTH}\b",
        rf"(?:early|mid|late)[ -]{_MONTH}\b",
        r"in (?:a|an|one|two|three|four|five|six|ten|\d{1,3}) (?:business |working )?(?:day|week|month)s?",
        r"(?:this|next) (?:week|month|quarter|year)\b",
        rf"(?:this |next |on )?{_DAY}\b",
        r"today|tomorrow|tonight",
        r"(?:the )?new year",
        rf"{_MONTH}\b",
    )
)
_DUE = re.compile(rf"\b(?:(by|before|until|till|on|for|after|in|this|next|from)\s+)?(?:the \w+ on )?({_PHRASE})", re.I)
_NEEDS_LEAD = re.compile(rf"^(?:{_MONTH}|q[1-4](?: \d{{4}})?)$", re.I)
_SPOKEN = re.compile(r"\b(?:by|until|before|on)\s+([^,.;!?]{3,40})", re.I)


def find_due(sentence: str) -> str:
    """The phrase in a sentence that says when, verbatim; "" when none does. A bare month needs a preposition."""
    for match in _DUE.finditer(sentence):
        if match[1] or not _NEEDS_LEAD.match(match[2]):
            return match[0]
    return ""


def resolve(phrase: str, noted_at: datetime, tz: ZoneInfo, *, end: bool = True) -> date | None:
    """The day a phrase means, seen from the day of the note in the rep's zone; None when it means none.

    With `end` a period is due on its last day ("by Q3": 30 September); without, it counts from its first ("until Q3":
    1 July). A month-day that has passed is next year's.
    """
    words = re.sub(r"\s+", " ", phrase.strip().casefold().rstrip("."))
    today = noted_at.astimezone(tz).date()
    for pattern, meaning in _MEANINGS:
        match = pattern.search(words)
        if match:
            return meaning(match, today, end)
    return _parsed(words, today)


def _iso(match: re.Match[str], today: date, end: bool) -> date | None:
    return _made(int(match[1]), int(match[2]), int(match[3]))


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month_day(day: str, month: str, year: str | None, today: date) -> date | None:
    number = _month(month)
    if year:
        return _made(int(year), number, int(day))
    found = _made(today.year, number, int(day))
    return found if found is None or found >= today else _made(today.year + 1, number, int(day))


def _month(word: str) -> int:
    return next(n for n, name in enumerate(MONTHS, 1) if name.startswith(word[:3]))


def _last_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _period_end(match: re.Match[str], today: date, end: bool) -> date | None:
    unit = match["unit"][0]
    if "next" in match[0]:
        today = {"w": today + timedelta(7), "m": _last_of(today.year, today.month) + timedelta(1)}.get(unit, today)
    return _closes(unit, today)


def _closes(unit: str, today: date) -> date:
    if unit == "d":
        return today
    if unit == "w":
        return today + timedelta((4 - today.weekday()) % 7)
    if unit == "m":
        return _last_of(today.year, today.month)
    if unit == "q":
        return _last_of(today.year, (today.month + 2) // 3 * 3)
    return date(today.year, 12, 31)


def _coming(match: re.Match[str], today: date, end: bool) -> date | None:
    """`this week` closes on its Friday; `next week` is due on the next Friday and counts from the next Monday."""
    unit, ahead = match["unit"][0], match["which"] == "next"
    if unit == "w":
        monday = today - timedelta(today.weekday()) + timedelta(7 * ahead)
        return monday + timedelta(4) if end else max(monday, today)
    if unit == "m":
        first = today.replace(day=1) if not ahead else _last_of(today.year, today.month) + timedelta(1)
        return _last_of(first.year, first.month) if end else max(first, today)
    if unit == "q":
        first = _closes("q", today) + timedelta(1) if ahead else today
        return _closes("q", first) if end else first
    return date(today.year + ahead, 12, 31) if end else date(today.year + ahead, 1, 1)


def _quarter(match: re.Match[str], today: date, end: bool) -> date | None:
    number = int(match[1])
    year = int(match[2]) if match[2] else today.year
    last = _last_of(year, number * 3)
    if not match[2] and last < today:
        last = _last_of(year + 1, number * 3)
    return last if end else date(last.year, last.month - 2, 1)


def _month_alone(match: re.Match[str], today: date, end: bool) -> date | None:
    number = _month(match["month"])
    year = today.year + (number < today.month)
    part = match["part"] or ""
    if part == "mid":
        return date(year, number, 15)
    if part == "early":
        return date(year, number, 7) if end else date(year, number, 1)
    if part == "late" or "end" in part or (end and not part):
        return _last_of(year, number)
    return date(year, number, 1)


def _weekday(match: re.Match[str], today: date, end: bool) -> date | None:
    number = next(n for n, name in enumerate(WEEKDAYS) if name.startswith(match["day"][:3]))
    ahead = (number - today.weekday()) % 7 or 7
    # "next Tuesday", said on a Monday, is the one of the next week.
    return today + timedelta(ahead + (7 if match["which"] == "next" and number > today.weekday() else 0))


def _in(match: re.Match[str], today: date, end: bool) -> date | None:
    count = NUMBERS.get(match["n"]) or int(match["n"])
    if match["unit"] == "day" and match["kind"]:
        return _business_days(today, count)
    return today + timedelta(count * {"day": 1, "week": 7, "month": 30}[match["unit"]])


def _business_days(today: date, count: int) -> date:
    while count:
        today += timedelta(1)
        count -= today.weekday() < 5
    return today


def _parsed(words: str, today: date) -> date | None:
    spoken = _SPOKEN.search(words)
    if spoken is None or not re.search(r"\d", spoken[1]):
        return None
    import dateparser

    base = datetime(today.year, today.month, today.day)  # noqa: DTZ001 - dateparser wants a naive base; only the day is used
    found = dateparser.parse(
        spoken[1], languages=["en"], settings={"RELATIVE_BASE": base, "PREFER_DATES_FROM": "future"}
    )
    return found.date() if found else None


Meaning = Callable[[re.Match[str], date, bool], date | None]
_YEAR = r"(?:,? (\d{4}))?"
_MEANINGS: tuple[tuple[re.Pattern[str], Meaning], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"(\d{4})-(\d{2})-(\d{2})", _iso),
        (
            rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})\b{_YEAR}",
            lambda m, today, end: _month_day(m[1], m[2], m[3], today),
        ),
        (
            rf"\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b{_YEAR}",
            lambda m, today, end: _month_day(m[2], m[1], m[3], today),
        ),
        (r"\beo(?P<unit>[dwmqy])\b", _period_end),
        (r"\bend of (?:the |this |next )?(?P<unit>day|week|month|quarter|year)", _period_end),
        (r"\bq([1-4])(?: (\d{4}))?\b", _quarter),
        (
            r"\bin (?P<n>an?|one|two|three|four|five|six|ten|\d{1,3}) (?P<kind>business |working )?"
            r"(?P<unit>day|week|month)s?",
            _in,
        ),
        (r"\b(?P<which>this|next) (?P<unit>week|month|quarter|year)\b", _coming),
        (r"\b(?:today|tonight)\b", lambda m, today, end: today),
        (r"\btomorrow\b", lambda m, today, end: today + timedelta(1)),
        (rf"\b(?:(?P<which>this|next) )?(?P<day>{_DAY})\b", _weekday),
        (r"\bnew year\b", lambda m, today, end: date(today.year + 1, 1, 1)),
        (rf"(?:(?P<part>early|mid|late|end of)[ -])?\b(?P<month>{_MONTH})\b", _month_alone),
    )
)
