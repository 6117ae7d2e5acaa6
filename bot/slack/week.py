"""The week in Slack: /next, /handoff, /pipeline, and the buttons under their answers."""

import re
from functools import partial

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.slack import views
from bot.slack.asking import Payload, answered, at_once, quiet
from bot.slack.briefing import Again, Asked, show_brief
from bot.slack.guard import Guard, Refused
from bot.slack.shortcuts import open_form
from bot.slack.slowly import InChannel, Slowly
from bot.slack.views import week as shown
from bot.slack.views.answers import HEALTH_PICTURE
from storage.errors import BadInput, RapportError

HANDOFF_USAGE = "Say what and to whom, for example: /handoff Acme Corp @ana"
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>\s*\Z")


def register(app: App, desk: Desk, guard: Guard, slowly: Slowly) -> None:
    """Register the commands and the buttons."""
    _register_commands(app, desk, guard, slowly)
    _register_buttons(app, desk, guard)
    _register_give(app, desk, guard)


def _register_commands(app: App, desk: Desk, guard: Guard, slowly: Slowly) -> None:
    def next_(command: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: _next(desk, guard.viewer(command, client), command))

    def handoff(command: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: _hand_off(desk, guard, slowly, command, client))

    def pipeline(command: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: shown.pipeline(desk.pipeline(guard.viewer(command, client))))

    for name, work in (("/next", next_), ("/handoff", handoff), ("/pipeline", pipeline)):
        app.command(name)(ack=at_once, lazy=[work])


def _register_buttons(app: App, desk: Desk, guard: Guard) -> None:
    def menu(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        verb, _, number = action["selected_option"]["value"].partition(":")
        if verb == shown.GIVE:
            open_form(guard, body, client, lambda _viewer: shown.give_form(int(number)))
            return
        answered(respond, lambda: [_settle(desk, guard.viewer(body, client), verb, int(number))])

    def reopen(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: [_settle(desk, guard.viewer(body, client), "open", int(action["value"]))])

    def undo(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        answered(
            respond, lambda: [shown.taken_back(desk.undo_hand_off(guard.viewer(body, client), int(action["value"])))]
        )

    def health(body: Payload, action: Payload, respond: Respond, client: WebClient) -> None:
        answered(respond, lambda: _draw_health(desk, guard, body, action["value"], client))

    app.action(HEALTH_PICTURE)(ack=at_once, lazy=[health])

    actions = ((shown.STEP_MENU, menu), (shown.STEP_REOPEN, reopen), (shown.HANDOFF_UNDO, undo))
    for action_id, act in actions:
        app.action(action_id)(ack=at_once, lazy=[act])


def _register_give(app: App, desk: Desk, guard: Guard) -> None:
    def give(ack: Ack, body: Payload, view: Payload) -> None:
        # Committed inside the acknowledgement: nothing may raise after it.
        try:
            chosen = str(view["state"]["values"]["who"]["who"].get("selected_user") or "")
            step = desk.reassign(guard.known(body), int(view["private_metadata"]), chosen)
            said = shown.settled(step, f"Given to {shown.person(chosen)}")["blocks"][:1]
            title = {"type": "plain_text", "text": "Given on"}
            ack(response_action="update", view={"type": "modal", "title": title, "blocks": said})
        except RapportError as error:
            ack(response_action="errors", errors={"who": str(error)})

    app.view(shown.GIVE_VIEW)(give)


def _next(desk: Desk, viewer: Viewer, command: Payload) -> list[views.Message]:
    line = str(command.get("text") or "").strip()
    verb, _, rest = line.partition(" ")
    if verb == "add":
        step = desk.add_step(viewer, rest)
        return [views.message([views.section("Noted."), shown.step_block(step)], "Noted")]
    if line == "here":
        linked = desk.linked(viewer)
        if linked is None:
            raise BadInput("This channel stands for no account: /account link Acme Corp, or /next Acme Corp.")
        line = linked.key
    return shown.ledger(desk.next_steps(viewer, "" if line == "all" else line, everyone=line == "all"))


def _settle(desk: Desk, viewer: Viewer, verb: str, step_id: int) -> views.Message:
    if verb.startswith("snooze-"):
        return shown.settled(desk.snooze(viewer, step_id, int(verb.removeprefix("snooze-"))), "Put off")
    said = {"done": "Done", "drop": "Dropped", "open": "Open again"}
    return shown.settled(desk.settle(viewer, step_id, done=verb == "done", dropped=verb == "drop"), said[verb])


def _hand_off(desk: Desk, guard: Guard, slowly: Slowly, command: Payload, client: WebClient) -> list[views.Message]:
    viewer = guard.viewer(command, client)
    text = str(command.get("text") or "").strip()
    named = _MENTION.search(text)
    if named is None or not text[: named.start()].strip():
        raise BadInput(HANDOFF_USAGE)
    pack = desk.hand_off(viewer, text[: named.start()].strip(), named[1])
    told = shown.pack(pack)
    # The new owner gets what they may see themselves: notes of private channels are not among it.
    for rep in dict.fromkeys((pack.handoff.to_rep, pack.handoff.from_rep)):
        if shown.person(rep).startswith("<@") and rep != viewer.user:
            _tell(desk, slowly, partial(_at_home, guard, viewer.team, rep, client), pack.account.key, client)
    return told


def _at_home(guard: Guard, team: str, rep: str, client: WebClient) -> Viewer:
    """A rep in their direct messages, where notes of private channels are nobody's. Raises Refused."""
    return Viewer(team, rep, frozenset(), guard.viewer({"team_id": team, "user_id": rep}, client).tz)


def _tell(desk: Desk, slowly: Slowly, again: Again, account: str, client: WebClient) -> None:
    """A direct message with the brief that this rep may see; a guest is told nothing."""
    try:
        told = again()
    except Refused:
        return
    head = views.sentence("An account was handed over. What is on record:")
    client.chat_postMessage(channel=told.user, **quiet(head))
    show_brief(desk, slowly, Asked(told, again, InChannel(client, told.user)), account)


def _draw_health(desk: Desk, guard: Guard, body: Payload, account: str, client: WebClient) -> list[views.Message]:
    """The score through time as a picture under the message; in words for the asker where nothing is posted."""
    from bot.picture import alt_text, picture

    viewer = guard.viewer(body, client)
    everyone = guard.everyone_in(viewer.channel, viewer, client)
    if everyone is None:
        return [views.sentence(alt_text(desk.course(viewer, account)))]
    course = desk.course(everyone, account)
    client.files_upload_v2(
        channel=viewer.channel,
        thread_ts=(body.get("message") or {}).get("thread_ts") or (body.get("container") or {}).get("message_ts"),
        content=picture(course),
        filename="health.png",
        title=f"Health of {course.account.name}",
        alt_txt=alt_text(course)[:1000],
    )
    return []
