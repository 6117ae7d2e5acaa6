"""What every noun of a workspace stands on: the database, the clock, and the one condition no query may forget."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, or_

from storage.database import Database
from storage.tables import (
    AccountRow,
    AliasRow,
    ChannelAccountRow,
    ChoiceRow,
    ContactRow,
    DigestRow,
    DigestRunRow,
    HandoffRow,
    InboxRow,
    InstallationRow,
    InteractionRow,
    LinkRow,
    MergeRow,
    NextStepRow,
    OAuthStateRow,
    OpportunityRow,
    PersonRow,
    SignalRow,
    UsageRow,
    metadata,
)

Clock = Callable[[], datetime]
AnyRow = Row[*tuple[Any, ...]]
"""A row of any columns: since SQLAlchemy 2.1 a row's type names each of them."""


def table_of(row: type[Any]) -> Table:
    """The Core table of a SQLModel class: reads go through Core, which costs a third of the ORM's time."""
    return metadata.tables[row.__tablename__]


account = table_of(AccountRow)
alias = table_of(AliasRow)
contact = table_of(ContactRow)
opportunity = table_of(OpportunityRow)
interaction = table_of(InteractionRow)
signal = table_of(SignalRow)
next_step = table_of(NextStepRow)
link = table_of(LinkRow)
channel_account = table_of(ChannelAccountRow)
choice = table_of(ChoiceRow)
merge = table_of(MergeRow)
handoff = table_of(HandoffRow)
digest = table_of(DigestRow)
digest_run = table_of(DigestRunRow)
person = table_of(PersonRow)
installation = table_of(InstallationRow)
oauth_state = table_of(OAuthStateRow)
usage = table_of(UsageRow)
inbox = table_of(InboxRow)


@dataclass(frozen=True)
class Ground:
    """The database, the clock, and the bell that wakes the worker after a write."""

    db: Database
    now: Clock
    ring: Callable[[], None] = field(default=lambda: None)


class TeamGround:
    """One workspace as one audience sees it. `audience` holds private channel ids; None, the operator, sees all."""

    def __init__(self, ground: Ground, team_id: str, audience: frozenset[str] | None) -> None:
        self.team_id = team_id
        self.audience = audience
        self._ground = ground

    def _now(self) -> datetime:
        return self._ground.now()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._ground.db.write() as connection:
            yield connection
        self._ground.ring()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._ground.db.read() as connection:
            yield connection

    def _seen(self) -> ColumnElement[bool]:
        """Notes of this workspace that count and that the audience may see."""
        mine = and_(interaction.c.team_id == self.team_id, interaction.c.state == "active")
        return mine if self.audience is None else and_(mine, self._open_to_audience())

    def _open_to_audience(self) -> ColumnElement[bool]:
        return or_(interaction.c.visibility == "", interaction.c.visibility.in_(sorted(self.audience or ())))
