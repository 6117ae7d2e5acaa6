"""Answers that are owed: what was asked and acknowledged stays in the inbox until it is answered, over a crash too."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from slack_sdk import WebClient

from bot.slack.asking import Payload
from storage.inbox import WAIT, Inbox

log = logging.getLogger("rapport.slack")

EVENT, COMMAND = "event", "command"

Give = Callable[[Payload, WebClient], None]
"""Answers what was asked with what was kept of it."""


class Owed:
    """Gives answers that another process took on and did not live to give: `by_kind` says how, by EVENT and COMMAND."""

    def __init__(self, inbox: Inbox, by_kind: Mapping[str, Give]) -> None:
        self._inbox = inbox
        self._by_kind = by_kind

    def again(self, client_of: Callable[[str], WebClient | None], wait: timedelta = WAIT) -> int:
        """Answer what has waited for `wait`; returns how many questions that were.

        A chore of the worker. `client_of` gives a workspace's client, None where it has no token any more.
        """
        given = 0
        for delivery in self._inbox.unanswered(wait):
            client = client_of(delivery.team_id)
            if client is None:
                self._inbox.done(delivery.team_id, delivery.key)
                continue
            try:
                self._by_kind[delivery.key.partition(":")[0]](delivery.work, client)
            except Exception as error:  # noqa: BLE001 - the next one must not wait for it; it is tried again by itself
                log.warning("an owed answer could not be given: %s", type(error).__name__)
                continue
            given += 1
        return given
