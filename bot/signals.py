"""What a note says, as values: what a reader saw, and what code makes of it.

A reader (rules or a model) picks kinds and copies words; code checks that the words are in the note, resolves dates and
decides what counts. A quote that is not in the note is dropped.
"""

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.dues import resolve
from storage import Kind, Side, Signal, Topic

SHORTEST_QUOTE = 8
NEEDS_A_WORD = {Kind.PILOT_REQUESTED, Kind.PILOT_AGREED, Kind.BUDGET_CONFIRMED, Kind.VERBAL_COMMITMENT}
"""Positive kinds that, from the customer's own text, count only after a rep's word: one can move the score by 35."""

STEP_KINDS = {Kind.NEXT_STEP, Kind.COMMITMENT_BY_US, Kind.COMMITMENT_BY_THEM}


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a reader saw: words copied from the note, a phrase for the date, nothing resolved yet."""

    kind: Kind
    topic: Topic
    quote: str
    summary: str = ""
    party: Side | None = None
    due_phrase: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a reader saw in a note. `read_as` names the reader and its version."""

    sightings: tuple[Sighting, ...]
    read_as: str


@dataclass(frozen=True, slots=True)
class Step:
    """A next step or promise that a signal makes; `owner` "" is the rep who logged the note, if it is ours."""

    title: str
    side: Side
    owner: str
    due: date | None
    topic: Topic
    quote: str
    is_promise: bool


def to_signals(
    reading: Reading, *, text: str, occurred_at: datetime, tz: ZoneInfo, external: bool = False
) -> tuple[Signal, ...]:
    """The sightings that the note's words support, with their dates seen from the note's day; the same twice is one."""
    signals: dict[tuple[Kind, Topic, str], Signal] = {}
    for sighting in reading.sightings:
        if is_grounded(sighting.quote, text):
            made = _signal(sighting, occurred_at, tz, external=external)
            signals.setdefault((made.kind, made.topic, normalise(made.quote)), made)
    return tuple(signals.values())


def merge(rules: Reading, model: Reading) -> Reading:
    """Both readings as one; where both saw the same kind in overlapping words the model's is kept.

    Where the rules saw a frozen budget the model cannot see an approved one: they err on those words far less often.
    """
    seen = [s for s in model.sightings if not any(_denies(r, s) for r in rules.sightings)]
    kept = [s for s in rules.sightings if not any(_overlap(s, other) for other in seen)]
    return Reading((*seen, *kept), model.read_as)


def next_steps_of(signals: Iterable[Signal]) -> tuple[Step, ...]:
    """The steps and promises that signals make."""
    return tuple(_step(signal) for signal in signals if signal.kind in STEP_KINDS)


def normalise(text: str) -> str:
    """Words as they compare: case, kinds of quotes and dashes, spaces and entities do not count."""
    bare = unicodedata.normalize("NFKC", html.unescape(text)).casefold()
    bare = bare.translate(_SAME)
    return re.sub(r"\s+", " ", bare).strip()


def is_grounded(quote: str, text: str) -> bool:
    """Whether a quote is words of the text: at least eight characters, or the whole of a shorter note."""
    words, source = normalise(quote), normalise(text)
    return bool(words) and words in source and (len(words) >= SHORTEST_QUOTE or words == source)


_SAME = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "\u200b": None})


def _signal(sighting: Sighting, occurred_at: datetime, tz: ZoneInfo, *, external: bool) -> Signal:
    # A freeze or a pause "until Q3" ends where Q3 begins; a promise "by Q3" is due where it ends.
    from_start = sighting.kind in (Kind.BUDGET_BLOCKED, Kind.PAUSE_AGREED)
    due = resolve(sighting.due_phrase, occurred_at, tz, end=not from_start) if sighting.due_phrase else None
    return Signal(
        kind=sighting.kind,
        topic=sighting.topic,
        quote=sighting.quote,
        summary=sighting.summary,
        party=sighting.party,
        due=due,
        who=sighting.who,
        pending=external and sighting.kind in NEEDS_A_WORD,
    )


def _overlap(one: Sighting, other: Sighting) -> bool:
    return one.kind is other.kind and _same_words(one, other)


def _denies(rule: Sighting, seen: Sighting) -> bool:
    is_other_way = rule.kind is Kind.BUDGET_BLOCKED and seen.kind is Kind.BUDGET_CONFIRMED
    return is_other_way and _same_words(rule, seen)


def _same_words(one: Sighting, other: Sighting) -> bool:
    mine, theirs = normalise(one.quote), normalise(other.quote)
    return mine in theirs or theirs in mine


_LEAD = re.compile(
    r"^(?:and |but |so |also |then |next step:? |next:? |action:? |todo:? )*"
    r"(?:(?:i|we|he|she|they|[A-Z][a-z]+)(?:'ll| will| shall| need to| needs to| have to| promised to| agreed to"
    r"| owe (?:her|him|them|us)| are going to| is going to)|i'm going to|promised to|will|need to|to) +",
    re.I,
)


def _step(signal: Signal) -> Step:
    title = _LEAD.sub("", signal.quote.strip()).strip(" .;")
    return Step(
        title=(title[:1].upper() + title[1:])[:200] or signal.quote[:200],
        side=signal.party or (Side.THEIRS if signal.kind is Kind.COMMITMENT_BY_THEM else Side.OURS),
        owner=signal.who if signal.party is Side.THEIRS else "",
        due=signal.due,
        topic=signal.topic,
        quote=signal.quote,
        is_promise=signal.kind is not Kind.NEXT_STEP,
    )
