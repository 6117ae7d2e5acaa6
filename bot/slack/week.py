"""The week in Slack: /next, /digest, /handoff, /pipeline, and the buttons under their answers."""

import re

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.schedule import USAGE
from bot.slack import views
from bot.slack.asking import Payload, answered, quiet, viewer_of
from bot.slack.views import week as shown
from storage.errors import BadInput

HANDOFF_USAGE = "Say what and to whom, for example: /handoff Acme Corp @ana"
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>\s*\Z")


def register(app: App, desk: Desk) -> None:
    """Register the commands and the buttons."""
    _register_commands(app, desk)
    _register_buttons(app, desk)


def _register_commands(app: App, desk: Desk) -> None:
    def next_(command: Payload, respond: Respond) -> None:
        answered(respond, lambda: _next(desk, command))

    def digest(command: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: _digest(desk, command, client))

    def handoff(command: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: _hand_off(desk, command, client))

    def pipeline(command: Payload, respond: Respond) -> None:
        answered(respond, lambda: shown.pipeline(desk.pipeline(viewer_of(command))))

    for name, work in (("/next", next_), ("/digest", digest), ("/handoff", handoff), ("/pipeline", pipeline)):
        app.command(name)(ack=_at_once, lazy=[work])


def _register_buttons(app: App, desk: Desk) -> None:
    def menu(body: Payload, action: Payload, respond: Respond) -> None:
        verb, _, number = action["selected_option"]["value"].partition(":")
        answered(respond, lambda: [_settle(desk, viewer_of(body), verb, int(number))])

    def reopen(body: Payload, action: Payload, respond: Respond) -> None:
        answered(respond, lambda: [_settle(desk, viewer_of(body), "open", int(action["value"]))])

    def undo(body: Payload, action: Payload, respond: Respond) -> None:
        answered(respond, lambda: [shown.taken_back(desk.undo_hand_off(viewer_of(body), int(action["value"])))])

    def share(body: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: _share_digest(desk, body, client))

    def again(body: Payload, action: Payload, respond: Respond) -> None:
        answered(respond, lambda: _again(desk, viewer_of(body), int(action["value"])))

    actions = ((shown.STEP_MENU, menu), (shown.STEP_REOPEN, reopen), (shown.HANDOFF_UNDO, undo))
    for action_id, act in (*actions, (shown.SHARE_DIGEST, share), (shown.SEND_AGAIN, again)):
        app.action(action_id)(ack=_at_once, lazy=[act])


def _at_once(ack: Ack) -> None:
    ack()


def _digest(desk: Desk, command: Payload, client: WebClient) -> list[views.Message]:
    viewer, channel = viewer_of(command), command["channel_id"]
    verb, _, rest = str(command.get("text") or "").strip().partition(" ")
    if verb == "here":
        tz = str(client.users_info(user=viewer.user)["user"].get("tz") or viewer.tz)
        return [shown.planned(desk.plan_digest(viewer, channel, rest, tz))]
    if verb == "off":
        ended = desk.end_digest(viewer, channel)
        return [views.sentence("No more digests here." if ended else "This channel has no digest.")]
    if verb == "list":
        return shown.plans(desk.digest_plans(viewer))
    if verb not in ("", "mine"):
        raise BadInput(USAGE)
    return shown.digest(desk.digest(viewer, mine=verb == "mine"), share=True)


def _again(desk: Desk, viewer: Viewer, run_id: int) -> list[views.Message]:
    desk.send_again(viewer, run_id)
    return [views.sentence("It will be sent again in a moment.")]


def _next(desk: Desk, command: Payload) -> list[views.Message]:
    line = str(command.get("text") or "").strip()
    viewer = viewer_of(command)
    verb, _, rest = line.partition(" ")
    if verb == "add":
        step = desk.add_step(viewer, rest)
        return [views.message([views.section("Noted."), shown.step_block(step)], "Noted")]
    return shown.ledger(desk.next_steps(viewer, "" if line == "all" else line, everyone=line == "all"))


def _settle(desk: Desk, viewer: Viewer, verb: str, step_id: int) -> views.Message:
    if verb.startswith("snooze-"):
        return shown.settled(desk.snooze(viewer, step_id, int(verb.removeprefix("snooze-"))), "Put off")
    said = {"done": "Done", "drop": "Dropped", "open": "Open again"}
    return shown.settled(desk.settle(viewer, step_id, done=verb == "done", dropped=verb == "drop"), said[verb])


def _hand_off(desk: Desk, command: Payload, client: WebClient) -> list[views.Message]:
    text = str(command.get("text") or "").strip()
    named = _MENTION.search(text)
    if named is None or not text[: named.start()].strip():
        raise BadInput(HANDOFF_USAGE)
    viewer = viewer_of(command)
    pack = desk.hand_off(viewer, text[: named.start()].strip(), named[1])
    told = shown.pack(pack)
    # The new owner gets what they may see themselves: notes of private channels are not among it.
    for rep in dict.fromkeys((pack.handoff.to_rep, pack.handoff.from_rep)):
        if shown.person(rep).startswith("<@") and rep != viewer.user:
            _tell(desk, viewer, pack.account.key, rep, client)
    return told


def _tell(desk: Desk, viewer: Viewer, account: str, rep: str, client: WebClient) -> None:
    """A direct message with the brief that this rep may see."""
    brief = desk.brief(Viewer(viewer.team, rep, frozenset(), viewer.tz), account)
    head = views.sentence("An account was handed over. What is on record:")
    for message in (head, *views.brief(brief)):
        client.chat_postMessage(channel=rep, **quiet(message))


def _share_digest(desk: Desk, body: Payload, client: WebClient) -> list[views.Message]:
    """Computed anew with what everybody in the channel may see."""
    channel = body["channel"]["id"]
    viewer = viewer_of(body)
    everyone = Viewer(viewer.team, viewer.user, viewer.audience, viewer.tz)
    for message in shown.digest(desk.digest(everyone)):
        client.chat_postMessage(channel=channel, **quiet(message))
    return [views.sentence("Shared.")]
