"""`python -m bot serve` as a process, over HTTP and in Socket Mode, against a local Slack."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from slack_sdk.signature import SignatureVerifier

from tests.acceptance.socket_stub import running_socket
from tests.scenarios.slack_stub import SlackStub, running_stub

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
ROOT = Path(__file__).parents[2]


def command(name: str, text: str, stub: SlackStub, trigger: str = "1.2.abc") -> dict[str, str]:
    """A slash command, with every key Slack sends."""
    return {
        "token": "legacy", "team_id": "T0001", "team_domain": "sales", "channel_id": "C0001", "channel_name": "deals",
        "user_id": "U0REP0001", "user_name": "rep", "command": name, "text": text, "api_app_id": "A0001",
        "is_enterprise_install": "false", "trigger_id": trigger, "response_url": stub.url + "respond",
    }  # fmt: skip


@contextmanager
def serving(folder: Path, stub: SlackStub, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """The server as a process of its own, ended by its id."""
    environment = {"PATH": os.environ["PATH"], "RAPPORT_DATA_DIR": str(folder), "SLACK_API_URL": stub.url} | settings
    argv = [sys.executable, "-m", "bot", "serve"]
    with (folder / "log").open("w") as out:
        process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=out, stderr=out, text=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)


def posted(port: int, body: dict[str, str], secret: str = SECRET) -> tuple[int, str]:
    """A signed delivery over HTTP; waits for the server to listen."""
    raw, stamp = urlencode(body), str(int(time.time()))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": SignatureVerifier(secret).generate_signature(timestamp=stamp, body=raw) or "",
    }
    request = Request(f"http://127.0.0.1:{port}/slack/events", raw.encode(), headers)
    until = time.monotonic() + 30
    while True:
        try:
            with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                return answer.status, answer.read().decode()
        except URLError as error:
            if hasattr(error, "code"):
                return int(error.code), ""
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_over_http_a_note_is_kept_and_a_brief_is_posted(tmp_path: Path) -> None:
    """Signed commands are answered, a wrong signature is not, the brief arrives in a thread, and no token is logged."""
    port = free_port()
    settings = {"SLACK_BOT_TOKEN": "xoxb-secret-token", "SLACK_SIGNING_SECRET": SECRET, "PORT": str(port)}
    with running_stub() as stub, serving(tmp_path, stub, **settings):
        status, said = posted(port, command("/log", "+Acme Corp: Dana pushed back on annual pricing.", stub))
        # Whoever Slack has not told of yet gets the receipt when it has.
        assert (status, "One moment" in said) == (200, True)
        assert "Logged on" in json.dumps(stub.wait_for("respond", 1, 20))
        assert posted(port, command("/log", "+Acme Corp: forged", stub, "2"), secret="0" * 32)[0] == 401
        assert posted(port, command("/brief", "Acme Corp", stub, "3"))[0] == 200
        parent, reply = stub.wait_for("chat.postMessage", 2, 20)[:2]
        assert reply["thread_ts"] == "1700000000.000001"
        assert "annual pricing" in json.dumps(reply)
        assert parent["channel"] == "C0001"
    log = (tmp_path / "log").read_text()
    assert "xoxb" not in log
    assert "pricing" not in log


def test_in_socket_mode_a_note_is_kept_and_a_lost_connection_is_made_anew(tmp_path: Path) -> None:
    """Envelopes are acknowledged with the answer; cut off, the app connects again and goes on."""
    with running_socket() as socket_mode, running_stub() as stub:
        stub.more["apps.connections.open"] = {"url": socket_mode.url}
        settings = {"SLACK_BOT_TOKEN": "xoxb-secret-token", "SLACK_APP_TOKEN": "xapp-secret-token"}
        with serving(tmp_path, stub, **settings):
            socket_mode.wait_for_connection(1)
            socket_mode.send(envelope("e1", command("/log", "+Acme Corp: They want a longer trial.", stub)))
            assert "One moment" in json.dumps(socket_mode.wait_for("e1"))
            assert "Logged on" in json.dumps(stub.wait_for("respond", 1, 20))
            socket_mode.cut()
            socket_mode.wait_for_connection(2)
            socket_mode.send(envelope("e2", command("/timeline", "Acme Corp", stub, "2")))
            socket_mode.wait_for("e2")
            assert "longer trial" in json.dumps(stub.wait_for("respond", 2, 20)[1])
    log = (tmp_path / "log").read_text()
    assert "secret-token" not in log
    assert "longer trial" not in log


def envelope(number: str, payload: dict[str, str]) -> dict[str, Any]:
    """What Socket Mode wraps a delivery in."""
    return {
        "envelope_id": number, "type": "slash_commands", "accepts_response_payload": True, "payload": payload,
        "retry_attempt": 0, "retry_reason": "",
    }  # fmt: skip
