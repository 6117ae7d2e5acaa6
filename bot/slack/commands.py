"""Slash commands. A note is committed before its command is acknowledged; whatever is slow comes after."""

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.desk import LOG_USAGE, RECALL_USAGE, Desk
from bot.slack import views
from bot.slack.asking import Payload, answered, private, trouble, viewer_of
from bot.slack.briefing import post_brief
from storage.errors import BadInput, UnknownAccount

BRIEF_USAGE = "Say who, for example: /brief Priya Sharma"
TIMELINE_USAGE = "Say who, for example: /timeline Acme Corp"


def register(app: App, desk: Desk) -> None:
    """Register every command."""

    def log(ack: Ack, command: Payload) -> None:
        # The words are safe before Slack hears that they arrived: this is one SQL transaction.
        try:
            ack(**private(_log(desk, command)))
        except Exception as error:  # noqa: BLE001 - the acknowledgement must go out whatever happened
            ack(**private(trouble(error)))

    def brief(command: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: _brief(desk, command, client))

    def recall(command: Payload, respond: Respond) -> None:
        answered(respond, lambda: _recall(desk, command))

    def timeline(command: Payload, respond: Respond) -> None:
        answered(respond, lambda: _timeline(desk, command))

    app.command("/log")(log)
    for name, work in (("/brief", brief), ("/recall", recall), ("/timeline", timeline)):
        app.command(name)(ack=_at_once, lazy=[work])


def _at_once(ack: Ack) -> None:
    ack()


def _log(desk: Desk, command: Payload) -> views.Message:
    text = str(command.get("text") or "").strip()
    if not text:
        return views.sentence(LOG_USAGE)
    try:
        return views.receipt(
            desk.log_line(viewer_of(command), text, source_key=f"trigger:{command.get('trigger_id', '')}")
        )
    except UnknownAccount as error:
        return views.sentence(f"{error} To start one: /log +{error.name.strip()[:40]}: what was said")


def _brief(desk: Desk, command: Payload, client: WebClient) -> list[views.Message]:
    who = str(command.get("text") or "").strip()
    if not who:
        raise BadInput(BRIEF_USAGE)
    return post_brief(desk, viewer_of(command), who, command["channel_id"], client)


def _recall(desk: Desk, command: Payload) -> list[views.Message]:
    text = str(command.get("text") or "").strip()
    if not text:
        raise BadInput(RECALL_USAGE)
    return views.answer(desk.in_words(desk.recall_line(viewer_of(command), text)))


def _timeline(desk: Desk, command: Payload) -> list[views.Message]:
    who = str(command.get("text") or "").strip()
    if not who:
        raise BadInput(TIMELINE_USAGE)
    return views.timeline(desk.timeline(viewer_of(command), who))
