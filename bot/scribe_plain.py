"""The scribe that needs no key: it picks, quotes and fills templates. Every line is a record and cites its note."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from bot.advice import advise, pressing, proof, remedy, step_proof, whom
from bot.deal import Concern, Deal, Issue, Person, Promise, day_of
from bot.health import Health, Item, Rule
from bot.scribe import Answer, Brief, Claim, Pledge
from bot.signals import Reading
from bot.signals_rules import VERSION, read_by_rules
from bot.week import Card, Worded, Wording
from bot.wording import capital, clipped, counted, first_sentence
from storage import Facts, Hit, Interaction, Kind, Side, Signal

SENTENCES = 3
"""A recommendation has two sentences, three at most."""

OBJECTIONS, PROMISES, REST = "Objections", "Promises and next steps", "Also on record"
_GROUPS: Mapping[str, frozenset[Kind]] = {
    OBJECTIONS: frozenset({Kind.OBJECTION, Kind.OBJECTION_RESOLVED, Kind.COMPETITOR, Kind.BUDGET_BLOCKED}),
    PROMISES: frozenset({
        Kind.COMMITMENT_BY_US, Kind.COMMITMENT_BY_THEM, Kind.COMMITMENT_DONE, Kind.NEXT_STEP, Kind.PILOT_AGREED,
        Kind.VERBAL_COMMITMENT,
    }),
}  # fmt: skip

_STRENGTHS = (Rule.VERBAL, Rule.PILOT, Rule.BUDGET_CONFIRMED, Rule.POSITIVE, Rule.RESOLVED)


class PlainScribe:
    """Scribe by rules and quotation. Deterministic: the same facts give the same words."""

    @property
    def name(self) -> str:
        """The signature of the rules that read notes."""
        return VERSION

    def read(self, note: Interaction) -> Reading:
        """What the rules see in the note's words."""
        return read_by_rules(note.text)

    def price_of(self, notes: int, characters: int) -> Decimal:  # noqa: ARG002 - rules cost nothing
        """Nothing."""
        return Decimal(0)

    def brief(self, facts: Facts, health: Health, deal: Deal) -> Brief:
        """A brief that says nothing the records do not say."""
        return plain_brief(facts, health, deal)

    def digest(self, cards: Sequence[Card]) -> Worded:
        """The cards' own words."""
        return Worded({card.account: Wording(card.why, card.action) for card in cards})

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:  # noqa: ARG002 - the hits are already its answer
        """The passages that were found, grouped by what they are. Without any, the notes do not say."""
        claims = [_passage(hit) for hit in hits]
        order = [*_GROUPS, REST]
        return Answer(bool(claims), tuple(sorted(claims, key=lambda claim: order.index(claim.group))))


def plain_brief(facts: Facts, health: Health, deal: Deal) -> Brief:
    """The brief by templates: what a model may word better, and what stands when none is there."""
    person = facts.contact.name if facts.contact else ""
    advice = advise(deal, health, person)
    return Brief(
        account=facts.account.name,
        account_key=facts.account.key,
        person=person,
        role=facts.contact.role if facts.contact else "",
        at=deal.today,
        health=health,
        recommended_action=Claim(advice.text, advice.interaction, advice.quote, advice.at),
        last_contact=_of_note(deal.last_contact, "Last contact") if deal.last_contact else None,
        objections=tuple(_objection(deal, i) for i in (*deal.open_objections, *deal.resolved_objections)),
        budget=tuple(_budget(deal)),
        tone=tuple(_tone(deal)),
        competitors=tuple(_competitor(deal, issue) for issue in reversed(deal.competitors)),
        promises=tuple(_pledge(deal, promise) for promise in deal.promises),
        next_steps=tuple(_pledge(deal, step) for step in deal.next_steps),
        told=tuple(_claim(deal, s, s.summary or capital(s.quote)) for s in reversed(deal.told)),
        recommendation=tuple(_recommendation(deal, health, person or whom(deal))),
        concerns=tuple(_concern(deal, concern) for concern in deal.concerns),
        people=tuple(_person(person) for person in deal.people),
        notes=len(deal.notes),
    )


# -------------------------------------------------------------------------------------------------------------- lines


def _claim(deal: Deal, signal: Signal, text: str, status: str = "") -> Claim:
    note = deal.note(signal.interaction)
    rep = note.rep if note else ""
    return Claim(text, signal.interaction, signal.quote, day_of(signal), rep, signal.who, status)


def _of_note(note: Interaction, text: str, who: str = "") -> Claim:
    """A line about a whole note: its first sentence is the proof."""
    return Claim(text, note.key, first_sentence(note.text), note.occurred_at.date(), note.rep, who or note.contact)


def _objection(deal: Deal, issue: Issue) -> Claim:
    """An open one is proved by when it was heard last, a resolved one by what resolved it."""
    words, shown = capital(issue.words), issue.settled or issue.last
    if issue.settled:
        return _claim(deal, shown, f"{words}, resolved on {deal.day(day_of(shown))}", "resolved")
    times = len({s.interaction for s in issue.raised})
    again = f" (raised {times} times)" if times > 1 else ""
    since = deal.day(day_of(issue.raised[0]))
    return _claim(deal, shown, shown.summary or f"{words}, open since {since}{again}", "open")


