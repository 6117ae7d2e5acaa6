"""What every verb stands on: who asks, the workspace they ask in, and notes read before they are spoken of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event
from zoneinfo import ZoneInfo

from bot.scribe import Scribe
from bot.signals import next_steps_of, to_signals
from storage import Interaction, Memory, Resolved, TeamMemory
from storage.errors import BadInput, UnknownAccount


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `audience` holds the private channels the person is in; None is the operator, who sees all."""

    team: str
    user: str
    audience: frozenset[str] | None = frozenset()
    tz: str = "UTC"


@dataclass(frozen=True)
class Base:
    """A memory and a scribe. `bell` is rung by every write and wakes the worker."""

    memory: Memory
    scribe: Scribe
    bell: Event = field(default_factory=Event)

    def read_pending(self, team_id: str, tz: str = "UTC") -> int:
        """Read what this scribe has not read yet in a workspace; returns how many notes. Called by the worker."""
        notes = [n for n in self.memory.unread(self.scribe.name) if n.team_id == team_id]
        self._read_unread(self.memory.of(team_id), notes, tz)
        return len(notes)

    def _team(self, viewer: Viewer) -> TeamMemory:
        return self.memory.of(viewer.team, viewer.audience)

    def _who(self, team: TeamMemory, name: str, *, create: bool = False) -> Resolved:
        try:
            return team.who(name)
        except UnknownAccount:
            if not create:
                raise
            return Resolved(team.create_account(name))

    def _split(self, viewer: Viewer, line: str, usage: str, *, create: bool = False) -> tuple[str, str]:
        head, colon, rest = line.partition(":")
        if colon and len(head) <= 80 and "\n" not in head:
            return head.strip(), rest.strip()
        if create or not line.strip():
            raise BadInput(usage)
        resolved, rest = self._team(viewer).split_who(line)
        return resolved.contact.name if resolved.contact else resolved.account.key, rest

    def _read_unread(self, team: TeamMemory, notes: Sequence[Interaction], tz: str) -> None:
        for note in notes:
            if note.read_as != self.scribe.name:
                self._read_one(team, note, tz)

    def _read_one(self, team: TeamMemory, note: Interaction, tz: str) -> None:
        reading = self.scribe.read(note)
        signals = to_signals(
            reading, text=note.text, occurred_at=note.occurred_at, tz=ZoneInfo(tz), external=note.external
        )
        steps = [
            {
                "title": s.title,
                "side": s.side.value,
                "owner": s.owner,
                "due": s.due,
                "topic": s.topic.value,
                "quote": s.quote,
                "is_promise": s.is_promise,
            }
            for s in next_steps_of(signals)
        ]
        team.save_reading(note.id, note.revision, signals, steps, reading.read_as)
