"""One loop beside the listeners: index what is pending, read what is unread, do what is due, sleep until rung.

Work is a query over rows, so a crash loses none of it: the next start finds the same rows pending.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Thread
from time import monotonic

from bot.desk import Desk
from bot.pace import Pace

log = logging.getLogger("rapport.worker")

SWEEP_SECONDS = 600.0
RETRY_SECONDS = 5.0
CHORE_SECONDS = 15.0
"""How often what is due by the clock (digests, reminders, tokens) is looked at."""
READ_IN_A_ROUND = 5
"""Notes that a model reads in one round: what is due by the clock waits for these, not for a backlog."""
REST_SECONDS = 60.0
"""How long a scribe that went away is left alone."""


class Worker:
    """Start it once per process; `stop` ends the loop after the batch in hand and waits for it."""

    def __init__(
        self,
        desk: Desk,
        sweep: float = SWEEP_SECONDS,
        chores: Sequence[Callable[[], object]] = (),
        pace: Pace | None = None,
    ) -> None:
        self._desk = desk
        self._pace = pace
        self._rested = 0.0
        self._teams: deque[str] = deque()
        self._chores = chores
        self._sweep = min(sweep, CHORE_SECONDS) if chores else sweep
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="rapport-worker", daemon=True)

    def start(self) -> None:
        """Begin with a sweep of whatever an earlier process left."""
        self._thread.start()

    def stop(self) -> None:
        """End the loop. Calling twice is no error."""
        self._stopping.set()
        self._desk.bell.set()
        if self._thread.is_alive():
            self._thread.join()

    def once(self) -> bool:
        """One round; False when something could not be done and is to be tried again soon."""
        self._desk.bell.clear()
        done = self._desk.memory.catch_up()
        if done.notice:
            log.warning("indexing is behind: %s", done.notice)
        has_read = self._read()
        for chore in self._chores:
            chore()
        return has_read and not done.notice

    def _read(self) -> bool:
        """Have notes read that wait for it; False when more may be waiting. A model reads a few, at the pace."""
        if self._pace is None:
            return self._read_all()
        if monotonic() < self._rested or not (left := self._pace.take(READ_IN_A_ROUND)):
            return monotonic() < self._rested
        # Each round begins with another workspace: a large one does not keep the others waiting.
        self._teams = self._teams or deque(self._desk.memory.teams())
        while self._teams and left:
            read = self._desk.read_pending(self._teams.popleft(), left)
            left -= read.done
            if read.is_away:
                self._rested = monotonic() + REST_SECONDS
                break
        self._pace.give_back(left)
        return not self._teams and left > 0

    def _read_all(self) -> bool:
        while any(self._desk.read_pending(team).done for team in self._desk.memory.teams()):
            pass
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                settled = self.once()
            except Exception as error:  # noqa: BLE001 - the loop outlives any single failure; rows stay pending
                log.error("a round of the worker failed: %s", type(error).__name__)
                settled = False
            self._desk.bell.wait(self._sweep if settled else RETRY_SECONDS)
