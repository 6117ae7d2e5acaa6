"""Every command, shortcut, button, form, type-ahead and event, once each at a real `serve`: by HTTP, in Socket Mode.

What is to be sent is held against what the app registers: a new surface without a payload here fails.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

import pytest
from slack_bolt import App, BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.desk import Desk
from bot.scribe_plain import PlainScribe
from bot.slack import app as slack_app
from storage import StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from tests.acceptance.socket_stub import SocketStub, running_socket
from tests.acceptance.test_serve import SECRET, free_port, posted, serving
from tests.acceptance.test_serve import command as command_body
from tests.scenarios.conftest import Slack
from tests.scenarios.slack_stub import SlackStub, running_stub

KINDS = ("command", "message_shortcut", "global_shortcut", "event", "action", "view", "options")
REP = "U0REP"
IN_TIME = 3.0
"""Seconds in which Slack wants an acknowledgement."""

Deliver = Callable[[str, str], BoltResponse]
"""Hands a body of this content type to the process; gives what it was acknowledged with."""


class Remote(Slack):
    """The payloads of the scenarios, sent to a process."""

    def __init__(self, stub: SlackStub, deliver: Deliver) -> None:
        self.stub = stub
        self.deliver = deliver
        self.slowest = 0.0

    def send(
        self,
        body: str,
        _secret: str = SECRET,
        *,
        kind: str = "application/x-www-form-urlencoded",
        extra: Mapping[str, Sequence[str]] | None = None,
    ) -> BoltResponse:
        """Deliver, and note how long the acknowledgement took."""
        started = time.monotonic()
        answer = self.deliver(body, kind)
        self.slowest = max(self.slowest, time.monotonic() - started)
        assert answer.status == 200, body[:200]
        return answer


@dataclass(frozen=True)
class Form:
    """A form as the process opened it, and what is filled in."""

    opens: Callable[[Remote], object]
    values: Mapping[str, Mapping[str, Any]]


def picked(value: str) -> dict[str, Any]:
    """A choice in a menu."""
    return {"type": "static_select", "selected_option": {"text": {"type": "plain_text", "text": value}, "value": value}}


def typed(value: str | None) -> dict[str, Any]:
    """Words in a field."""
    return {"type": "plain_text_input", "value": value}


def fields(**values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """State as Slack sends it: block, then element; both have one name here."""
    return {name: {name: value} for name, value in values.items()}


def step(remote: Remote, verb: str) -> BoltResponse:
    """A choice in the menu of the first step."""
    return remote.action("step_menu", selected_option={"value": f"{verb}:1"}, type="overflow")


ACTIONS: dict[str, Callable[[Remote], BoltResponse]] = {
    name: lambda remote, name=name, value=value: remote.action(name, value)
    for name, value in {
        "note_right": "1:1", "note_undo": "1:1", "note_retract": "1:1", "note_restore": "1:1", "note_fix": "1:1",
        "note_deal_0": "1:1:1", "choose_0": "1:0", "merge": "1:2", "undo_merge": "1", "share_answer": "1",
        "share_digest": "week", "send_again": "1", "health_picture": "acme-corp", "handoff_undo": "1",
        "step_reopen": "1", "home_done": "1", "home_reopen": "1", "home_log_call": "home",
        "open_digest_form": "home", "open_reminder_form": "home",
    }.items()
} | {
    "step_menu": lambda remote: step(remote, "done"),
    "account": lambda remote: remote.action("account", **picked("acme-corp"), block_id="account"),
}  # fmt: skip

FORMS: dict[str, Form] = {
    # First, for a mended note has other steps.
    "give_view": Form(
        lambda remote: step(remote, "give"), fields(who={"type": "users_select", "selected_user": "U0ANA0001"})
    ),
    "log_view": Form(
        lambda remote: remote.shortcut("log_message", "They want a longer trial"),
        fields(account=picked("acme-corp"), name=typed(None), text=typed("They want a longer trial")),
    ),
    "call_view": Form(
        lambda remote: remote.global_shortcut("log_call"),
        fields(
            account=picked("acme-corp"), name=typed(None), text=typed("They liked it"), kind=picked("call"),
            date={"type": "datepicker", "selected_date": None}, contact=typed(None), person=typed(None),
            seen={"type": "radio_buttons", "selected_option": {"value": "all"}},
            where={"type": "conversations_select", "selected_conversation": None},
        ),
    ),
    "fix_view": Form(lambda remote: remote.action("note_fix", "1:1"), fields(text=typed("They want a discount"))),
    "digest_view": Form(
        lambda remote: remote.command("/digest", "settings"),
        fields(
            channel={"type": "conversations_select", "selected_conversation": "C0001"},
            days={"type": "checkboxes", "selected_options": [{"value": "monday"}]},
            time={"type": "timepicker", "selected_time": "09:00"}, deals=picked("all"), language=picked("en"),
        ) | {"zone": {"digest_zone": picked("Europe/Berlin")}},
    ),
    "reminder_view": Form(
        lambda remote: remote.action("open_reminder_form", "home"),
        fields(state=picked("on"), quiet_from=picked("19"), quiet_to=picked("8")),
    ),
}  # fmt: skip

COMMANDS = {
    "/log": "+Acme Corp: Dana pushed back on pricing. I will send the report by Friday.",
    "/brief": "Acme Corp", "/recall": "Acme Corp: what about pricing?", "/timeline": "Acme Corp", "/next": "",
    "/digest": "", "/handoff": "Acme Corp <@U0ANA0001>", "/pipeline": "", "/account": "list", "/rapport": "help",
}  # fmt: skip

NUMBERS = count(1)


def event(kind: str, **told: Any) -> Callable[[Remote], BoltResponse]:
    """An event that has not been sent before."""
    return lambda remote: remote.event(kind, event_id=f"Ev{next(NUMBERS)}", **told)


EVENTS: dict[str, Callable[[Remote], BoltResponse]] = {
    "app_mention": event("app_mention", channel="C0001", ts="1.1", text="<@U0BOT0001> Acme Corp: what about pricing?"),
    "message": event("message", channel="D0001", channel_type="im", ts="1.2", text="Acme Corp: what about pricing?"),
    "app_home_opened": event("app_home_opened", channel="D0001", tab="home"),
    "member_joined_channel": event("member_joined_channel", channel="C0001", channel_type="C", user="U0BOT0001"),
}


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """What the app registers, by kind; a button of many places stands for them by its pattern."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}

    class Recording(App):
        """Bolt's app that writes down what is registered."""

    def recording(kind: str) -> Any:
        def register(self: App, name: Any, *args: Any, **more: Any) -> Any:
            found[kind].add(name.pattern if isinstance(name, re.Pattern) else str(name))
            return getattr(App, kind)(self, name, *args, **more)

        return register

    for kind in KINDS:
        setattr(Recording, kind, recording(kind))
    monkeypatch.setattr(slack_app, "App", Recording)
    config = StorageConfig(data_dir=tmp_path)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        desk = Desk(memory, PlainScribe())
        slack_app.build_app(desk, signing_secret=SECRET, bot_token="xoxb-test", api_url="http://127.0.0.1:9/")
    return found


