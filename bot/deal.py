"""Facts read as a deal: what is open and what is settled, who owes what, and since when nothing was heard. Pure.

Every reading keeps the signal, and so the note and the words, that it rests on. Signals still waiting for a rep's word
(`pending`) do not count, and neither do notes that are not active. Days are calendar days in the zone of `facts.as_of`.

**Whose word a note is.** Silence counts from their last word. A note is their word unless
1. it says that they did not respond (NO_RESPONSE) and holds nothing that only an answer can give (ANSWERS: a pilot, a
   yes, a budget, a liking, a promise, a pause). That an objection is still open may be repeated in such a note;
2. or all its signals are things we did (told, delivered, promised, planned) and its channel is not a talk (TALKS).
Words pasted from the customer (`external`) are theirs whatever they hold.

**When the clock starts.** At the last contact: their last word, or the first thing we handed over after it (told,
delivered), since until then they were waiting for us. Further messages of ours do not start it again, so chasing does
not hide a silence. A pause they asked for starts it at the day they named.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from bot.wording import ENGLISH, best_match, day_words, topic_words
from storage import Contact, Facts, Interaction, Kind, NextStep, Opportunity, Side, Signal, State, Topic

OURS = frozenset({Kind.TOLD, Kind.COMMITMENT_DONE, Kind.COMMITMENT_BY_US})
"""Kinds that are ours to do, unless `party` says THEIRS. A next step is ours alone only if `party` says OURS."""

ANSWERS = frozenset({
    Kind.PILOT_REQUESTED, Kind.PILOT_AGREED, Kind.VERBAL_COMMITMENT, Kind.BUDGET_CONFIRMED, Kind.POSITIVE_REACTION,
    Kind.COMMITMENT_BY_THEM, Kind.PAUSE_AGREED,
})  # fmt: skip
"""Kinds that need somebody at the other end: they make a note an answer even if it also tells of waiting for one."""

TALKS = frozenset({"call", "meeting", "demo", "video", "visit", "onsite", "workshop", "event", "lunch"})
"""Channels with two sides, whoever spoke more."""

WARM = ANSWERS - {Kind.PAUSE_AGREED, Kind.COMMITMENT_BY_THEM} | {Kind.OBJECTION_RESOLVED}
COOL = frozenset({Kind.OBJECTION, Kind.BUDGET_BLOCKED, Kind.COMPETITOR})
TONE_NOTES = 2
"""The tone is that of the last two notes: what was felt in spring says little about June."""

QUIET_DAYS = 5
"""From this day on silence itself is the tone; the same day the rubric first counts it."""

_HANDED_OVER = ("sent", "shared", "forwarded", "emailed", "e-mailed", "delivered", "provided", "handed over")


class Standing(StrEnum):
    """Where a promise or a step stands."""

    OPEN = "open"
    KEPT = "kept"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Issue:
    """An objection or a competitor as a thread: each time it was raised, oldest first, and what settled it last.

    `raised` is empty when only the settling is on record.
    """

    topic: Topic
    raised: tuple[Signal, ...] = ()
    settled: Signal | None = None

    @property
    def is_open(self) -> bool:
        """The last word on it was not that it is settled."""
        return self.settled is None

    @property
    def last(self) -> Signal:
        """When it was heard last, or what settled it when nobody noted it before."""
        return self.raised[-1] if self.raised else self._settling()

    @property
    def words(self) -> str:
        """What it is about, in the words of the note where they name it: "data migration", "competitor pricing"."""
        if self.last.kind not in (Kind.COMPETITOR, Kind.COMPETITOR_RESOLVED):
            return topic_words(self.topic, self.last.quote)
        return "a competitor" if self.topic is Topic.OTHER else f"competitor {topic_words(self.topic, '')}"

    def _settling(self) -> Signal:
        if self.settled is None:
            raise ValueError("An issue was raised or settled; this one is neither.")
        return self.settled


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise or a step with where it stands. `proof` is the signal that shows it kept, if a note does."""

    step: NextStep
    standing: Standing
    proof: Signal | None = None


