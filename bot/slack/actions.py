"""Buttons under our messages: right, fix, undo, retract; which deal, which one; merge; share. The form behind Fix."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.desk import ChangedSince, Desk, Receipt, Viewer
from bot.slack import views
from bot.slack.asking import Payload, answered, at_once, trouble
from bot.slack.commands import Commands
from bot.slack.guard import Guard
from bot.slack.pending import Pending, Question, TooOld
from bot.slack.slowly import ByResponse
from bot.slack.views import accounts, notes
from bot.slack.views.answers import SHARE_ANSWER
from storage.errors import RapportError

log = logging.getLogger("rapport.slack")

Verb = Callable[[Viewer, int, int, int], views.Message]
"""What a receipt's button does, given the note, the revision that was seen, and the deal."""
RECEIPT = "Receipt"


def register(app: App, desk: Desk, guard: Guard, commands: Commands) -> None:
    """Register every button of receipts and questions, and the form behind Fix."""
    _register_receipts(app, desk, guard)
    _register_choices(app, desk, guard, commands)
    _Fix(desk, guard).register(app)


def placed(body: Payload) -> Payload:
    """A click inside a form tells no channel: a receipt shown there knows the one its note was captured in."""
    metadata = str((body.get("view") or {}).get("private_metadata") or "")
    if body.get("channel") or not metadata:
        return body
    ids = json.loads(metadata)
    name = "privategroup" if ids.get("private") else ""
    return {**body, "channel": {"id": ids.get("channel", ""), "name": name}}


def _register_receipts(app: App, desk: Desk, guard: Guard) -> None:
    verbs: dict[str, Verb] = {
        notes.RIGHT: lambda viewer, note, seen, _: notes.receipt(desk.confirm(viewer, note, seen), confirmed=True),
        notes.UNDO: lambda viewer, note, seen, _: notes.receipt(desk.undo(viewer, note, seen)),
        notes.RETRACT: lambda viewer, note, seen, _: notes.retracted(note, desk.retract(viewer, note, seen)),
        notes.RESTORE: lambda viewer, note, seen, _: notes.receipt(desk.restore(viewer, note, seen)),
    }
    for action_id, verb in verbs.items():
        app.action(action_id)(ack=at_once, lazy=[_receipt_button(desk, guard, verb)])

    def deal(viewer: Viewer, note: int, seen: int, chosen: int) -> views.Message:
        return notes.receipt(desk.put_in_deal(viewer, note, chosen, seen))

    app.action(re.compile(rf"{notes.DEAL}_\d+"))(ack=at_once, lazy=[_receipt_button(desk, guard, deal)])


