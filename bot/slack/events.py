"""Events: mentions, direct messages, App Home. Bolt acknowledges an event before its listener runs: a row is written
before that, so that the same event twice is answered once."""

import logging
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from slack_bolt import App, BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.desk import RECALL_USAGE, Answer, Desk, Viewer
from bot.slack import views
from bot.slack.asking import Payload, quiet, trouble
from bot.slack.briefing import Asked, everyone_still, show_answer
from bot.slack.guard import Guard
from bot.slack.home import publish
from bot.slack.owed import EVENT
from bot.slack.slowly import Alone, InChannel, Slowly
from bot.slack.threads import Threads
from bot.slack.views import home as shown
from storage.errors import UnknownAccount

log = logging.getLogger("rapport.slack")

_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>")
KEPT = ("team_id", "event_id", "event", "is_ext_shared_channel")
NOT_POSTED = "Guests or people of another organisation may read along here, so I answer you alone."


def register(app: App, desk: Desk, guard: Guard, slowly: Slowly) -> None:
    """Register the events."""
    answers = Answers(desk, guard, Threads(), slowly)

    def asked(body: Payload, client: WebClient) -> None:
        if is_question(body):
            answers.give(body, client)

    def opened(event: Payload, body: Payload, client: WebClient) -> None:
        asked = _with_team(event, body)
        if event.get("tab") == "home":
            publish(desk, guard, asked, client)
        elif event.get("tab") == "messages":
            _greet(desk, guard, asked, client)

    def joined(event: Payload, body: Payload, client: WebClient) -> None:
        if event.get("user") in {held.get("user_id") for held in body.get("authorizations") or ()}:
            _introduce(guard, _with_team(event, body), str(event.get("inviter") or ""), client)

    once = _once(desk)
    app.event("app_mention", middleware=[once])(asked)
    app.event("message", middleware=[once])(asked)
    app.event("app_home_opened", middleware=[once])(_told_of_trouble(opened))
    app.event("member_joined_channel", middleware=[once])(_told_of_trouble(joined))


def is_question(body: Payload) -> bool:
    """A mention or a direct message by a person; not an edit, a join, or what an app has written."""
    event = body["event"]
    is_direct = event.get("channel_type") == "im" and not event.get("subtype")
    return bool((event["type"] == "app_mention" or is_direct) and event.get("user") and not event.get("bot_id"))


def key_of(body: Payload) -> str:
    """What an event is known by in the inbox."""
    return f"{EVENT}:{body.get('event_id', '')}"


class Answers:
    """Answers to questions, each given at least once: what is taken stays in the inbox until it is answered."""

    def __init__(self, desk: Desk, guard: Guard, threads: Threads, slowly: Slowly) -> None:
        self._desk, self._guard, self._threads, self._slowly = desk, guard, threads, slowly

    def give(self, body: Payload, client: WebClient) -> None:
        """Answer a question, or say what is wrong, where it was asked."""
        done = partial(self._desk.memory.inbox.done, str(body.get("team_id", "")), key_of(body))
        _told_of_trouble(partial(self._give, done), done)(body["event"], body, client)

    def _give(self, done: Callable[[], None], event: Payload, body: Payload, client: WebClient) -> None:
        answer = self._answer_mention if event["type"] == "app_mention" else self._answer_message
        answer(_with_team(event, body), client, done)

    def _answer_mention(self, asked: Payload, client: WebClient, done: Callable[[], None]) -> None:
        viewer = self._guard.viewer(asked, client)
        everyone = None if asked["is_ext_shared"] else self._guard.everyone_in(viewer.channel, viewer, client)
        if everyone is None:
            alone = Alone(client, viewer.channel, viewer.user, _thread_of(asked))
            alone.show([views.sentence(NOT_POSTED)])
            self._answer(Asked(viewer, lambda: self._guard.viewer(asked, client), alone, done), asked)
            return
        place = InChannel(client, viewer.channel, asked["thread_ts"])
        self._answer(Asked(everyone, everyone_still(self._guard, viewer, client), place, done), asked)

    def _answer_message(self, asked: Payload, client: WebClient, done: Callable[[], None]) -> None:
        # A thread only where the question was one: in a direct message answers follow each other.
        place = InChannel(client, asked["channel_id"], _thread_of(asked))
        again = partial(self._guard.viewer, asked, client)
        self._answer(Asked(again(), again, place, done), asked)

    def _answer(self, by: Asked, asked: Payload) -> None:
        """Show the answer to what was asked; a follow-up in a thread is about the thread's account."""
        text, viewer = _MENTION.sub("", str(asked["text"])).strip(), by.viewer
        if not text:
            by.show([views.sentence(RECALL_USAGE)])
            return
        where = (viewer.team, viewer.channel, str(asked["thread_ts"]))
        answer = _recalled(self._desk, viewer, text, self._threads.account(where))
        if answer.account_key:
            self._threads.remember(where, answer.account_key)
        show_answer(self._desk, self._slowly, by, answer)


