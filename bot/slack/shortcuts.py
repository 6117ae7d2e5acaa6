"""Shortcuts: "Log to Rapport" and "Brief me" on a message, "Log a call" from anywhere, and their forms."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.desk import Desk, Receipt, Viewer
from bot.slack import views
from bot.slack.asking import Payload, at_once, is_private, trouble
from bot.slack.briefing import Asked, everyone_still, post_brief, show_brief
from bot.slack.guard import Guard, Refused
from bot.slack.pending import Pending, Question, TooOld
from bot.slack.slowly import ByResponse, Slowly
from bot.slack.views import notes
from storage.errors import AmbiguousName, BadInput, RapportError

NO_GUESS = "I could not tell which account this message is about. Use /brief with the name."
NO_ACCOUNT = "Choose an account or name a new one."
ONE_ACCOUNT = "Choose an account or name a new one, not both."
NO_CHANNEL = "Choose the private channel whose members may see it."
TO_COME = "That day is still to come."
FORM_TOO_OLD = "This form has stood open too long to keep the whole message. Use the shortcut on it again."
NO_THREAD = (
    "Nothing is posted in this channel: guests or people of another organisation may read along. "
    "Here it is for you alone."
)


class _Wrong(BadInput):
    """What a field of a form holds cannot be taken."""

    def __init__(self, block: str, text: str) -> None:
        self.block = block
        super().__init__(text)


def register(app: App, desk: Desk, guard: Guard, slowly: Slowly) -> None:
    """Register the shortcuts, the forms, and the type-ahead of accounts."""
    rests = Pending()

    def open_log(shortcut: Payload, client: WebClient) -> None:
        open_form(guard, shortcut, client, lambda viewer: _form(desk, viewer, shortcut, rests))

    def open_call(shortcut: Payload, client: WebClient) -> None:
        open_form(guard, shortcut, client, lambda viewer: call_form(desk, viewer))

    def brief(shortcut: Payload, client: WebClient, respond: Respond) -> None:
        _opening(respond, lambda: _brief_under(desk, guard, slowly, shortcut=shortcut, client=client, respond=respond))

    def submit_log(ack: Ack, body: Payload, view: Payload) -> None:
        _submitting(ack, lambda: _logged(desk, guard, body, view, rests))

    def submit_call(ack: Ack, body: Payload, view: Payload) -> None:
        _submitting(ack, lambda: _called(desk, guard, body, view))

    def accounts(ack: Ack, payload: Payload, body: Payload) -> None:
        # Asked of a form that was opened for somebody who was met; of anybody else nothing is shown.
        try:
            viewer = guard.known(body)
            found = desk.find_accounts(viewer, str(payload.get("value") or "")) if guard.has_met(body) else ()
        except Refused:
            found = ()
        ack(options=notes.account_options(found))

    def meet(body: Payload, client: WebClient) -> None:
        # The next letter that is typed finds them met.
        with suppress(Refused):
            guard.viewer(body, client)

    def account_chosen(body: Payload, action: Payload, client: WebClient) -> None:
        _show_what_is_there(desk, guard, body, action.get("selected_option"), client)

    app.action(notes.ACCOUNTS)(ack=at_once, lazy=[account_chosen])
    app.message_shortcut(views.LOG_CALLBACK)(ack=at_once, lazy=[open_log])
    app.message_shortcut(views.BRIEF_CALLBACK)(ack=at_once, lazy=[brief])
    app.global_shortcut(notes.CALL_CALLBACK)(ack=at_once, lazy=[open_call])
    app.view(views.LOG_VIEW)(submit_log)
    app.view(notes.CALL_VIEW)(submit_call)
    app.options(notes.ACCOUNTS)(ack=accounts, lazy=[meet])


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
        block = "name" if isinstance(error, AmbiguousName) else getattr(error, "block", "text")
        ack(response_action="errors", errors={block: str(error)})
    except Exception as error:  # noqa: BLE001 - as above; the form stays open with the words in it
        ack(response_action="errors", errors={"text": trouble(error)["text"]})


def open_form(guard: Guard, body: Payload, client: WebClient, form: Callable[[Viewer], dict[str, Any]]) -> None:
    """Open a form for a member. A trigger lives three seconds and works once: for somebody who was not met yet the
    form opens empty, and is filled when Slack has said who they are."""
    if guard.has_met(body):
        client.views_open(trigger_id=body["trigger_id"], view=_filled(form, lambda: guard.known(body)))
        return
    opened = client.views_open(trigger_id=body["trigger_id"], view=notes.loading())
    filled = _filled(form, lambda: guard.viewer(body, client))
    client.views_update(view_id=opened["view"]["id"], view=filled)


def _filled(form: Callable[[Viewer], dict[str, Any]], viewer: Callable[[], Viewer]) -> dict[str, Any]:
    try:
        return form(viewer())
    except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
        return notes.loading() | {"blocks": trouble(error)["blocks"]}


def call_form(desk: Desk, viewer: Viewer) -> dict[str, Any]:
    """The form of a call, on the viewer's own day."""
    return notes.call_modal(_today(desk, viewer))


