"""Posts the digests that are due: at most once each, over restarts and replicas."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import chain

from bot.schedule import FARTHEST, GRACE, Due, due, next_after
from storage import DigestPlan, DigestRun, Schedules
from storage.errors import RapportError
from storage.schedules import STANDS_FOR

log = logging.getLogger("rapport.digest")


class NotPosted(RapportError):
    """Slack refused the message: it is certainly not there. `retry_in` seconds from now it may be tried again."""

    def __init__(self, reason: str, retry_in: float | None = None) -> None:
        super().__init__(reason)
        self.retry_in = retry_in


class Poster:
    """Over the schedules of every workspace. `post` sends a digest for a slot and gives the message's ts back."""

    def __init__(
        self, schedules: Schedules, post: Callable[[DigestPlan, datetime], str], now: Callable[[], datetime]
    ) -> None:
        self._schedules = schedules
        self._post = post
        self._now = now

    def tick(self) -> int:
        """Post what is due; returns how many slots were posted."""
        self._come_back()
        return sum(self.send(plan, run) for plan, run in chain(self._left(), self._due()))

    def send(self, plan: DigestPlan, run: DigestRun) -> bool:
        """Send a slot that is ours. False when it was not, or could not be, posted."""
        if not self._schedules.sending(run):
            return False
        try:
            ts = self._post(plan, run.slot)
        except NotPosted as error:
            self._keep_for_later(run, error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever it was, Slack may have the message: nobody sends it twice
            log.error("digest %s: unknown whether its slot was posted: %s", plan.id, type(error).__name__)
            self._schedules.unknown(run, type(error).__name__)
            return False
        return self._schedules.posted(run, ts)

    def _left(self) -> Iterator[tuple[DigestPlan, DigestRun]]:
        """What others had claimed and not begun to send, and what was put off."""
        now = self._now()
        for plan, run in self._schedules.sweep(now):
            if now - run.slot > GRACE and not run.is_wanted:
                log.warning("digest %s: a slot waited for more than an hour and is skipped", plan.id)
                self._schedules.skip(run, "it could not be posted within the hour")
            else:
                yield plan, run

    def _due(self) -> Iterator[tuple[DigestPlan, DigestRun]]:
        # One at a time: a slot claimed while others are being sent would use up its lease waiting.
        for plan in self._schedules.due(self._now()):
            now = self._now()
            coming: Due | None = None
            with _counting(plan):
                coming = due(plan.cron, plan.tz, plan.next_at, now) if plan.next_at else None
            if coming is None:
                continue
            # Older slots that were missed are this one's now: a channel never gets a burst.
            reason = f"{STANDS_FOR} {coming.missed} missed" if coming.missed else ""
            run = self._schedules.claim(plan, coming.slot, coming.next_at, now, skipped=coming.is_late, reason=reason)
            if run is None:
                continue
            if coming.is_late:
                log.warning("digest %s: a slot was missed by more than an hour and is skipped", plan.id)
            else:
                yield plan, run

    def _come_back(self) -> None:
        """A clock that was ahead and was set right leaves next slots behind that nobody lives to see."""
        now = self._now()
        for plan in self._schedules.beyond(now + FARTHEST):
            with _counting(plan):
                self._schedules.move(plan, next_after(plan.cron, plan.tz, now))
                log.warning("digest %s: its next slot was too far ahead and is counted again", plan.id)

    def _keep_for_later(self, run: DigestRun, error: NotPosted) -> None:
        if error.retry_in is None:
            log.warning("digest %s: not posted: %s", run.digest_id, error)
            self._schedules.failed(run, str(error))
        else:
            self._schedules.release(run, self._now() + timedelta(seconds=error.retry_in))


@contextmanager
def _counting(plan: DigestPlan) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - one digest that cannot be counted must not stop the others
        log.error("digest %s: its next slot cannot be counted: %s", plan.id, type(error).__name__)
