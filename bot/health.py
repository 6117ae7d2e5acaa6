"""The health of a deal: 0 to 100, plain arithmetic over facts, with a reason and a note for every point. Never stored.

    assess(facts).score                          # 70
    assess(cut(facts, moment)).score             # what it was then

The same facts as of the same moment always give the same value. `items` add up to `score` exactly: where the sum leaves
0..100, the last item brings it back. Version 1 of the rubric was fitted to two worked examples, Priya Sharma (70) and
James Okafor (35): its weights are a start, and a workspace may pass its own `Rubric`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.deal import Deal, Promise, cut, day_of, read_deal
from bot.wording import ENGLISH, counted, listed
from storage import Facts, Kind, NextStep, Signal, Topic


@dataclass(frozen=True, slots=True)
class Rubric:
    """Every weight, in points, and every period, in days. All weights are positive; the rules know which way they go.

    `silence` and `bands` are pairs, rising: from that many days on the deduction, up to that score the label.
    """

    version: str = "1"
    start: int = 30
    contact: int = 5
    contact_days: int = 30
    contact_most: int = 20
    pilot_requested: int = 10
    pilot_agreed: int = 25
    verbal_commitment: int = 30
    budget_confirmed: int = 15
    step_dated: int = 10
    step_undated: int = 5
    positive: int = 5
    positive_days: int = 30
    resolved: int = 5
    resolved_most: int = 10
    recent_notes: int = 2
    objection_fresh: int = 10
    objection_older: int = 5
    objections_most: int = 25
    competitor: int = 10
    budget_blocked_until: int = 5
    budget_blocked_open: int = 10
    silence: tuple[tuple[int, int], ...] = ((5, 10), (14, 20), (30, 30), (60, 40))
    overdue: int = 5
    overdue_most: int = 10
    bands: tuple[tuple[int, str], ...] = (
        (20, "Cold"), (40, "Warming up"), (60, "Engaged"), (80, "Hot"), (100, "Closing"),
    )  # fmt: skip
    swing: int = 5
    stalled_days: int = 14
    worth_guarding: int = 61
    few_notes: int = 3
    many_notes: int = 6
    many_lately: int = 2
    lately_days: int = 21
    forgotten_days: int = 45

    @property
    def quiet_days(self) -> int:
        """The day from which silence counts."""
        return self.silence[0][0]

    def label(self, score: int) -> str:
        """The band a score lies in."""
        return next(label for top, label in self.bands if score <= top)


V1 = Rubric()


class Rule(StrEnum):
    """The row of the rubric that an item comes from."""

    START = "start"
    CONTACT = "contact"
    PILOT = "pilot"
    VERBAL = "verbal commitment"
    BUDGET_CONFIRMED = "budget confirmed"
    NEXT_STEP = "next step"
    POSITIVE = "positive reaction"
    RESOLVED = "objection resolved"
    OVERDUE = "overdue promise"
    OBJECTION = "open objection"
    COMPETITOR = "competitor"
    SILENCE = "silence"
    BUDGET_BLOCKED = "budget blocked"
    CLAMP = "clamp"


class Momentum(StrEnum):
    """Which way the score went with the last note."""

    IMPROVING = "improving"
    STEADY = "steady"
    DECLINING = "declining"


class Confidence(StrEnum):
    """How much memory the score rests on."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Item:
    """Points, why in plain words with the day, the key of the note that earned them and its words (may be "")."""

    points: int
    reason: str
    interaction: str
    rule: Rule
    topic: Topic | None = None
    quote: str = ""
    at: date = date.min


@dataclass(frozen=True, slots=True)
class Health:
    """The assessment. `score` is None without a single note: then `label` is "" and there are no items."""

    score: int | None
    label: str
    momentum: Momentum
    at_risk: bool
    risk: str
    confidence: Confidence
    items: tuple[Item, ...]
    rubric: str

    @property
    def deductions(self) -> tuple[Item, ...]:
        """What pulls the score down, the heaviest first; equals in the order of `Rule`, then the latest first."""
        order = list(Rule)
        down = [item for item in self.items if item.points < 0 and item.rule is not Rule.CLAMP]
        return tuple(sorted(down, key=lambda i: (i.points, order.index(i.rule), -i.at.toordinal(), i.interaction)))


@dataclass(frozen=True, slots=True)
class Moment:
    """The health right after a note, in a replay."""

    interaction: str
    at: datetime
    health: Health


NO_HISTORY = Health(None, "", Momentum.STEADY, False, "", Confidence.LOW, (), V1.version)


def assess(facts: Facts, rubric: Rubric = V1, *, language: str = ENGLISH) -> Health:
    """The health as of `facts.as_of`. Momentum is the score now minus the score at the last note but one.

    `language` is that of the days in the reasons.
    """
    deal = read_deal(facts, language)
    if not deal.notes:
        return NO_HISTORY
    items = _items(deal, rubric)
    score = sum(item.points for item in items)
    risk = _risk(deal, rubric, score)
    return Health(
        score=score,
        label=rubric.label(score),
        momentum=_momentum(facts, deal, rubric, score),
        at_risk=bool(risk),
        risk=risk,
        confidence=_confidence(deal, rubric),
        items=items,
        rubric=rubric.version,
    )


