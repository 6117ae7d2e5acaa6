"""The desk: the verbs of the product. Slack is one face of it, the terminal another; both call these.

    desk.log_line(viewer, "Acme Corp: they want quarterly billing")
    desk.brief(viewer, "Dana Reed")
    desk.recall_line(viewer, "acme: what pricing objections came up?")

No Slack, no SQL, no SDK: values in, values out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from bot.deal import read_deal
from bot.health import assess
from bot.scribe import Brief, Scribe
from bot.signals import next_steps_of, to_signals
from storage import (
    Account,
    Facts,
    Found,
    Hit,
    Imported,
    Interaction,
    Kind,
    Logged,
    Memory,
    NewNote,
    NextStep,
    Resolved,
    Signal,
    TeamMemory,
)
from storage.errors import BadInput, RapportError, UnknownAccount

LOG_USAGE = "Say who it is about and what was said, for example: Acme Corp: they want quarterly billing."
RECALL_USAGE = "Say who and what, for example: Acme Corp: what pricing objections came up?"

OBJECTIONS, PROMISES, REST = "Objections", "Promises and next steps", "Also on record"
_GROUP_OF = {
    Kind.OBJECTION: OBJECTIONS,
    Kind.BUDGET_BLOCKED: OBJECTIONS,
    Kind.COMPETITOR: OBJECTIONS,
    Kind.COMMITMENT_BY_US: PROMISES,
    Kind.COMMITMENT_BY_THEM: PROMISES,
    Kind.NEXT_STEP: PROMISES,
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `audience` holds the private channels the person is in; None is the operator, who sees all."""

    team: str
    user: str
    audience: frozenset[str] | None = frozenset()
    tz: str = "UTC"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was kept, and what was understood of it. `is_new` is False for a delivery that had come before."""

    account: Account
    key: str
    at: datetime
    is_new: bool
    rep: str
    signals: tuple[Signal, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    open_opportunities: tuple[str, ...] = ()
    interaction_id: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a question, in groups; `objection` and `next_step` are of the best note."""

    who: str
    question: str
    found: Found
    groups: tuple[tuple[str, tuple[Hit, ...]], ...] = ()
    objection: str = ""
    next_step: str = ""
    account: str = ""


