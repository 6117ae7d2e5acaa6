"""Reads a question: its words, topics and kinds as sparse dimensions, the people and the days it names. Pure."""

import re
from calendar import monthrange
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from storage import lexicon, sparse
from storage.roles import meant


@dataclass(frozen=True, slots=True)
class Term:
    """One dimension a question asks for.

    `role` of words: word, covered (its subjects or kinds account for it), name, day, scaffold ("say", "customer"). Of
    features: topic, subject, loose (a subject that is told in many words), kind, person, meta.
    """

    dimension: int
    role: str
    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Period:
    """Days first..last, both included."""

    first: date
    last: date


CALLED = 1.0
"""How much the name of somebody counts whom a question calls by role."""

WORD_WEIGHTS: Mapping[str, float] = {
    "word": 1.0,
    "covered": 1.0,
    "scaffold": 0.5,
    "name": 1.0,
    "day": 0.3,
    "called": CALLED,
}
"""How much a word of the question counts, by its role."""

_FEATURES = {"topic": 0, "subject": 1, "loose": 1, "kind": 2}
"""The roles of features, and which of the three groups they are weighed with."""


@dataclass(frozen=True)
class Question:
    """A question read. One sparse query per term; `periods` are alternatives ("in May" is every May)."""

    text: str
    terms: tuple[Term, ...]
    kinds: frozenset[str] = frozenset()
    people: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    periods: tuple[Period, ...] = ()

    @property
    def dimensions(self) -> list[int]:
        """The sparse dimensions to ask the index for, one posting list each, in the order of `terms`."""
        return [term.dimension for term in self.terms]

    def rows(self, role: str) -> list[int]:
        """Places of the terms with a role; `words`, `telling` (words), `features` and `names` are groups of roles."""
        return self._rows.get(role, [])

    def row(self, text: str) -> int:
        """The place of the meta term of this name."""
        return next(i for i in self.rows("meta") if self.terms[i].text == text)

    @cached_property
    def kinds_alone(self) -> bool:
        """Whether it asks for all of a kind: "objections", "what did we promise?", but not for "pricing objections"."""
        subjects = {self.terms[i].text for i in self.rows("subject")}
        more = any(self.rows(role) for role in ("word", "names", "called"))
        return bool(self.kinds) and self.kinds <= _LISTED and not (more or self.periods or subjects - self.kinds)

    @cached_property
    def word_weights(self) -> NDArray[np.float64]:
        """(w, 1) what each of the words counts."""
        return np.array([[WORD_WEIGHTS[self.terms[i].role]] for i in self.rows("words")]).reshape(-1, 1)

    @cached_property
    def feature_groups(self) -> NDArray[np.float64]:
        """(3, f) 1 where a feature is a topic, a subject, a kind."""
        groups = [_FEATURES[self.terms[i].role] for i in self.rows("features")]
        return np.array([[float(group == one) for group in groups] for one in range(3)])

    @cached_property
    def _rows(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for i, term in enumerate(self.terms):
            for role in (term.role, *_GROUPS.get(term.role, ())):
                rows.setdefault(role, []).append(i)
        return rows


_LISTED = frozenset(("objection", "promise_us", "promise_them", "competitor", "budget", "next_step"))
"""Kinds that are told in so many words that a note which shows one is about one."""

_GROUPS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(WORD_WEIGHTS, ("words",)),
    **dict.fromkeys(_FEATURES, ("features",)),
    "word": ("words", "telling"),
    "covered": ("words", "telling"),
    "name": ("words", "names", "people"),
    "person": ("names", "people"),
    "called": ("words", "people"),
}


def parse(
    text: str, people: Sequence[str] = (), today: date | None = None, roles: Sequence[tuple[str, str]] = ()
) -> Question:
    """Reads a question. `people` are names known in the scope: contacts, reps, the account itself.

    `roles` are (name, role) of those whose role is known. `today` resolves "last week"; without it only absolute days
    are understood.
    """
    names = _names(text, people)
    kinds = lexicon.asked(text)
    terms = {term.dimension: term for term in _called(text, roles)}
    terms |= {term.dimension: term for term in _terms(text, names, kinds)}
    known = frozenset(part for person in people for part in lexicon.words(person))
    return Question(text, tuple(terms.values()), kinds, tuple(names), known, tuple(periods(text, today)))


