"""Who may see what, as Slack has it: members, guests, other organisations. Kept for minutes, failing closed.

Nothing here runs before an acknowledgement: it takes calls to Slack.
"""

import logging
import time
from collections.abc import Callable, Hashable, Iterator
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
MET_SECONDS = 900.0
"""How long somebody counts as met for what has to be answered at once: a form may stand open that long."""
MOST_KEPT = 5000
PAGES, PAGE = 20, 500


class Refused(RapportError):
    """Rapport answers full members of the workspace only."""

    def __init__(self) -> None:
        super().__init__("Rapport answers full members of its own workspace only. Please ask a colleague who is one.")


class Unsure(Refused):
    """Slack does not say who asks: they get nothing now, and lose nothing either."""

    def __init__(self) -> None:
        RapportError.__init__(self, "Slack does not say right now who is a member here. Please try again in a minute.")


class NotSaid(Exception):
    """Slack's answer is longer than is read: what was not read may be anything."""


class Guard:
    """What Slack says of people and channels, remembered for five minutes. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[Hashable, tuple[float, Any]] = {}
        self._met: dict[tuple[str, str], tuple[float, Payload]] = {}
        self._lock = Lock()

    def viewer(self, body: Payload, client: WebClient) -> Viewer:
        """Who asks, with the private channels they are in and their zone. Raises Refused for guests and strangers.

        When Slack does not say who somebody is it raises Unsure, a Refused; when it does not say where they are a
        member, they see what is open to all and the channel they ask in.
        """
        asking = viewer_of(body)
        user = self._user(asking.team, asking.user, client)
        if user is None:
            raise Unsure
        if not is_full_member(user, asking.team):
            raise Refused
        audience = (asking.audience or frozenset()) | self._private_channels(asking.team, asking.user, client)
        return replace(asking, audience=audience, tz=str(user.get("tz") or asking.tz))

    def known(self, body: Payload) -> Viewer:
        """Who asks, by the payload and what is remembered of them: for what has to be answered at once.

        Somebody known to be a guest or a stranger is refused. Somebody not met is as the payload says: ask `has_met`
        before showing them anything that is on record.
        """
        asking = viewer_of(body)
        user = self._remembered(asking)
        if user is None:
            return asking
        if not is_full_member(user, asking.team):
            raise Refused
        return replace(asking, tz=str(user.get("tz") or asking.tz))

    def has_met(self, body: Payload) -> bool:
        """Whether Slack has said in the last quarter of an hour who asks. It takes no call."""
        return self._remembered(viewer_of(body)) is not None

    def meet(self, team: str, user: Payload) -> None:
        """Remember what Slack says of somebody."""
        with self._lock:
            if len(self._met) >= MOST_KEPT:
                self._met.clear()
            self._met[team, str(user.get("id"))] = (self._clock() + MET_SECONDS, user)

    def everyone_in(self, channel: str, viewer: Viewer, client: WebClient) -> Viewer | None:
        """What everybody in a channel may see; None where nothing is posted: guests or another organisation read
        along, it is nobody's channel but two people's, or Slack does not say."""
        found = self._channel(viewer.team, channel, client)
        if found is None or found.get("is_im") or found.get("is_mpim") or is_external(found):
            return None
        if self.guests_in(channel, viewer.team, client):
            return None
        return replace(viewer, audience=frozenset({channel}) if found.get("is_private") else frozenset())

    def guests_in(self, channel: str, team: str, client: WebClient) -> bool:
        """Whether somebody in a channel is a guest or a stranger; True also when Slack does not say."""
        outside = self._once(("guests", team), lambda: _guests(team, client))
        if outside is not None and not outside:
            return False
        inside = self._once(("members", team, channel), lambda: _members_of(channel, client))
        return outside is None or inside is None or bool(outside & inside)

    def _remembered(self, asking: Viewer) -> Payload | None:
        with self._lock:
            until, user = self._met.get((asking.team, asking.user), (0.0, None))
        return user if until > self._clock() else None

    def _user(self, team: str, user: str, client: WebClient) -> Payload | None:
        found: Payload | None = self._once(("user", team, user), lambda: client.users_info(user=user)["user"])
        if found is not None:
            self.meet(team, found)
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
        except (SlackClientError, OSError, NotSaid) as error:
            log.warning("Slack does not say who may see: %s", type(error).__name__)
            return None
        with self._lock:
            if len(self._held) >= MOST_KEPT:
                self._held = {key: held for key, held in self._held.items() if held[0] > self._clock()}
            if len(self._held) >= MOST_KEPT:
                self._held.clear()
            self._held[key] = (self._clock() + KEPT_SECONDS, value)
        return value


def _channels_of(user: str, client: WebClient) -> frozenset[str]:
    """The private channels that this person and the app are both in. Beyond what is read nothing is theirs."""
    # Conversations of a few people (mpim) take a scope of their own, without which Slack refuses the whole question.
    ask = partial(client.users_conversations, user=user, types="private_channel", exclude_archived=False)
    return frozenset(channel["id"] for page in _pages(ask) for channel in page["channels"])


def _guests(team: str, client: WebClient) -> frozenset[str]:
    """Everybody in the workspace who is not a full member of it and can read. Raises NotSaid."""
    people = [user for page in _pages(client.users_list, whole=True) for user in page["members"]]
    read = [user for user in people if not user.get("deleted") and not user.get("is_bot")]
    return frozenset(user["id"] for user in read if not is_full_member(user, team))


def _members_of(channel: str, client: WebClient) -> frozenset[str]:
    """Everybody in a channel. Raises NotSaid."""
    ask = partial(client.conversations_members, channel=channel)
    return frozenset(user for page in _pages(ask, whole=True) for user in page["members"])


def _pages(ask: Callable[..., Any], *, whole: bool = False) -> Iterator[Any]:
    """The pages of a list of Slack's. Raises NotSaid where the `whole` is needed and there is more than is read."""
    cursor = ""
    for _ in range(PAGES):
        page = ask(limit=PAGE, cursor=cursor)
        yield page
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return
    if whole:
        raise NotSaid


def is_external(channel: Payload) -> bool:
    """Whether people of another organisation read along, or are invited to."""
    return any(channel.get(key) for key in ("is_ext_shared", "is_pending_ext_shared", "pending_shared"))


def is_full_member(user: Payload, team: str) -> bool:
    """Whether somebody, as Slack describes them, is a person of this workspace who is no guest."""
    outside = user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger")
    gone = user.get("deleted") or user.get("is_bot")
    # In an organisation's grid a member of the workspace has it among their own.
    teams = {user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())}
    return not outside and not gone and team in teams