def _competitor(deal: Deal, issue: Issue) -> Claim:
    shown = issue.settled or issue.last
    day = deal.day(day_of(shown))
    if issue.settled:
        return _claim(deal, shown, f"{capital(issue.words)}, answered on {day}", "answered")
    return _claim(deal, shown, shown.summary or f"{capital(issue.words)}, unanswered since {day}", "open")


def _budget(deal: Deal) -> Iterator[Claim]:
    """Every word on the budget, the latest first; the first one stands."""
    for signal in reversed(deal.signals):
        if signal.kind is Kind.BUDGET_CONFIRMED:
            yield _claim(deal, signal, signal.summary or "Budget confirmed", "confirmed")
        elif signal.kind is Kind.BUDGET_BLOCKED:
            until = f"until {deal.day(signal.due)}" if signal.due else "with no end named"
            yield _claim(deal, signal, signal.summary or f"Budget blocked {until}", "blocked")


def _tone(deal: Deal) -> Iterator[Claim]:
    tone = deal.tone
    if tone and tone.signal:
        yield _claim(deal, tone.signal, capital(tone.word))
    elif tone and deal.silence:
        yield _of_note(tone.note, f"{capital(tone.word)}: no word for {counted(deal.silence.days, 'day')}")


def _pledge(deal: Deal, promise: Promise) -> Pledge:
    step = promise.step
    note = deal.note(step.interaction)
    key, quote, day = step_proof(deal, step)
    return Pledge(
        text=capital(clipped(step.title)),
        interaction=key,
        quote=quote,
        at=day,
        rep=note.rep if note else "",
        status=promise.standing.value,
        side=step.side.value,
        owner=step.owner or (note.contact if note and step.side is Side.THEIRS else ""),
        due=step.due,
        step=step.id,
    )


def _concern(deal: Deal, concern: Concern) -> Claim:
    """ "Data migration: raised 3 times since 2 May by 2 people, never resolved"."""
    issue = concern.issue
    people = f" by {counted(len(concern.people), 'person', 'people')}" if concern.people else ""
    end = f"resolved on {deal.day(day_of(issue.settled))}" if issue.settled else "never resolved"
    since = deal.day(concern.since)
    text = f"{capital(issue.words)}: raised {concern.times} times since {since}{people}, {end}"
    return _claim(deal, issue.last, text, "resolved" if issue.settled else "open")


def _person(person: Person) -> Claim:
    text = f"{person.name}, {person.role}" if person.role else person.name
    if person.signal is None:
        return _of_note(person.note, text, person.name)
    return Claim(text, person.note.key, person.signal.quote, day_of(person.signal), person.note.rep, person.name)


# ----------------------------------------------------------------------------------------------------- recommendation


def _recommendation(deal: Deal, health: Health, who: str) -> list[Claim]:
    """What to build on, then what holds the deal back and what to do about it. Nothing without notes to cite.

    Two sentences at least, three at most, each with its note.
    """
    if not deal.notes:
        return []
    said = [*_strength(deal, health), *_obstacles(deal, health, who)][:SENTENCES]
    for more in _fillers(deal):
        if len(said) < SENTENCES - 1:
            said.append(more)
    return said


def _strength(deal: Deal, health: Health) -> Iterator[Claim]:
    """The positive fact that weighs most, the latest of equals."""
    found = [item for item in health.items if item.rule in _STRENGTHS and item.points > 0]
    best = max(found, key=lambda item: (item.points, item.at, item.reason), default=None)
    if best:
        yield _sentence(deal, best, f"{capital(best.reason)}: build on it.")


def _obstacles(deal: Deal, health: Health, who: str) -> Iterator[Claim]:
    for item in pressing(health):
        if item.rule is Rule.OVERDUE:
            yield _sentence(deal, item, f"{capital(item.reason)}.")
        else:
            cure = remedy(deal, item, who)
            yield _sentence(deal, item, f"{capital(item.reason)}: {cure[:1].lower()}{cure[1:]}.")


def _fillers(deal: Deal) -> Iterator[Claim]:
    """What can always be said of a deal with a note."""
    last = deal.notes[-1]
    noted = [step for step in deal.ahead if deal.note(step.interaction)]
    if noted:
        step, due = noted[0], noted[0].due
        when = f" by {deal.day(due)}" if due else ""
        yield Claim(f"Next: {clipped(step.title)}{when}.", *step_proof(deal, step))
    elif not deal.ahead:
        yield _of_note(last, "No next step is on record: agree one with a date.")
    contact = deal.last_contact or last
    yield _of_note(contact, f"The last contact was on {deal.day(contact.occurred_at.date())}.")
    yield _of_note(deal.notes[0], f"It began on {deal.day(deal.notes[0].occurred_at.date())}.")


def _sentence(deal: Deal, item: Item, text: str) -> Claim:
    key, quote, day = proof(deal, item)
    note = deal.note(key)
    return Claim(text, key, quote, day, note.rep if note else "")


# ------------------------------------------------------------------------------------------------------------- answers


def _passage(hit: Hit) -> Claim:
    quote = hit.quote or first_sentence(hit.text)
    kinds = {sighting.kind for sighting in read_by_rules(quote).sightings}
    group = next((group for group, its in _GROUPS.items() if kinds & its), REST)
    return Claim(quote, hit.interaction, quote, hit.occurred_at.date(), hit.rep, hit.contact, group=group)
