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
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def take(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Keep a call and answer it."""
        with self.arrived:
            self.calls.append((method, body))
            number = len(self.calls)
            self.arrived.notify_all()
        if method in self.refuse:
            return {"ok": False, "error": self.refuse[method]}
        if method == "chat.postMessage":
            return {"ok": True, "channel": body.get("channel"), "ts": f"1700000000.{number:06d}", "message": {}}
        if method == "views.open":
            return {"ok": True, "view": {"id": "V1"}}
        return {"ok": True}

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
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
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
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield stub
        server.shutdown()
        thread.join()


def _body(raw: str) -> dict[str, Any]:
    if raw.startswith("{"):
        return dict(json.loads(raw))
    values = {name: value[0] for name, value in parse_qs(raw).items()}
    return {name: json.loads(value) if value[:1] in "[{" else value for name, value in values.items()}
