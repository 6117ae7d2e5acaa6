"""Slash commands. A note is committed before its command is acknowledged; whatever is slow comes after."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.desk import LOG_USAGE, RECALL_USAGE, Desk, Viewer
from bot.slack import views
from bot.slack.asking import Payload, at_once, private, quiet, trouble, viewer_of
from bot.slack.briefing import NOT_HERE, Asked, everyone_still, post_brief, show_answer, show_brief, unshared
from bot.slack.guard import Guard, Refused, Unsure
from bot.slack.owed import COMMAND
from bot.slack.pending import Pending, Question
from bot.slack.slowly import ByResponse, Place, Slowly
from bot.slack.views import accounts as shown
from bot.slack.views.home import reminded
from storage import Account
from storage.errors import AmbiguousName, BadInput, UnknownAccount

log = logging.getLogger("rapport.slack")

MOMENT = "One moment…"
KEPT = "The note is kept."
BRIEF_USAGE = "Say who, for example: /brief Priya Sharma"
TIMELINE_USAGE = "Say who, for example: /timeline Acme Corp"
ACCOUNT_USAGE = (
    "For example: /account create Acme Corp · /account link Acme Corp (this channel) · /account unlink · "
    "/account rename Acme Corp to Acme Inc · /account merge Acme Inc into Acme Corp · /account list"
)

OWED = ("/brief", "/recall", "/timeline")
"""Commands that only ask: a process that ends before it has answered leaves them to the next one."""
HELD = ("command", "text", "team_id", "user_id", "channel_id", "channel_name", "response_url", "trigger_id")


@dataclass(frozen=True, slots=True)
class Reply:
    """Where a command is answered, and what is called once it is."""

    place: Place
    then: Callable[[], object] = lambda: None

    def show(self, messages: Sequence[views.Message]) -> list[views.Message]:
        """Show an answer that is there at once; nothing is left to say."""
        self.place.show(messages)
        self.then()
        return []


Work = Callable[[Payload, WebClient, Reply], list[views.Message]]
"""Carries a command out. What takes long it shows in the place itself, and gives nothing more to say."""


class Commands:
    """The commands that ask, by name, so that one that waited for a choice can be carried out later."""

    def __init__(self, desk: Desk, guard: Guard, pending: Pending, slowly: Slowly) -> None:
        self._desk = desk
        self._slowly = slowly
        self._guard = guard
        self._pending = pending
        self.works: dict[str, Work] = {
            "/brief": self._brief,
            "/recall": self._recall,
            "/timeline": self._timeline,
            "/account": self._account,
            "/rapport": self._rapport,
        }

    def register(self, app: App) -> None:
        """Register every command of this file."""
        app.command("/log")(self._log)
        for name in self.works:
            app.command(name)(ack=self._take if name in OWED else at_once, lazy=[self._answer])

    def run(self, command: Payload, client: WebClient, reply: Reply) -> list[views.Message]:
        """Carry a command out. A name that could be several is asked about, with a button for each.

        Gives what is left to say in the reply's place, where an answer that takes long is shown from here.
        """
        try:
            if command["command"] == "/log":
                return [self._kept(command, self._viewer(command, client))[0]]
            return self.works[command["command"]](command, client, reply)
        except AmbiguousName as error:
            return reply.show([self._ask(command, error)])

    def give(self, command: Payload, client: WebClient) -> None:
        """Answer a command that another process took on: Slack lets it be answered for half an hour."""
        self._answer(command, Respond(response_url=str(command["response_url"])), client)

    def chosen(self, number: str, candidate: int, user: str, client: WebClient, place: Place) -> list[views.Message]:
        """Carry out the command that waited, with the candidate of a button; it is remembered for the channel."""
        question = self._pending.take(number, user)
        name = question.candidates[candidate]
        self._desk.choose(self._guard.viewer(question.command, client), question.asked, name)
        meant = question.command.get("meant", {}) | {question.asked: name}
        return self.run({**question.command, "meant": meant}, client, Reply(place))

    def _viewer(self, command: Payload, client: WebClient) -> Viewer:
        """Who asks, and whom they have just said they mean."""
        return replace(self._guard.viewer(command, client), meant=_meant(command))

    def _answer(self, command: Payload, respond: Respond, client: WebClient) -> None:
        done = partial(self._desk.memory.inbox.done, *_delivery(command))
        try:
            for message in self.run(command, client, Reply(ByResponse(respond), done)):
                respond(**private(message))
        except Exception as error:  # noqa: BLE001 - one handler: the person is told, the log gets a reference
            respond(**private(trouble(error)))
            done()

    def _take(self, ack: Ack, command: Payload) -> None:
        try:
            held = {key: command.get(key, "") for key in HELD}
            self._desk.memory.inbox.take(*_delivery(command), held)
        except Exception as error:  # noqa: BLE001 - the acknowledgement must go out whatever happened
            log.warning("a question is not kept: %s", type(error).__name__)
        ack()

    def _log(self, ack: Ack, command: Payload, respond: Respond, client: WebClient) -> None:
        met = self._guard.has_met(command) or not _text(command)
        # The words are safe before Slack hears that they arrived: this is one SQL transaction.
        try:
            said, note = self._kept(command, self._guard.known(command))
        except AmbiguousName as error:
            said, note = self._ask(command, error), 0
        except Exception as error:  # noqa: BLE001 - the acknowledgement must go out whatever happened
            ack(**private(trouble(error)))
            return
        # A receipt tells of what is on record: who was not met yet gets it when Slack has said who they are.
        ack(**private(said if met else views.sentence(MOMENT)))
        if not met:
            self._tell_met(said, note, command, respond, client)

    def _tell_met(self, said: views.Message, note: int, command: Payload, respond: Respond, client: WebClient) -> None:
        try:
            self._guard.viewer(command, client)
        except Unsure as error:
            said = views.sentence(f"{KEPT} {error}" if note else str(error))
        except Refused as error:
            if note:
                self._desk.refuse(viewer_of(command), note)
            said = trouble(error)
        try:
            respond(**private(said))
        except Exception as error:  # noqa: BLE001 - Bolt loses an acknowledgement when something is raised after it
            log.warning("a receipt was not taken: %s", type(error).__name__)

    def _kept(self, command: Payload, viewer: Viewer) -> tuple[views.Message, int]:
        """Keep a note; gives its receipt, and its number when it is new."""
        text = _text(command)
        if not text:
            return views.sentence(LOG_USAGE), 0
        try:
            receipt = self._desk.log_line(viewer, text, source_key=f"trigger:{command.get('trigger_id', '')}")
        except UnknownAccount as error:
            return views.sentence(f"{error} To start one: /log +{error.name.strip()[:40]}: what was said"), 0
        return views.receipt(receipt), receipt.interaction_id if receipt.is_new else 0

    def _ask(self, command: Payload, error: AmbiguousName) -> views.Message:
        number = self._pending.keep(Question(dict(command), error.name, error.candidates))
        return shown.which(error.name, error.candidates, number)

    def _brief(self, command: Payload, client: WebClient, reply: Reply) -> list[views.Message]:
        who, viewer = _text(command), self._viewer(command, client)
        if not who and self._desk.linked(viewer) is None:
            raise BadInput(BRIEF_USAGE)
        # A thread in a channel is read by everybody there: it holds what all of them may see.
        everyone = self._guard.everyone_in(viewer.channel, viewer, client)
        if everyone is None:
            again = partial(self._viewer, command, client)
            show_brief(self._desk, self._slowly, Asked(viewer, again, reply.place, reply.then), who)
            return []
        still = everyone_still(self._guard, viewer, client)
        post_brief(self._desk, self._slowly, everyone, who, client, again=still, then=reply.then)
        return unshared(self._desk, viewer, everyone, who)

    def _recall(self, command: Payload, client: WebClient, reply: Reply) -> list[views.Message]:
        text, viewer = _text(command), self._viewer(command, client)
        if not text:
            raise BadInput(RECALL_USAGE)
        number = self._pending.keep(Question(dict(command), "", ()))
        found, again = self._desk.recall_line(viewer, text), partial(self._viewer, command, client)
        show_answer(self._desk, self._slowly, Asked(viewer, again, reply.place, reply.then), found, share=number)
        return []

    def share(self, number: str, body: Payload, client: WebClient) -> list[views.Message]:
        """Post an answer in its channel, found anew with what everybody there may see. Raises TooOld, BadInput."""
        question = self._pending.take(number, body["user"]["id"])
        viewer = replace(self._guard.viewer(body, client), meant=_meant(question.command))
        everyone = self._guard.everyone_in(viewer.channel, viewer, client)
        if everyone is None:
            raise BadInput(NOT_HERE)
        text = _text(question.command)
        first, *rest = views.answer(self._desk.recall_line(everyone, text))
        asked = views.sentence(f"Asked of Rapport: {text[:300]}")
        thread = client.chat_postMessage(channel=viewer.channel, **quiet(asked))["ts"]
        for message in (first, *rest):
            client.chat_postMessage(channel=viewer.channel, thread_ts=thread, **quiet(message))
        return [views.sentence("Shared.")]

    def _timeline(self, command: Payload, client: WebClient, reply: Reply) -> list[views.Message]:
        who, viewer = _text(command), self._viewer(command, client)
        if not who and self._desk.linked(viewer) is None:
            raise BadInput(TIMELINE_USAGE)
        return reply.show(views.timeline(self._desk.timeline(viewer, who)))

    def _account(self, command: Payload, client: WebClient, _reply: Reply) -> list[views.Message]:
        viewer = self._viewer(command, client)
        verb, _, rest = _text(command).partition(" ")
        rest = rest.strip()
        if verb == "create" and rest:
            return [shown.created(self._desk.create_account(viewer, rest))]
        if verb == "link" and rest:
            return [shown.linked(self._desk.link_channel(viewer, rest))]
        if verb == "unlink":
            return [shown.linked(self._desk.link_channel(viewer, ""))]
        if verb == "rename" and rest:
            return [shown.renamed(self._rename(viewer, rest))]
        if verb == "merge" and " into " in rest:
            who, _, into = rest.partition(" into ")
            return [shown.merge_question(*self._desk.to_merge(viewer, who.strip(), into.strip()))]
        if verb == "list":
            return shown.listing(self._desk.account_names(viewer))
        raise BadInput(ACCOUNT_USAGE)

    def _rename(self, viewer: Viewer, rest: str) -> Account:
        """`OLD to NEW` anywhere; `NEW` alone where the channel stands for an account, even when it has a "to" in it."""
        old, to, new = (part.strip() for part in rest.partition(" to "))
        linked = self._desk.linked(viewer)
        if linked is None and not (to and old and new):
            raise BadInput(ACCOUNT_USAGE)
        try:
            return self._desk.rename_account(viewer, old if to else "", new or rest)
        except UnknownAccount:
            if linked is None:
                raise
            return self._desk.rename_account(viewer, linked.key, rest)

    def _rapport(self, command: Payload, client: WebClient, _reply: Reply) -> list[views.Message]:
        viewer = self._guard.viewer(command, client)
        if _text(command) == "privacy":
            return [shown.privacy()]
        verb, _, rest = _text(command).partition(" ")
        if verb == "reminders":
            said = self._desk.set_reminders(viewer, rest) if rest else self._desk.preferences(viewer)
            return [reminded(said)]
        if verb == "settings":
            held = [shown.settings(viewer.tz, self._desk.linked(viewer), self._desk.scribe.name)]
            return [*held, reminded(self._desk.preferences(viewer))]
        return [shown.help_()]


def _delivery(command: Payload) -> tuple[str, str]:
    """What a command is known by in the inbox: its workspace and its key."""
    return str(command.get("team_id", "")), f"{COMMAND}:{command.get('trigger_id', '')}"


def _meant(command: Payload) -> tuple[tuple[str, str], ...]:
    return tuple(command.get("meant", {}).items())


def _text(command: Payload) -> str:
    return str(command.get("text") or "").strip()