@dataclass(frozen=True, slots=True)
class Concern:
    """A concern that came back. `times` counts notes, `people` names those known to have raised it."""

    issue: Issue
    times: int
    since: date
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """The last thing on record that a person said. `signal` is None when the note holds none: then the note speaks."""

    name: str
    role: str
    note: Interaction
    signal: Signal | None


@dataclass(frozen=True, slots=True)
class Tone:
    """One word (warm, cautious, mixed, quiet) and what shows it; without a signal the note itself does."""

    word: str
    note: Interaction
    signal: Signal | None


@dataclass(frozen=True, slots=True)
class Silence:
    """How long nothing was heard.

    `days` are whole calendar days, 0 while a pause runs; `since` is the day the clock started; `note` what it rests on;
    `paused_until` the day they named, when it is what the clock goes by, also after that day.
    """

    days: int
    since: date
    note: Interaction
    paused_until: date | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as read from facts. Notes and signals are oldest first; signals carry their note's key, time and speaker.

    `budget` is the last word on it (BUDGET_CONFIRMED or BUDGET_BLOCKED); `pilot` is PILOT_AGREED once there is one,
    else PILOT_REQUESTED. `promises` and `next_steps` do not overlap. Dropped ones are in neither; `next_steps` are not
    done. `last_word` is their last note, `last_contact` the one that the clock of silence goes by when no pause was
    asked for. `closed` is "won", "lost" or "". `language` is that of its days, as CLDR names it.
    """

    today: date
    language: str = ENGLISH
    notes: tuple[Interaction, ...] = ()
    signals: tuple[Signal, ...] = ()
    objections: tuple[Issue, ...] = ()
    competitors: tuple[Issue, ...] = ()
    budget: Signal | None = None
    pilot: Signal | None = None
    verbal_yes: Signal | None = None
    promises: tuple[Promise, ...] = ()
    next_steps: tuple[Promise, ...] = ()
    told: tuple[Signal, ...] = ()
    people: tuple[Person, ...] = ()
    tone: Tone | None = None
    last_word: Interaction | None = None
    last_contact: Interaction | None = None
    silence: Silence | None = None
    concerns: tuple[Concern, ...] = ()
    closed: str = ""
    _by_key: dict[str, Interaction] = field(default_factory=dict, repr=False, compare=False)

    def day(self, day: date) -> str:
        """A day as it is said in the deal's language, the year only where it is another one than today's."""
        return day_words(day, self.today, self.language)

    @property
    def open_objections(self) -> tuple[Issue, ...]:
        """What stands in the way, the one heard last first."""
        return tuple(issue for issue in reversed(self.objections) if issue.is_open)

    @property
    def resolved_objections(self) -> tuple[Issue, ...]:
        """What was settled, the latest first."""
        return tuple(issue for issue in reversed(self.objections) if not issue.is_open)

    @property
    def unanswered(self) -> tuple[Issue, ...]:
        """Competitors without an answer of ours, the one heard last first."""
        return tuple(issue for issue in reversed(self.competitors) if issue.is_open)

    @property
    def open_issues(self) -> tuple[Issue, ...]:
        """Open objections, then unanswered competitors."""
        return self.open_objections + self.unanswered

    @property
    def broken(self) -> tuple[Promise, ...]:
        """Promises of ours that are overdue, the longest overdue first."""
        ours = [p for p in self.promises if p.standing is Standing.OVERDUE and p.step.side is Side.OURS]
        return tuple(sorted(ours, key=lambda p: p.step.due or date.max))

    @property
    def ahead(self) -> tuple[NextStep, ...]:
        """Steps and promises that are open and not past their day, dated ones first: what moves the deal on."""
        steps = [p.step for p in (*self.next_steps, *self.promises) if p.standing is Standing.OPEN]
        return tuple(sorted(steps, key=lambda step: (step.due or date.max, step.id, step.title)))

    @property
    def pause(self) -> date | None:
        """The day they asked us to come back on, while it is not past."""
        until = self.silence.paused_until if self.silence else None
        return until if until and until >= self.today else None

    def note(self, key: str) -> Interaction | None:
        """The note of that key, if it is among the facts."""
        return self._by_key.get(key)

    def recent(self, count: int) -> frozenset[str]:
        """Keys of the last notes."""
        return frozenset(note.key for note in self.notes[-count:])

    def days_since(self, day: date) -> int:
        """Calendar days from a day to today."""
        return (self.today - day).days


# ------------------------------------------------------------------------------------------------ facts as of a moment


def cut(facts: Facts, as_of: datetime) -> Facts:
    """The facts as they were known at a moment: later notes are gone with their signals, later ticks are undone."""
    notes = tuple(note for note in facts.interactions if note.occurred_at <= as_of and note.state is State.ACTIVE)
    keys = {note.key for note in notes}
    ids = {note.id for note in notes}
    signals = tuple(s for s in facts.signals if (s.interaction in keys if s.interaction else s.interaction_id in ids))
    written = (s for s in facts.next_steps if s.created_at is None or s.created_at <= as_of)
    steps = tuple(_unticked(step, as_of) for step in written)
    return replace(facts, as_of=as_of, interactions=notes, signals=signals, next_steps=steps)


def _unticked(step: NextStep, as_of: datetime) -> NextStep:
    done = step.done_at if step.done_at and step.done_at <= as_of else None
    dropped = step.dropped_at if step.dropped_at and step.dropped_at <= as_of else None
    return replace(step, done_at=done, dropped_at=dropped)


# ------------------------------------------------------------------------------------------------------------- reading


def read_deal(facts: Facts, language: str = ENGLISH) -> Deal:
    """Reads the facts as of their own moment; `language` is that of its days.

    Never fails; without notes only records made by hand are left.
    """
    known = _in_order(cut(facts, facts.as_of))
    notes, signals, today = known.interactions, known.signals, known.as_of.date()
    objections, competitors = tuple(_objections(signals)), tuple(_competitors(signals))
    promises = tuple(_standings(known, today))
    last_word, last_contact = _contacts(notes, signals)
    silence = _silence(notes, signals, last_contact, today)
    return Deal(
        today=today,
        language=language,
        notes=notes,
        signals=signals,
        objections=objections,
        competitors=competitors,
        budget=_last(signals, Kind.BUDGET_CONFIRMED, Kind.BUDGET_BLOCKED),
        pilot=_last(signals, Kind.PILOT_AGREED) or _last(signals, Kind.PILOT_REQUESTED),
        verbal_yes=_last(signals, Kind.VERBAL_COMMITMENT),
        promises=tuple(p for p in promises if p.step.is_promise),
        next_steps=tuple(p for p in promises if not p.step.is_promise and p.standing is not Standing.KEPT),
        told=tuple(s for s in signals if s.kind is Kind.TOLD or (s.kind is Kind.COMMITMENT_DONE and _is_ours(s))),
        people=tuple(_people(notes, signals, known.contacts)),
        tone=_tone(notes, signals, silence),
        last_word=last_word,
        last_contact=last_contact,
        silence=silence,
        concerns=tuple(_concerns(objections)),
        closed=_closed(known.opportunities, known.account.stage),
        _by_key={note.key: note for note in notes},
    )


def _in_order(facts: Facts) -> Facts:
    """Notes by time, in the zone of `as_of`; signals by note and then as they were read; speakers by full name."""
    zone = facts.as_of.tzinfo
    local = (replace(note, occurred_at=note.occurred_at.astimezone(zone)) for note in facts.interactions)
    notes = tuple(sorted(local, key=lambda note: (note.occurred_at, note.id, note.key)))
    place = {note.key: number for number, note in enumerate(notes)}
    by_id = {note.id: note.key for note in notes}
    told = [replace(s, interaction=s.interaction or by_id[s.interaction_id]) for s in facts.signals if not s.pending]
    told.sort(key=lambda s: (place[s.interaction], s.id))
    signals = tuple(_attributed(s, notes[place[s.interaction]], facts.contacts) for s in told)
    return replace(facts, interactions=notes, signals=signals)


def _attributed(signal: Signal, note: Interaction, contacts: Sequence[Contact]) -> Signal:
    return replace(signal, at=note.occurred_at, who=_full_name(signal.who or note.contact, contacts))


def _full_name(name: str, contacts: Sequence[Contact]) -> str:
    """The contact a name stands for when it is one of theirs and fits no other; else the name as it is written."""
    wanted = name.casefold()
    fitting = [c.name for c in contacts if wanted and wanted in (c.name.casefold(), *c.name.casefold().split())]
    return fitting[0] if len(fitting) == 1 else name


def _last(signals: Sequence[Signal], *kinds: Kind) -> Signal | None:
    return next((s for s in reversed(signals) if s.kind in kinds), None)


def _closed(deals: Sequence[Opportunity], stage: str) -> str:
    """ "won" or "lost" when nothing is left to sell; "" while any deal is open."""
    statuses = {deal.status.casefold() for deal in deals} or set(stage.casefold().replace("-", " ").split())
    if "open" in statuses:
        return ""
    return next((word for word in ("won", "lost") if word in statuses), "")


# ------------------------------------------------------------------------------------------- the last word per topic


def _objections(signals: Iterable[Signal]) -> Iterator[Issue]:
    """Threads of objections, the one with the latest word last. A confirmed budget settles one to the budget."""
    threads: dict[str, Issue] = {}
    for signal in signals:
        if signal.kind is Kind.OBJECTION:
            _raise(threads, _thread(signal), signal)
        elif signal.kind is Kind.OBJECTION_RESOLVED:
            _settle(threads, _settled_thread(threads, signal), signal)
        elif signal.kind is Kind.BUDGET_CONFIRMED and Topic.BUDGET in threads:
            _settle(threads, Topic.BUDGET, signal)
    yield from threads.values()


def _competitors(signals: Iterable[Signal]) -> Iterator[Issue]:
    """Threads of competitors by what they are compared on. An answer without a topic answers all before it."""
    threads: dict[str, Issue] = {}
    for signal in signals:
        if signal.kind is Kind.COMPETITOR:
            _raise(threads, signal.topic, signal)
        elif signal.kind is Kind.COMPETITOR_RESOLVED:
            for key, issue in list(threads.items()):
                if issue.is_open and (signal.topic in (issue.topic, Topic.OTHER) or issue.topic is Topic.OTHER):
                    _settle(threads, key, signal)
    yield from threads.values()


def _raise(threads: dict[str, Issue], key: str, signal: Signal) -> None:
    # Taken out and put back, so that the order of the threads is the order of their last words.
    before = threads.pop(key, Issue(signal.topic))
    threads[key] = replace(before, raised=(*before.raised, signal), settled=None)


def _settle(threads: dict[str, Issue], key: str, signal: Signal) -> None:
    before = threads.pop(key, Issue(signal.topic))
    threads[key] = replace(before, settled=signal)


def _thread(signal: Signal) -> str:
    """The topic; what has none is grouped by its meaning, where that is told, else by its words."""
    said = signal.thread or " ".join(signal.quote.casefold().split())
    return signal.topic.value if signal.topic is not Topic.OTHER else f"other:{said}"


def _settled_thread(threads: dict[str, Issue], signal: Signal) -> str:
    """The thread a resolution speaks of; without a topic the open one nearest in words, else the one heard last."""
    if signal.topic is not Topic.OTHER:
        return signal.topic.value
    candidates = [key for key, issue in threads.items() if issue.topic is Topic.OTHER and issue.is_open]
    if not candidates:
        return _thread(signal)
    nearest = best_match(signal.quote, [threads[key].last.quote for key in candidates])
    return candidates[-1 if nearest is None else nearest]


def _concerns(objections: Iterable[Issue]) -> Iterator[Concern]:
    """What was raised in two notes or more, the most frequent first."""
    found = [_concern(issue) for issue in objections if len({s.interaction for s in issue.raised}) > 1]
    yield from sorted(found, key=lambda c: (-c.times, c.since, c.issue.topic))


def _concern(issue: Issue) -> Concern:
    people = tuple(dict.fromkeys(s.who for s in issue.raised if s.who))
    times = len({s.interaction for s in issue.raised})
    return Concern(issue, times, day_of(issue.raised[0]), people)


def day_of(signal: Signal) -> date:
    """The day a signal of a `Deal` was heard, in the zone the deal was read in."""
    return signal.at.date() if signal.at else date.min


# --------------------------------------------------------------------------------------------------- who owes what


def _standings(facts: Facts, today: date) -> Iterator[Promise]:
    """Every step and promise that was not dropped, with where it stands: ticked off, shown done by a note, or due."""
    steps = [step for step in _ledger(facts) if step.dropped_at is None]
    proofs = _deliveries(steps, facts)
    for number, step in enumerate(steps):
        proof = proofs.get(number)
        kept = step.done_at is not None or proof is not None
        late = step.due is not None and step.due < today
        yield Promise(step, Standing.KEPT if kept else Standing.OVERDUE if late else Standing.OPEN, proof)


def _ledger(facts: Facts) -> Iterator[NextStep]:
    """The records by day; then what notes say is to be done, of those that no record was made from yet."""
    yield from sorted(facts.next_steps, key=lambda step: (step.due or date.max, step.id, step.key, step.title))
    held = {step.interaction for step in facts.next_steps}
    notes = {note.key: note for note in facts.interactions}
    for signal in facts.signals:
        is_step = signal.kind in (Kind.NEXT_STEP, Kind.COMMITMENT_BY_US, Kind.COMMITMENT_BY_THEM)
        if is_step and signal.interaction not in held:
            yield _as_step(signal, notes[signal.interaction])


def _as_step(signal: Signal, note: Interaction) -> NextStep:
    theirs = signal.kind is Kind.COMMITMENT_BY_THEM or signal.party is Side.THEIRS
    return NextStep(
        id=0,
        key="",
        account_id=note.account_id,
        account=note.account,
        account_key=note.account_key,
        title=signal.summary or signal.quote,
        side=Side.THEIRS if theirs else Side.OURS,
        owner=signal.who if theirs else note.rep,
        due=signal.due,
        created_at=note.occurred_at,
        interaction_id=note.id,
        interaction=note.key,
        quote=signal.quote,
        is_promise=signal.kind is not Kind.NEXT_STEP,
        topic=signal.topic,
    )


def _deliveries(steps: Sequence[NextStep], facts: Facts) -> dict[int, Signal]:
    """Which steps a later note shows done. One delivery keeps one promise: the open one nearest in words."""
    place = {note.key: number for number, note in enumerate(facts.interactions)}
    proofs: dict[int, Signal] = {}
    for signal in facts.signals:
        if _hands_over(signal):
            waiting = [
                number
                for number, step in enumerate(steps)
                if number not in proofs
                and step.done_at is None
                and _was_made(step, place, signal)
                and _fulfils(signal, step)
            ]
            if waiting:
                nearest = best_match(signal.quote, [f"{steps[n].title} {steps[n].quote}" for n in waiting])
                proofs[waiting[-1 if nearest is None else nearest]] = signal
    return proofs


def _was_made(step: NextStep, place: dict[str, int], signal: Signal) -> bool:
    """Whether the step was on record before the note that may show it done."""
    if step.interaction in place:
        return place[step.interaction] < place[signal.interaction]
    return bool(step.created_at and signal.at and step.created_at < signal.at)


def _hands_over(signal: Signal) -> bool:
    told = signal.kind is Kind.TOLD and any(word in signal.quote.casefold() for word in _HANDED_OVER)
    return told or signal.kind is Kind.COMMITMENT_DONE


def _fulfils(signal: Signal, step: NextStep) -> bool:
    if (signal.party or Side.OURS) is not step.side:
        return False
    if signal.topic is step.topic and signal.topic is not Topic.OTHER:
        return True
    untold = Topic.OTHER in (signal.topic, step.topic)
    return untold and best_match(signal.quote, [f"{step.title} {step.quote}"]) is not None


# ------------------------------------------------------------------------------------------------- when who spoke


def _is_ours(signal: Signal) -> bool:
    if signal.kind is Kind.NEXT_STEP:
        return signal.party is Side.OURS
    return signal.kind in OURS and signal.party is not Side.THEIRS


def is_theirs(note: Interaction, signals: Iterable[Signal]) -> bool:
    """Whether a note holds a word of theirs, by the rule at the head of this file. `signals` are those of the note."""
    told = tuple(signals)
    if note.external:
        return True
    if any(s.kind is Kind.NO_RESPONSE for s in told):
        return any(s.kind in ANSWERS for s in told)
    if note.channel.casefold() in TALKS:
        return True
    return not told or not all(_is_ours(s) for s in told)


def _of_note(signals: Iterable[Signal]) -> dict[str, list[Signal]]:
    by_note: dict[str, list[Signal]] = {}
    for signal in signals:
        by_note.setdefault(signal.interaction, []).append(signal)
    return by_note


def _contacts(notes: Sequence[Interaction], signals: Sequence[Signal]) -> tuple[Interaction | None, Interaction | None]:
    """The note with their last word, and the last contact. Where they never spoke, the first note is the contact."""
    of = _of_note(signals)
    last = next((note for note in reversed(notes) if is_theirs(note, of.get(note.key, ()))), None)
    after = notes[notes.index(last) + 1 :] if last else notes
    handed = next((note for note in after if _hands_something(of.get(note.key, ()))), None)
    return last, handed or last or next(iter(notes), None)


def _silence(
    notes: Sequence[Interaction], signals: Sequence[Signal], contact: Interaction | None, today: date
) -> Silence | None:
    """None without a contact. The latest pause they asked for holds until its day."""
    if contact is None:
        return None
    since = contact.occurred_at.date()
    pause = _last(signals, Kind.PAUSE_AGREED)
    if pause and pause.due and pause.due > since:
        asked = next(note for note in notes if note.key == pause.interaction)
        return Silence(max(0, (today - pause.due).days), pause.due, asked, pause.due)
    return Silence((today - since).days, since, contact)


def _hands_something(signals: Sequence[Signal]) -> bool:
    kinds = {s.kind for s in signals}
    return bool(kinds & {Kind.TOLD, Kind.COMMITMENT_DONE}) and Kind.NO_RESPONSE not in kinds


def _tone(notes: Sequence[Interaction], signals: Sequence[Signal], silence: Silence | None) -> Tone | None:
    """Quiet when nothing was heard; else whichever outweighs in the last notes. None when they show no feeling."""
    if silence is None:
        return None
    if silence.days >= QUIET_DAYS:
        return Tone("quiet", silence.note, None)
    recent = {note.key: note for note in notes[-TONE_NOTES:]}
    felt = [s for s in signals if s.interaction in recent and s.kind in WARM | COOL]
    if not felt:
        return None
    balance = sum(1 if s.kind in WARM else -1 for s in felt)
    shown = [s for s in felt if balance == 0 or (s.kind in WARM) == (balance > 0)][-1]
    word = "mixed" if balance == 0 else "warm" if balance > 0 else "cautious"
    return Tone(word, recent[shown.interaction], shown)


def _people(notes: Sequence[Interaction], signals: Sequence[Signal], contacts: Sequence[Contact]) -> Iterator[Person]:
    """The last word of each person, the latest first."""
    of, roles = _of_note(signals), {contact.name: contact.role for contact in contacts}
    seen: set[str] = set()
    for note in reversed(notes):
        told = of.get(note.key, [])
        said: list[tuple[str, Signal | None]] = [(s.who, s) for s in reversed(told) if not _is_ours(s)]
        if is_theirs(note, told):
            said.append((_full_name(note.contact, contacts), None))
        for name, signal in said:
            if name and name not in seen and not (signal and signal.kind is Kind.NO_RESPONSE):
                seen.add(name)
                yield Person(name, roles.get(name, ""), note, signal)