def test_everything_that_is_registered_is_sent(registered: dict[str, set[str]]) -> None:
    """Nothing is heard that is not sent below, and nothing is sent that nobody hears."""

    def met(patterns: set[str], sent: Mapping[str, object]) -> bool:
        heard = all(any(re.fullmatch(pattern, name) for name in sent) for pattern in patterns)
        return heard and all(any(re.fullmatch(pattern, name) for pattern in patterns) for name in sent)

    assert registered["command"] == set(COMMANDS)
    assert registered["message_shortcut"] == {"log_message", "brief_message"}
    assert registered["global_shortcut"] == {"log_call"}
    assert registered["event"] == set(EVENTS)
    assert met(registered["action"], ACTIONS), registered["action"]
    assert registered["view"] == set(FORMS)
    assert registered["options"] == {"account", "digest_zone"}


@contextmanager
def over_http(folder: Path) -> Iterator[Remote]:
    """A process that listens on a port."""
    port = free_port()
    settings = {"SLACK_BOT_TOKEN": "xoxb-secret-token", "SLACK_SIGNING_SECRET": SECRET, "PORT": str(port)}

    def deliver(body: str, kind: str) -> BoltResponse:
        stamp = str(int(time.time()))
        signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body) or ""
        headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        request = Request(f"http://127.0.0.1:{port}/slack/events", body.encode(), headers)
        try:
            with urlopen(request, timeout=10) as answer:  # noqa: S310 - our own process
                return BoltResponse(status=answer.status, body=answer.read().decode())
        except HTTPError as error:
            return BoltResponse(status=error.code, body="")

    with running_stub() as stub, serving(folder, stub, **settings):
        posted(port, command_body("/rapport", "help", stub))  # waits until it listens
        yield Remote(stub, deliver)


