"""Anthropic's wire as a local function under the real SDK: bodies in the API's shapes, with every field it sends."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2

from bot.claude import Claude, Use
from bot.scribe_claude import ClaudeScribe
from bot.scribe_plain import PlainScribe

KEY = "sk-ant-api03-test-key-that-must-not-leak"
Json = dict[str, Any]


def message(text: str, stop_reason: str = "end_turn", *, thinking: bool = True) -> Json:
    """A message as the API answers it: the first block is usually thinking."""
    thought = [{"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"}] if thinking else []
    return {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5",
        "container": None, "diagnostics": None, "stop_sequence": None, "stop_reason": stop_reason,
        "stop_details": _details(stop_reason),
        "content": [*thought, *([{"type": "text", "text": text, "citations": None}] if text else [])],
        "usage": {
            "input_tokens": 900, "output_tokens": 120, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 0},
            "server_tool_use": None, "service_tier": "standard", "inference_geo": "global", "speed": None,
            "output_tokens_details": {"thinking_tokens": 40},
        },
    }  # fmt: skip


def _details(stop_reason: str) -> Json | None:
    told = {"type": "refusal", "category": "general_harms", "explanation": "This cannot be helped with."}
    return told if stop_reason == "refusal" else None


def error(status: int, kind: str, **headers: str) -> httpx2.Response:
    """An error as the API answers it."""
    body = {"type": "error", "error": {"type": kind, "message": "no", "details": None}, "request_id": "req_011"}
    return httpx2.Response(status, json=body, headers={"request-id": "req_011", **headers})


def said(*claims: tuple[str, list[str], str], action: str = "", cites: tuple[str, ...] = (), quote: str = "") -> str:
    """A brief as the model gives it."""
    made = [{"text": text, "cites": cited, "quote": words} for text, cited, words in claims]
    return json.dumps({"claims": made, "action": action, "action_cites": list(cites), "action_quote": quote})


GOOD = said(
    ("The budget is the first hurdle.", ["N1"], "budget is frozen until Q3"),
    ("She wants to try it.", ["N3", "N4"], "asked for a pilot with one region"),
    action="Send a migration plan before the pilot starts",
    cites=("N4",),
    quote="nervous about data migration",
)


FAILURES: dict[str, list[Any]] = {
    "refusal": [message("", "refusal")],
    "truncation": [message('{"claims": [{"te', "max_tokens")],
    "too much to read": [message("", "model_context_window_exceeded")],
    "another shape": [message('{"claims": 3}')],
    "broken body": [httpx2.Response(200, text='{"id": "msg_', headers={"content-type": "application/json"})],
    "long retry-after": [error(429, "rate_limit_error", **{"retry-after": "3600"})],
    "overloaded": [error(529, "overloaded_error")],
    "server error": [error(500, "api_error")],
    "timeout": [httpx2.ReadTimeout("slow")],
    "connection cut": [httpx2.ReadError("cut")],
    "wrong key": [error(401, "authentication_error")],
    "bad request": [error(400, "invalid_request_error")],
    "too long a request": [error(413, "request_too_large")],
    "a gateway's page": [httpx2.Response(200, text="<html>Sign in</html>", headers={"content-type": "text/html"})],
    "an empty object": [httpx2.Response(200, json={})],
    "a list": [httpx2.Response(200, json=[])],
    "no content": [httpx2.Response(200, json=message(GOOD) | {"content": None})],
    "no usage": [httpx2.Response(200, json=message(GOOD) | {"usage": None})],
    "not utf-8": [httpx2.Response(200, content=b'{"id": "\xff\xfe"}', headers={"content-type": "application/json"})],
    "another stop": [message('{"claims": [', "pause_turn")],
}
"""What goes wrong, by name, as the API or the way to it would have it."""


@dataclass
class Wire:
    """Answers each request with the next of `answers` (the last one for ever) and keeps what was asked."""

    answers: list[Any]
    asked: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(json.loads(request.content))
        self.headers.append(dict(request.headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Callable):  # type: ignore[arg-type] # an answer may be made from the question
            answer = answer(self.asked[-1])
        if isinstance(answer, httpx2.Response):
            return answer
        return httpx2.Response(200, json=answer, headers={"request-id": "req_011"})

    def scribe(self, *, deadline: float = 5.0, allowed: bool = True) -> ClaudeScribe:
        """The scribe over this wire, through the real SDK."""
        return ClaudeScribe(self.claude(deadline=deadline, allowed=allowed), PlainScribe())

    def claude(self, *, deadline: float = 5.0, allowed: bool = True) -> Claude:
        """Claude over this wire."""
        client = httpx2.Client(transport=httpx2.MockTransport(self))
        return Claude(KEY, deadline=deadline, allowed=lambda: allowed, on_use=self.uses.append, http_client=client)


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler, Json], None]) -> Iterator[str]:
    """The API on 127.0.0.1, for processes under test; gives its base URL. `answer` writes the response to a body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def send(handler: BaseHTTPRequestHandler, body: Json, status: int = 200) -> None:
    """A response in one piece."""
    raw = json.dumps(body).encode()
    handler.send_response(status)
    for name, value in (("content-type", "application/json"), ("request-id", "req_011"), ("content-length", len(raw))):
        handler.send_header(name, str(value))
    handler.end_headers()
    handler.wfile.write(raw)
