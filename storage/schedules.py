"""Digests on schedule: who gets one when, and how far each slot came.

A slot belongs to whoever inserts its row: the pair (digest, slot) is unique. `sending` is committed before Slack is
called; a slot found there after its lease has run out is `unknown`, and only a person has it sent again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from storage.errors import NotFound
from storage.ground import AnyRow, Ground, TeamGround, digest, digest_run

_d, _r = digest.c, digest_run.c
CLAIMED, SENDING, POSTED, UNKNOWN, SKIPPED, FAILED = "claimed", "sending", "posted", "unknown", "skipped", "failed"
LEASE = timedelta(minutes=2)
"""How long a claim, and after it the call to Slack, may take before others think its process gone."""

AGAIN = "sent again by a person"
STANDS_FOR = "stands for"
"""What a slot says that older, missed slots were coalesced into. It outlives every other reason of its row."""

_OPEN = (SENDING, UNKNOWN)


@dataclass(frozen=True, slots=True)
class DigestPlan:
    """A channel's digest. `accounts` is linked, mine (of `made_by`) or all; `next_at` the next slot, in UTC.

    `language` is that of its days, as CLDR names it.
    """

    id: int
    team_id: str
    channel: str
    cron: str
    tz: str
    accounts: str
    made_by: str
    next_at: datetime | None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class DigestRun:
    """A slot of a digest and how far it came; `token` is its owner's."""

    id: int
    team_id: str
    digest_id: int
    slot: datetime
    state: str
    token: str
    posted_ts: str = ""
    reason: str = ""

    @property
    def is_wanted(self) -> bool:
        """A person asked for it by "Send again", so it is never too late for it."""
        return self.reason.startswith(AGAIN)


class ScheduleVerbs(TeamGround):
    """What a workspace can do with its digests."""

    def set_digest(
        self,
        channel: str,
        cron: str,
        tz: str,
        *,
        accounts: str,
        made_by: str,
        next_at: datetime | None,
        language: str = "en",
    ) -> DigestPlan:
        """Give a channel its digest, in place of the one it had."""
        values = {"cron": cron, "tz": tz, "accounts": accounts, "made_by": made_by, "next_at": next_at}
        values["language"] = language
        mine = and_(_d.team_id == self.team_id, _d.channel == channel)
        change = update(digest).where(mine).values(**values).returning(*_d)
        fresh = {**values, "team_id": self.team_id, "channel": channel, "created_at": self._now()}
        with self._write() as connection:
            row = connection.execute(change).first()
            if row is None:
                try:
                    with connection.begin_nested():
                        row = connection.execute(insert(digest).values(**fresh).returning(*_d)).one()
                except IntegrityError:  # another click made it in between
                    row = connection.execute(change).one()
        return _plan(row)

    def end_digest(self, channel: str) -> bool:
        """Take a channel's digest away; False when it has none."""
        mine = and_(_d.team_id == self.team_id, _d.channel == channel)
        with self._write() as connection:
            row = connection.execute(select(_d.id).where(mine)).first()
            if row is None:
                return False
            connection.execute(delete(digest_run).where(_r.team_id == self.team_id, _r.digest_id == row.id))
            connection.execute(delete(digest).where(mine))
        return True

    def digests(self) -> tuple[DigestPlan, ...]:
        """Every channel's digest."""
        with self._read() as connection:
            mine = select(digest).where(_d.team_id == self.team_id).order_by(_d.id)
            return tuple(_plan(row) for row in connection.execute(mine))

    def digest_runs(self, digest_id: int, limit: int = 10) -> tuple[DigestRun, ...]:
        """The latest slots of a digest."""
        mine = select(digest_run).where(_r.team_id == self.team_id, _r.digest_id == digest_id)
        with self._read() as connection:
            return tuple(_run(row) for row in connection.execute(mine.order_by(_r.slot.desc()).limit(limit)))

    def last_posted(self, digest_id: int) -> datetime | None:
        """The slot posted last: what changed is counted from it."""
        # A clock that was ahead may have posted a slot that has not come yet.
        came = and_(_r.state == POSTED, _r.slot <= self._now())
        mine = select(_r.slot).where(_r.team_id == self.team_id, _r.digest_id == digest_id, came)
        with self._read() as connection:
            return connection.execute(mine.order_by(_r.slot.desc()).limit(1)).scalar()

    def send_again(self, run_id: int) -> DigestRun:
        """A person's word that a slot is to be sent again: of two clicks one gets it. Raises NotFound."""
        mine = and_(_r.team_id == self.team_id, _r.id == run_id, _r.state.in_((UNKNOWN, FAILED)))
        # Nobody holds it: the next round of any worker takes it.
        again = {"state": CLAIMED, "token": uuid4().hex, "leased_until": self._now() - LEASE}
        with self._write() as connection:
            before = connection.execute(select(_r.reason).where(mine)).scalar() or ""
            again["reason"] = _because(AGAIN, before)
            row = connection.execute(update(digest_run).where(mine).values(**again).returning(*_r)).first()
        if row is None:
            raise NotFound("That digest has been sent again already.")
        return _run(row)


