"""Memory: one database, one index, many workspaces. `of(team_id)` is the only door to a workspace's data."""

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import delete, func, select

from storage.errors import BadInput
from storage.ground import Ground, account, interaction
from storage.ground import inbox as inbox_table
from storage.inbox import Inbox
from storage.installs import Installs
from storage.merging import MergeVerbs
from storage.notes import select_notes, to_interaction
from storage.people import PeopleVerbs
from storage.recall import Engines, RecallVerbs
from storage.records import CaughtUp, Interaction
from storage.schedules import Schedules, ScheduleVerbs
from storage.sync import Progress, Sync
from storage.tables import metadata
from storage.usage import UsageBook


class TeamMemory(RecallVerbs, MergeVerbs, ScheduleVerbs, PeopleVerbs):
    """All verbs of one workspace, as one audience sees it."""


class Memory:
    """Open by `open_memory`; close by leaving the `with` block. Thread-safe."""

    def __init__(self, ground: Ground, engines: Engines, on_close: list[Any]) -> None:
        self._ground = ground
        self._engines = engines
        self._sync = Sync(ground, engines)
        self._on_close = on_close
        self.notices: list[str] = []

    def of(self, team_id: str, audience: frozenset[str] | None = None) -> TeamMemory:
        """A workspace. `audience` holds the private channels the asker is in; None is the operator, who sees all."""
        if not team_id:
            raise BadInput("A workspace id is needed.")
        return TeamMemory(self._ground, team_id, audience, self._engines)

    @property
    def schedules(self) -> Schedules:
        """The digests of every workspace."""
        return Schedules(self._ground)

    @property
    def inbox(self) -> Inbox:
        """Deliveries that have been taken."""
        return Inbox(self._ground)

    @property
    def usage(self) -> UsageBook:
        """What models were used for."""
        return UsageBook(self._ground)

    @property
    def installs(self) -> Installs:
        """The workspaces that have installed the app."""
        return Installs(self._ground)

    @property
    def now(self) -> datetime:
        """What the memory's clock says."""
        return self._ground.now()

    def catch_up(self, progress: Progress | None = None, limit: int | None = None) -> CaughtUp:
        """Index all that is pending; returns counts. A failing engine ends it with `notice`, and nothing is lost."""
        return self._sync.catch_up(progress, limit)

    def verify(self) -> list[str]:
        """Hold the index against SQL for every workspace; what is missing is queued again. Returns what was found."""
        if self._ground.db.is_sqlite:
            # The folder's lock says that nobody else is here: a killed process's leases need not run out.
            self._sync.forget_claims()
        found = [notice for team in self.teams() if (notice := self._sync.verify(team))]
        self.notices += found
        return found

    def requeue(self, team_id: str) -> None:
        """Index a workspace's notes again: its index was lost."""
        self._sync.requeue(team_id)

    def teams(self) -> tuple[str, ...]:
        """The workspaces that have an account."""
        with self._ground.db.read() as connection:
            return tuple(connection.execute(select(account.c.team_id).distinct()).scalars())

    def never_read(self, team_id: str, read_as: Sequence[str], limit: int = 100) -> tuple[Interaction, ...]:
        """Notes of a workspace that none of these readers has read, newest first."""
        i = interaction.c
        query = select_notes().where(i.team_id == team_id, i.state == "active", i.read_as.not_in(read_as))
        with self._ground.db.read() as connection:
            return tuple(to_interaction(row) for row in connection.execute(query.order_by(i.id.desc()).limit(limit)))

    def to_read(self, read_as: str) -> tuple[int, int]:
        """How many notes this reader has not read, over all workspaces, and their characters."""
        i = interaction.c
        query = select(func.count(), func.coalesce(func.sum(func.length(i.text)), 0))
        with self._ground.db.read() as connection:
            row = connection.execute(query.where(i.state == "active", i.read_as != read_as)).one()
        return int(row[0]), int(row[1])

    def status(self) -> dict[str, Any]:
        """Counts and engines, for `doctor`: no names and no words."""
        with self._ground.db.read() as connection:
            notes = connection.execute(select(func.count()).select_from(interaction)).scalar_one()
            accounts = connection.execute(select(func.count()).select_from(account)).scalar_one()
        return {
            "database": "sqlite" if self._ground.db.is_sqlite else "postgres",
            "index": self._engines.index.kind,
            "embedder": self._engines.embedder.signature,
            "workspaces": len(self.teams()),
            "accounts": accounts,
            "notes": notes,
            "pending": self._sync.pending(),
            "parked": self._sync.parked(),
        }

    def erase(self, team_id: str) -> None:
        """Delete a workspace: rows, index, and the words that the database's log and its copies still held."""
        with self._ground.db.write() as connection:
            connection.execute(delete(inbox_table).where(inbox_table.c.team_id == team_id))
            for table in reversed(metadata.sorted_tables):
                if "team_id" in table.c:
                    connection.execute(delete(table).where(table.c.team_id == team_id))
        self._engines.index.drop(team_id)
        self._ground.db.forget_copies()
        self._ground.db.checkpoint()

    def close(self) -> None:
        """Flush the index, fold the database's log in, let the folder go."""
        while self._on_close:
            self._on_close.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