def _today(desk: Desk, viewer: Viewer) -> date:
    return desk.memory.now.astimezone(ZoneInfo(viewer.tz)).date()


def _show_what_is_there(desk: Desk, guard: Guard, body: Payload, chosen: Payload | None, client: WebClient) -> None:
    """The call form again, with the deals and the people of the account that was just chosen; what was typed stays."""
    view = body.get("view") or {}
    if view.get("callback_id") != notes.CALL_VIEW:
        return
    try:
        viewer = guard.viewer(body, client)
        account = (
            {"text": {"type": "plain_text", "text": chosen["text"]["text"]}, "value": chosen["value"]}
            if chosen
            else None
        )
        deals, people = desk.deals_and_people(viewer, account["value"]) if account else ((), ())
        form = notes.call_modal(_today(desk, viewer), account=account, deals=deals, people=people)
        client.views_update(view_id=view["id"], hash=view.get("hash"), view=form)
    except Exception as error:  # noqa: BLE001 - the form goes on working without them; the log gets a reference
        trouble(error)


def _form(desk: Desk, viewer: Viewer, shortcut: Payload, rests: Pending) -> dict[str, Any]:
    message = shortcut["message"]
    text = str(message.get("text") or "")
    rest = notes.form_part(text)[1]
    ids = {
        # A form holds 3,000 characters and a message 40,000: what is beyond is kept here, under a number.
        "rest": rests.keep(Question({"user_id": viewer.user, "text": rest}, "", ())) if rest else "",
        "channel": shortcut["channel"]["id"],
        "private": is_private(shortcut["channel"]),
        "ts": shortcut["message_ts"],
        "author": message.get("user", ""),
    }
    linked = desk.linked(viewer)
    guess = linked.key if linked else desk.guess(viewer, text)
    return views.log_modal(text, desk.account_names(viewer), guess, json.dumps(ids))


def _logged(desk: Desk, guard: Guard, body: Payload, view: Payload, rests: Pending) -> dict[str, Any]:
    ids = json.loads(view["private_metadata"])
    who, create = _account_of(view)
    viewer = replace(guard.known(body), channel=ids["channel"])
    receipt = desk.log(
        viewer,
        who,
        _whole(view, ids.get("rest", ""), viewer, rests),
        channel="slack",
        source_key=f"msg:{ids['channel']}:{ids['ts']}",
        # It was said when it was written, not when somebody came to log it.
        occurred_at=datetime.fromtimestamp(float(ids["ts"]), UTC),
        permalink=_permalink(str((body.get("team") or {}).get("domain") or ""), ids["channel"], ids["ts"]),
        external=ids["author"] != viewer.user,
        visibility=ids["channel"] if ids["private"] else "",
        create=create,
    )
    return _done(receipt, ids["channel"], private=ids["private"])


def _whole(view: Payload, number: str, viewer: Viewer, rests: Pending) -> str:
    """The words of the form, and what of a long message was beyond it."""
    head = _value(view, "text", "text")
    if not number or not head.strip():
        return head
    try:
        return head.rstrip() + str(rests.take(number, viewer.user).command["text"])
    except TooOld as error:
        raise _Wrong("text", FORM_TOO_OLD) from error