_SCAFFOLD = frozenset(
    """say said says tell told mention mentioned mentions talk talked discuss discussed speak spoke ask asked come came
    bring brought raise raised account customer client prospect note notes record call conversation deal know anything
    something someone anyone did do does any ever main specific exactly give gave make made about regarding people
    person team company happen happened think thought want wanted need needed have get got thing things""".split()
)
_NAME = re.compile(r"(?<!^)(?<![.!?]\s)\b([A-Z][a-zA-Z]+(?:[-'’][A-Z]?[a-z]+)*)")
_NOT_NAMES = frozenset(
    """january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday i q roi api sla soc gdpr crm erp sso poc""".split()
)


def _terms(text: str, names: Sequence[str], kinds: frozenset[str]) -> Iterator[Term]:
    lowered = {name.lower() for name in names}
    understood = lexicon.understood(text)
    for word in lexicon.words(text):
        bare = word.removesuffix("'s")
        role = _role(bare, lowered)
        role = "covered" if role == "word" and word in understood else role
        for token in sparse.tokens(bare):
            yield Term(token, role, word)
    for name in sorted(lowered):
        yield Term(sparse.feature("person", name), "person", name)
    for group, name in sorted(lexicon.features(text)):
        if group != "kind":  # what a note shows is not what a question asks for
            role = "loose" if group == "subject" and name in lexicon.LOOSE else group
            yield Term(sparse.feature(group, name), role, name)
    for name in sorted(kinds):
        yield Term(sparse.feature("kind", name), "kind", name)
    yield Term(sparse.LENGTH, "meta", "length")
    yield Term(sparse.TIME, "meta", "time")


def _called(text: str, roles: Sequence[tuple[str, str]]) -> Iterator[Term]:
    """The names of those whom the question calls by their role."""
    for name in meant(text, roles):
        for part in lexicon.words(name):
            for token in sparse.tokens(part):
                yield Term(token, "called", part)


def _role(word: str, names: Collection[str]) -> str:
    if word in names:
        return "name"
    if word in _SCAFFOLD:
        return "scaffold"
    return "day" if word in _MONTHS or _is_year(word) else "word"


def _is_year(word: str) -> bool:
    return word.isdigit() and 2000 <= int(word) < 2100


def _names(text: str, people: Sequence[str]) -> list[str]:
    """Capitalised words inside the sentence, and known people however they are written."""
    known = {part for person in people for part in lexicon.words(person) if len(part) > 2}
    found = [match[1].removesuffix("'s").removesuffix("’s") for match in _NAME.finditer(text)]
    capital = [name for name in found if name.lower() not in _NOT_NAMES and not name.isupper()]
    return list(dict.fromkeys([*capital, *(word for word in lexicon.words(text) if word in known)]))


# ---------------------------------------------------------------------------------------------- days and months

_MONTHS = {
    name: number
    for number, pair in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in pair.split()
}
_MONTH = r"(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b"
_YEAR = r"(?:,?\s*(?:of\s+)?(?P<year>20\d\d))?"
_ISO = re.compile(r"\b(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b")
_DAY_MONTH = re.compile(rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}{_YEAR}", re.I)
_MONTH_DAY = re.compile(rf"\b{_MONTH}\s+(?:the\s+)?{_DAY}{_YEAR}", re.I)
_MONTH_ONLY = re.compile(
    rf"(?P<part>(?:\w+\s+week|start|beginning|early|middle|mid|late|end)[\s-]+(?:of\s+|in\s+)?)?\b{_MONTH}{_YEAR}", re.I
)
_QUARTER = re.compile(rf"\bQ(?P<quarter>[1-4])\b{_YEAR}", re.I)
_SEASON = re.compile(rf"\b(?P<season>spring|summer|autumn|fall|winter)\b{_YEAR}", re.I)
_YEAR_ONLY = re.compile(
    r"(?:\b(?:in|during|of|year)\s+|(?<=since\s)|(?<=after\s)|(?<=before\s)|(?<=until\s))(?P<year>20\d\d)\b", re.I
)
_AGO = re.compile(
    r"\b(?P<count>\d+|an?|one|two|three|four|five|six|couple of|few)\s+(?P<unit>day|week|month|year)s?\s+ago\b", re.I
)
_PAST = re.compile(
    r"\b(?:last|past|previous|this|current)\s+(?P<count>\d+|two|three|four|five|six|few|couple of)?\s*"
    r"(?P<unit>day|week|month|quarter|year)s?\b",
    re.I,
)
_EDGE = re.compile(r"\b(since|after|before|prior to|until|till|up to)\s+(?:the\s+|about\s+)*$", re.I)
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "couple of": 2, "three": 3, "few": 3, "four": 4, "five": 5, "six": 6}
_UNIT_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
_SEASON_MONTHS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_PART_DAYS = {
    "first": (1, 7), "second": (8, 14), "third": (15, 21), "fourth": (22, 28), "last": (22, 31), "start": (1, 10),
    "beginning": (1, 10), "early": (1, 10), "middle": (10, 20), "mid": (10, 20), "late": (20, 31), "end": (20, 31),
}  # fmt: skip
_YEARS_BACK = 10


