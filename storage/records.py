"""Frozen values that cross the border between `storage/` and everything else.

Times are aware UTC. Dates of promises are calendar days. Money is Decimal with a currency code.
`key` is the user's own id (`acme-01`, `int-204`); `id` is ours and never shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a signal in a note says."""

    OBJECTION = "objection"
    OBJECTION_RESOLVED = "objection_resolved"
    COMMITMENT_BY_US = "commitment_by_us"
    COMMITMENT_BY_THEM = "commitment_by_them"
    COMMITMENT_DONE = "commitment_done"
    BUDGET_CONFIRMED = "budget_confirmed"
    BUDGET_BLOCKED = "budget_blocked"
    COMPETITOR = "competitor"
    COMPETITOR_RESOLVED = "competitor_resolved"
    PILOT_REQUESTED = "pilot_requested"
    PILOT_AGREED = "pilot_agreed"
    VERBAL_COMMITMENT = "verbal_commitment"
    NEXT_STEP = "next_step"
    POSITIVE_REACTION = "positive_reaction"
    TOLD = "told"
    NO_RESPONSE = "no_response"
    PAUSE_AGREED = "pause_agreed"
    AUTHORITY = "authority"


class Topic(StrEnum):
    """What an objection, a promise or a pitch is about."""

    PRICING = "pricing"
    BUDGET = "budget"
    ONBOARDING = "onboarding"
    MIGRATION = "migration"
    SECURITY = "security"
    LEGAL = "legal"
    INTEGRATION = "integration"
    TIMING = "timing"
    RELIABILITY = "reliability"
    AUTHORITY = "authority"
    SUPPORT = "support"
    OTHER = "other"


class Side(StrEnum):
    """Whose promise or step it is."""

    OURS = "ours"
    THEIRS = "theirs"


class State(StrEnum):
    """Whether a note counts."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class Account:
    """A company we sell to."""

    id: int
    key: str
    name: str
    stage: str = ""
    owner: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at an account."""

    id: int
    key: str
    account_id: int
    name: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A deal. `status` is open, won or lost."""

    id: int
    key: str
    account_id: int
    name: str = ""
    amount: Decimal | None = None
    currency: str = "USD"
    status: str = "open"
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewNote:
    """A note to be logged. Only `text` is asked of a person.

    `source_key` names the delivery (`msg:<channel>:<ts>`): the same key twice is one note.
    `external` marks words of the customer's own, pasted or forwarded. `visibility` is the id of the private
    channel the note was captured in, or "" for the whole workspace. `occurred_at` defaults to now.
    """

    text: str
    rep: str
    channel: str = "note"
    occurred_at: datetime | None = None
    outcome: str = ""
    contact: str = ""
    opportunity: str = ""
    key: str = ""
    source_key: str = ""
    permalink: str = ""
    external: bool = False
    visibility: str = ""


@dataclass(frozen=True, slots=True)
class Logged:
    """Receipt for a note. `is_new` is False when this delivery had been logged before (then `rep` is who did)."""

    id: int
    key: str
    account: Account
    at: datetime
    rep: str
    is_new: bool = True
    opportunity: str = ""
    open_opportunities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interaction:
    """A note as stored, verbatim."""

    id: int
    key: str
    team_id: str
    account_id: int
    account: str
    account_key: str
    text: str
    rep: str
    channel: str
    occurred_at: datetime
    outcome: str = ""
    contact: str = ""
    opportunity: str = ""
    permalink: str = ""
    external: bool = False
    visibility: str = ""
    state: State = State.ACTIVE
    revision: int = 1
    read_as: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing a note says, with the words that prove it.

    `quote` is verbatim from the note. `due` is the resolved day of a promise, a pause or a budget freeze.
    `pending` is True while a positive signal from the customer's own text waits for a rep's word. `thread` names the
    concern that an objection without a topic belongs to, by its meaning; facts carry it, nothing stores it.
    """

    kind: Kind
    topic: Topic
    quote: str
    summary: str = ""
    party: Side | None = None
    due: date | None = None
    who: str = ""
    interaction_id: int = 0
    interaction: str = ""
    at: datetime | None = None
    confirmed_by: str = ""
    pending: bool = False
    id: int = 0
    thread: str = ""


@dataclass(frozen=True, slots=True)
class NoteReading:
    """What a reader understood of a revision of a note, to be kept.

    `steps` are next steps derived from the signals: title, side, owner, due, topic, quote, is_promise.
    """

    note_id: int
    revision: int
    signals: tuple[Signal, ...]
    steps: tuple[Mapping[str, Any], ...]
    read_as: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """A next step or a promise: ours (`we owe`) or theirs."""

    id: int
    key: str
    account_id: int
    account: str
    title: str
    side: Side = Side.OURS
    owner: str = ""
    due: date | None = None
    done_at: datetime | None = None
    dropped_at: datetime | None = None
    created_at: datetime | None = None
    interaction_id: int | None = None
    interaction: str = ""
    quote: str = ""
    is_promise: bool = False
    topic: Topic = Topic.OTHER
    account_key: str = ""
    snoozed_until: date | None = None
    reminded_on: date | None = None

    @property
    def is_open(self) -> bool:
        """Neither done nor dropped."""
        return self.done_at is None and self.dropped_at is None


@dataclass(frozen=True, slots=True)
class Handoff:
    """An account handed from one rep to another; `steps` are the ids of the next steps that moved."""

    id: int
    account_id: int
    from_rep: str
    to_rep: str
    by: str
    at: datetime
    steps: tuple[int, ...] = ()
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is on record about an account as of a moment: every active note the asker may see, oldest first."""

    account: Account
    as_of: datetime
    contact: Contact | None = None
    contacts: tuple[Contact, ...] = ()
    opportunities: tuple[Opportunity, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    signals: tuple[Signal, ...] = ()
    next_steps: tuple[NextStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who a name means: an account, and the person at it when the name was a person's."""

    account: Account
    contact: Contact | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A recalled note. `score` is 0..1, higher is closer; `quote` the passage that fits the question best."""

    interaction: str
    score: float
    text: str
    quote: str
    account: str
    account_key: str
    rep: str
    channel: str
    occurred_at: datetime
    contact: str = ""
    opportunity: str = ""
    permalink: str = ""
    id: int = 0
    account_id: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What recall brought back, best first.

    When `abstained`, nothing on record answers the question: `hits` is empty and `nearest` holds the closest notes,
    to be shown under exactly that heading. `notice` says in one sentence what was not as usual (the index was away).
    """

    question: str
    hits: tuple[Hit, ...] = ()
    abstained: bool = False
    nearest: tuple[Hit, ...] = ()
    reason: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """Counts of an import: what was made and what was brought up to date."""

    accounts: int = 0
    contacts: int = 0
    opportunities: int = 0
    interactions: int = 0
    next_steps: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Counts of a catch-up: notes indexed, notes taken out of the index, notes that could not be indexed."""

    indexed: int = 0
    removed: int = 0
    failed: int = 0
    notice: str = ""
