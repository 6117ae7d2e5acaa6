"""What every listener needs: who asks, and what is said when something goes wrong."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from slack_bolt import Ack, Respond
from slack_sdk.errors import SlackApiError

from bot.desk import Viewer
from bot.slack import views
from storage.errors import RapportError

log = logging.getLogger("rapport.slack")

Payload = Mapping[str, Any]
FIXES = {
    "not_in_channel": "I am not in this channel yet: /invite @Rapport, then try again.",
    "channel_not_found": "I cannot see this channel: /invite @Rapport, then try again.",
    "missing_scope": "I lack a permission for this: ask an admin to reinstall the app.",
    "is_archived": "This channel is archived; use /brief elsewhere.",
}


def viewer_of(body: Payload) -> Viewer:
    """Who asks, from a command's, a shortcut's or a view's payload.

    Sees what is open to the whole workspace and, asking inside a private channel, what was captured in that one:
    whoever can type there is its member, and so is whoever reads the answer.
    """
    team = body.get("team_id") or (body.get("team") or {}).get("id") or (body.get("user") or {}).get("team_id") or ""
    user = body.get("user_id") or (body.get("user") or {}).get("id") or ""
    channel = body.get("channel") or {"id": body.get("channel_id", ""), "name": body.get("channel_name", "")}
    here = str(channel.get("id") or "")
    return Viewer(team, user, frozenset({here}) if is_private(channel) else frozenset(), channel=here)


def is_private(channel: Payload) -> bool:
    """Whether a payload's channel is a private one: Slack gives such a channel's kind in place of its name, and that of
    a few people's conversation begins with mpdm."""
    name = str(channel.get("name") or "")
    return name in ("privategroup", "directmessage") or name.startswith("mpdm-")


def at_once(ack: Ack) -> None:
    """Acknowledge and nothing else: the work comes after."""
    ack()


def answered(respond: Respond, work: Callable[[], Sequence[views.Message]]) -> None:
    """Answer the asker alone with what the work gives, or with the one sentence that says what went wrong."""
    try:
        for message in work():
            respond(**private(message))
    except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
        respond(**private(trouble(error)))


def private(message: views.Message) -> dict[str, Any]:
    """A message that only the asker sees."""
    return {"response_type": "ephemeral", **message}


def quiet(message: views.Message) -> dict[str, Any]:
    """A message whose links Slack does not unfold."""
    return {"unfurl_links": False, "unfurl_media": False, **message}


def trouble(error: Exception) -> views.Message:
    """What the person is told: a sentence of ours as it is, the one fix for a Slack error, else a reference number."""
    if isinstance(error, RapportError):
        return views.sentence(str(error))
    if isinstance(error, SlackApiError) and error.response.get("error") in FIXES:
        return views.sentence(FIXES[error.response["error"]])
    reference = uuid4().hex[:8]
    # The type alone: the text of an error may hold a note's words.
    log.error("reference %s: %s", reference, type(error).__name__)
    return views.sentence(f"Something went wrong. What was logged is kept. Reference {reference}.")
