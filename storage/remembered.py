"""What was read of an index and of the database lately, until anything is written: an account is asked about many times
in a row."""

from collections import Counter, OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

Arrays = tuple[NDArray[Any], ...]


class Remembered:
    """Point ids and what belongs to them, by workspace and key, the least lately used dropped first. Thread-safe.

    A reader takes the `edition` before it asks the engine and hands it back with what it found: what was read while
    something was written is not kept.
    """

    def __init__(self, most: int = 64 << 20) -> None:
        """`most` is in bytes."""
        self._most = most
        self._held: OrderedDict[tuple[str, int, Hashable], Arrays] = OrderedDict()
        self._editions: Counter[str] = Counter()
        self._size = 0
        self._lock = Lock()

    def edition(self, team: str) -> int:
        """How often the workspace has been written to."""
        return self._editions[team]

    def get(self, team: str, key: Hashable) -> Arrays | None:
        """What is remembered of the workspace as it is now."""
        with self._lock:
            at = (team, self._editions[team], key)
            found = self._held.get(at)
            if found is not None:
                self._held.move_to_end(at)
            return found

    def keep(self, team: str, key: Hashable, arrays: Arrays, edition: int) -> None:
        """Remember what was read in this edition."""
        for part in arrays:
            part.flags.writeable = False
        with self._lock:
            at = (team, edition, key)
            if edition != self._editions[team]:
                return
            if (before := self._held.pop(at, None)) is not None:
                self._size -= _bytes(before)
            self._held[at] = arrays
            self._size += _bytes(arrays)
            while self._size > self._most:
                _, dropped = self._held.popitem(last=False)
                self._size -= _bytes(dropped)

    def forget(self, team: str) -> None:
        """Something is about to be written, or has just been. What was held is dropped as it grows old."""
        with self._lock:
            self._editions[team] += 1


T = TypeVar("T")


class Lately(Generic[T]):
    """What was read of a database in its present edition, the least lately used dropped first. Thread-safe.

    A reader takes the edition before it reads. Without one (others write to the database too) nothing is kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._edition: int | None = None
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = Lock()

    def get(self, edition: int | None, key: Hashable) -> T | None:
        """What was read in this edition."""
        with self._lock:
            if edition is None or edition != self._edition:
                return None
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def keep(self, edition: int | None, key: Hashable, value: T) -> None:
        """Keep what was read in this edition; what is left of an earlier one is dropped."""
        with self._lock:
            if edition is None or (self._edition is not None and edition < self._edition):
                return
            if edition != self._edition:
                self._held.clear()
                self._edition = edition
            self._held[key] = value
            while len(self._held) > self._most:
                self._held.popitem(last=False)


def _bytes(arrays: Arrays) -> int:
    # The key and the objects around the arrays weigh as well.
    return 500 + sum(part.nbytes for part in arrays)