def _permalink(domain: str, channel: str, ts: str) -> str:
    """Where the message stands; asking Slack for it would take a call before the note is kept."""
    return f"https://{domain}.slack.com/archives/{channel}/p{ts.replace('.', '')}" if domain else ""


def _called(desk: Desk, guard: Guard, body: Payload, view: Payload) -> dict[str, Any]:
    who, create = _account_of(view)
    viewer = guard.known(body)
    where = _where(view)
    deal = 0 if create else int(_chosen(view, "deal") or 0)
    receipt = desk.log(
        viewer,
        who,
        _value(view, "text", "text"),
        channel=_chosen(view, "kind") or "call",
        source_key=f"view:{view['id']}",
        occurred_at=_when(desk, viewer, view),
        contact=_value(view, "contact", "contact").strip() or _person(desk, viewer, who, _chosen(view, "person")),
        opportunity=deal,
        visibility=where,
        create=create,
    )
    return _done(receipt, where, private=bool(where))


def _when(desk: Desk, viewer: Viewer, view: Payload) -> datetime | None:
    """Noon of the day that was chosen, None for today: the memory's own now."""
    chosen = view["state"]["values"].get("day", {}).get("day", {}).get("selected_date")
    if not chosen or date.fromisoformat(chosen) == _today(desk, viewer):
        return None
    if date.fromisoformat(chosen) > _today(desk, viewer):
        raise _Wrong("day", TO_COME)
    return datetime.combine(date.fromisoformat(chosen), time(12), ZoneInfo(viewer.tz))


def _where(view: Payload) -> str:
    """The private channel whose members alone may see the note; "" for everyone."""
    if _chosen(view, "seen") != "here":
        return ""
    where = view["state"]["values"].get("where", {}).get("where", {}).get("selected_conversation")
    if not where:
        raise _Wrong("where", NO_CHANNEL)
    return str(where)


def _person(desk: Desk, viewer: Viewer, who: str, number: str) -> str:
    """The name of the person of an account that was chosen; "" for nobody, or for somebody of another account."""
    people = desk.deals_and_people(viewer, who)[1] if number else ()
    return next((one.name for one in people if str(one.id) == number), "")


def _account_of(view: Payload) -> tuple[str, bool]:
    """The account of a form, and whether it is to be made."""
    named = _value(view, "name", "name").strip()
    chosen = _chosen(view, "account")
    if bool(named) == bool(chosen):
        raise _Wrong("name", ONE_ACCOUNT if named else NO_ACCOUNT)
    return (named, True) if named else (chosen, False)


def _value(view: Payload, block: str, action: str) -> str:
    return str(view["state"]["values"].get(block, {}).get(action, {}).get("value") or "")


def _chosen(view: Payload, name: str) -> str:
    """The value of the choice in a field."""
    return str((view["state"]["values"].get(name, {}).get(name, {}).get("selected_option") or {}).get("value") or "")


def _done(receipt: Receipt, channel: str, *, private: bool) -> dict[str, Any]:
    """The receipt where the form was, with its buttons: a form has no message of its own to be answered in."""
    title = "Logged" if receipt.is_new else "Already logged"
    place = json.dumps({"channel": channel, "private": private})
    return {"response_action": "update", "view": notes.in_modal(title, notes.receipt(receipt), place)}


def _brief_under(
    desk: Desk, guard: Guard, slowly: Slowly, *, shortcut: Payload, client: WebClient, respond: Respond
) -> None:
    viewer = guard.viewer(shortcut, client)
    linked = desk.linked(viewer)
    who = desk.guess(viewer, str(shortcut["message"].get("text") or "")) or (linked.key if linked else "")
    if not who:
        respond(response_type="ephemeral", **views.sentence(NO_GUESS))
        return
    everyone = guard.everyone_in(viewer.channel, viewer, client)
    if everyone is None:
        respond(response_type="ephemeral", **views.sentence(NO_THREAD))
        alone = Asked(viewer, lambda: guard.viewer(shortcut, client), ByResponse(respond))
        show_brief(desk, slowly, alone, who)
        return
    thread = str(shortcut["message"].get("thread_ts") or shortcut["message_ts"])
    again = everyone_still(guard, viewer, client)
    post_brief(desk, slowly, everyone, who, client, again=again, thread=thread)
