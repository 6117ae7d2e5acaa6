"""Events: mentions, direct messages, App Home. Bolt acknowledges an event before its listener runs: a row is written
before that, so that the same event twice is answered once."""

import re
from collections.abc import Callable
from typing import Any

from slack_bolt import App, BoltResponse
from slack_sdk import WebClient

from bot.desk import RECALL_USAGE, Desk, Viewer
from bot.slack import views
from bot.slack.asking import Payload, at_once, quiet, trouble
from bot.slack.guard import Guard
from bot.slack.threads import Threads
from bot.slack.views import home as shown
from bot.slack.views import notes
from storage.errors import RapportError

_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>")
NOT_POSTED = "People of another organisation may read along here, so I answer you alone."


def register(app: App, desk: Desk, guard: Guard) -> None:
    """Register the events and the button of the home tab."""
    threads = Threads()

    def mentioned(event: Payload, body: Payload, client: WebClient) -> None:
        _answer_mention(desk, guard, threads, _with_team(event, body), client)

    def told(event: Payload, body: Payload, client: WebClient) -> None:
        if event.get("channel_type") == "im" and not event.get("subtype") and not event.get("bot_id"):
            _answer_message(desk, guard, threads, _with_team(event, body), client)

    def opened(event: Payload, body: Payload, client: WebClient) -> None:
        asked = _with_team(event, body)
        if event.get("tab") == "home":
            viewer = guard.viewer(asked, client)
            client.views_publish(user_id=viewer.user, view=shown.home(desk.home(viewer)))
        elif event.get("tab") == "messages" and desk.memory.inbox.take(asked["team_id"], f"hello:{event['user']}"):
            client.chat_postMessage(channel=event["channel"], **quiet(shown.greeting()))

    def log_call(body: Payload, client: WebClient) -> None:
        today = desk.memory.now.date()
        client.views_open(trigger_id=body["trigger_id"], view=notes.call_modal(today, "", is_private=False))

    once = _once(desk)
    app.event("app_mention", middleware=[once])(_told_of_trouble(mentioned))
    app.event("message", middleware=[once])(_told_of_trouble(told))
    app.event("app_home_opened", middleware=[once])(_told_of_trouble(opened))
    app.action(shown.LOG_CALL)(ack=at_once, lazy=[log_call])


def _once(desk: Desk) -> Callable[..., BoltResponse]:
    """Middleware: the row of an event is written before Slack hears that it arrived; one known already ends here."""

    def middleware(body: Payload, next: Callable[[], BoltResponse]) -> BoltResponse:  # noqa: A002 - Bolt passes it by this name
        if desk.memory.inbox.take(str(body.get("team_id", "")), f"event:{body.get('event_id', '')}"):
            return next()
        return BoltResponse(status=200, body="")

    return middleware


def _told_of_trouble(listener: Callable[..., None]) -> Callable[..., None]:
    """A listener whose failure is told to the person in place of an answer."""

    def listen(event: Payload, body: Payload, client: WebClient) -> None:
        try:
            listener(event, body, client)
        except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
            _say_privately(client, event, trouble(error))

    return listen


def _say_privately(client: WebClient, event: Payload, message: views.Message) -> None:
    if event.get("channel_type") == "im":
        client.chat_postMessage(channel=event["channel"], **quiet(message))
    elif event.get("channel") and event.get("user"):
        client.chat_postEphemeral(channel=event["channel"], user=event["user"], **message)


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


def _answer_mention(desk: Desk, guard: Guard, threads: Threads, asked: Payload, client: WebClient) -> None:
    viewer = guard.viewer(asked, client)
    everyone = None if asked["is_ext_shared"] else guard.everyone_in(viewer.channel, viewer, client)
    found = _found(desk, everyone or viewer, threads, asked)
    if everyone is None:
        for message in (views.sentence(NOT_POSTED), *found):
            client.chat_postEphemeral(channel=viewer.channel, user=viewer.user, **message)
        return
    for message in found:
        client.chat_postMessage(channel=viewer.channel, thread_ts=asked["thread_ts"], **quiet(message))


def _answer_message(desk: Desk, guard: Guard, threads: Threads, asked: Payload, client: WebClient) -> None:
    viewer = guard.viewer(asked, client)
    # A thread only where the question was one: in a direct message answers follow each other.
    thread = {"thread_ts": asked["thread_ts"]} if asked["thread_ts"] != asked["ts"] else {}
    for message in _found(desk, viewer, threads, asked):
        client.chat_postMessage(channel=viewer.channel, **thread, **quiet(message))


def _found(desk: Desk, viewer: Viewer, threads: Threads, asked: Payload) -> list[views.Message]:
    """The answer to what was asked; a follow-up in a thread is about the thread's account."""
    text = _MENTION.sub("", str(asked["text"])).strip()
    if not text:
        return [views.sentence(RECALL_USAGE)]
    place = (viewer.team, viewer.channel, str(asked["thread_ts"]))
    known = threads.account(place)
    linked = desk.linked(viewer)
    if known and ":" not in text:
        answer = desk.recall(viewer, known, text)
    else:
        try:
            answer = desk.recall_line(viewer, text)
        except RapportError:
            about = (linked.key if linked else "") or desk.guess(viewer, text)
            answer = desk.recall(viewer, about, text)
    if answer.account_key:
        threads.remember(place, answer.account_key)
    return views.answer(desk.in_words(answer))
