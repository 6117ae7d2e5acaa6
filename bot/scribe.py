"""The port of whoever puts things into words: by rules and quotation, or through a model. Numbers are never theirs.

A scribe is handed facts and figures and gives back claims, each with the note that proves it and words from that note.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from bot.deal import Deal
from bot.health import Health
from bot.signals import Reading
from bot.week import Card, Worded
from storage import Facts, Hit, Interaction

workspace: ContextVar[str] = ContextVar("workspace", default="")
"""For whom the scribe works at the moment: what it uses is written down under this workspace."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A line and its proof: the key of a note, words from it, the day they were heard, who wrote and who said them.

    `status` is one word on what the line speaks of (open, resolved, answered, blocked, …); `group` a heading the line
    stands under. Without a note (`interaction` is "") the line is a record that somebody wrote down by hand, with its
    own words as `quote`; or the one thing to do about an account that has no history.
    """

    text: str
    interaction: str
    quote: str
    at: date
    rep: str = ""
    who: str = ""
    status: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Pledge(Claim):
    """A promise or a next step. `side` is ours or theirs, `status` open, kept or overdue; `step` our id of the record.

    `step` is 0 while only the note tells of it.
    """

    side: str = "ours"
    owner: str = ""
    due: date | None = None
    step: int = 0


@dataclass(frozen=True, slots=True)
class Brief:
    """What to know before the next touch. `person` is "" when the account was asked for; `at` the day it is true of.

    `objections` hold the open ones first; `budget` and `competitors` the latest first; `tone` one line or none.
    `recommended_action` has no note only when there is no history. `recommendation` is two or three sentences, each
    citing a note, and empty without history. `notice` says in one sentence what was not as usual ("Written without
    Claude."); `dropped` counts statements left out because no note supports them.
    """

    account: str
    person: str
    at: date
    health: Health
    recommended_action: Claim
    last_contact: Claim | None = None
    objections: tuple[Claim, ...] = ()
    budget: tuple[Claim, ...] = ()
    tone: tuple[Claim, ...] = ()
    competitors: tuple[Claim, ...] = ()
    promises: tuple[Pledge, ...] = ()
    next_steps: tuple[Pledge, ...] = ()
    told: tuple[Claim, ...] = ()
    recommendation: tuple[Claim, ...] = ()
    concerns: tuple[Claim, ...] = ()
    people: tuple[Claim, ...] = ()
    account_key: str = ""
    role: str = ""
    notes: int = 0
    notice: str = ""
    dropped: int = 0

    @property
    def is_cold_start(self) -> bool:
        """No note to speak from."""
        return self.health.score is None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a question: the claims, grouped by their `group`. Not answerable: the notes do not say."""

    answerable: bool
    claims: tuple[Claim, ...] = ()
    notice: str = ""
    dropped: int = 0


class Scribe(Protocol):
    """Puts notes, facts, cards and hits into words.

    No method raises for what a note holds or because a model is away: each falls back to rules and quotation and
    says so in `notice`. Names, ids, dates and figures come from the arguments.
    """

    @property
    def name(self) -> str:
        """The signature of this reader, kept as `read_as` on what it derived: another one reads the notes again."""

    def read(self, note: Interaction) -> Reading:
        """What a note says, as signals with verbatim quotes."""

    def price_of(self, notes: int, characters: int) -> Decimal:
        """What reading that many notes would cost, estimated in dollars; 0 for rules."""

    def brief(self, facts: Facts, health: Health, deal: Deal) -> Brief:
        """The brief of an account, or of a person when `facts.contact` is set."""

    def digest(self, cards: Sequence[Card]) -> Worded:
        """The wording of cards, by account key. An account left out keeps its card's own words."""

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:
        """An answer from recalled notes."""


# ------------------------------------------------------------------------------------------------------- for programs


def to_json(brief: Brief) -> dict[str, Any]:
    """The brief as plain JSON values. Days are ISO 8601; `last_contact` and `health.score` are null without history.

    Every list item has `text, interaction, quote, at`, and `rep`, `who`, `status` where they say something; promises
    and next steps also have `side`, `owner`, `due` and `state`.
    """
    return {
        "account": brief.account,
        "person": brief.person or None,
        "health": _health(brief.health),
        "last_contact": brief.last_contact.at.isoformat() if brief.last_contact else None,
        "objections": _items(brief.objections),
        "budget": _items(brief.budget),
        "tone": _items(brief.tone),
        "competitors": _items(brief.competitors),
        "promises": _items(brief.promises),
        "next_steps": _items(brief.next_steps),
        "told": _items(brief.told),
        "recommended_action": brief.recommended_action.text,
        "recommendation": _items(brief.recommendation),
    }


def _health(health: Health) -> dict[str, Any]:
    return {
        "score": health.score,
        "label": health.label,
        "momentum": health.momentum.value,
        "at_risk": health.at_risk,
        "risk": health.risk,
        "confidence": health.confidence.value,
        "items": [{"points": i.points, "reason": i.reason, "interaction": i.interaction} for i in health.items],
    }


def _items(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    return [_item(claim) for claim in claims]


def _item(claim: Claim) -> dict[str, Any]:
    item: dict[str, Any] = {
        "text": claim.text,
        "interaction": claim.interaction,
        "quote": claim.quote,
        "at": claim.at.isoformat(),
    }
    if isinstance(claim, Pledge):
        due = claim.due.isoformat() if claim.due else None
        item |= {"side": claim.side, "owner": claim.owner, "due": due, "state": claim.status}
    elif claim.status:
        item["status"] = claim.status
    return item | {name: value for name, value in (("rep", claim.rep), ("who", claim.who)) if value}