def periods(text: str, today: date | None = None) -> Iterator[Period]:
    """The days a question names. A month, day, quarter or season without a year stands for that of each recent year."""
    years = range(today.year - _YEARS_BACK, today.year + 1) if today else range(2015, 2036)
    rest = text
    for pattern in (_ISO, _DAY_MONTH, _MONTH_DAY, _MONTH_ONLY, _QUARTER, _SEASON, _YEAR_ONLY):
        for match in pattern.finditer(rest):
            if not _is_verb(match):
                named = list(_periods_of(match, years))
                edge = _EDGE.search(rest, 0, match.start()) if today else None
                yield from _beside(edge[1].lower(), named, today) if edge and today else named
        rest = pattern.sub(lambda match: match[0] if _is_verb(match) else " ", rest)
    if today:
        yield from _relative(rest, today)


def _beside(edge: str, named: Sequence[Period], today: date) -> Iterator[Period]:
    """What lies on the named side of the latest such period begun: "since March" is not since March of 2019."""
    begun = [period for period in named if period.first <= today]
    if not begun:
        return
    latest, ever = max(begun, key=lambda period: period.first), today - timedelta(366 * _YEARS_BACK)
    if edge == "since":
        yield Period(latest.first, today)
    elif edge == "after":
        yield Period(min(latest.last + timedelta(1), today), today)
    else:
        yield Period(ever, latest.first - timedelta(1) if edge in ("before", "prior to") else latest.last)


def _is_verb(match: re.Match[str]) -> bool:
    """ "may" and "march" are months only with a capital and not as the first word."""
    month = match.groupdict().get("month") or ""
    return month in ("may", "march", "mar", "sep", "dec") or (month in ("May", "March") and match.start("month") == 0)


def _periods_of(match: re.Match[str], years: Sequence[int]) -> Iterator[Period]:
    got = match.groupdict()
    for year in [int(got["year"])] if got.get("year") else years:
        period = _in_year(got, year)
        if period:
            yield period


def _in_year(got: dict[str, str | None], year: int) -> Period | None:
    if got.get("quarter"):
        return _months(year, 3 * int(got["quarter"] or 1) - 2, 3)
    if got.get("season"):
        return _months(year, _SEASON_MONTHS[(got["season"] or "").lower()], 3)
    name = (got.get("month") or "").lower()
    if not name:
        return Period(date(year, 1, 1), date(year, 12, 31))
    month = int(name) if name.isdigit() else _MONTHS[name]
    return _days(year, month, int(got["day"] or 0) if got.get("day") else 0, (got.get("part") or "").lower())


def _days(year: int, month: int, day: int, part: str) -> Period | None:
    if not 1 <= month <= 12:
        return None
    length = monthrange(year, month)[1]
    if day:
        return Period(date(year, month, day), date(year, month, day)) if day <= length else None
    first, last = _PART_DAYS.get(part.replace("-", " ").split()[0] if part else "", (1, 31))
    return Period(date(year, month, first), date(year, month, min(last, length)))


def _months(year: int, month: int, count: int) -> Period:
    end_year, end_month = divmod(year * 12 + month - 2 + count, 12)
    return Period(date(year, month, 1), date(end_year, end_month + 1, monthrange(end_year, end_month + 1)[1]))


def _relative(text: str, today: date) -> Iterator[Period]:
    if re.search(r"\byesterday\b", text, re.I):
        yield Period(today - timedelta(1), today - timedelta(1))
    for match in _AGO.finditer(text):
        days = _count(match["count"]) * _UNIT_DAYS[match["unit"].lower()]
        slack = timedelta(_UNIT_DAYS[match["unit"].lower()] // 2)
        yield Period(today - timedelta(days) - slack, today - timedelta(days) + slack)
    for match in _PAST.finditer(text):
        reach = (_count(match["count"]) if match["count"] else 1) * _UNIT_DAYS[match["unit"].lower()]
        yield Period(today - timedelta(min(reach * (1 if match["count"] else 2), 800)), today)


def _count(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[word.lower()]
