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
        client = httpx2.Client(transport=httpx2.MockTransport(self))
        claude = Claude(KEY, deadline=deadline, allowed=lambda: allowed, on_use=self.uses.append, http_client=client)
        return ClaudeScribe(claude, PlainScribe())


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
        thread = threading.Thread(target=server.serve_forever, daemon=True)
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
