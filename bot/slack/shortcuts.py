"""Message shortcuts: "Log to Rapport" with its form, and "Brief me" under a message."""

import json
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.desk import Desk
from bot.slack import views
from bot.slack.asking import Payload, is_private, trouble, viewer_of
from bot.slack.briefing import post_brief
from storage.errors import RapportError

NO_GUESS = "I could not tell which account this message is about. Use /brief with the name."
NO_ACCOUNT = "Choose an account or name a new one."


def register(app: App, desk: Desk) -> None:
    """Register both shortcuts and the form."""

    def open_form(shortcut: Payload, client: WebClient, respond: Respond) -> None:
        try:
            client.views_open(trigger_id=shortcut["trigger_id"], view=_form(desk, shortcut))
        except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
            respond(response_type="ephemeral", **trouble(error))

    def brief(shortcut: Payload, client: WebClient, respond: Respond) -> None:
        try:
            _brief_under(desk, shortcut, client, respond)
        except Exception as error:  # noqa: BLE001 - as above
            respond(response_type="ephemeral", **trouble(error))

    def submit(ack: Ack, body: Payload, view: Payload) -> None:
        # Validated and committed inside the acknowledgement: nothing may raise after it.
        try:
            ack(**_submitted(desk, body, view))
        except RapportError as error:
            ack(response_action="errors", errors={"text": str(error)})
        except Exception as error:  # noqa: BLE001 - as above; the form stays open with the words in it
            ack(response_action="errors", errors={"text": trouble(error)["text"]})

    app.message_shortcut(views.LOG_CALLBACK)(ack=_at_once, lazy=[open_form])
    app.message_shortcut(views.BRIEF_CALLBACK)(ack=_at_once, lazy=[brief])
    app.view(views.LOG_VIEW)(submit)


def _at_once(ack: Ack) -> None:
    ack()


def _form(desk: Desk, shortcut: Payload) -> dict[str, Any]:
    viewer = viewer_of(shortcut)
    message = shortcut["message"]
    text = str(message.get("text") or "")
    ids = {
        "channel": shortcut["channel"]["id"],
        "private": is_private(shortcut["channel"]),
        "ts": shortcut["message_ts"],
        "author": message.get("user", ""),
    }
    return views.log_modal(text, desk.account_names(viewer), desk.guess(viewer, text), json.dumps(ids))


def _submitted(desk: Desk, body: Payload, view: Payload) -> dict[str, Any]:
    values = view["state"]["values"]
    ids = json.loads(view["private_metadata"])
    chosen = ((values.get("account") or {}).get("account") or {}).get("selected_option")
    named = (values["name"]["name"].get("value") or "").strip()
    if not chosen and not named:
        return {"response_action": "errors", "errors": {"name": NO_ACCOUNT}}
    viewer = viewer_of(body)
    receipt = desk.log(
        viewer,
        named or (chosen or {})["value"],
        values["text"]["text"].get("value") or "",
        channel="slack",
        source_key=f"msg:{ids['channel']}:{ids['ts']}",
        external=ids["author"] != viewer.user,
        visibility=ids["channel"] if ids["private"] else "",
        create=bool(named),
    )
    done = views.receipt(receipt)
    shown = {"type": "plain_text", "text": "Logged" if receipt.is_new else "Already logged"}
    return {"response_action": "update", "view": {"type": "modal", "title": shown, "blocks": done["blocks"]}}


def _brief_under(desk: Desk, shortcut: Payload, client: WebClient, respond: Respond) -> None:
    viewer = viewer_of(shortcut)
    who = desk.guess(viewer, str(shortcut["message"].get("text") or ""))
    if not who:
        respond(response_type="ephemeral", **views.sentence(NO_GUESS))
        return
    thread = str(shortcut["message"].get("thread_ts") or shortcut["message_ts"])
    post_brief(desk, viewer, who, shortcut["channel"]["id"], client, thread=thread)
