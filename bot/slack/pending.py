"""What was asked while a person still has to choose: kept here for half an hour under a number of its own.

A button carries the number, never the words: whoever sees a message can read its values.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from threading import Lock
from typing import Any

from storage.errors import RapportError

KEPT_SECONDS = 1800.0
MOST = 2000


class TooOld(RapportError):
    """The question is no longer there: the process was started anew, or half an hour has passed."""

    def __init__(self) -> None:
        super().__init__("That question is too old. Please type the command again.")


@dataclass(frozen=True, slots=True)
class Question:
    """The command that waits, the name that was asked about, and the candidates in the order of the buttons."""

    command: Mapping[str, Any]
    asked: str
    candidates: tuple[str, ...]


class Pending:
    """Questions by number. Thread-safe; the oldest are dropped first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: OrderedDict[str, tuple[float, Question]] = OrderedDict()
        self._lock = Lock()

    def keep(self, question: Question) -> str:
        """Keep a question; gives its number."""
        number = token_urlsafe(9)
        with self._lock:
            self._held[number] = (self._clock() + KEPT_SECONDS, question)
            while len(self._held) > MOST:
                self._held.popitem(last=False)
        return number

    def take(self, number: str, user: str) -> Question:
        """The question of this number, if this person asked it. Raises TooOld."""
        with self._lock:
            until, question = self._held.get(number, (0.0, None))
        if question is None or until < self._clock() or question.command.get("user_id") != user:
            raise TooOld
        return question