def _once(desk: Desk) -> Callable[..., BoltResponse]:
    """Middleware: the row of an event is written before Slack hears that it arrived; one known already ends here."""

    def middleware(body: Payload, next: Callable[[], BoltResponse]) -> BoltResponse:  # noqa: A002 - Bolt passes it by this name
        # Slack does not send it again once it is acknowledged: a question is kept until it is answered.
        work = {key: body.get(key) for key in KEPT} if is_question(body) else None
        if not body.get("event_id") or desk.memory.inbox.take(str(body.get("team_id", "")), key_of(body), work):
            return next()
        return BoltResponse(status=200, body="")

    return middleware


def _told_of_trouble(listener: Callable[..., None], then: Callable[[], object] = lambda: None) -> Callable[..., None]:
    """A listener whose failure is told to the person in place of an answer; `then` is called after that."""

    def listen(event: Payload, body: Payload, client: WebClient) -> None:
        try:
            listener(event, body, client)
        except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
            said = trouble(error)
            try:
                _say_privately(client, event, said)
            except (SlackClientError, OSError) as untold:
                log.warning("an answer was not taken: %s", type(untold).__name__)
            then()

    return listen


def _say_privately(client: WebClient, event: Payload, message: views.Message) -> None:
    if event.get("channel_type") == "im":
        client.chat_postMessage(channel=event["channel"], **quiet(message))
    elif event.get("channel") and event.get("user"):
        thread = {"thread_ts": event["thread_ts"]} if event.get("thread_ts") else {}
        client.chat_postEphemeral(channel=event["channel"], user=event["user"], **thread, **message)


def _with_team(event: Payload, body: Payload) -> dict[str, Any]:
    """The event in the shape that says who asks where."""
    return {
        "team_id": body.get("team_id", ""),
        "user_id": event.get("user", ""),
        "channel_id": event.get("channel", ""),
        "channel_name": "directmessage" if event.get("channel_type") == "im" else "",
        "text": event.get("text", ""),
        "ts": event.get("ts", ""),
        "thread_ts": event.get("thread_ts") or event.get("ts", ""),
        "is_ext_shared": bool(event.get("is_ext_shared_channel") or body.get("is_ext_shared_channel")),
    }


def _thread_of(asked: Payload) -> str:
    """The thread a question stood in; "" where it stood in none, and an ephemeral reply in one would not be seen."""
    return str(asked["thread_ts"]) if asked["thread_ts"] != asked["ts"] else ""


def _recalled(desk: Desk, viewer: Viewer, text: str, thread: str) -> Answer:
    """About whom the text names; else the thread's account, the channel's, or every account. Raises AmbiguousName."""
    if thread and ":" not in text:
        return desk.recall(viewer, desk.guess(viewer, text) or thread, text)
    try:
        return desk.recall_line(viewer, text)
    except UnknownAccount:
        linked = desk.linked(viewer)
        return desk.recall(viewer, desk.guess(viewer, text) or thread or (linked.key if linked else ""), text)


def _greet(desk: Desk, guard: Guard, asked: Payload, client: WebClient) -> None:
    """The first words in the messages tab, once."""
    viewer = guard.viewer(asked, client)
    if desk.memory.inbox.greet(viewer.team, viewer.user):
        client.chat_postMessage(channel=viewer.channel, **quiet(shown.greeting()))


def _introduce(guard: Guard, asked: dict[str, Any], inviter: str, client: WebClient) -> None:
    """Whoever brought the app into a channel is told, alone, what it does there. Nobody else is disturbed."""
    if inviter:
        viewer = guard.viewer({**asked, "user_id": inviter}, client)
        client.chat_postEphemeral(channel=viewer.channel, user=viewer.user, **shown.introduction())
