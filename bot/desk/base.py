"""What every verb stands on: who asks, the workspace they ask in, and notes read before they are spoken of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.scribe import Scribe, workspace
from bot.signals import next_steps_of, to_signals
from storage import Interaction, Memory, NoteReading, Resolved, TeamMemory
from storage.errors import AmbiguousName, BadInput, UnknownAccount

WHO_USAGE = "Say who it is about, for example: Acme Corp."


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, in which channel. `audience` holds the private channels they are in; None, the operator, sees all.

    `meant` is what this person has just chosen of names that could be several: (name asked about, name chosen).
    """

    team: str
    user: str
    audience: frozenset[str] | None = frozenset()
    tz: str = "UTC"
    channel: str = ""
    meant: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Notes that wait for the scribe, and the estimated dollars of reading them."""

    notes: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Read:
    """How many notes were read, and whether the scribe went away before it had read all that it was asked to."""

    done: int
    is_away: bool = False


UTC = "UTC"
READ_TOGETHER = 25
"""Notes whose readings are kept in one transaction: whoever logs meanwhile waits a few hundredths of a second."""


@dataclass(frozen=True)
class Base:
    """A memory and a scribe. `bell` is rung by every write and wakes the worker.

    `quick` reads a note while somebody waits, where the scribe is slow; the worker has the scribe read it again.
    """

    memory: Memory
    scribe: Scribe
    bell: Event = field(default_factory=Event)
    quick: Scribe | None = None

    @property
    def at_once(self) -> Scribe:
        """Who reads while somebody waits."""
        return self.quick or self.scribe

    def read_pending(self, team_id: str, most: int = READ_TOGETHER) -> Read:
        """Have the scribe read what it has not read yet in a workspace, the newest notes first, at most so many."""
        done = 0
        workspace.set(team_id)
        team = self.memory.of(team_id)
        zones = team.zones()
        for note in self.memory.never_read(team_id, (self.scribe.name,), limit=most):
            reading = _reading(self.scribe, note, zones.get(note.rep, UTC))
            if reading.read_as != self.scribe.name:
                # The scribe is away and somebody stood in: the note stays pending, and is tried again later.
                if note.read_as != reading.read_as:
                    team.save_readings([reading])
                return Read(done, is_away=True)
            done += team.save_readings([reading])
        return Read(done)

    def reread_estimate(self) -> Waiting:
        """How many notes the scribe has still to read, and what a model would cost for it."""
        notes, chars = self.memory.to_read(self.scribe.name)
        price = self.scribe.price_of(notes, chars) if self.quick is not None else Decimal(0)
        return Waiting(notes, price)

    def _team(self, viewer: Viewer) -> TeamMemory:
        workspace.set(viewer.team)
        return self.memory.of(viewer.team, viewer.audience)

    def _who(self, team: TeamMemory, name: str, viewer: Viewer, *, create: bool = False) -> Resolved:
        """Who a name means here: no name is the channel's account, and a name asked for once is not asked again."""
        linked = team.channel_account(viewer.channel) if viewer.channel and not name.strip() else None
        if linked:
            return Resolved(linked)
        if not name.strip():
            raise BadInput(WHO_USAGE)
        try:
            return team.who(name)
        except AmbiguousName as error:
            return self._meant(team, viewer, error)
        except UnknownAccount:
            if not create:
                raise
            return Resolved(team.create_account(name, owner=viewer.user))

    def _meant(self, team: TeamMemory, viewer: Viewer, error: AmbiguousName) -> Resolved:
        """Whom a name of several means: who was chosen just now, else in this channel before; else raises."""
        just_now = dict(viewer.meant).get(error.name)
        if just_now:
            return team.who(just_now)
        account = team.choice(viewer.channel, error.name) if viewer.channel else None
        if account is None:
            raise error
        there = [found for found in (team.who(c) for c in error.candidates) if found.account.id == account.id]
        # Several people of one account: the account alone does not tell which of them was meant.
        if len({found.contact for found in there}) > 1:
            raise error
        return there[0] if there else Resolved(account)

    def _split(self, viewer: Viewer, line: str, usage: str, *, create: bool = False) -> tuple[str, str]:
        """The name a line begins with, and the rest; in a channel that stands for an account a line needs no name."""
        head, colon, rest = line.partition(":")
        if not line.strip():
            raise BadInput(usage)
        team = self._team(viewer)
        named = bool(colon) and len(head) <= 80 and "\n" not in head
        if create:
            if not named:
                raise BadInput(usage)
            return head.strip(), rest.strip()
        linked = team.channel_account(viewer.channel) if viewer.channel else None
        if linked is None:
            return team.split_name(line)
        # Only a known name with a colon is another account here: "the budget is gone" is no note on Theo.
        return (head.strip(), rest.strip()) if named and self._is_known(team, head) else (linked.key, line.strip())

    def _is_known(self, team: TeamMemory, name: str) -> bool:
        try:
            team.who(name)
        except UnknownAccount:
            return False
        except AmbiguousName:
            return True
        return True

    def _read_unread(self, team: TeamMemory, notes: Sequence[Interaction], tz: str) -> None:
        """Have notes read that nobody has: by whoever reads at once, since somebody waits for the answer."""
        known = {self.at_once.name, self.scribe.name}
        unread = [note for note in notes if note.read_as not in known]
        for start in range(0, len(unread), READ_TOGETHER):
            self._read_by(self.at_once, team, unread[start : start + READ_TOGETHER], tz)

    def _read_by(self, reader: Scribe, team: TeamMemory, notes: Sequence[Interaction], tz: str) -> None:
        # A day is meant where the note was written; the asker's zone stands in where that is not known.
        zones = team.zones()
        team.save_readings([_reading(reader, note, zones.get(note.rep, tz)) for note in notes])


def _zone(tz: str) -> ZoneInfo:
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A zone that Slack knows and this machine does not must not keep a note from being read.
        return ZoneInfo(UTC)


def _reading(reader: Scribe, note: Interaction, tz: str) -> NoteReading:
    read = reader.read(note)
    signals = to_signals(read, text=note.text, occurred_at=note.occurred_at, tz=_zone(tz), external=note.external)
    steps = tuple(
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
    )
    return NoteReading(note.id, note.revision, tuple(signals), steps, read.read_as)
