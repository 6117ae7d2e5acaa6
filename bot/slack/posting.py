"""What Slack is sent without being asked just now: digests on schedule, reminders, and answers a crash left owing."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.desk import Desk, Viewer
from bot.poster import NotPosted
from bot.slack.asking import FIXES, quiet
from bot.slack.commands import Commands
from bot.slack.events import Answers
from bot.slack.guard import Guard, is_external, is_full_member
from bot.slack.owed import COMMAND, EVENT, Owed
from bot.slack.pending import Pending
from bot.slack.slowly import Slowly
from bot.slack.threads import Threads
from bot.slack.views import Message, week
from bot.slack.views import digests as shown
from storage import DigestPlan

log = logging.getLogger("rapport.slack")

AGAIN_SECONDS = 60.0
"""Until a digest that could not be put together is tried again, within the hour that a slot has."""

KNOWN = timedelta(minutes=15)
"""How long a person's zone is gone by: the worker looks every few seconds, and Slack counts its calls."""

ClientOf = Callable[[str], WebClient | None]


class Posting:
    """Over a desk and the client of each workspace; None where the workspace has no token any more."""

    def __init__(self, desk: Desk, client_of: ClientOf, slowly: Slowly | None = None) -> None:
        self._desk = desk
        self._client_of = client_of
        self._guard = Guard()
        slowly = slowly or Slowly()
        events, commands = Answers(desk, self._guard, Threads(), slowly), Commands(desk, self._guard, Pending(), slowly)
        self._owed = Owed(desk.memory.inbox, {EVENT: events.give, COMMAND: commands.give})
        self._people: dict[tuple[str, str], tuple[datetime, Mapping[str, Any]]] = {}

    def digest(self, plan: DigestPlan, slot: datetime) -> str:
        """Post a digest for a slot; gives the message's ts. Raises NotPosted when Slack has certainly not got it."""
        client = self._client(plan.team_id)
        try:
            first, *rest = self._put_together(client, plan, slot)
        except NotPosted:
            raise
        except Exception as error:
            # Nothing was sent yet, so it can be tried again. The type alone: an error's text may hold a note's words.
            raise NotPosted(f"it could not be put together ({type(error).__name__})", AGAIN_SECONDS) from error
        ts = str(_posted(client, plan.channel, **quiet(first)))
        for message in rest:
            # The slot counts as posted from its first message on: what fails below it is only said in the log.
            try:
                client.chat_postMessage(channel=plan.channel, thread_ts=ts, **quiet(message))
            except SlackApiError as error:
                log.warning("digest %s: its second message: %s", plan.id, error.response.get("error"))
        return ts

    def _put_together(self, client: WebClient, plan: DigestPlan, slot: datetime) -> list[Message]:
        viewer = self._everyone_in(client, plan)
        since = self._desk.memory.of(plan.team_id).last_posted(plan.id)
        accounts = self._linked(plan) if plan.accounts == "linked" else None
        mine = plan.accounts == "mine"
        value = self._desk.digest(
            viewer,
            mine=mine,
            accounts=accounts,
            as_of=slot,
            since=since,
            again=lambda: self._everyone_in(client, plan),
            language=plan.language,
        )
        return shown.digest(value)

    def remind(self) -> int:
        """One direct message to each rep whose steps are due; returns how many were sent."""
        return sum(self._remind(team) for team in self._desk.memory.teams())

    def answer_again(self) -> int:
        """Answer what was asked of a process that ended before it had answered; returns how many there were."""
        return self._owed.again(self._client_of)

    def _remind(self, team: str) -> int:
        # By tomorrow, since it is tomorrow already somewhere; whoever has nothing due is not asked about at Slack.
        tomorrow = self._desk.memory.now.date() + timedelta(1)
        due = self._desk.memory.of(team).next_steps(due_by=tomorrow)
        owners = {s.owner for s in due if week.is_user(s.owner)}
        client = self._client_of(team) if owners else None
        return sum(self._remind_one(client, team, owner) for owner in sorted(owners)) if client else 0

    def _remind_one(self, client: WebClient, team: str, owner: str) -> bool:
        user = self._person(client, team, owner)
        if user is None:
            return False
        # Notes of private channels are nobody's in a direct message: they are reminded of where they were written.
        viewer = Viewer(team, owner, frozenset(), user.get("tz") or "UTC")
        steps = self._desk.due_reminders(viewer)
        if not steps or not is_full_member(user, team) or not self._desk.may_be_reminded(viewer):
            return False
        fresh = self._desk.claim_reminders(viewer, steps)
        for message in week.reminder(fresh) if fresh else []:
            try:
                client.chat_postMessage(channel=owner, **quiet(message))
            except SlackApiError as error:
                log.warning("a reminder was not taken: %s", error.response.get("error"))
                return False
        return bool(fresh)

    def _person(self, client: WebClient, team: str, owner: str) -> Mapping[str, Any] | None:
        """Who an owner is, as Slack said at most a quarter of an hour ago; None when it does not say."""
        held = self._people.get((team, owner))
        if held is not None and held[0] > self._desk.memory.now:
            return held[1]
        try:
            user: Mapping[str, Any] = client.users_info(user=owner)["user"]
        except SlackApiError as error:
            log.warning("a reminder waits: %s", error.response.get("error"))
            return None
        self._people[team, owner] = (self._desk.memory.now + KNOWN, user)
        return user

    def _client(self, team: str) -> WebClient:
        client = self._client_of(team)
        if client is None:
            raise NotPosted("the app is no longer installed in this workspace")
        return client

    def _linked(self, plan: DigestPlan) -> tuple[str, ...]:
        account = self._desk.memory.of(plan.team_id).channel_account(plan.channel)
        return (account.key,) if account else ()

    def _everyone_in(self, client: WebClient, plan: DigestPlan) -> Viewer:
        """What everybody in the channel may see; nothing is posted where another organisation reads along."""
        try:
            channel = client.conversations_info(channel=plan.channel)["channel"]
        except SlackApiError as error:
            raise _refused(error) from error
        if is_external(channel):
            raise NotPosted("another organisation reads along in this channel")
        if self._guard.guests_in(plan.channel, plan.team_id, client):
            raise NotPosted("guests read along in this channel, or Slack does not say who does")
        audience = frozenset({plan.channel}) if channel.get("is_private") else frozenset()
        return Viewer(plan.team_id, plan.made_by, audience, plan.tz)


def _posted(client: WebClient, channel: str, **message: object) -> object:
    try:
        return client.chat_postMessage(channel=channel, **message)["ts"]  # type: ignore[arg-type] # built by our views
    except SlackApiError as error:
        raise _refused(error) from error


def _refused(error: SlackApiError) -> NotPosted:
    """Slack's own refusal: what it refused is not there."""
    code = str(error.response.get("error"))
    if code == "ratelimited":
        return NotPosted("Slack asked to wait", float(error.response.headers.get("Retry-After", 60)))
    return NotPosted(FIXES.get(code, code))