class Schedules:
    """The digests of every workspace, for the worker. Safe with several processes over one database."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def due(self, now: datetime) -> tuple[DigestPlan, ...]:
        """Digests whose next slot has come."""
        with self._ground.db.read() as connection:
            due = select(digest).where(_d.next_at <= now).order_by(_d.next_at, _d.id)
            return tuple(_plan(row) for row in connection.execute(due))

    def claim(
        self,
        plan: DigestPlan,
        slot: datetime,
        next_at: datetime | None,
        now: datetime,
        *,
        skipped: bool = False,
        reason: str = "",
    ) -> DigestRun | None:
        """Take a slot and move the digest on, in one transaction; None when somebody else has it."""
        mine = and_(_d.team_id == plan.team_id, _d.id == plan.id, _d.next_at == plan.next_at)
        values: dict[str, Any] = {
            "team_id": plan.team_id,
            "digest_id": plan.id,
            "slot": slot,
            "state": SKIPPED if skipped else CLAIMED,
            "token": uuid4().hex,
            "leased_until": now + LEASE,
            "at": now,
            "reason": reason,
        }
        taken = and_(_r.team_id == plan.team_id, _r.digest_id == plan.id, _r.slot == slot)
        with self._ground.db.write() as connection:
            moved = connection.execute(update(digest).where(mine).values(next_at=next_at))
            # A clock set back comes to a slot again: it has its row already, and the digest only moves on.
            if not moved.rowcount or connection.execute(select(_r.id).where(taken)).first():
                return None
            return _run(connection.execute(insert(digest_run).values(**values).returning(*_r)).one())

    def sending(self, run: DigestRun) -> bool:
        """Commit that Slack is about to be called; False when the slot is no longer ours."""
        # The call has a lease of its own: what was spent waiting for it must not make it look abandoned.
        return self._mark(run, (CLAIMED,), state=SENDING, leased_until=self._ground.now() + LEASE)

    def posted(self, run: DigestRun, ts: str) -> bool:
        """It was posted as message `ts`. Who outlived the lease still knows it, unless it was sent again since."""
        return self._mark(run, _OPEN, state=POSTED, posted_ts=ts, reason=_because("", run.reason))

    def unknown(self, run: DigestRun, reason: str) -> bool:
        """Nobody knows whether it was posted."""
        return self._mark(run, (SENDING,), state=UNKNOWN, reason=_because(reason, run.reason))

    def failed(self, run: DigestRun, reason: str) -> bool:
        """It was certainly not posted."""
        return self._mark(run, _OPEN, state=FAILED, reason=_because(reason, run.reason))

    def release(self, run: DigestRun, until: datetime) -> bool:
        """It was certainly not posted and is to be tried again from a moment on."""
        again = {"state": CLAIMED, "token": uuid4().hex, "leased_until": until, "reason": run.reason}
        return self._mark(run, _OPEN, **again)

    def skip(self, run: DigestRun, reason: str) -> bool:
        """Give up a claimed slot: it is too late for it."""
        return self._mark(run, (CLAIMED,), state=SKIPPED, reason=_because(reason, run.reason))

    def sweep(self, now: datetime) -> tuple[tuple[DigestPlan, DigestRun], ...]:
        """Slots whose owner is gone: those that were being sent become unknown, the others are handed to the caller."""
        over = and_(_r.state.in_((CLAIMED, SENDING)), _r.leased_until < now)
        with self._ground.db.read() as connection:
            stale = connection.execute(select(digest_run).where(over).order_by(_r.slot, _r.id)).all()
        if not stale:  # the usual round: nothing is written
            return ()
        with self._ground.db.write() as connection:
            taken = [row for run in stale if (row := connection.execute(_taken_over(run, now)).first())]
            ids = {row.digest_id for row in taken}
            found = connection.execute(select(digest).where(_d.id.in_(ids))).all() if ids else []
        plans = {row.id: _plan(row) for row in found}
        return tuple((plans[r.digest_id], _run(r)) for r in taken if r.state == CLAIMED and r.digest_id in plans)

    def beyond(self, moment: datetime) -> tuple[DigestPlan, ...]:
        """Digests whose next slot lies after a moment."""
        with self._ground.db.read() as connection:
            late = select(digest).where(_d.next_at > moment).order_by(_d.id)
            return tuple(_plan(row) for row in connection.execute(late))

    def move(self, plan: DigestPlan, next_at: datetime) -> bool:
        """Set when a digest is due next; False when somebody else has moved it meanwhile."""
        mine = and_(_d.team_id == plan.team_id, _d.id == plan.id, _d.next_at == plan.next_at)
        with self._ground.db.write() as connection:
            return bool(connection.execute(update(digest).where(mine).values(next_at=next_at)).rowcount)

    def plan_of(self, run: DigestRun) -> DigestPlan | None:
        """The digest a slot belongs to."""
        with self._ground.db.read() as connection:
            mine = select(digest).where(_d.team_id == run.team_id, _d.id == run.digest_id)
            row = connection.execute(mine).first()
        return _plan(row) if row else None

    def _mark(self, run: DigestRun, was: tuple[str, ...], **values: Any) -> bool:
        mine = and_(_r.team_id == run.team_id, _r.id == run.id, _r.token == run.token, _r.state.in_(was))
        with self._ground.db.write() as connection:
            return bool(connection.execute(update(digest_run).where(mine).values(**values)).rowcount)


def _taken_over(run: AnyRow, now: datetime) -> ReturningUpdate[Any]:
    """What becomes of an abandoned slot, unless its row has changed since it was read."""
    same = and_(
        _r.team_id == run.team_id,
        _r.id == run.id,
        _r.token == run.token,
        _r.state == run.state,
        _r.leased_until == run.leased_until,
    )
    ended = _because("the process ended while it was being sent", run.reason)
    claimed = {"token": uuid4().hex, "leased_until": now + LEASE}
    values = claimed if run.state == CLAIMED else {"state": UNKNOWN, "reason": ended}
    return update(digest_run).where(same).values(**values).returning(*_r)


def _because(why: str, before: str) -> str:
    """A new reason, with what the one before it said of missed slots: they would be lost in silence without it."""
    stands = [part for part in before.split("; ") if part.startswith(STANDS_FOR)]
    return "; ".join([part for part in (why, *stands) if part])


def _plan(row: AnyRow) -> DigestPlan:
    return DigestPlan(
        row.id, row.team_id, row.channel, row.cron, row.tz, row.accounts, row.made_by, row.next_at, row.language
    )


def _run(row: AnyRow) -> DigestRun:
    return DigestRun(row.id, row.team_id, row.digest_id, row.slot, row.state, row.token, row.posted_ts, row.reason)
