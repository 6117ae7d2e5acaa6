"""An answer that a model words: a placeholder at once, the answer in its place, and where the model is late the one by
rules first. One placeholder, at most two updates, and no listener that waits longer than the patience.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from threading import BoundedSemaphore
from typing import Protocol

from slack_bolt import Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack import views
from bot.slack.asking import private, quiet, trouble

log = logging.getLogger("rapport.slack")

PATIENCE = 25.0
"""Seconds after which the answer by rules is shown."""
AT_A_TIME = 40
"""Answers being worded side by side: beyond it answers are by rules."""
USES = 5
"""How often a response_url can be used, within half an hour."""

STILL_WRITING = "Written by rules. Claude is still at it: what it says takes this place when it comes."
NOT_IN_TIME = "Written without Claude: it did not answer in time."
BUSY = "Written without Claude: too much is being written at the moment."

Plain = Callable[[str], Sequence[views.Message]]
"""The answer by rules, as things are now, with a quiet line under it."""
Worded = Callable[[], Sequence[views.Message]]
"""The answer in the model's words, true of the moment it comes back; raises when it may not be shown any more."""


class Place(Protocol):
    """Where an answer is shown."""

    can_change: bool
    """Whether what was shown can still be replaced: else there is no placeholder and no second answer."""

    def show(self, messages: Sequence[views.Message]) -> None:
        """Put an answer in the place of what this place has shown so far."""


class InChannel:
    """A channel or a thread in it, also a direct message: messages of the app's own, which can be replaced one by one.

    What an answer needs fewer of than the one before is deleted. With `below` all but the first message are in that
    one's thread.
    """

    can_change = True

    def __init__(self, client: WebClient, channel: str, thread: str = "", *, below: bool = False) -> None:
        self._client = client
        self._channel = channel
        self._thread = thread or None
        self._below = below
        self._stands: list[str] = []

    def show(self, messages: Sequence[views.Message]) -> None:
        """Update what stands there, post what is more, delete what is left over. Raises SlackApiError."""
        for place, message in enumerate(messages):
            if place < len(self._stands):
                self._client.chat_update(channel=self._channel, ts=self._stands[place], **message)
                continue
            posted = self._client.chat_postMessage(channel=self._channel, thread_ts=self._thread, **quiet(message))
            # A direct message is addressed to a person, and stands in a channel of its own.
            self._channel = str(posted["channel"] or self._channel)
            self._stands.append(str(posted["ts"]))
            if self._below:
                self._thread = self._stands[0]
        while len(self._stands) > len(messages):
            self._client.chat_delete(channel=self._channel, ts=self._stands.pop())


class ByResponse:
    """What the asker alone sees, through the response_url of a command or a click.

    Slack lets it be used five times in half an hour, and replaces one message with it: an answer in one message is
    replaced. One in several stays, and the next stands below it where the five uses allow; else it is not shown. What
    is beyond the fifth message of an answer cannot be shown either. `stands` is 1 where the click was on a message that
    the answer replaces.
    """

    can_change = True

    def __init__(self, respond: Respond, stands: int = 0) -> None:
        self._respond = respond
        self._stands = stands
        self.uses = 0

    def show(self, messages: Sequence[views.Message]) -> None:
        """Replace what stands there, if it is one message; else stand below it, whole or not at all."""
        if self._stands > 1 and self.uses + len(messages) > USES:
            return
        replaces = self._stands == 1
        for message in messages[: USES - self.uses]:
            self._respond(replace_original=replaces, **private(message))
            self.uses, replaces = self.uses + 1, False
        self._stands = len(messages)


class Alone:
    """What the asker alone sees where there is no response_url: Slack has no way to change such a message."""

    can_change = False

    def __init__(self, client: WebClient, channel: str, user: str, thread: str = "") -> None:
        self._client = client
        self._channel, self._user, self._thread = channel, user, thread or None

    def show(self, messages: Sequence[views.Message]) -> None:
        """Post them. Raises SlackApiError."""
        for message in messages:
            self._client.chat_postEphemeral(channel=self._channel, user=self._user, thread_ts=self._thread, **message)


class Slowly:
    """Words answers beside the listeners: none of them waits for a model. Thread-safe.

    A wording ends with the deadline of the scribe's call, and so does whoever waits for it here.
    """

    def __init__(self, patience: float = PATIENCE, at_a_time: int = AT_A_TIME) -> None:
        self._patience = patience
        self._room = BoundedSemaphore(at_a_time)
        self._writing = ThreadPoolExecutor(at_a_time, thread_name_prefix="writing")
        self._waiting = ThreadPoolExecutor(at_a_time, thread_name_prefix="waiting")

    def answer(self, place: Place, waiting: str, plain: Plain, worded: Worded, then: Callable[[], object]) -> None:
        """Show `waiting` and return. The worded answer takes its place; after the patience the plain one, and then the
        worded one when it comes. `then` is called once, after the first answer. Raises when `waiting` is not taken.
        """
        if not self._room.acquire(blocking=False):
            place.show(plain(BUSY))
            then()
            return
        try:
            if place.can_change:
                place.show([views.sentence(waiting)])
            self._waiting.submit(copy_context().run, self._answer, place, plain, worded, then)
        except BaseException:
            self._room.release()
            raise

    def close(self) -> None:
        """Take nothing more, and wait until what is being worded is shown."""
        self._waiting.shutdown(wait=True)
        self._writing.shutdown(wait=True)

    def _answer(self, place: Place, plain: Plain, worded: Worded, then: Callable[[], object]) -> None:
        try:
            better = self._writing.submit(copy_context().run, worded)
            in_time = bool(wait([better], timeout=self._patience).done)
            notice = STILL_WRITING if place.can_change else NOT_IN_TIME
            _shown(place, _or_trouble(better.result if in_time else lambda: plain(notice)))
            then()
            if not in_time:
                wait([better])
                if place.can_change:
                    _late(place, better)
        except Exception as error:  # noqa: BLE001 - nobody waits for it; the type alone, an error may hold a note's words
            log.error("an answer was lost: %s", type(error).__name__)
        finally:
            self._room.release()


def _or_trouble(work: Worded) -> Sequence[views.Message]:
    """The answer, or what went wrong: a placeholder must not stand for ever."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
        return [trouble(error)]


def _late(place: Place, better: "Future[Sequence[views.Message]]") -> None:
    """The better answer in the plain one's place; where it fails, or may not be shown any more, that one stays."""
    error = better.exception()
    if error is None:
        _shown(place, better.result())
    else:
        log.warning("a late answer is not shown: %s", type(error).__name__)


def _shown(place: Place, messages: Sequence[views.Message]) -> None:
    try:
        place.show(messages)
    except SlackApiError as error:
        log.warning("an answer was not taken: %s", error.response.get("error"))
    except (SlackClientError, OSError) as error:
        log.warning("an answer was not taken: %s", type(error).__name__)