def _receipt_button(desk: Desk, guard: Guard, verb: Verb) -> Callable[..., None]:
    def act(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        def work() -> views.Message:
            viewer = guard.viewer(placed(body), client)
            note, seen, deal = notes.read_stamp(action["value"])
            try:
                return verb(viewer, note, seen, deal)
            except ChangedSince as error:
                return _as_it_is(desk, viewer, note, str(error))

        _replaced(body, respond, client, work)

    return act


def _as_it_is(desk: Desk, viewer: Viewer, note: int, notice: str) -> views.Message:
    """The receipt of a note that has changed since its buttons were made."""
    gone, revision = desk.is_retracted(viewer, note)
    if gone:
        return notes.retracted(note, revision)
    return notes.receipt(desk.receipt_of(viewer, note), notice=notice)


def _register_choices(app: App, desk: Desk, guard: Guard, commands: Commands) -> None:
    def choose(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        number, _, place = action["value"].partition(":")
        try:
            # The question with its buttons stands where the answer will.
            where = ByResponse(respond, stands=1)
            answers = commands.chosen(number, int(place), body["user"]["id"], client, where)
            if answers or not where.uses:
                where.show(answers or [views.sentence("Done.")])
        except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
            respond(response_type="ephemeral", replace_original=False, **trouble(error))

    def merge(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        def work() -> views.Message:
            gone, _, kept = action["value"].partition(":")
            return accounts.merged(*desk.merge_accounts(guard.viewer(body, client), int(gone), int(kept)))

        _replaced(body, respond, client, work)

    def undo_merge(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        def work() -> views.Message:
            back = desk.undo_merge(guard.viewer(body, client), int(action["value"]))
            return views.sentence(f"Taken back: {back.name} stands for itself again.")

        _replaced(body, respond, client, work)

    def share(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: commands.share(action["value"], body, client))

    app.action(re.compile(rf"{accounts.CHOOSE}_\d+"))(ack=at_once, lazy=[choose])
    app.action(SHARE_ANSWER)(ack=at_once, lazy=[share])
    app.action(accounts.MERGE)(ack=at_once, lazy=[merge])
    app.action(accounts.UNDO_MERGE)(ack=at_once, lazy=[undo_merge])


class _Fix:
    """The form behind Fix, and the receipt it came from: its address is kept here, the form carries a number."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._guard = guard
        self._receipts = Pending()

    def register(self, app: App) -> None:
        """Register the button and the form."""
        app.action(notes.FIX)(ack=at_once, lazy=[self._open])
        app.view(notes.FIX_VIEW)(self._submit)

    def _open(self, body: Payload, action: Payload, client: WebClient, respond: Respond) -> None:
        # A trigger lives three seconds and works once: the form opens first, empty, and is filled then.
        opened = ""
        try:
            opened = (
                _view_of(body) or client.views_open(trigger_id=body["trigger_id"], view=notes.loading())["view"]["id"]
            )
            client.views_update(view_id=opened, view=self._form(body, action, client))
        except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
            if opened:
                client.views_update(view_id=opened, view=notes.in_modal(RECEIPT, trouble(error)))
            else:
                respond(response_type="ephemeral", replace_original=False, **trouble(error))

    def _form(self, body: Payload, action: Payload, client: WebClient) -> dict[str, Any]:
        viewer = self._guard.viewer(placed(body), client)
        note, seen, _ = notes.read_stamp(action["value"])
        found = self._desk.receipt_of(viewer, note)
        if seen and found.revision != seen:
            said = notes.receipt(found, notice=str(ChangedSince()))
            return notes.in_modal(RECEIPT, said, json.dumps(_place(viewer)))
        asked = {"user_id": viewer.user, "response_url": body.get("response_url", "")}
        ids = {"note": note, "seen": found.revision, "receipt": self._receipts.keep(Question(asked, "", ()))}
        return notes.fix_modal(found, json.dumps(ids | _place(viewer)))

    def _submit(self, ack: Ack, body: Payload, view: Payload) -> None:
        # Validated and committed inside the acknowledgement: nothing may raise after it.
        try:
            viewer = self._guard.known(placed(body))
            said = notes.receipt(self._fixed(viewer, view))
            ack(response_action="update", view=notes.in_modal("Corrected", said, json.dumps(_place(viewer))))
        except RapportError as error:
            ack(response_action="errors", errors={"text": str(error)})
            return
        except Exception as error:  # noqa: BLE001 - as above; the form stays open with the words in it
            ack(response_action="errors", errors={"text": trouble(error)["text"]})
            return
        self._renew(body, view, said)

    def _fixed(self, viewer: Viewer, view: Payload) -> Receipt:
        ids = json.loads(view["private_metadata"])
        values = view["state"]["values"]
        _, rest = notes.form_part(self._desk.receipt_of(viewer, ids["note"]).text)
        text = (values["text"]["text"].get("value") or "").rstrip()
        rejected = frozenset(_unticked(view))
        done = self._desk.correct(
            viewer, ids["note"], text + rest if text else "", rejected=rejected, revision=ids.get("seen", 0)
        )
        deal = (values.get("deal", {}).get("deal", {}).get("selected_option") or {}).get("value")
        known = {str(o.id): o.key for o in done.deals}
        if deal and known.get(deal) != done.opportunity:
            done = self._desk.put_in_deal(viewer, ids["note"], int(deal))
        return done

    def _renew(self, body: Payload, view: Payload, said: views.Message) -> None:
        """The receipt in the channel, if the form came from one, says what the note says now."""
        try:
            number = str(json.loads(view["private_metadata"]).get("receipt", ""))
            url = str(self._receipts.take(number, body["user"]["id"]).command["response_url"])
            if url:
                WebhookClient(url).send(text=said["text"], blocks=said["blocks"], replace_original=True)
        except TooOld:
            log.info("a receipt is too old to be replaced")
        except (SlackClientError, OSError) as error:
            log.warning("a receipt was not replaced: %s", type(error).__name__)


def _place(viewer: Viewer) -> dict[str, Any]:
    """Where somebody is, and whether what was captured there is for its members alone: ids, for a form to carry."""
    return {"channel": viewer.channel, "private": viewer.channel in (viewer.audience or ())}


def _unticked(view: Payload) -> Iterator[int]:
    """The signals whose box was shown and is not ticked now."""
    values = view["state"]["values"]
    for block in view["blocks"]:
        held = values.get(block.get("block_id", ""), {}).get(notes.KEEP)
        if held is not None:
            ticked = {option["value"] for option in held.get("selected_options") or ()}
            yield from (int(o["value"]) for o in block["element"]["options"] if o["value"] not in ticked)


def _view_of(body: Payload) -> str:
    """The form a click came from; "" when it came from a message."""
    return str((body.get("view") or {}).get("id") or "")


def _replaced(body: Payload, respond: Respond, client: WebClient, work: Callable[[], views.Message]) -> None:
    """Put what the work gives in the message's or the form's place; when it goes wrong the person is told beside it."""
    form = _view_of(body)
    try:
        said = work()
    except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
        said = trouble(error)
        if not form:
            respond(response_type="ephemeral", replace_original=False, **said)
            return
    if form:
        private = str(body["view"].get("private_metadata") or "")
        client.views_update(view_id=form, view=notes.in_modal(RECEIPT, said, private))
    else:
        respond(replace_original=True, **said)
