"""The week of a team: every account in exactly one bucket, the most urgent first, one thing to do each. Pure.

A card is made from facts alone, those of now and those of `since` (the last digest): a score that is computed and never
stored can be computed for last Monday too. Whoever words the digest gets the cards; buckets and order come from here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.advice import Advice, advise
from bot.deal import Deal, cut, read_deal
from bot.health import V1, Health, Momentum, Rubric, assess
from bot.wording import ENGLISH, capital, clipped, counted, first_sentence, listed
from storage import Facts, Kind, NextStep


class Bucket(StrEnum):
    """Where an account stands this week. The first that fits, in this order."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Card:
    """The state of one account, about 200 tokens.

    `account` is the user's own key, unique in a workspace; `change` the points since the last digest (None: not scored
    then); `changed` whether anything a reader should see is new; `issues` open objections and competitors in words;
    `interactions` the notes that `why` and `action` rest on; `moved` the reason a scribe gave for another bucket.
    """

    account: str
    name: str
    bucket: Bucket
    health: Health
    change: int | None
    changed: bool
    why: str
    action: str
    owner: str
    interactions: tuple[str, ...]
    silence: int = 0
    issues: tuple[str, ...] = ()
    next_step: str = ""
    last_quote: str = ""
    owes: bool = False
    closed: str = ""
    new_notes: int = 0
    before: Bucket | None = None
    moved: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a scribe words a card. `bucket` asks for a neighbouring bucket; it needs a `reason` and notes it `cites`."""

    why: str
    action: str
    bucket: Bucket | None = None
    reason: str = ""
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worded:
    """Wordings by account key. `notice` says in one sentence what was not as usual ("Written without Claude: …")."""

    lines: Mapping[str, Wording]
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """All accounts, each in one bucket, the most urgent first."""

    red: tuple[Card, ...] = ()
    yellow: tuple[Card, ...] = ()
    green: tuple[Card, ...] = ()

    @property
    def cards(self) -> tuple[Card, ...]:
        """All of them, red first."""
        return self.red + self.yellow + self.green

    @property
    def is_quiet(self) -> bool:
        """Nothing changed and nothing is red: one line will do."""
        return not self.red and not any(card.changed for card in self.cards)


# -------------------------------------------------------------------------------------------------------- one account


def card(facts: Facts, since: datetime | None = None, rubric: Rubric = V1, *, language: str = ENGLISH) -> Card:
    """The card of an account as of `facts.as_of`, compared with what it was at `since`; `language` is that of days."""
    deal, health = read_deal(facts, language), assess(facts, rubric, language=language)
    bucket = bucket_of(deal, rubric)
    then = cut(facts, since) if since else None
    before = bucket_of(read_deal(then), rubric) if then else None
    new_notes = sum(since is not None and note.occurred_at > since for note in deal.notes)
    advice = _closed_advice(deal) if deal.closed else advise(deal, health, rubric=rubric)
    return Card(
        account=facts.account.key,
        name=facts.account.name,
        bucket=bucket,
        health=health,
        change=_change(health, assess(then, rubric)) if then else None,
        changed=before is not bucket or new_notes > 0,
        why=_why(deal, bucket, rubric),
        action=advice.text,
        owner=facts.account.owner or (deal.notes[-1].rep if deal.notes else ""),
        interactions=_cited(deal, advice),
        silence=deal.silence.days if deal.silence else 0,
        issues=tuple(issue.words for issue in deal.open_issues),
        next_step=_step_words(deal, deal.ahead[0]) if deal.ahead else "",
        last_quote=_last_quote(deal),
        owes=bool(deal.broken),
        closed=deal.closed,
        new_notes=new_notes,
        before=before,
    )


def bucket_of(deal: Deal, rubric: Rubric = V1) -> Bucket:
    """Red: silence of five days or more, whoever waits for whom, unless they asked for a pause; or we broke a promise.

    Yellow: an open objection, an unanswered competitor, or no next step. Else green. Red wins. A deal won or lost is
    green: nobody has to act on it. An account without notes has no next step.
    """
    if deal.closed:
        return Bucket.GREEN
    quiet = deal.silence is not None and deal.silence.days >= rubric.quiet_days
    if quiet or deal.broken:
        return Bucket.RED
    return Bucket.YELLOW if deal.open_issues or not _has_next(deal, rubric) else Bucket.GREEN


def _has_next(deal: Deal, rubric: Rubric) -> bool:
    """A step ahead, a pilot under way, or a day they named to come back to."""
    return bool(deal.ahead or deal.pause) or _is_piloting(deal, rubric)


def _is_piloting(deal: Deal, rubric: Rubric) -> bool:
    pilot = deal.pilot
    return bool(pilot and pilot.kind is Kind.PILOT_AGREED and pilot.interaction in deal.recent(rubric.recent_notes))


def _closed_advice(deal: Deal) -> Advice:
    return Advice("Nothing to do: the deal is closed", deal.notes[-1].key if deal.notes else "")


def _change(now: Health, then: Health) -> int | None:
    return None if now.score is None or then.score is None else now.score - then.score


def _why(deal: Deal, bucket: Bucket, rubric: Rubric) -> str:
    if deal.closed:
        return f"The deal is {deal.closed}"
    if not deal.notes:
        return "Nobody has written anything down yet"
    reasons = _reasons(deal, rubric) if bucket is not Bucket.GREEN else []
    return capital(listed(reasons)) if reasons else _going(deal)


def _reasons(deal: Deal, rubric: Rubric) -> list[str]:
    """What asks for attention, the most pressing first."""
    quiet = deal.silence
    said = []
    if deal.broken:
        said.append(f"our promise is overdue: {_step_words(deal, deal.broken[0].step)}")
    if quiet and quiet.days >= rubric.quiet_days:
        said.append(f"{counted(quiet.days, 'day')} without a word from them")
    said += [f"{issue.words} open" for issue in deal.open_issues[:2]]
    return said if said or _has_next(deal, rubric) else ["no next step"]


def _going(deal: Deal) -> str:
    if deal.ahead:
        return f"Next: {_step_words(deal, deal.ahead[0])}"
    if deal.pause:
        return f"Pause agreed until {deal.day(deal.pause)}"
    return "Pilot agreed"


def _step_words(deal: Deal, step: NextStep) -> str:
    due = f" (due {deal.day(step.due)})" if step.due else ""
    return f"{clipped(step.title, 80)}{due}"


def _last_quote(deal: Deal) -> str:
    """Their last words on record, as marked in the note."""
    note = deal.last_word
    if note is None:
        return ""
    quotes = [s.quote for s in deal.signals if s.interaction == note.key]
    return quotes[-1] if quotes else first_sentence(note.text)


def _cited(deal: Deal, advice: Advice) -> tuple[str, ...]:
    """Keys of the notes behind why and action; the last note at least, where there is one."""
    quiet = [deal.silence.note.key] if deal.silence else []
    keys = [advice.interaction, *(p.step.interaction for p in deal.broken[:1]), *quiet]
    keys += [issue.last.interaction for issue in deal.open_issues[:2]]
    return tuple(dict.fromkeys(key for key in keys if key))


# ---------------------------------------------------------------------------------------------------------- all of them


def week(cards: Iterable[Card]) -> Week:
    """All cards in their buckets by urgency. The order does not depend on the order they came in."""
    ordered = sorted(cards, key=urgency)
    red, yellow, green = (tuple(c for c in ordered if c.bucket is bucket) for bucket in Bucket)
    return Week(red, yellow, green)


_MOMENTA = (Momentum.DECLINING, Momentum.STEADY, Momentum.IMPROVING)


def urgency(card: Card, rubric: Rubric = V1) -> tuple[Any, ...]:
    """Sorts the most urgent first, totally: two accounts never tie, since keys are unique.

    Closed deals and those asleep (in the last band of silence) come last in their bucket: a deal that was lost in
    spring must not push down one that can be lost today. Then a promise of ours that is overdue, then something open,
    then which way the score goes; then the higher score, for there is more to lose; then the longer silence.
    """
    asleep = card.silence >= rubric.silence[-1][0]
    momentum = _MOMENTA.index(card.health.momentum)
    score = -1 if card.health.score is None else card.health.score
    place = list(Bucket).index(card.bucket)
    pressing = (bool(card.closed), asleep, not card.owes, not card.issues, momentum)
    return (place, *pressing, -score, -card.silence, card.name.casefold(), card.account)


def worded(cards: Sequence[Card], wordings: Mapping[str, Wording]) -> tuple[Card, ...]:
    """The cards in a scribe's words. A card moves one bucket at most, and only for a reason that cites notes."""
    return tuple(_worded(c, wordings[c.account]) if c.account in wordings else c for c in cards)


def _worded(card: Card, wording: Wording) -> Card:
    said = replace(card, why=wording.why or card.why, action=wording.action or card.action)
    order = list(Bucket)
    if wording.bucket is None or not wording.reason or not wording.cites:
        return said
    if abs(order.index(wording.bucket) - order.index(card.bucket)) != 1:
        return said
    cites = tuple(dict.fromkeys((*card.interactions, *wording.cites)))
    return replace(said, bucket=wording.bucket, moved=wording.reason, interactions=cites)


def to_json(week: Week, as_of: datetime) -> dict[str, Any]:
    """The digest for programs: `as_of` as ISO 8601, then the three buckets. `change` is null when not scored before."""
    buckets = {"red": week.red, "yellow": week.yellow, "green": week.green}
    return {"as_of": as_of.isoformat(), **{name: [_item(c) for c in cards] for name, cards in buckets.items()}}


def _item(card: Card) -> dict[str, Any]:
    return {
        "account": card.account,
        "name": card.name,
        "health": card.health.score,
        "label": card.health.label,
        "at_risk": card.health.at_risk,
        "change": card.change,
        "why": card.why,
        "action": card.action,
        "owner": card.owner,
        "interactions": list(card.interactions),
    }
