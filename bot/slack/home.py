"""App Home: published when it is opened, and anew when something on it is done; and its two forms."""

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.slack.asking import Payload, at_once, trouble
from bot.slack.guard import Guard
from bot.slack.shortcuts import call_form, open_form
from bot.slack.views import home as shown
from bot.slack.views import sentence
from bot.slack.views.week import planned
from storage import NextStep
from storage.errors import RapportError

NO_DIGEST, NO_MORE = "This channel has no digest.", "No more digests there."


def register(app: App, desk: Desk, guard: Guard) -> None:
    """Register the buttons of the home tab and the form of a digest. `publish` is for the event of its opening."""

    def done(body: Payload, action: Payload, client: WebClient) -> None:
        _settle(desk, guard, body, int(action["value"]), client, is_done=True)

    def reopen(body: Payload, action: Payload, client: WebClient) -> None:
        _settle(desk, guard, body, int(action["value"]), client, is_done=False)

    def log_call(body: Payload, client: WebClient) -> None:
        open_form(guard, body, client, lambda viewer: call_form(desk, viewer))

    def open_digest(body: Payload, client: WebClient) -> None:
        open_form(guard, body, client, lambda _viewer: shown.digest_form())

    def save_digest(ack: Ack, body: Payload, view: Payload) -> None:
        # Validated and committed inside the acknowledgement: nothing may raise after it.
        try:
            ack(response_action="update", view=shown.saved(_scheduled(desk, guard.known(body), view)))
        except RapportError as error:
            ack(response_action="errors", errors={"channel": str(error)})
        except Exception as error:  # noqa: BLE001 - as above; the form stays open
            ack(response_action="errors", errors={"channel": trouble(error)["text"]})

    acts = ((shown.DONE, done), (shown.REOPEN, reopen), (shown.LOG_CALL, log_call), (shown.OPEN_DIGEST, open_digest))
    for action_id, act in acts:
        app.action(action_id)(ack=at_once, lazy=[act])
    app.view(shown.DIGEST_VIEW)(save_digest)


def publish(desk: Desk, guard: Guard, asked: Payload, client: WebClient, settled: NextStep | None = None) -> None:
    """Put the home of who asks in its place; of somebody who may not see it, one sentence.

    A home stays until the next one: a member who became a guest still has the old one before their eyes.
    """
    try:
        viewer = guard.viewer(asked, client)
        view = shown.home(desk.home(viewer), settled)
    except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
        view = shown.only(trouble(error))
    client.views_publish(user_id=_user(asked), view=view)


def _settle(desk: Desk, guard: Guard, body: Payload, step_id: int, client: WebClient, *, is_done: bool) -> None:
    """A click on the home has no channel to be answered in: the home itself is the answer."""
    try:
        step = desk.settle(guard.viewer(body, client), step_id, done=is_done)
    except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
        client.views_publish(user_id=_user(body), view=shown.only(trouble(error)))
        return
    publish(desk, guard, body, client, step if is_done else None)


def _scheduled(desk: Desk, viewer: Viewer, view: Payload) -> dict[str, Any]:
    values = view["state"]["values"]
    channel = str(values["channel"]["channel"]["selected_conversation"])
    days, deals = (values[name][name]["selected_option"]["value"] for name in ("days", "deals"))
    if days == shown.OFF:
        return sentence(NO_MORE if desk.end_digest(viewer, channel) else NO_DIGEST)
    return planned(
        desk.plan_digest(viewer, channel, f"{days} {values['time']['time']['selected_time']} {deals}", viewer.tz)
    )


def _user(asked: Payload) -> str:
    return str(asked.get("user_id") or (asked.get("user") or {}).get("id") or "")
