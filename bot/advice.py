"""What to do about it: one sentence for each thing that holds a deal back, by rule and topic. Pure.

An overdue promise of ours comes first, whatever else weighs more: it is the one thing only we can put right. A pause
that runs is kept. Then the heaviest deduction of the health speaks; where nothing is deducted, the next thing that
moves the deal on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from bot.deal import Deal, Silence, day_of
from bot.health import V1, Health, Item, Rubric, Rule
from bot.wording import clipped, first_sentence, topic_words
from storage import Interaction, Kind, NextStep, Signal, Topic

COLD_START = "Understand their priorities and introduce the product"

REMEDIES: Mapping[Topic, str] = {
    Topic.PRICING: "Put together a pricing option that meets them on {words}",
    Topic.BUDGET: "Work out with them how and when the budget is released",
    Topic.ONBOARDING: "Share an onboarding plan with dates and names",
    Topic.MIGRATION: "Provide a data migration plan and timeline",
    Topic.SECURITY: "Send the security documents they need and offer a call with an engineer",
    Topic.LEGAL: "Bring both legal sides together about {words}",
    Topic.INTEGRATION: "Show the integration at work with their systems",
    Topic.TIMING: "Agree a timeline they can keep, with dates",
    Topic.RELIABILITY: "Show figures and a customer reference for {words}",
    Topic.AUTHORITY: "Find out who decides and meet them",
    Topic.SUPPORT: "Explain how support works, with response times and names",
    Topic.OTHER: "Answer their open concern: {words}",
}
"""What to bring to an open objection. `{words}` is the concern in the words of the note."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do, and the note that asks for it (`interaction` and `quote` are "" without any note)."""

    text: str
    interaction: str = ""
    quote: str = ""
    at: date = date.min


def advise(deal: Deal, health: Health, person: str = "", rubric: Rubric = V1) -> Advice:
    """The one recommended action. `person` is who to turn to, when known."""
    if not deal.notes and not deal.ahead:
        return Advice(COLD_START, at=deal.today)
    who = person or whom(deal)
    urgent = _kept_promise(deal, health) or _kept_pause(deal, who)
    if urgent:
        return urgent
    if not health.deductions:
        return _onward(deal)
    heaviest = health.deductions[0]
    text = remedy(deal, heaviest, who)
    quiet = deal.silence is not None and deal.silence.days >= rubric.quiet_days
    if quiet and heaviest.rule is not Rule.SILENCE:
        text = f"Get back to {who or 'them'}: {text[:1].lower()}{text[1:]}"
    return Advice(text, *proof(deal, heaviest))


def pressing(health: Health) -> tuple[Item, ...]:
    """The deductions in the order to act on them: our overdue promises, then the heaviest first."""
    return tuple(sorted(health.deductions, key=lambda item: item.rule is not Rule.OVERDUE))


def remedy(deal: Deal, item: Item, who: str = "") -> str:
    """What helps against one deduction."""
    return _BY_RULE[item.rule](deal, item, who)


def proof(deal: Deal, item: Item) -> tuple[str, str, date]:
    """Key, words and day of the note an item rests on; without a marked quote, the note's first sentence."""
    note = deal.note(item.interaction)
    return item.interaction, item.quote or (first_sentence(note.text) if note else ""), item.at


def whom(deal: Deal) -> str:
    """Who to turn to: the person who was heard last; "" when no name is known."""
    return deal.last_word.contact if deal.last_word else ""


def step_proof(deal: Deal, step: NextStep) -> tuple[str, str, date]:
    """Key, words and day of what a step rests on. One that was written by hand has no note: its title is its proof."""
    note = deal.note(step.interaction)
    made = step.created_at.date() if step.created_at else deal.today
    if note is None:
        return step.interaction, step.quote or step.title, made
    return note.key, step.quote or first_sentence(note.text), note.occurred_at.date()


def _against_objection(_deal: Deal, item: Item, _who: str) -> str:
    topic = item.topic or Topic.OTHER
    return REMEDIES[topic].format(words=topic_words(topic, item.quote))


def _against_competitor(_deal: Deal, item: Item, _who: str) -> str:
    topic = item.topic or Topic.OTHER
    about = "" if topic is Topic.OTHER else f" on {topic_words(topic, '')}"
    return f"Answer the competitor{about} with a side-by-side comparison"


def _against_silence(deal: Deal, _item: Item, who: str) -> str:
    issues = deal.open_issues
    about = f" and take up {issues[0].words}" if issues else ""
    return f"Call {who or 'them'}{about}"


def _against_freeze(deal: Deal, _item: Item, _who: str) -> str:
    due = deal.budget.due if deal.budget else None
    if due is None:
        return "Find out when the budget is released, and by whom"
    if due <= deal.today:
        return "Ask whether the budget is free now"
    return f"Agree what has to be ready when the budget is free on {deal.day(due)}"


def _against_overdue(_deal: Deal, item: Item, _who: str) -> str:
    return f"Keep our promise: {clipped(item.reason.removeprefix('our promise is overdue: '))}"


_BY_RULE: Mapping[Rule, Callable[[Deal, Item, str], str]] = {
    Rule.OBJECTION: _against_objection,
    Rule.COMPETITOR: _against_competitor,
    Rule.SILENCE: _against_silence,
    Rule.BUDGET_BLOCKED: _against_freeze,
    Rule.OVERDUE: _against_overdue,
}
"""One remedy for each rule that can take points off."""


def _kept_promise(deal: Deal, health: Health) -> Advice | None:
    first = next(iter(pressing(health)), None)
    if first and first.rule is Rule.OVERDUE:
        return Advice(remedy(deal, first), *proof(deal, first))
    return _of_step(deal, deal.broken[0].step, "Keep our promise") if deal.broken else None


def _kept_pause(deal: Deal, who: str) -> Advice | None:
    quiet = deal.silence
    if quiet is None or deal.pause is None:
        return None
    text = f"Get back to {who or 'them'} on {deal.day(deal.pause)}, as agreed"
    return Advice(text, quiet.note.key, _pause_quote(deal, quiet), quiet.note.occurred_at.date())


def _pause_quote(deal: Deal, quiet: Silence) -> str:
    asked = [s.quote for s in deal.signals if s.kind is Kind.PAUSE_AGREED and s.interaction == quiet.note.key]
    return asked[-1] if asked else first_sentence(quiet.note.text)


def _onward(deal: Deal) -> Advice:
    """Nothing holds the deal back: what comes next."""
    if deal.verbal_yes:
        return _of_signal("Send the contract and agree the day of signing", deal.verbal_yes)
    if deal.ahead:
        return _of_step(deal, deal.ahead[0], "Next")
    if deal.pilot and deal.pilot.kind is Kind.PILOT_AGREED:
        return _of_signal("Agree the pilot's start, end and measure of success", deal.pilot)
    if deal.pilot:
        return _of_signal("Agree the scope and the start of the pilot", deal.pilot)
    return _of_note("Agree a next step with a date", deal.notes[-1])


def _of_signal(text: str, signal: Signal) -> Advice:
    return Advice(text, signal.interaction, signal.quote, day_of(signal))


def _of_note(text: str, note: Interaction) -> Advice:
    return Advice(text, note.key, first_sentence(note.text), note.occurred_at.date())


def _of_step(deal: Deal, step: NextStep, lead: str) -> Advice:
    due = f" (due {deal.day(step.due)})" if step.due else ""
    return Advice(f"{lead}: {clipped(step.title)}{due}", *step_proof(deal, step))
