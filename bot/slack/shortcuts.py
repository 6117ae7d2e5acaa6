"""Shortcuts: "Log to Rapport" and "Brief me" on a message, "Log a call" from anywhere, and their forms."""

import json
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.desk import Desk, Receipt
from bot.slack import views
from bot.slack.asking import Payload, at_once, is_private, trouble
from bot.slack.briefing import post_brief
from bot.slack.guard import Guard
from bot.slack.views import notes
from storage.errors import RapportError

NO_GUESS = "I could not tell which account this message is about. Use /brief with the name."
NO_ACCOUNT = "Choose an account or name a new one."
NO_THREAD = (
    "Nothing is posted in this channel: people of another organisation may read along. Here it is for you alone."
)


def register(app: App, desk: Desk, guard: Guard) -> None:
    """Register the shortcuts, the forms, and the type-ahead of accounts."""

    def open_log(shortcut: Payload, client: WebClient, respond: Respond) -> None:
        _opening(
            respond, lambda: client.views_open(trigger_id=shortcut["trigger_id"], view=_form(desk, guard, shortcut))
        )

    def open_call(shortcut: Payload, client: WebClient) -> None:
        today = desk.memory.now.date()
        client.views_open(trigger_id=shortcut["trigger_id"], view=notes.call_modal(today, "", is_private=False))

    def brief(shortcut: Payload, client: WebClient, respond: Respond) -> None:
        _opening(respond, lambda: _brief_under(desk, guard, shortcut, client, respond))

    def submit_log(ack: Ack, body: Payload, view: Payload) -> None:
        _submitting(ack, lambda: _logged(desk, guard, body, view))

    def submit_call(ack: Ack, body: Payload, view: Payload) -> None:
        _submitting(ack, lambda: _called(desk, guard, body, view))

    def accounts(ack: Ack, payload: Payload, body: Payload) -> None:
        found = desk.find_accounts(guard.known(body), str(payload.get("value") or ""))
        ack(options=notes.account_options(found))

    app.message_shortcut(views.LOG_CALLBACK)(ack=at_once, lazy=[open_log])
    app.message_shortcut(views.BRIEF_CALLBACK)(ack=at_once, lazy=[brief])
    app.global_shortcut(notes.CALL_CALLBACK)(ack=at_once, lazy=[open_call])
    app.view(views.LOG_VIEW)(submit_log)
    app.view(notes.CALL_VIEW)(submit_call)
    app.options(notes.ACCOUNTS)(accounts)


def _opening(respond: Respond, work: Any) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
        respond(response_type="ephemeral", **trouble(error))


def _submitting(ack: Ack, work: Any) -> None:
    # Validated and committed inside the acknowledgement: nothing may raise after it.
    try:
        ack(**work())
    except RapportError as error:
        ack(response_action="errors", errors={"text": str(error)})
    except Exception as error:  # noqa: BLE001 - as above; the form stays open with the words in it
        ack(response_action="errors", errors={"text": trouble(error)["text"]})


def _form(desk: Desk, guard: Guard, shortcut: Payload) -> dict[str, Any]:
    viewer = guard.known(shortcut)
    message = shortcut["message"]
    text = str(message.get("text") or "")
    ids = {
        "channel": shortcut["channel"]["id"],
        "private": is_private(shortcut["channel"]),
        "ts": shortcut["message_ts"],
        "author": message.get("user", ""),
    }
    linked = desk.linked(viewer)
    guess = linked.key if linked else desk.guess(viewer, text)
    return views.log_modal(text, desk.account_names(viewer), guess, json.dumps(ids))


def _logged(desk: Desk, guard: Guard, body: Payload, view: Payload) -> dict[str, Any]:
    ids = json.loads(view["private_metadata"])
    who, create = _account_of(view)
    if not who:
        return {"response_action": "errors", "errors": {"name": NO_ACCOUNT}}
    viewer = guard.known(body)
    receipt = desk.log(
        viewer,
        who,
        _value(view, "text", "text"),
        channel="slack",
        source_key=f"msg:{ids['channel']}:{ids['ts']}",
        external=ids["author"] != viewer.user,
        visibility=ids["channel"] if ids["private"] else "",
        create=create,
    )
    return _done(receipt)


def _called(desk: Desk, guard: Guard, body: Payload, view: Payload) -> dict[str, Any]:
    who, create = _account_of(view)
    if not who:
        return {"response_action": "errors", "errors": {"name": NO_ACCOUNT}}
    viewer, values = guard.known(body), view["state"]["values"]
    day = values["day"]["day"].get("selected_date")
    noon = datetime.combine(datetime.fromisoformat(day).date(), time(12), ZoneInfo(viewer.tz)) if day else None
    now = desk.memory.now
    receipt = desk.log(
        viewer,
        who,
        _value(view, "text", "text"),
        channel=values["kind"]["kind"]["selected_option"]["value"],
        source_key=f"view:{view['id']}",
        occurred_at=None if noon is None or noon.date() == now.astimezone(ZoneInfo(viewer.tz)).date() else noon,
        create=create,
    )
    return _done(receipt)


def _account_of(view: Payload) -> tuple[str, bool]:
    """The account of a form, and whether it is to be made; "" when neither was given."""
    named = _value(view, "name", "name").strip()
    chosen = view["state"]["values"].get("account", {}).get("account", {}).get("selected_option")
    return (named, True) if named else ((chosen or {}).get("value", ""), False)


def _value(view: Payload, block: str, action: str) -> str:
    return str(view["state"]["values"].get(block, {}).get(action, {}).get("value") or "")


def _done(receipt: Receipt) -> dict[str, Any]:
    shown = {"type": "plain_text", "text": "Logged" if receipt.is_new else "Already logged"}
    blocks = notes.receipt(receipt)["blocks"]
    said = [block for block in blocks if block["type"] != "actions"]
    return {"response_action": "update", "view": {"type": "modal", "title": shown, "blocks": said}}


def _brief_under(desk: Desk, guard: Guard, shortcut: Payload, client: WebClient, respond: Respond) -> None:
    viewer = guard.viewer(shortcut, client)
    linked = desk.linked(viewer)
    who = desk.guess(viewer, str(shortcut["message"].get("text") or "")) or (linked.key if linked else "")
    if not who:
        respond(response_type="ephemeral", **views.sentence(NO_GUESS))
        return
    everyone = guard.everyone_in(viewer.channel, viewer, client)
    if everyone is None:
        for message in (views.sentence(NO_THREAD), *views.brief(desk.brief(viewer, who))):
            respond(response_type="ephemeral", **message)
        return
    thread = str(shortcut["message"].get("thread_ts") or shortcut["message_ts"])
    post_brief(desk, everyone, who, viewer.channel, client, thread=thread)
