"""Which account a thread is about, remembered for a day: follow-ups need no name."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

KEPT_SECONDS = 86_400.0
MOST = 5000
Place = tuple[str, str, str]
"""Workspace, channel, thread."""


class Threads:
    """Account keys by thread. Thread-safe; the oldest are dropped first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: OrderedDict[Place, tuple[float, str]] = OrderedDict()
        self._lock = Lock()

    def remember(self, place: Place, account: str) -> None:
        """A thread is about an account."""
        with self._lock:
            self._held[place] = (self._clock() + KEPT_SECONDS, account)
            self._held.move_to_end(place)
            while len(self._held) > MOST:
                self._held.popitem(last=False)

    def account(self, place: Place) -> str:
        """The key of the account a thread is about, "" when none is known."""
        with self._lock:
            until, account = self._held.get(place, (0.0, ""))
        return account if until > self._clock() else ""