@contextmanager
def in_socket_mode(folder: Path) -> Iterator[Remote]:
    """A process that is connected."""
    with running_socket() as socket_mode, running_stub() as stub:
        stub.more["apps.connections.open"] = {"url": socket_mode.url}
        settings = {"SLACK_BOT_TOKEN": "xoxb-secret-token", "SLACK_APP_TOKEN": "xapp-secret-token"}
        with serving(folder, stub, **settings):
            socket_mode.wait_for_connection(1)
            yield Remote(stub, lambda body, kind: enveloped(socket_mode, body, kind))


def enveloped(socket_mode: SocketStub, body: str, kind: str) -> BoltResponse:
    """Deliver as Socket Mode does; gives the payload of the acknowledgement."""
    number = f"e{next(NUMBERS)}"
    form = {} if "json" in kind else dict(parse_qsl(body, keep_blank_values=True))
    shape = "events_api" if "json" in kind else "interactive" if "payload" in form else "slash_commands"
    payload = json.loads(body) if "json" in kind else json.loads(form["payload"]) if "payload" in form else form
    told = {"retry_attempt": 0, "retry_reason": ""}
    socket_mode.send({
        "envelope_id": number, "type": shape, "accepts_response_payload": shape != "events_api", "payload": payload,
    } | told)  # fmt: skip
    return BoltResponse(status=200, body=json.dumps(socket_mode.wait_for(number)))


@pytest.mark.parametrize("serve", [over_http, in_socket_mode])
def test_every_surface_of_a_process_is_acknowledged_and_answered(serve: Any, tmp_path: Path) -> None:
    """All of it within three seconds each; every command gets an answer; nothing goes wrong and no word is logged."""
    with serve(tmp_path) as remote:
        for name, text in COMMANDS.items():
            before = said(remote)
            remote.command(name, text, trigger=f"t{name}", user_id=REP)
            wait_for(lambda before=before: said(remote) > before, f"an answer to {name}")  # type: ignore[misc]
        for send in EVENTS.values():
            send(remote)
        remote.stub.wait_for("views.publish", 1, 20)
        for callback in ("log_message", "brief_message"):
            remote.shortcut(callback, "Acme Corp wants a longer trial")
        for name, form in FORMS.items():
            opened = len(forms(remote))
            form.opens(remote)
            wait_for(lambda opened=opened: len(forms(remote)) > opened, name)  # type: ignore[misc]
            wait_for(lambda name=name: forms(remote)[-1].get("callback_id") == name, name)  # type: ignore[misc]
            answer = remote.submit(forms(remote)[-1], dict(form.values))
            assert "errors" not in answer.body, (name, answer.body)
        assert "Acme Corp" in remote.options("account", "acm").body
        assert "Europe/Berlin" in remote.options("digest_zone", "berl").body
        for act in ACTIONS.values():
            act(remote)
        remote.command("/timeline", "Acme Corp", trigger="last", user_id=REP)
        wait_for(lambda: "longer trial" in json.dumps(remote.stub.of("respond")[-1:]), "the last answer")
        assert remote.slowest < IN_TIME
    log = (tmp_path / "log").read_text()
    assert not re.search(r"\bERROR\b|Traceback|reference", log), log
    assert "secret-token" not in log
    assert "longer trial" not in log


def said(remote: Remote) -> int:
    """How much has been said to people."""
    return sum(len(remote.stub.of(method)) for method in ("respond", "chat.postMessage", "chat.postEphemeral"))


def forms(remote: Remote) -> list[dict[str, Any]]:
    """The forms that were opened or filled, oldest first."""
    calls = [body for method, body in list(remote.stub.calls) if method in ("views.open", "views.update")]
    return [body["view"] for body in calls]


def wait_for(holds: Callable[[], bool], what: str) -> None:
    """Until it holds, within twenty seconds."""
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.02)
