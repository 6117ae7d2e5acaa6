"""Digests in Slack: /digest, sharing one, sending one again, and the form that schedules them."""

from functools import partial
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.schedule import USAGE, zones_like
from bot.slack import views
from bot.slack.asking import Payload, answered, at_once, trouble
from bot.slack.briefing import NOT_HERE, Again, Asked, everyone_still, show_digest
from bot.slack.guard import Guard
from bot.slack.shortcuts import open_form
from bot.slack.slowly import ByResponse, InChannel, Place, Slowly
from bot.slack.views import digests as shown
from bot.slack.views.blocks import saved
from storage import DigestPlan
from storage.errors import BadInput, RapportError

NO_DIGEST, NO_MORE = "This channel has no digest.", "No more digests there."


def register(app: App, desk: Desk, guard: Guard, slowly: Slowly) -> None:
    """Register the command, the buttons and the form."""
    _register_answers(app, desk, guard, slowly)
    _register_form(app, desk, guard)


def _register_answers(app: App, desk: Desk, guard: Guard, slowly: Slowly) -> None:
    def digest(command: Payload, respond: Respond, client: WebClient) -> None:
        if _text(command) == "settings":
            answered(respond, lambda: _open(desk, guard, command, client))
        else:
            asked = partial(guard.viewer, command, client)
            answered(respond, lambda: _digest(desk, slowly, ByResponse(respond), asked, command))

    def share(body: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: _share(desk, guard, slowly, body, client))

    def again(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: _again(desk, guard.viewer(body, client), int(action["value"])))

    app.command("/digest")(ack=at_once, lazy=[digest])
    for action_id, act in ((shown.SHARE_DIGEST, share), (shown.SEND_AGAIN, again)):
        app.action(action_id)(ack=at_once, lazy=[act])


def _register_form(app: App, desk: Desk, guard: Guard) -> None:
    def open_settings(body: Payload, client: WebClient) -> None:
        _open(desk, guard, body, client)

    def save(ack: Ack, body: Payload, view: Payload) -> None:
        # Validated and committed inside the acknowledgement: nothing may raise after it.
        try:
            ack(response_action="update", view=saved(shown.TITLE, _scheduled(desk, guard.known(body), view)))
        except RapportError as error:
            ack(response_action="errors", errors={"channel": str(error)})
        except Exception as error:  # noqa: BLE001 - as above; the form stays open
            ack(response_action="errors", errors={"channel": trouble(error)["text"]})

    def zones(ack: Ack, payload: Payload) -> None:
        ack(options=shown.zone_options(zones_like(str(payload.get("value") or ""))))

    app.action(shown.OPEN_DIGEST)(ack=at_once, lazy=[open_settings])
    app.view(shown.DIGEST_VIEW)(save)
    app.options(shown.ZONE)(zones)


def _digest(desk: Desk, slowly: Slowly, place: Place, again: Again, command: Payload) -> list[views.Message]:
    viewer = again()
    verb, _, rest = _text(command).partition(" ")
    if verb == "here":
        return [shown.planned(desk.plan_digest(viewer, viewer.channel, rest, viewer.tz))]
    if verb == "off":
        return [views.sentence(NO_MORE if desk.end_digest(viewer, viewer.channel) else NO_DIGEST)]
    if verb == "list":
        return shown.plans(desk.digest_plans(viewer))
    if verb not in ("", "mine"):
        raise BadInput(USAGE)
    show_digest(desk, slowly, Asked(viewer, again, place), mine=verb == "mine", share=True)
    return []


def _again(desk: Desk, viewer: Viewer, run_id: int) -> list[views.Message]:
    desk.send_again(viewer, run_id)
    return [views.sentence("It will be sent again in a moment.")]


def _share(desk: Desk, guard: Guard, slowly: Slowly, body: Payload, client: WebClient) -> list[views.Message]:
    """Computed anew with what everybody in the channel may see; what does not fit is under it."""
    viewer = guard.viewer(body, client)
    everyone = guard.everyone_in(viewer.channel, viewer, client)
    if everyone is None:
        raise BadInput(NOT_HERE)
    again = everyone_still(guard, viewer, client)
    show_digest(desk, slowly, Asked(everyone, again, InChannel(client, viewer.channel, below=True)))
    return [views.sentence("Shared.")]


def _open(desk: Desk, guard: Guard, body: Payload, client: WebClient) -> list[views.Message]:
    open_form(guard, body, client, lambda viewer: _form(desk, viewer))
    return []


def _form(desk: Desk, viewer: Viewer) -> dict[str, Any]:
    return shown.digest_form(viewer.tz, viewer.channel, _plan_of(desk, viewer, viewer.channel))


def _plan_of(desk: Desk, viewer: Viewer, channel: str) -> DigestPlan | None:
    return next((plan for plan, _ in desk.digest_plans(viewer) if plan.channel == channel), None)


def _scheduled(desk: Desk, viewer: Viewer, view: Payload) -> views.Message:
    values = view["state"]["values"]
    channel = str(values["channel"]["channel"]["selected_conversation"])
    days = [each["value"] for each in values["days"]["days"].get("selected_options") or ()]
    if not days:
        return views.sentence(NO_MORE if desk.end_digest(viewer, channel) else NO_DIGEST)
    deals, language = (values[name][name]["selected_option"]["value"] for name in ("deals", "language"))
    zone = (values["zone"][shown.ZONE].get("selected_option") or {}).get("value") or viewer.tz
    said = f"{' '.join(days)} {values['time']['time']['selected_time']} {deals} dates {language}"
    return shown.planned(desk.plan_digest(viewer, channel, said, zone))


def _text(command: Payload) -> str:
    return str(command.get("text") or "").strip()
