"""Keeping notes: log, and the receipt of what was understood."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.desk.base import Base, Viewer
from storage import Account, Logged, NewNote, NextStep, Opportunity, Signal, State, TeamMemory
from storage.errors import BadInput, NotAllowed

UNDO_TIME = timedelta(minutes=10)
LOG_USAGE = "Say who it is about and what was said, for example: Acme Corp: they want quarterly billing."


class ChangedSince(NotAllowed):
    """A button of a receipt that the note has outgrown."""

    def __init__(self) -> None:
        super().__init__("This note has changed since. Here it is as it is now.")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was kept, and what was understood of it. `is_new` is False for a delivery that had come before.

    `open_opportunities` are the keys of the deals it could belong to, `deals` the same with their names; `opportunity`
    is the one it does belong to. `retracted` tells a note that was taken back.
    """

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
    opportunity: str = ""
    deals: tuple[Opportunity, ...] = ()
    retracted: bool = False


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
        contact: str = "",
        opportunity: int = 0,
        create: bool = False,
    ) -> Receipt:
        """Keep a note about an account or a person. Committed when this returns; raises UnknownAccount, AmbiguousName,
        EmptyNote, NoteTooLong or NotSaved. With `create` an unknown name becomes a new account.

        `contact` is who said it, a new name a new person; `opportunity` is the deal's number, else it is the deal that
        was chosen in this channel before.
        """
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
            contact=contact or (resolved.contact.name if resolved.contact else ""),
            opportunity=self._deal(team, viewer, resolved.account, opportunity),
            source_key=source_key,
            permalink=permalink,
            external=external,
            visibility=visibility,
        )
        logged = team.log(resolved.account.id, note)
        team.remember_zone(viewer.user, viewer.tz)
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
        return self._of_note(team, account, note_id)

    def confirm(self, viewer: Viewer, note_id: int, revision: int = 0) -> Receipt:
        """A person says that what was understood is right: it counts, and no later reading removes it.

        Here and below `revision` is the one the person has seen, 0 for any. Raises ChangedSince, UnknownNote.
        """
        team = self._unchanged(viewer, note_id, revision)
        for signal in team.signals(note_id):
            team.confirm(signal.id, viewer.user)
        return self.receipt_of(viewer, note_id)

    def correct(
        self, viewer: Viewer, note_id: int, text: str, *, rejected: Collection[int] = (), revision: int = 0
    ) -> Receipt:
        """Put other words in a note's place and read them; `rejected` signals are wrong and do not come back.

        Raises EmptyNote, UnknownNote, ChangedSince.
        """
        team = self._unchanged(viewer, note_id, revision)
        if rejected or text.strip() != team.note(note_id).text:
            note = team.correct(note_id, text, viewer.user, rejected=rejected)
            self._read_unread(team, [note], viewer.tz)
        return self.receipt_of(viewer, note_id)

    def retract(self, viewer: Viewer, note_id: int, revision: int = 0) -> int:
        """Take a note out of recall and health at once; it stays in history. Gives the revision it has now."""
        team = self._unchanged(viewer, note_id, revision)
        team.retract(note_id, viewer.user)
        return team.standing(note_id)[1]

    def refuse(self, viewer: Viewer, note_id: int) -> None:
        """Take back a note whose author turned out to be a guest, and the account that it began. Raises UnknownNote."""
        self._team(viewer).refuse(note_id, viewer.user)

    def restore(self, viewer: Viewer, note_id: int, revision: int = 0) -> Receipt:
        """Bring a retracted note back. Raises UnknownNote, ChangedSince."""
        team = self._unchanged(viewer, note_id, revision)
        self._read_unread(team, [team.restore(note_id, viewer.user)], viewer.tz)
        return self.receipt_of(viewer, note_id)

    def undo(self, viewer: Viewer, note_id: int, revision: int = 0) -> Receipt:
        """Within ten minutes, by who did it: the correction if there was one, else the note itself is taken back."""
        team = self._unchanged(viewer, note_id, revision)
        at, by = team.last_change(note_id)
        if by != viewer.user:
            raise NotAllowed("Only who logged or corrected a note can undo that. Retract is open to all who see it.")
        if self.memory.now - at > UNDO_TIME:
            raise NotAllowed("Undo works for ten minutes. Retract takes the note back at any time.")
        if team.history(note_id):
            self._read_unread(team, [team.undo_correction(note_id, viewer.user)], viewer.tz)
            return self.receipt_of(viewer, note_id)
        before = self.receipt_of(viewer, note_id)
        return replace(before, retracted=True, revision=self.retract(viewer, note_id))

    def put_in_deal(self, viewer: Viewer, note_id: int, deal: int, revision: int = 0) -> Receipt:
        """Say which deal a note belongs to, by its number; the next note in this channel goes there, too."""
        team = self._unchanged(viewer, note_id, revision)
        note = team.note(note_id)
        chosen = next((o for o in team.opportunities(note.account_id) if o.id == deal), None)
        if chosen is None:
            raise BadInput("That deal belongs to another account.")
        team.set_opportunity(note_id, chosen.key)
        if viewer.channel:
            team.remember_deal(viewer.channel, note.account_id, chosen.id)
        return self.receipt_of(viewer, note_id)

    def is_retracted(self, viewer: Viewer, note_id: int) -> tuple[bool, int]:
        """Whether a note was taken back, and its revision now. Raises UnknownNote."""
        state, revision = self._team(viewer).standing(note_id)
        return state is State.RETRACTED, revision

    def _unchanged(self, viewer: Viewer, note_id: int, revision: int) -> TeamMemory:
        team = self._team(viewer)
        if revision and team.standing(note_id)[1] != revision:
            raise ChangedSince
        return team

    def _deal(self, team: TeamMemory, viewer: Viewer, account: Account, opportunity: int) -> str:
        """The key of the deal a new note goes to; "" where the memory knows or asks."""
        if opportunity:
            chosen = next((o.key for o in team.opportunities(account.id) if o.id == opportunity), None)
            if chosen is None:
                raise BadInput("That deal belongs to another account.")
            return chosen
        return team.remembered_deal(viewer.channel, account.id) if viewer.channel else ""

    def _of_note(self, team: TeamMemory, account: Account, note_id: int) -> Receipt:
        note = team.note(note_id)
        open_deals = tuple(o for o in team.opportunities(account.id) if o.status == "open")
        deals = open_deals if len(open_deals) > 1 else ()
        return Receipt(
            account=account,
            key=note.key,
            at=note.occurred_at,
            is_new=True,
            rep=note.rep,
            signals=team.signals(note.id),
            next_steps=tuple(s for s in team.next_steps(account.id) if s.interaction_id == note.id),
            open_opportunities=() if note.opportunity else tuple(o.key for o in deals),
            interaction_id=note.id,
            revision=note.revision,
            text=note.text,
            opportunity=note.opportunity,
            deals=deals,
        )

    def _receipt(self, team: TeamMemory, viewer: Viewer, logged: Logged) -> Receipt:
        if logged.is_new:
            self._read_unread(team, [team.note(logged.id)], viewer.tz)
            return self._of_note(team, logged.account, logged.id)
        state, revision = self.memory.of(viewer.team).standing(logged.id)
        if state is State.ACTIVE and logged.rep == viewer.user:
            # The same delivery again, or one's own message: its receipt as it is now, with its buttons.
            return replace(self._of_note(team, logged.account, logged.id), is_new=False)
        return Receipt(
            account=logged.account,
            key=logged.key,
            at=logged.at,
            is_new=False,
            rep=logged.rep,
            interaction_id=logged.id,
            revision=revision,
            retracted=state is State.RETRACTED,
        )