def history(facts: Facts, rubric: Rubric = V1) -> tuple[Moment, ...]:
    """The health replayed at each note, oldest first: what anyone would have seen right after it."""
    notes = read_deal(facts).notes
    return tuple(Moment(note.key, note.occurred_at, assess(cut(facts, note.occurred_at), rubric)) for note in notes)


# ------------------------------------------------------------------------------------------------------------- items


def _items(deal: Deal, rubric: Rubric) -> tuple[Item, ...]:
    found = [item for rule in _RULES for item in rule(deal, rubric) if item.points]
    total = sum(item.points for item in found)
    kept = min(100, max(0, total))
    if kept != total:
        last = deal.notes[-1]
        why = f"the score stays within 0 and 100; the points come to {total}"
        found.append(Item(kept - total, why, last.key, Rule.CLAMP, at=last.occurred_at.date()))
    return tuple(found)


def _start(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    first = deal.notes[0]
    day = first.occurred_at.date()
    yield Item(rubric.start, f"in touch since {deal.day(day)}", first.key, Rule.START, at=day)


def _contact(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    """One item per note, so that each point names its note; the latest notes earn them."""
    left = rubric.contact_most
    for note in reversed(deal.notes):
        day = note.occurred_at.date()
        points = min(left, rubric.contact)
        if deal.days_since(day) <= rubric.contact_days and points > 0:
            left -= points
            yield Item(points, f"in touch on {deal.day(day)}", note.key, Rule.CONTACT, at=day)


def _pilot(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    if deal.pilot and deal.pilot.kind is Kind.PILOT_AGREED:
        yield _earned(deal, rubric.pilot_agreed, "pilot agreed", Rule.PILOT, deal.pilot)
    elif deal.pilot:
        yield _earned(deal, rubric.pilot_requested, "pilot asked for", Rule.PILOT, deal.pilot)


def _verbal(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    if deal.verbal_yes:
        yield _earned(deal, rubric.verbal_commitment, "verbal yes given", Rule.VERBAL, deal.verbal_yes)


def _budget(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    """A freeze that has run out still counts until somebody confirms the budget: a date passing is not a word."""
    said = deal.budget
    if said and said.kind is Kind.BUDGET_CONFIRMED:
        yield _earned(deal, rubric.budget_confirmed, "budget confirmed", Rule.BUDGET_CONFIRMED, said)
    elif said:
        why = f"budget is blocked {_freeze_words(said, deal)}, heard"
        yield _earned(deal, -_blocked(deal, rubric), why, Rule.BUDGET_BLOCKED, said)


def _blocked(deal: Deal, rubric: Rubric) -> int:
    said = deal.budget
    if said is None or said.kind is not Kind.BUDGET_BLOCKED:
        return 0
    return rubric.budget_blocked_until if said.due else rubric.budget_blocked_open


def _freeze_words(said: Signal, deal: Deal) -> str:
    if said.due is None:
        return "with no end named"
    until = f"until {deal.day(said.due)}"
    return until if said.due > deal.today else f"{until} and not confirmed since"


def _next_step(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    """The best one counts: a pilot or a step with a day, else any. A step whose day has passed leads nowhere."""
    recent = deal.recent(rubric.recent_notes)
    if deal.pilot and deal.pilot.kind is Kind.PILOT_AGREED and deal.pilot.interaction in recent:
        yield _earned(deal, rubric.step_dated, "next step: the pilot, agreed", Rule.NEXT_STEP, deal.pilot)
        return
    for step in deal.ahead:  # dated ones first
        key = _rests_on(deal, step)
        if key in recent:
            yield _step_item(deal, rubric, step, key)
            return


def _step_item(deal: Deal, rubric: Rubric, step: NextStep, key: str) -> Item:
    points = rubric.step_dated if step.due else rubric.step_undated
    when = f"by {deal.day(step.due)}" if step.due else "no date"
    return Item(
        points, f"next step: {step.title} ({when})", key, Rule.NEXT_STEP, step.topic, step.quote, _at(deal, key)
    )


def _rests_on(deal: Deal, step: NextStep) -> str:
    """The note of a step; "" when it is not among the facts. A step by hand rests on the latest note of then."""
    if step.interaction:
        return step.interaction if deal.note(step.interaction) else ""
    made = step.created_at
    before = [note.key for note in deal.notes if made is None or note.occurred_at <= made]
    return before[-1] if before else deal.notes[0].key


def _at(deal: Deal, key: str) -> date:
    note = deal.note(key)
    return note.occurred_at.date() if note else date.min


def _positive(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    liked = next((s for s in reversed(deal.signals) if s.kind is Kind.POSITIVE_REACTION), None)
    if liked and deal.days_since(day_of(liked)) <= rubric.positive_days:
        yield _earned(deal, rubric.positive, "positive reaction", Rule.POSITIVE, liked)


def _resolved(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    """A budget that was confirmed has its own row and is not counted as a resolved objection too."""
    left = rubric.resolved_most
    for issue in deal.resolved_objections:
        settled = issue.settled
        points = min(left, rubric.resolved)
        if settled and settled.kind is Kind.OBJECTION_RESOLVED and points > 0:
            left -= points
            yield _earned(deal, points, f"{issue.words} resolved", Rule.RESOLVED, settled)


def _objections(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    """Fresh ones first, so that the cap spares what was heard long ago."""
    recent = deal.recent(rubric.recent_notes)
    left = rubric.objections_most
    for issue in deal.open_objections:
        weight = rubric.objection_fresh if issue.last.interaction in recent else rubric.objection_older
        if issue.topic is Topic.BUDGET:
            # A blocked budget has its own row: only what the objection weighs beyond it is taken here.
            weight = max(0, weight - _blocked(deal, rubric))
        points = min(left, weight)
        left -= points
        yield _earned(deal, -points, f"{issue.words} is an open objection, raised", Rule.OBJECTION, issue.last)


def _competitor(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    for issue in deal.unanswered[:1]:
        why = f"{issue.words} is unanswered, mentioned"
        yield _earned(deal, -rubric.competitor, why, Rule.COMPETITOR, issue.last)


def _silence(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    quiet = deal.silence
    points = max((points for days, points in rubric.silence if quiet and quiet.days >= days), default=0)
    if quiet and points:
        since = deal.day(quiet.since)
        why = f"no word from them for {counted(quiet.days, 'day')}, since {since}"
        yield Item(-points, why, quiet.note.key, Rule.SILENCE, at=quiet.note.occurred_at.date())


def _overdue(deal: Deal, rubric: Rubric) -> Iterator[Item]:
    left = rubric.overdue_most
    for promise in deal.broken:
        key = _rests_on(deal, promise.step)
        points = min(left, rubric.overdue)
        if key and points > 0:
            left -= points
            yield Item(
                -points, _broken_words(deal, promise), key, Rule.OVERDUE, promise.step.topic, promise.step.quote,
                _at(deal, key),
            )  # fmt: skip


def _broken_words(deal: Deal, promise: Promise) -> str:
    due = promise.step.due
    return f"our promise is overdue: {promise.step.title}" + (f" (due {deal.day(due)})" if due else "")


_RULES = (
    _start, _contact, _pilot, _verbal, _budget, _next_step, _positive, _resolved, _objections, _competitor, _silence,
    _overdue,
)  # fmt: skip


def _earned(deal: Deal, points: int, why: str, rule: Rule, signal: Signal) -> Item:
    day = day_of(signal)
    reason = f"{why} on {deal.day(day)}"
    return Item(points, reason, signal.interaction, rule, signal.topic, signal.quote, day)


# ----------------------------------------------------------------------------------- risk, momentum and confidence


def _risk(deal: Deal, rubric: Rubric, score: int) -> str:
    """Why the deal is at risk, "" when it is not: silence over something open, long silence, or a fresh objection on a
    deal that is Hot or better."""
    days = deal.silence.days if deal.silence else 0
    issues = [issue.words for issue in deal.open_issues]
    if days >= rubric.quiet_days and issues:
        return f"{counted(days, 'day')} of silence with {listed(issues)} open"
    if days >= rubric.stalled_days:
        return f"{counted(days, 'day')} of silence"
    recent = deal.recent(rubric.recent_notes)
    fresh = (issue.words for issue in deal.open_objections if issue.last.interaction in recent)
    return listed(fresh) if score >= rubric.worth_guarding else ""


def _momentum(facts: Facts, deal: Deal, rubric: Rubric, score: int) -> Momentum:
    if len(deal.notes) < 2:
        return Momentum.STEADY
    then = read_deal(cut(facts, deal.notes[-2].occurred_at))
    change = score - sum(item.points for item in _items(then, rubric))
    if abs(change) < rubric.swing:
        return Momentum.STEADY
    return Momentum.IMPROVING if change > 0 else Momentum.DECLINING


def _confidence(deal: Deal, rubric: Rubric) -> Confidence:
    quiet = deal.silence.days if deal.silence else 0
    if len(deal.notes) < rubric.few_notes or quiet > rubric.forgotten_days:
        return Confidence.LOW
    lately = sum(deal.days_since(note.occurred_at.date()) <= rubric.lately_days for note in deal.notes)
    return (
        Confidence.HIGH if len(deal.notes) >= rubric.many_notes and lately >= rubric.many_lately else Confidence.MEDIUM
    )


def points_of(items: Iterable[Item], rule: Rule) -> int:
    """What a row of the rubric gave or took in all."""
    return sum(item.points for item in items if item.rule is rule)