@dataclass(frozen=True)
class Desk:
    """The verbs, over a memory and a scribe. `bell` is rung by every write and wakes the worker."""

    memory: Memory
    scribe: Scribe
    bell: Event = field(default_factory=Event)

    def log(
        self,
        viewer: Viewer,
        who: str,
        text: str,
        *,
        channel: str = "note",
        source_key: str = "",
        permalink: str = "",
        external: bool = False,
        visibility: str = "",
        occurred_at: datetime | None = None,
        create: bool = False,
    ) -> Receipt:
        """Keep a note about an account or a person. Committed when this returns; raises UnknownAccount, AmbiguousName,
        EmptyNote, NoteTooLong or NotSaved. With `create` an unknown name becomes a new account."""
        if visibility and viewer.audience is not None:
            # Whoever captures a message can read it.
            viewer = replace(viewer, audience=viewer.audience | {visibility})
        team = self._team(viewer)
        resolved = self._who(team, who, create=create)
        note = NewNote(
            text=text,
            rep=viewer.user,
            channel=channel,
            occurred_at=occurred_at,
            contact=resolved.contact.name if resolved.contact else "",
            source_key=source_key,
            permalink=permalink,
            external=external,
            visibility=visibility,
        )
        logged = team.log(resolved.account.id, note)
        return self._receipt(team, viewer, logged)

    def log_line(
        self,
        viewer: Viewer,
        line: str,
        *,
        channel: str = "note",
        source_key: str = "",
        permalink: str = "",
        external: bool = False,
        visibility: str = "",
        create: bool = False,
    ) -> Receipt:
        """Keep a note given as one line: the name first, then the words. A leading "+" makes the account."""
        if line.startswith("+"):
            create, line = True, line[1:]
        who, text = self._split(viewer, line, LOG_USAGE, create=create)
        return self.log(
            viewer,
            who,
            text,
            channel=channel,
            source_key=source_key,
            permalink=permalink,
            external=external,
            visibility=visibility,
            create=create,
        )

    def brief(self, viewer: Viewer, who: str, as_of: datetime | None = None) -> Brief:
        """What to know before the next touch, computed now from every note on record. Raises as `log` does."""
        facts = self.facts(viewer, who, as_of)
        return self.scribe.brief(facts, assess(facts), read_deal(facts))

    def facts(self, viewer: Viewer, who: str, as_of: datetime | None = None) -> Facts:
        """All on record about an account or a person, every note read."""
        team = self._team(viewer)
        resolved = self._who(team, who)
        self._read_unread(team, team.timeline(resolved.account.id), viewer.tz)
        return team.facts(resolved, as_of)

    def recall(self, viewer: Viewer, who: str, question: str) -> Answer:
        """The notes that answer a question about an account or a person; with an empty `who`, about every account."""
        if not question.strip():
            raise BadInput(RECALL_USAGE)
        team = self._team(viewer)
        resolved = self._who(team, who) if who else None
        account = resolved.account.id if resolved else None
        person = resolved.contact.key if resolved and resolved.contact else None
        found = team.recall(question, account=account, contact=person)
        if person and found.abstained:
            # What is known about a person is not only what was said to them.
            found = team.recall(question, account=account)
        return self._recollect(team, viewer, resolved, found)

    def recall_line(self, viewer: Viewer, line: str) -> Answer:
        """`who: question`; a question alone is asked of every account."""
        if not line.strip():
            raise BadInput(RECALL_USAGE)
        if ":" not in line and line.rstrip().endswith("?"):
            try:
                who, question = self._split(viewer, line, RECALL_USAGE)
            except RapportError:
                return self.recall(viewer, "", line)
            return self.recall(viewer, who, question)
        who, question = self._split(viewer, line, RECALL_USAGE)
        return self.recall(viewer, who, question)

    def timeline(self, viewer: Viewer, who: str) -> tuple[Interaction, ...]:
        """Every note of an account or a person, newest first."""
        team = self._team(viewer)
        resolved = self._who(team, who)
        contact = resolved.contact.id if resolved.contact else None
        return team.timeline(resolved.account.id, contact_id=contact)

    def import_payload(self, viewer: Viewer, payload: Any) -> Imported:
        """Write accounts with all that is nested under them."""
        return self._team(viewer).import_payload(payload, viewer.user)

    def account_names(self, viewer: Viewer) -> tuple[tuple[str, str], ...]:
        """(key, name) of every account, by name."""
        return tuple((a.key, a.name) for a in self._team(viewer).accounts())

    def guess(self, viewer: Viewer, text: str) -> str:
        """The key of the one account whose name, or one of whose people, a text mentions; "" for none or several."""
        words = f" {text.casefold()} "
        team = self._team(viewer)
        named = {a.key for a in team.accounts() if _mentions(words, a.name)}
        if not named:
            named = {a.key for a in team.accounts() if any(_mentions(words, c.name) for c in team.contacts(a.id))}
        return named.pop() if len(named) == 1 else ""

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

    def _receipt(self, team: TeamMemory, viewer: Viewer, logged: Logged) -> Receipt:
        if logged.is_new:
            self._read_one(team, team.note(logged.id), viewer.tz)
        steps = tuple(s for s in team.next_steps(logged.account.id) if s.interaction_id == logged.id)
        return Receipt(
            account=logged.account,
            key=logged.key,
            at=logged.at,
            is_new=logged.is_new,
            rep=logged.rep,
            signals=team.signals(logged.id),
            next_steps=steps,
            open_opportunities=logged.open_opportunities,
            interaction_id=logged.id,
        )

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

    def _recollect(self, team: TeamMemory, viewer: Viewer, resolved: Resolved | None, found: Found) -> Answer:
        said: dict[int, tuple[Signal, ...]] = {}
        for hit in found.hits:
            note = team.note(hit.id)
            self._read_unread(team, [note], viewer.tz)
            said[hit.id] = team.signals(hit.id)
        groups: dict[str, list[Hit]] = {OBJECTIONS: [], PROMISES: [], REST: []}
        for hit in found.hits:
            groups[_group(said[hit.id])].append(hit)
        best = found.hits[0] if found.hits else None
        return Answer(
            who=_shown(resolved),
            question=found.question,
            found=found,
            groups=tuple((name, tuple(hits)) for name, hits in groups.items() if hits),
            objection=_quote(said[best.id]) if best else "",
            next_step=_step(team, best) if best else "",
            account=resolved.account.name if resolved else (best.account if best else ""),
        )


def _group(signals: Sequence[Signal]) -> str:
    groups = {_GROUP_OF.get(s.kind, REST) for s in signals}
    return next((name for name in (OBJECTIONS, PROMISES) if name in groups), REST)


def _quote(signals: Sequence[Signal]) -> str:
    return next((s.quote for s in signals if s.kind is Kind.OBJECTION), "")


def _step(team: TeamMemory, hit: Hit) -> str:
    steps = team.next_steps(hit.account_id)
    own = [s for s in steps if s.interaction_id == hit.id]
    return (own or list(steps))[0].title if steps else ""


def _shown(resolved: Resolved | None) -> str:
    if resolved is None:
        return "every account"
    return f"{resolved.contact.name} ({resolved.account.name})" if resolved.contact else resolved.account.name


def _mentions(words: str, name: str) -> bool:
    bare = name.casefold()
    first = bare.split()[0] if bare.split() else ""
    return len(bare) > 2 and (bare in words or (len(first) > 3 and f" {first} " in words))
