"""SQLModel tables: the truth. Rows never leave `storage/`; `records.py` holds what does.

Every table carries `team_id`, and foreign keys are composite over (team_id, id), so a link across workspaces cannot
exist in SQL. Row ids are integers because the index derives its point ids from them; they are never shown.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class Utc(TypeDecorator[datetime]):
    """Aware UTC both ways: SQLite hands naive datetimes back, and a naive one must never get in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Hand aware UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """Exact decimal money with four places, kept as an integer so that both engines compare and sum it exactly."""

    impl = BigInteger
    cache_ok = True
    _unit: ClassVar[Decimal] = Decimal("0.0001")

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        """Decimal (or int) to ten-thousandths."""
        return None if value is None else int((Decimal(value) / self._unit).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Ten-thousandths to Decimal, without trailing zeros."""
        if value is None:
            return None
        amount = Decimal(int(value)) * self._unit
        return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def _owned(parent: str, column: str, *, cascade: bool = True) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["team_id", column], [f"{parent}.team_id", f"{parent}.id"], ondelete="CASCADE" if cascade else None
    )


def _autoincrement(*constraints: Any) -> tuple[Any, ...]:
    # Without AUTOINCREMENT SQLite reuses the id of an erased row, and a stale point would speak for a new note.
    return (*constraints, UniqueConstraint("team_id", "id"), {"sqlite_autoincrement": True})


class AccountRow(SQLModel, table=True):
    """A company."""

    __tablename__ = "account"
    __table_args__ = _autoincrement(UniqueConstraint("team_id", "key"), Index("ix_account_name", "team_id", "name_key"))

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    key: str
    name: str
    name_key: str
    stage: str = ""
    owner: str = ""
    properties: dict[str, Any] = _json()
    created_at: datetime = Field(sa_type=Utc)
    merged_into: int | None = None


class AliasRow(SQLModel, table=True):
    """A former or further name of an account."""

    __tablename__ = "account_alias"
    __table_args__ = (_owned("account", "account_id"),)

    team_id: str = Field(primary_key=True)
    name_key: str = Field(primary_key=True)
    name: str
    account_id: int


class ContactRow(SQLModel, table=True):
    """A person at an account."""

    __tablename__ = "contact"
    __table_args__ = _autoincrement(
        UniqueConstraint("team_id", "account_id", "key"),
        Index("ix_contact_name", "team_id", "name_key"),
        _owned("account", "account_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    account_id: int
    key: str
    name: str
    name_key: str
    role: str = ""
    properties: dict[str, Any] = _json()


class OpportunityRow(SQLModel, table=True):
    """A deal."""

    __tablename__ = "opportunity"
    __table_args__ = _autoincrement(
        UniqueConstraint("team_id", "account_id", "key"),
        Index("ix_opportunity_key", "team_id", "key"),
        _owned("account", "account_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    account_id: int
    key: str
    name: str = ""
    amount: Decimal | None = Field(default=None, sa_type=Money)
    currency: str = "USD"
    status: str = "open"
    created_at: datetime = Field(sa_type=Utc)
    closed_at: datetime | None = Field(default=None, sa_type=Utc)
    properties: dict[str, Any] = _json()


class InteractionRow(SQLModel, table=True):
    """A note, verbatim, and what has been derived from it.

    `indexed_as` and `read_as` name what derived: they differ from today's signature exactly when work is pending, so
    the queue is a query. `revision` grows with every edit; marks compare it. A superseded version lives on as a row of
    its own that points at the living one by `version_of`.
    """

    __tablename__ = "interaction"
    __table_args__ = _autoincrement(
        UniqueConstraint("team_id", "account_id", "key"),
        UniqueConstraint("team_id", "source_key"),
        Index("ix_interaction_time", "team_id", "account_id", "occurred_at"),
        Index("ix_interaction_indexed", "indexed_as"),
        Index("ix_interaction_read", "read_as"),
        Index("ix_interaction_state", "state"),
        _owned("account", "account_id"),
        _owned("contact", "contact_id", cascade=False),
        _owned("opportunity", "opportunity_id", cascade=False),
    )

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    account_id: int
    opportunity_id: int | None = None
    contact_id: int | None = None
    key: str
    source_key: str | None = None
    text: str = Field(sa_type=Text)
    channel: str = "note"
    rep: str = ""
    outcome: str = ""
    occurred_at: datetime = Field(sa_type=Utc)
    logged_at: datetime = Field(sa_type=Utc)
    permalink: str = ""
    external: bool = False
    visibility: str = ""
    state: str = "active"
    state_at: datetime | None = Field(default=None, sa_type=Utc)
    state_by: str = ""
    revision: int = 1
    version_of: int | None = None
    properties: dict[str, Any] = _json()
    read_as: str = ""
    indexed_as: str = ""
    claim_token: str = ""
    claimed_until: datetime | None = Field(default=None, sa_type=Utc)
    tries: int = 0
    retry_at: datetime | None = Field(default=None, sa_type=Utc)


class SignalRow(SQLModel, table=True):
    """One thing a note says."""

    __tablename__ = "signal"
    __table_args__ = _autoincrement(
        Index("ix_signal_account", "team_id", "account_id"),
        Index("ix_signal_interaction", "team_id", "interaction_id"),
        _owned("interaction", "interaction_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    account_id: int
    interaction_id: int
    kind: str
    topic: str
    quote: str = Field(sa_type=Text)
    summary: str = Field(default="", sa_type=Text)
    party: str = ""
    due: date | None = Field(default=None, sa_type=Date)
    who: str = ""
    confirmed_by: str = ""
    pending: bool = False
    read_as: str = ""


class NextStepRow(SQLModel, table=True):
    """A next step or a promise."""

    __tablename__ = "next_step"
    __table_args__ = _autoincrement(
        UniqueConstraint("team_id", "account_id", "key"),
        Index("ix_next_step_account", "team_id", "account_id"),
        Index("ix_next_step_owner", "team_id", "owner"),
        _owned("account", "account_id"),
        _owned("interaction", "interaction_id", cascade=False),
        _owned("opportunity", "opportunity_id", cascade=False),
    )

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    account_id: int
    interaction_id: int | None = None
    opportunity_id: int | None = None
    key: str
    title: str = Field(sa_type=Text)
    side: str = "ours"
    is_promise: bool = False
    owner: str = ""
    due: date | None = Field(default=None, sa_type=Date)
    topic: str = "other"
    quote: str = Field(default="", sa_type=Text)
    created_at: datetime = Field(sa_type=Utc)
    done_at: datetime | None = Field(default=None, sa_type=Utc)
    dropped_at: datetime | None = Field(default=None, sa_type=Utc)
    snoozed_until: date | None = Field(default=None, sa_type=Date)
    reminded_on: date | None = Field(default=None, sa_type=Date)
    derived: bool = False
    properties: dict[str, Any] = _json()


class LinkRow(SQLModel, table=True):
    """A typed relationship between two records; a suggestion stays a draft until a person decides."""

    __tablename__ = "link"
    __table_args__ = _autoincrement(
        UniqueConstraint("team_id", "type", "from_label", "from_id", "to_label", "to_id"),
        Index("ix_link_account", "team_id", "account_id"),
        _owned("account", "account_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    account_id: int
    type: str
    from_label: str
    from_id: int
    to_label: str
    to_id: int
    state: str = "draft"
    rationale: str = Field(default="", sa_type=Text)
    confidence: float = 0.0
    created_by: str = ""
    created_at: datetime = Field(sa_type=Utc)
    decided_by: str = ""


class ChannelAccountRow(SQLModel, table=True):
    """A Slack channel that stands for an account."""

    __tablename__ = "channel_account"
    __table_args__ = (_owned("account", "account_id"),)

    team_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    account_id: int


class ChoiceRow(SQLModel, table=True):
    """What a person chose when a channel's name or deal was asked for: the next time it is not asked again."""

    __tablename__ = "choice"
    __table_args__ = (_owned("account", "account_id"), _owned("opportunity", "opportunity_id"))

    team_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    asked: str = Field(primary_key=True)
    account_id: int
    opportunity_id: int | None = None


class HandoffRow(SQLModel, table=True):
    """An account handed from one rep to another; `steps` are the next steps that moved: {id, owner before}."""

    __tablename__ = "handoff"
    __table_args__ = _autoincrement(
        Index("ix_handoff_account", "team_id", "account_id"), _owned("account", "account_id")
    )

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    account_id: int
    from_rep: str = ""
    to_rep: str
    by: str
    at: datetime = Field(sa_type=Utc)
    undone_at: datetime | None = Field(default=None, sa_type=Utc)
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class MergeRow(SQLModel, table=True):
    """Two accounts made one. `moved` holds the ids that changed hands, by table, so that it can be undone."""

    __tablename__ = "merge"
    __table_args__ = _autoincrement(_owned("account", "account_id"), _owned("account", "into_id"))

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    account_id: int
    into_id: int
    by: str
    at: datetime = Field(sa_type=Utc)
    undone_at: datetime | None = Field(default=None, sa_type=Utc)
    moved: dict[str, list[Any]] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class DigestRow(SQLModel, table=True):
    """A channel's digest and when it is due next. `accounts` is linked, mine (of who made it) or all.

    `language` is that of its days, as CLDR names it.
    """

    __tablename__ = "digest"
    __table_args__ = _autoincrement(UniqueConstraint("team_id", "channel"), Index("ix_digest_next", "next_at"))

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    channel: str
    cron: str
    tz: str
    accounts: str = "linked"
    made_by: str = ""
    language: str = Field(default="en", sa_column_kwargs={"server_default": "en"})
    next_at: datetime | None = Field(default=None, sa_type=Utc)
    created_at: datetime = Field(sa_type=Utc)


class DigestRunRow(SQLModel, table=True):
    """One slot of a digest. The unique pair makes a slot somebody's own; `state` says how far it came.

    claimed, sending, posted, unknown (the process ended between Slack's answer and our mark), skipped or failed.
    """

    __tablename__ = "digest_run"
    __table_args__ = _autoincrement(
        UniqueConstraint("team_id", "digest_id", "slot"),
        Index("ix_digest_run_state", "state"),
        _owned("digest", "digest_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    team_id: str
    digest_id: int
    slot: datetime = Field(sa_type=Utc)
    state: str = "claimed"
    token: str = ""
    leased_until: datetime | None = Field(default=None, sa_type=Utc)
    at: datetime = Field(sa_type=Utc)
    posted_ts: str = ""
    reason: str = ""


class PersonRow(SQLModel, table=True):
    """How a Slack user wants to be reminded: IANA zone, quiet hours (local, from..to), or not at all."""

    __tablename__ = "person"

    team_id: str = Field(primary_key=True)
    user: str = Field(primary_key=True)
    tz: str = ""
    quiet_from: int = 19
    quiet_to: int = 8
    reminders: bool = True
    active: bool = True


class InstallationRow(SQLModel, table=True):
    """A workspace's installation. Tokens are encrypted with the operator's key; after an uninstall they are empty.

    `team_id` is the enterprise's id for an installation on a whole organisation.
    """

    __tablename__ = "installation"
    __table_args__ = (Index("ix_installation_ended", "ended_at"),)

    team_id: str = Field(primary_key=True)
    app_id: str = ""
    enterprise_id: str = ""
    team_name: str = ""
    bot_id: str = ""
    bot_user_id: str = ""
    scopes: str = Field(default="", sa_type=Text)
    token: str = Field(default="", sa_type=Text)
    refresh_token: str = Field(default="", sa_type=Text)
    expires_at: datetime | None = Field(default=None, sa_type=Utc)
    installed_by: str = ""
    installed_at: datetime = Field(sa_type=Utc)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)


class OAuthStateRow(SQLModel, table=True):
    """An installation that was begun: the state that has to come back, once, before it is too old."""

    __tablename__ = "oauth_state"

    state: str = Field(primary_key=True)
    expires_at: datetime = Field(sa_type=Utc)


class UsageRow(SQLModel, table=True):
    """What a model was used for on a day, in tokens and estimated cost."""

    __tablename__ = "usage"

    team_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True, sa_type=Date)
    model: str = Field(primary_key=True)
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Field(default=Decimal(0), sa_type=Money)


class InboxRow(SQLModel, table=True):
    """A delivery that has been taken: the same key a second time is a duplicate.

    `work` is a question that was not answered yet: it is taken away with the answer. `tries` counts who took it up.
    """

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_at", "at"),)

    team_id: str = Field(primary_key=True)
    delivery_key: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Utc)
    work: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    tries: int = 0


metadata = SQLModel.metadata
