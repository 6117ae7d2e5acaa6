"""Who may see what, as Slack has it: members, guests, other organisations. Kept for minutes, failing closed.

Nothing here runs before an acknowledgement: it takes calls to Slack.
"""

import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.desk import Viewer
from bot.slack.asking import Payload, viewer_of
from storage.errors import RapportError

log = logging.getLogger("rapport.slack")

KEPT_SECONDS = 300.0
MOST_KEPT = 5000
PAGES = 10


class Refused(RapportError):
    """Rapport answers full members of the workspace only."""

    def __init__(self) -> None:
        super().__init__("Rapport answers full members of its own workspace only. Please ask a colleague who is one.")


class Guard:
    """What Slack says of people and channels, remembered for five minutes. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[Hashable, tuple[float, Any]] = {}
        self._lock = Lock()

    def viewer(self, body: Payload, client: WebClient) -> Viewer:
        """Who asks, with the private channels they are in and their zone. Raises Refused for guests and strangers.

        When Slack does not say who somebody is, they are refused; when it does not say where they are a member, they
        see what is open to all and the channel they ask in.
        """
        asking = viewer_of(body)
        user = self._user(asking.team, asking.user, client)
        if user is None or not _is_full_member(user, asking.team):
            raise Refused
        audience = (asking.audience or frozenset()) | self._private_channels(asking.team, asking.user, client)
        return replace(asking, audience=audience, tz=str(user.get("tz") or asking.tz))

    def known(self, body: Payload) -> Viewer:
        """Who asks, by the payload and what is remembered of them: for what has to be answered at once.

        Somebody known to be a guest or a stranger is refused; of somebody not known nothing is shown but their own.
        """
        asking = viewer_of(body)
        with self._lock:
            until, user = self._held.get(("user", asking.team, asking.user), (0.0, None))
        if user is None or until <= self._clock():
            return asking
        if not _is_full_member(user, asking.team):
            raise Refused
        return replace(asking, tz=str(user.get("tz") or asking.tz))

    def everyone_in(self, channel: str, viewer: Viewer, client: WebClient) -> Viewer | None:
        """What everybody in a channel may see; None where nothing is posted: another organisation reads along, it is
        nobody's channel but two people's, or Slack does not say."""
        found = self._channel(viewer.team, channel, client)
        if found is None or found.get("is_im") or found.get("is_mpim"):
            return None
        if found.get("is_ext_shared") or found.get("is_pending_ext_shared") or found.get("pending_shared"):
            return None
        return replace(viewer, audience=frozenset({channel}) if found.get("is_private") else frozenset())

    def _user(self, team: str, user: str, client: WebClient) -> Payload | None:
        found: Payload | None = self._once(("user", team, user), lambda: client.users_info(user=user)["user"])
        return found

    def _channel(self, team: str, channel: str, client: WebClient) -> Payload | None:
        ask = partial(client.conversations_info, channel=channel)
        found: Payload | None = self._once(("channel", team, channel), lambda: ask()["channel"])
        return found

    def _private_channels(self, team: str, user: str, client: WebClient) -> frozenset[str]:
        found = self._once(("member", team, user), lambda: _channels_of(user, client))
        return found if found is not None else frozenset()

    def _once(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        """What Slack says, or said minutes ago; None when it does not, which is not remembered."""
        with self._lock:
            until, value = self._held.get(key, (0.0, None))
        if until > self._clock():
            return value
        try:
            value = ask()
        except SlackApiError as error:
            log.warning("Slack does not say who may see: %s", error.response.get("error"))
            return None
        except (SlackClientError, OSError) as error:
            log.warning("Slack does not say who may see: %s", type(error).__name__)
            return None
        with self._lock:
            if len(self._held) >= MOST_KEPT:
                self._held.clear()
            self._held[key] = (self._clock() + KEPT_SECONDS, value)
        return value


def _channels_of(user: str, client: WebClient) -> frozenset[str]:
    """The private channels that this person and the app are both in."""
    found: set[str] = set()
    cursor = ""
    for _ in range(PAGES):
        page = client.users_conversations(
            user=user, types="private_channel", exclude_archived=False, limit=200, cursor=cursor
        )
        found |= {channel["id"] for channel in page["channels"]}
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            break
    return frozenset(found)


def _is_full_member(user: Payload, team: str) -> bool:
    outside = user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger")
    gone = user.get("deleted") or user.get("is_bot")
    # In an organisation's grid a member of the workspace has it among their own.
    teams = {user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())}
    return not outside and not gone and team in teams
