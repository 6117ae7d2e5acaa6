"""App Home: published when it is opened, and anew when something on it is done; and the form of reminders."""

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.slack.asking import Payload, at_once, trouble
from bot.slack.guard import Guard
from bot.slack.shortcuts import call_form, open_form
from bot.slack.views import home as shown
from bot.slack.views.blocks import saved
from storage import NextStep, Preferences
from storage.errors import RapportError


def register(app: App, desk: Desk, guard: Guard) -> None:
    """Register the buttons of the home tab and the form of reminders. `publish` is for the event of its opening."""

    def done(body: Payload, action: Payload, client: WebClient) -> None:
        _settle(desk, guard, body, int(action["value"]), client, is_done=True)

    def reopen(body: Payload, action: Payload, client: WebClient) -> None:
        _settle(desk, guard, body, int(action["value"]), client, is_done=False)

    def log_call(body: Payload, client: WebClient) -> None:
        open_form(guard, body, client, lambda viewer: call_form(desk, viewer))

    def open_reminders(body: Payload, client: WebClient) -> None:
        open_form(guard, body, client, lambda viewer: shown.reminder_form(desk.preferences(viewer)))

    def save_reminders(ack: Ack, body: Payload, view: Payload) -> None:
        # Validated and committed inside the acknowledgement: nothing may raise after it.
        try:
            said = shown.reminded(_preferred(desk, guard.known(body), view))
            ack(response_action="update", view=saved("Reminders", said))
        except RapportError as error:
            ack(response_action="errors", errors={"quiet_to": str(error)})
        except Exception as error:  # noqa: BLE001 - as above; the form stays open
            ack(response_action="errors", errors={"quiet_to": trouble(error)["text"]})

    forms = ((shown.LOG_CALL, log_call), (shown.OPEN_REMINDERS, open_reminders))
    acts = ((shown.DONE, done), (shown.REOPEN, reopen), *forms)
    for action_id, act in acts:
        app.action(action_id)(ack=at_once, lazy=[act])
    app.view(shown.REMINDERS_VIEW)(save_reminders)


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


def _preferred(desk: Desk, viewer: Viewer, view: Payload) -> Preferences:
    chosen = {name: held[name]["selected_option"]["value"] for name, held in view["state"]["values"].items()}
    desk.set_reminders(viewer, f"{chosen['quiet_from']}-{chosen['quiet_to']}")
    return desk.set_reminders(viewer, chosen["state"])


def _user(asked: Payload) -> str:
    return str(asked.get("user_id") or (asked.get("user") or {}).get("id") or "")
