"""Keeping notes: log, and the receipt of what was understood."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.desk.base import Base, Viewer
from storage import Account, Logged, NewNote, NextStep, Signal, TeamMemory
from storage.errors import NotAllowed

UNDO_TIME = timedelta(minutes=10)
LOG_USAGE = "Say who it is about and what was said, for example: Acme Corp: they want quarterly billing."


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
    revision: int = 1
    text: str = ""


class NoteVerbs(Base):
    """What can be done with notes."""

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
        resolved = self._who(team, who, viewer, create=create)
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

    def receipt_of(self, viewer: Viewer, note_id: int) -> Receipt:
        """The receipt of a note as it is now. Raises UnknownNote."""
        team = self._team(viewer)
        note = team.note(note_id)
        account = next(a for a in team.accounts() if a.id == note.account_id)
        steps = tuple(s for s in team.next_steps(note.account_id) if s.interaction_id == note.id)
        return Receipt(
            account, note.key, note.occurred_at, True, note.rep, team.signals(note.id), steps,
            interaction_id=note.id, revision=note.revision, text=note.text,
        )  # fmt: skip

    def confirm(self, viewer: Viewer, note_id: int) -> Receipt:
        """A person says that what was understood is right: it counts, and no later reading removes it."""
        team = self._team(viewer)
        for signal in team.signals(note_id):
            team.confirm(signal.id, viewer.user)
        return self.receipt_of(viewer, note_id)

    def correct(self, viewer: Viewer, note_id: int, text: str) -> Receipt:
        """Put other words in a note's place and read them. Raises EmptyNote, UnknownNote."""
        team = self._team(viewer)
        note = team.correct(note_id, text, viewer.user)
        self._read_unread(team, [note], viewer.tz)
        return self.receipt_of(viewer, note_id)

    def retract(self, viewer: Viewer, note_id: int) -> None:
        """Take a note out of recall and health at once; it stays in history. Raises UnknownNote."""
        self._team(viewer).retract(note_id, viewer.user)

    def restore(self, viewer: Viewer, note_id: int) -> Receipt:
        """Bring a retracted note back. Raises UnknownNote."""
        team = self._team(viewer)
        self._read_unread(team, [team.restore(note_id, viewer.user)], viewer.tz)
        return self.receipt_of(viewer, note_id)

    def undo(self, viewer: Viewer, note_id: int) -> Receipt | None:
        """Within ten minutes, by who logged it: the correction if there was one, else the note itself (then None)."""
        team = self._team(viewer)
        note = team.note(note_id)
        if note.rep != viewer.user:
            raise NotAllowed("Only who logged a note can undo it. Retract is open to everybody who sees it.")
        if self.memory.now - team.logged_at(note_id) > UNDO_TIME:
            raise NotAllowed("Undo works for ten minutes. Retract takes the note back at any time.")
        if team.history(note_id):
            self._read_unread(team, [team.undo_correction(note_id, viewer.user)], viewer.tz)
            return self.receipt_of(viewer, note_id)
        team.retract(note_id, viewer.user)
        return None

    def put_in_deal(self, viewer: Viewer, note_id: int, deal: str) -> Receipt:
        """Say which deal a note belongs to. Raises BadInput."""
        self._team(viewer).set_opportunity(note_id, deal)
        return self.receipt_of(viewer, note_id)

    def _receipt(self, team: TeamMemory, viewer: Viewer, logged: Logged) -> Receipt:
        if logged.is_new:
            self._read_unread(team, [team.note(logged.id)], viewer.tz)
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
            revision=team.note(logged.id).revision,
        )
