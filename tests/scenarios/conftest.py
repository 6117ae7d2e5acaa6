"""The real App over a real desk, with signed payloads going in and a local stub taking what comes out."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.desk import Desk, Viewer
from bot.samples import ACME
from bot.scribe_plain import PlainScribe
from bot.slack.app import build_app
from bot.slack.guard import Guard
from storage import Memory, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from tests.scenarios.slack_stub import SlackStub, running_stub

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
REP = Viewer("T0001", "U0REP")


@dataclass
class Slack:
    """One workspace under test."""

    app: App
    desk: Desk
    stub: SlackStub
    memory: Memory

    def command(self, name: str, text: str, *, trigger: str = "1.2.abc", **changes: Any) -> BoltResponse:
        """A slash command, with every key Slack sends."""
        body = {
            "token": "legacy", "team_id": "T0001", "team_domain": "sales", "channel_id": "C0001",
            "channel_name": "deals", "user_id": "U0REP", "user_name": "rep", "command": name, "text": text,
            "api_app_id": "A0001", "is_enterprise_install": "false", "trigger_id": trigger,
            "response_url": self.stub.url + "respond",
        } | changes  # fmt: skip
        return self.send(urlencode(body))

    def shortcut(self, callback: str, text: str, **message: Any) -> BoltResponse:
        """A message shortcut, with every key Slack sends."""
        payload = {
            "type": "message_action", "token": "legacy", "action_ts": "1700000100.000001", "callback_id": callback,
            "team": {"id": "T0001", "domain": "sales"}, "user": {"id": "U0REP", "name": "rep", "team_id": "T0001"},
            "channel": {"id": "C0001", "name": "deals"}, "is_enterprise_install": False, "enterprise": None,
            "trigger_id": "1.2.abc", "response_url": self.stub.url + "respond", "message_ts": "1700000050.000100",
            "message": {
                "type": "message", "user": "U0CUST", "ts": "1700000050.000100", "text": text, "team": "T0001",
                "blocks": [], "client_msg_id": "c1",
            } | message,
        }  # fmt: skip
        return self.send(urlencode({"payload": json.dumps(payload)}))

    def submission(self, view: dict[str, Any], *, account: str = "", name: str = "", text: str = "") -> BoltResponse:
        """The form sent back, with every key Slack sends."""
        chosen = {"text": {"type": "plain_text", "text": account}, "value": account} if account else None
        values = {
            "account": {"account": {"type": "static_select", "selected_option": chosen}},
            "name": {"name": {"type": "plain_text_input", "value": name or None}},
            "text": {"text": {"type": "plain_text_input", "value": text or None}},
        }
        payload = {
            "type": "view_submission", "team": {"id": "T0001", "domain": "sales"}, "api_app_id": "A0001",
            "token": "legacy", "trigger_id": "1.2.abc", "response_urls": [], "is_enterprise_install": False,
            "enterprise": None, "user": {"id": "U0REP", "username": "rep", "name": "rep", "team_id": "T0001"},
            "view": view | {"id": "V1", "team_id": "T0001", "hash": "h", "state": {"values": values}},
        }  # fmt: skip
        return self.send(urlencode({"payload": json.dumps(payload)}))

    def event(self, kind: str, *, event_id: str = "Ev1", retry: bool = False, **fields: Any) -> BoltResponse:
        """An event, with every key Slack sends around it."""
        inner = {"type": kind, "user": "U0REP", "event_ts": "1700000300.000001"} | fields
        body = json.dumps({
            "token": "legacy", "team_id": "T0001", "context_team_id": "T0001", "context_enterprise_id": None,
            "api_app_id": "A0001", "event": inner, "type": "event_callback", "event_id": event_id,
            "event_time": 1700000300, "is_ext_shared_channel": False, "event_context": "4-ctx",
            "authorizations": [{
                "enterprise_id": None, "team_id": "T0001", "user_id": "U0BOT0001", "is_bot": True,
                "is_enterprise_install": False,
            }],
        })  # fmt: skip
        return self.send(body, kind="application/json", extra={"x-slack-retry-num": ["1"]} if retry else {})

    def mention(self, text: str, **fields: Any) -> BoltResponse:
        """Somebody names the app in a channel."""
        told = {"channel": "C0001", "ts": "1700000300.000001", "text": f"<@U0BOT0001> {text}", "team": "T0001"}
        return self.event("app_mention", **(told | {"client_msg_id": "m1", "blocks": []} | fields))

    def message(self, text: str, **fields: Any) -> BoltResponse:
        """A direct message to the app."""
        told = {"channel": "D0001", "channel_type": "im", "ts": "1700000300.000001", "text": text, "team": "T0001"}
        return self.event("message", **(told | {"client_msg_id": "m1", "blocks": []} | fields))

    def global_shortcut(self, callback: str) -> BoltResponse:
        """A shortcut used from anywhere, with every key Slack sends."""
        payload = {
            "type": "shortcut", "token": "legacy", "action_ts": "1700000100.000001", "callback_id": callback,
            "team": {"id": "T0001", "domain": "sales"}, "user": {"id": "U0REP", "username": "rep", "team_id": "T0001"},
            "is_enterprise_install": False, "enterprise": None, "trigger_id": "1.2.abc",
        }  # fmt: skip
        return self.send(urlencode({"payload": json.dumps(payload)}))

    def options(self, action_id: str, typed: str) -> BoltResponse:
        """What a type-ahead asks for, with every key Slack sends."""
        payload = {
            "type": "block_suggestion", "token": "legacy", "action_id": action_id, "block_id": "account",
            "value": typed, "team": {"id": "T0001", "domain": "sales"}, "api_app_id": "A0001", "enterprise": None,
            "user": {"id": "U0REP", "name": "rep", "team_id": "T0001"}, "is_enterprise_install": False,
            "container": {"type": "view", "view_id": "V1"}, "view": {"id": "V1", "type": "modal"},
        }  # fmt: skip
        return self.send(urlencode({"payload": json.dumps(payload)}))

    def submit(self, view: dict[str, Any], values: dict[str, Any]) -> BoltResponse:
        """A form sent back with these values, with every key Slack sends."""
        payload = {
            "type": "view_submission", "team": {"id": "T0001", "domain": "sales"}, "api_app_id": "A0001",
            "token": "legacy", "trigger_id": "1.2.abc", "response_urls": [], "is_enterprise_install": False,
            "enterprise": None, "user": {"id": "U0REP", "username": "rep", "name": "rep", "team_id": "T0001"},
            "view": view | {"id": "V1", "team_id": "T0001", "hash": "h", "state": {"values": values}},
        }  # fmt: skip
        return self.send(urlencode({"payload": json.dumps(payload)}))

    def action(self, action_id: str, value: str = "", **more: Any) -> BoltResponse:
        """A click on a button under a message of ours (or a choice: `selected_option`), with every key Slack sends."""
        clicked = {"type": "button", "action_id": action_id, "block_id": "b1", "action_ts": "1700000200.000001"}
        payload = {
            "type": "block_actions", "token": "legacy", "api_app_id": "A0001", "is_enterprise_install": False,
            "enterprise": None, "team": {"id": "T0001", "domain": "sales"}, "state": {"values": {}},
            "user": {"id": "U0REP", "username": "rep", "name": "rep", "team_id": "T0001"},
            "container": {
                "type": "message", "message_ts": "1700000190.000001", "channel_id": "C0001", "is_ephemeral": True,
            },
            "trigger_id": "1.2.abc", "channel": {"id": "C0001", "name": "deals"},
            "response_url": self.stub.url + "respond",
            "actions": [clicked | ({"value": value} if value else {}) | more],
        }  # fmt: skip
        return self.send(urlencode({"payload": json.dumps(payload)}))

    def interact(self, payload: Mapping[str, Any]) -> BoltResponse:
        """Any interaction, given whole."""
        return self.send(urlencode({"payload": json.dumps(payload)}))

    def send(
        self,
        body: str,
        secret: str = SECRET,
        *,
        kind: str = "application/x-www-form-urlencoded",
        extra: Mapping[str, Sequence[str]] | None = None,
    ) -> BoltResponse:
        """A signed delivery through the real app."""
        stamp = str(int(time.time()))
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
        headers: dict[str, str | Sequence[str]] = {
            "content-type": [kind],
            **(extra or {}),
            "x-slack-request-timestamp": [stamp],
            "x-slack-signature": [signature or ""],
        }
        return self.app.dispatch(BoltRequest(body=body, headers=headers))

    def renewed(self) -> "Slack":
        """The same workspace behind a new app: nothing of what Slack said is remembered."""
        app = build_app(self.desk, signing_secret=SECRET, bot_token="xoxb-test-token", api_url=self.stub.url)
        return Slack(app, self.desk, self.stub, self.memory)

    def finished(self) -> None:
        """Return when everything that was sent has been worked through. This app takes nothing more afterwards."""
        self.app.listener_runner.listener_executor.shutdown(wait=True)


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    """The app over a memory that knows Acme Corp."""
    config = StorageConfig(data_dir=tmp_path)
    with running_stub() as stub, open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        desk = Desk(memory, PlainScribe())
        memory.of("T0001").import_payload(ACME)
        guard = Guard()
        # The rep was here a minute ago; whoever else asks is not met yet.
        guard.meet("T0001", {"id": "U0REP", "team_id": "T0001", "tz": "Europe/Berlin"})
        app = build_app(desk, signing_secret=SECRET, bot_token="xoxb-test-token", api_url=stub.url, guard=guard)
        yield Slack(app, desk, stub, memory)
