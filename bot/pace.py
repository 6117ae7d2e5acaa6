"""So many a minute, and no more in a moment than the moment's share."""

from collections.abc import Callable
from threading import Lock
from time import monotonic

MINUTE, MOMENT = 60.0, 10.0
"""Seconds. What was not used is saved up for a moment, not longer."""


class Pace:
    """Thread-safe. `clock` is monotonic seconds."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = per_minute / MINUTE
        self._most = max(1.0, self._rate * MOMENT)
        self._left = self._most
        self._clock = clock
        self._at = clock()
        self._lock = Lock()

    def take(self, most: int) -> int:
        """How many may go now, at most so many; they count as gone."""
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._at) * self._rate)
            self._at = now
            taken = min(most, int(self._left))
            self._left -= taken
            return taken

    def give_back(self, unused: int) -> None:
        """Some of them did not go after all."""
        with self._lock:
            self._left = min(self._most, self._left + unused)
