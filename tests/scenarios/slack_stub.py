"""An honest stub of Slack's Web API on 127.0.0.1: it answers in Slack's shapes and keeps what it was sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass
class SlackStub:
    """What was called, in order; `refuse` maps a method to the error it answers with."""

    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    more: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def take(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Keep a call and answer it."""
        with self.arrived:
            self.calls.append((method, body))
            number = len(self.of(method))
            self.arrived.notify_all()
        if method in self.refuse:
            return {"ok": False, "error": self.refuse[method]}
        return {"ok": True} | self._answer(method, body, number)

    def _answer(self, method: str, body: dict[str, Any], number: int) -> dict[str, Any]:
        channel, user = str(body.get("channel")), str(body.get("user"))
        answers: dict[str, dict[str, Any]] = {
            "chat.postMessage": {"channel": channel, "ts": f"1700000000.{number:06d}", "message": {}},
            "views.open": {"view": {"id": "V1"}},
            "users.conversations": {
                "channels": [{"id": c} for c, people in self.members.items() if user in people],
                "response_metadata": {"next_cursor": ""},
            },
            "files.getUploadURLExternal": {"upload_url": self.url + "upload", "file_id": "F1"},
            "files.completeUploadExternal": {"files": [{"id": "F1"}]},
            "users.list": {
                "members": [_user(person) | said for person, said in self.people.items()],
                "response_metadata": {"next_cursor": ""},
            },
            "users.info": {"user": _user(user) | self.people.get(user, {})},
            "conversations.info": {"channel": _channel(channel) | self.channels.get(channel, {})},
            "conversations.members": {
                "members": self.members.get(channel, []),
                "response_metadata": {"next_cursor": ""},
            },
            "auth.test": {"team_id": "T0001", "user_id": "U0BOT0001", "bot_id": "B0BOT0001"},
        }
        return self.more.get(method) or answers.get(method, {})

    def wait_for(self, method: str, count: int = 1, seconds: float = 10.0) -> list[dict[str, Any]]:
        """The bodies of at least `count` calls of a method, waited for."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.of(method)) >= count, seconds), [c for c, _ in self.calls]
            return self.of(method)

    def of(self, method: str) -> list[dict[str, Any]]:
        """The bodies of a method's calls so far."""
        return [body for name, body in self.calls if name == method]


@contextmanager
def running_stub() -> Iterator[SlackStub]:
    """A stub that serves until left."""
    stub = SlackStub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
            answer = json.dumps(stub.take(self.path.strip("/").removeprefix("api/"), _body(raw))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub.url = f"http://127.0.0.1:{server.server_port}/api/"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield stub
        server.shutdown()
        thread.join()


def _user(user: str) -> dict[str, Any]:
    """A full member of the workspace, with the keys Slack sends."""
    return {
        "id": user, "team_id": "T0001", "name": user.lower(), "deleted": False, "real_name": "A Rep", "is_bot": False,
        "tz": "Europe/Berlin", "tz_label": "Central European Time", "tz_offset": 3600, "is_admin": False,
        "is_owner": False, "is_restricted": False, "is_ultra_restricted": False, "is_app_user": False,
        "profile": {"real_name": "A Rep", "display_name": "rep", "team": "T0001"}, "updated": 1700000000,
    }  # fmt: skip


def _channel(channel: str) -> dict[str, Any]:
    """A channel, private when its id begins with G, with the keys Slack sends."""
    private = channel.startswith("G")
    return {
        "id": channel, "name": "deals", "is_channel": not private, "is_group": private, "is_im": False,
        "is_mpim": False,
        "is_private": private, "is_archived": False, "is_general": False, "is_shared": False, "is_ext_shared": False,
        "is_org_shared": False, "is_pending_ext_shared": False, "pending_shared": [], "is_member": True,
        "context_team_id": "T0001", "created": 1700000000, "creator": "U0REP", "num_members": 3,
    }  # fmt: skip


def _body(raw: str) -> dict[str, Any]:
    if raw.startswith("{"):
        return dict(json.loads(raw))
    values = {name: value[0] for name, value in parse_qs(raw).items()}
    return {name: json.loads(value) if value[:1] in "[{" else value for name, value in values.items()}
