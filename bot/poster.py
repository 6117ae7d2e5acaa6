"""Posts the digests that are due: at most once each, over restarts and replicas."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.schedule import due
from storage import DigestPlan, DigestRun, Schedules
from storage.errors import RapportError

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
        taken = [*self._schedules.sweep(self._now()), *self._due()]
        return sum(self.send(plan, run) for plan, run in taken)

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

    def _due(self) -> list[tuple[DigestPlan, DigestRun]]:
        now, taken = self._now(), []
        for plan in self._schedules.due(now):
            coming = due(plan.cron, plan.tz, plan.next_at, now) if plan.next_at else None
            if coming is None:
                continue
            # Older slots that were missed are this one's now: a channel never gets a burst.
            reason = f"stands for {coming.missed} missed" if coming.missed else ""
            run = self._schedules.claim(plan, coming.slot, coming.next_at, now, skipped=coming.is_late, reason=reason)
            if run is None:
                continue
            if coming.is_late:
                log.warning("digest %s: a slot was missed by more than an hour and is skipped", plan.id)
            else:
                taken.append((plan, run))
        return taken

    def _keep_for_later(self, run: DigestRun, error: NotPosted) -> None:
        if error.retry_in is None:
            log.warning("digest %s: not posted: %s", run.digest_id, error)
            self._schedules.failed(run, str(error))
        else:
            self._schedules.release(run, self._now() + timedelta(seconds=error.retry_in))
