"""One loop beside the listeners: index what is pending, read what is unread, do what is due, sleep until rung.

Work is a query over rows, so a crash loses none of it: the next start finds the same rows pending.
"""

import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread

from bot.desk import Desk

log = logging.getLogger("rapport.worker")

SWEEP_SECONDS = 600.0
RETRY_SECONDS = 5.0
CHORE_SECONDS = 15.0
"""How often what is due by the clock (digests, reminders, tokens) is looked at."""


class Worker:
    """Start it once per process; `stop` ends the loop after the batch in hand and waits for it."""

    def __init__(self, desk: Desk, sweep: float = SWEEP_SECONDS, chores: Sequence[Callable[[], object]] = ()) -> None:
        self._desk = desk
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
        while any(self._desk.read_pending(team) for team in self._desk.memory.teams()):
            pass
        for chore in self._chores:
            chore()
        return not done.notice

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                settled = self.once()
            except Exception as error:  # noqa: BLE001 - the loop outlives any single failure; rows stay pending
                log.error("a round of the worker failed: %s", type(error).__name__)
                settled = False
            self._desk.bell.wait(self._sweep if settled else RETRY_SECONDS)
