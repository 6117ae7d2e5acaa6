"""Keeping notes: log, and the receipt of what was understood."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.desk.base import Base, Viewer
from storage import Account, Logged, NewNote, NextStep, Signal, TeamMemory

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
        )
