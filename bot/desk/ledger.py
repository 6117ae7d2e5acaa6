"""The promise ledger: next steps and promises of both sides, listed, added, done, put off, given on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bot.desk.base import Base, Viewer
from bot.dues import find_due, resolve
from storage import NextStep, Preferences, Side
from storage.errors import BadInput

NEXT_USAGE = "Say for whom and what, for example: /next add Acme Corp: send the security report by Friday"
REMINDERS_USAGE = "Say on, off, or your quiet hours, for example: /rapport reminders 19-8"
SOON_DAYS = 7
_HOURS = re.compile(r"(?:quiet )?(\d{1,2})(?::00)?\s*(?:-|to|–)\s*(\d{1,2})(?::00)?")
_THEIRS = ("they ", "she ", "he ", "their ", "customer ", "client ")


@dataclass(frozen=True, slots=True)
class Ledger:
    """Open next steps and promises by when they are due, seen from `today`; `of` says whose in words."""

    of: str
    today: date
    overdue: tuple[NextStep, ...] = ()
    soon: tuple[NextStep, ...] = ()
    later: tuple[NextStep, ...] = ()
    undated: tuple[NextStep, ...] = ()

    @property
    def steps(self) -> tuple[NextStep, ...]:
        """All of them, the most pressing first."""
        return self.overdue + self.soon + self.later + self.undated


class LedgerVerbs(Base):
    """What can be done with next steps and promises."""

    def next_steps(self, viewer: Viewer, who: str = "", *, everyone: bool = False) -> Ledger:
        """Open steps of an account, or with an empty `who` the viewer's own, or everyone's."""
        team = self._team(viewer)
        if who:
            resolved = self._who(team, who, viewer)
            self._read_unread(team, team.timeline(resolved.account.id), viewer.tz)
            return self._ledger(viewer, resolved.account.name, team.next_steps(resolved.account.id))
        if everyone:
            return self._ledger(viewer, "everyone", team.next_steps())
        return self._ledger(viewer, "you", team.next_steps(owner=viewer.user))

    def add_step(self, viewer: Viewer, line: str) -> NextStep:
        """A step by hand, `who: what by when`. It is theirs when it begins with they, she or he. Raises BadInput."""
        who, title = self._split(viewer, line, NEXT_USAGE)
        if not title.strip():
            raise BadInput(NEXT_USAGE)
        team = self._team(viewer)
        account = self._who(team, who, viewer).account
        due = resolve(find_due(title), self.memory.now, ZoneInfo(viewer.tz)) if find_due(title) else None
        theirs = title.casefold().startswith(_THEIRS)
        return team.add_next_step(
            account.id,
            title,
            owner="" if theirs else viewer.user,
            due=due,
            side=Side.THEIRS if theirs else Side.OURS,
            is_promise=True,
        )

    def settle(self, viewer: Viewer, step_id: int, *, done: bool = True, dropped: bool = False) -> NextStep:
        """Mark a step done or dropped, or (neither) open again. Raises NotFound."""
        return self._team(viewer).settle_next_step(step_id, done=done, dropped=dropped)

    def snooze(self, viewer: Viewer, step_id: int, days: int = 1) -> NextStep:
        """Do not remind of a step for some days. Raises NotFound."""
        return self._team(viewer).snooze_next_step(step_id, self._today(viewer) + timedelta(days))

    def reassign(self, viewer: Viewer, step_id: int, owner: str) -> NextStep:
        """Give a step to another rep. Raises NotFound."""
        return self._team(viewer).move_next_step(step_id, owner=owner)

    def due_reminders(self, viewer: Viewer) -> tuple[NextStep, ...]:
        """The viewer's open steps that are due by today in their zone, neither put off nor reminded of today.

        Steps that this viewer may not see are not among them.
        """
        today = self._today(viewer)
        mine = self._team(viewer).next_steps(owner=viewer.user, due_by=today)
        return tuple(s for s in mine if s.side is Side.OURS and _is_ripe(s, today))

    def claim_reminders(self, viewer: Viewer, steps: Sequence[NextStep]) -> tuple[NextStep, ...]:
        """Those of the steps whose reminder of today nobody else sends: to be told once, by one process."""
        won = set(self._team(viewer).mark_reminded([s.id for s in steps], self._today(viewer)))
        return tuple(s for s in steps if s.id in won)

    def may_be_reminded(self, viewer: Viewer) -> bool:
        """Whether it is an hour of the viewer's day in which they want to be reminded."""
        return self._team(viewer).preferences(viewer.user).allow(self.local_hour(viewer))

    def local_hour(self, viewer: Viewer) -> int:
        """The hour of the viewer's day."""
        return self.memory.now.astimezone(ZoneInfo(viewer.tz)).hour

    def preferences(self, viewer: Viewer) -> Preferences:
        """How the viewer is reminded."""
        return self._team(viewer).preferences(viewer.user)

    def set_reminders(self, viewer: Viewer, text: str) -> Preferences:
        """Set when the viewer is reminded: on, off, or quiet hours such as "19-8". Raises BadInput."""
        held, said = self.preferences(viewer), text.strip().casefold()
        if said in ("on", "off"):
            return self._team(viewer).prefer(viewer.user, replace(held, reminders=said == "on"))
        hours = _HOURS.fullmatch(said)
        if hours is None:
            raise BadInput(REMINDERS_USAGE)
        return self._team(viewer).prefer(viewer.user, Preferences(True, int(hours[1]), int(hours[2])))

    def _today(self, viewer: Viewer) -> date:
        return self.memory.now.astimezone(ZoneInfo(viewer.tz)).date()

    def _ledger(self, viewer: Viewer, of: str, steps: tuple[NextStep, ...]) -> Ledger:
        today = self._today(viewer)
        soon = today + timedelta(SOON_DAYS)
        dated = [(s, s.due) for s in steps if s.due is not None]
        return Ledger(
            of=of,
            today=today,
            overdue=tuple(s for s, due in dated if due < today),
            soon=tuple(s for s, due in dated if today <= due <= soon),
            later=tuple(s for s, due in dated if due > soon),
            undated=tuple(s for s in steps if s.due is None),
        )


def _is_ripe(step: NextStep, today: date) -> bool:
    asleep = step.snoozed_until is not None and step.snoozed_until > today
    return not asleep and (step.reminded_on is None or step.reminded_on < today)
