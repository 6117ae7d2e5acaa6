"""Buttons under our messages: right, fix, undo, retract; which one; share."""

import json
import re
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.slack import views
from bot.slack.asking import Payload, answered, at_once, trouble
from bot.slack.commands import Commands
from bot.slack.guard import Guard
from bot.slack.views import accounts, notes
from bot.slack.views.answers import SHARE_ANSWER
from storage.errors import RapportError


def register(app: App, desk: Desk, guard: Guard, commands: Commands) -> None:
    """Register every button of receipts and questions, and the form behind Fix."""
    _register_receipts(app, desk, guard)
    _register_choices(app, desk, guard, commands)
    _register_fix(app, desk, guard)


def _register_receipts(app: App, desk: Desk, guard: Guard) -> None:
    def retract(viewer: Viewer, note: int) -> views.Message:
        desk.retract(viewer, note)
        return notes.retracted(note)

    def undo(viewer: Viewer, note: int) -> views.Message:
        left = desk.undo(viewer, note)
        return notes.receipt(left) if left else notes.retracted(note)

    verbs: dict[str, Callable[[Viewer, int], views.Message]] = {
        notes.RIGHT: lambda viewer, note: notes.receipt(desk.confirm(viewer, note), confirmed=True),
        notes.UNDO: undo,
        notes.RETRACT: retract,
        notes.RESTORE: lambda viewer, note: notes.receipt(desk.restore(viewer, note)),
    }
    for action_id, verb in verbs.items():
        app.action(action_id)(ack=at_once, lazy=[_replacing(guard, verb)])

    def deal(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        note, _, key = action["value"].partition(":")
        _replaced(respond, lambda: notes.receipt(desk.put_in_deal(guard.viewer(body, client), int(note), key)))

    app.action(re.compile(rf"{notes.DEAL}(_\d+)?"))(ack=at_once, lazy=[deal])


def _register_choices(app: App, desk: Desk, guard: Guard, commands: Commands) -> None:
    def choose(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        number, _, place = action["value"].partition(":")
        try:
            answers = commands.chosen(number, int(place), body["user"]["id"], client)
            respond(replace_original=True, **(answers[0] if answers else views.sentence("Done.")))
            for message in answers[1:]:
                respond(response_type="ephemeral", replace_original=False, **message)
        except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
            respond(response_type="ephemeral", replace_original=False, **trouble(error))

    def undo_merge(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        def work() -> views.Message:
            back = desk.undo_merge(guard.viewer(body, client), int(action["value"]))
            return views.sentence(f"Taken back: {back.name} stands for itself again.")

        _replaced(respond, work)

    def share(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: commands.share(action["value"], body, client))

    app.action(re.compile(rf"{accounts.CHOOSE}_\d+"))(ack=at_once, lazy=[choose])
    app.action(SHARE_ANSWER)(ack=at_once, lazy=[share])
    app.action(accounts.UNDO_MERGE)(ack=at_once, lazy=[undo_merge])


def _register_fix(app: App, desk: Desk, guard: Guard) -> None:
    def open_fix(body: Payload, action: Payload, client: WebClient, respond: Respond) -> None:
        # A trigger lives three seconds and works once: the form opens first, empty, and is filled then.
        try:
            opened = client.views_open(trigger_id=body["trigger_id"], view=notes.loading())
            ids = {"note": int(action["value"]), "answer": body.get("response_url", "")}
            form = notes.fix_modal(desk.receipt_of(guard.viewer(body, client), ids["note"]), json.dumps(ids))
            client.views_update(view_id=opened["view"]["id"], view=form)
        except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
            respond(response_type="ephemeral", replace_original=False, **trouble(error))

    def submit(ack: Ack, body: Payload, view: Payload) -> None:
        # Validated and committed inside the acknowledgement: nothing may raise after it.
        try:
            ack(**_fixed(desk, guard.known(body), view))
        except RapportError as error:
            ack(response_action="errors", errors={"text": str(error)})
        except Exception as error:  # noqa: BLE001 - as above; the form stays open with the words in it
            ack(response_action="errors", errors={"text": trouble(error)["text"]})

    app.action(notes.FIX)(ack=at_once, lazy=[open_fix])
    app.view(notes.FIX_VIEW)(submit)


def _fixed(desk: Desk, viewer: Viewer, view: Payload) -> dict[str, Any]:
    note = int(json.loads(view["private_metadata"])["note"])
    text = view["state"]["values"]["text"]["text"].get("value") or ""
    done = notes.receipt(desk.correct(viewer, note, text))
    title = {"type": "plain_text", "text": "Corrected"}
    return {"response_action": "update", "view": {"type": "modal", "title": title, "blocks": done["blocks"][:1]}}


def _replacing(guard: Guard, verb: Callable[[Viewer, int], views.Message]) -> Callable[..., None]:
    def act(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        _replaced(respond, lambda: verb(guard.viewer(body, client), int(action["value"])))

    return act


def _replaced(respond: Respond, work: Callable[[], views.Message]) -> None:
    """Put what the work gives in the message's place; when it goes wrong the message stays and the person is told."""
    try:
        respond(replace_original=True, **work())
    except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
        respond(response_type="ephemeral", replace_original=False, **trouble(error))
