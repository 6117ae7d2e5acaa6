"""The wire to Claude: what is sent, what comes back with all its fields, and how long and how many may ask."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import monotonic
from typing import Any, get_args

import anthropic
import httpx2
import pytest
from anthropic.types import Message, Usage
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.shared import ErrorResponse
from pydantic import BaseModel, ConfigDict, TypeAdapter

from bot.claude import PATIENCE_FAILS, Claude, Unavailable, request
from bot.scribe_claude import Jobs, SaidAnswer, SaidBrief, SaidDigest, SeenNote
from tests.bot.claude_wire import KEY, Json, Wire, error, message, send, serving

JOBS = Jobs()
SHAPES: dict[str, type[BaseModel]] = {"read": SeenNote, "brief": SaidBrief, "digest": SaidDigest, "answer": SaidAnswer}
FINE = message(json.dumps({"signals": []}))


def ask(claude: Claude) -> SeenNote:
    """One question."""
    return claude.ask(JOBS.read, "<note>hello</note>", SeenNote)


def over(wire: Wire, **more: Any) -> Claude:
    """The wire to Claude over a transport of ours, under the real SDK."""
    return Claude(KEY, http_client=httpx2.Client(transport=httpx2.MockTransport(wire)), **more)


# --- what is sent ---


@pytest.mark.parametrize("name", SHAPES)
def test_each_jobs_request_is_in_the_apis_schema(name: str) -> None:
    """All four validate against the SDK's types, without a key the API does not know."""
    body = request(getattr(JOBS, name), "<note>hello</note>", SHAPES[name])
    TypeAdapter(MessageCreateParamsNonStreaming).validate_python(body, strict=False)
    assert body.keys() <= MessageCreateParamsNonStreaming.__annotations__.keys() | set(_inherited())
    assert {"model", "max_tokens", "messages", "system", "output_config"} == body.keys()
    assert body["output_config"].keys() == {"effort", "format"}


def _inherited() -> Iterator[str]:
    for base in getattr(MessageCreateParamsNonStreaming, "__orig_bases__", ()):
        yield from base.__annotations__


@pytest.mark.parametrize("name", SHAPES)
def test_each_jobs_schema_is_one_the_grammar_takes(name: str) -> None:
    """Objects that are closed, with every field required; no unions, no recursion; the same bytes each time."""
    first, again = (
        json.dumps(request(getattr(JOBS, name), text, SHAPES[name])["output_config"], sort_keys=True)
        for text in ("one", "another")
    )
    assert first == again
    assert not {"anyOf", "oneOf", "allOf"} & set(_keys(json.loads(first)))
    for made in _objects(json.loads(first)):
        assert made["additionalProperties"] is False
        assert set(made["required"]) == set(made["properties"])


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from _keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from _keys(each)


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        if value.get("type") == "object":
            yield value
        for each in value.values():
            yield from _objects(each)


def test_a_gateway_is_asked_in_place_of_the_api(tmp_path: Path) -> None:
    """ANTHROPIC_BASE_URL: a real connection to an address of ours, with the key as the SDK sends it."""
    seen: list[tuple[str, str]] = []

    def answer(handler: BaseHTTPRequestHandler, _body: Json) -> None:
        told = f"{handler.headers.get('x-api-key')} {handler.headers.get('authorization')}"
        seen.append((handler.path, told))
        send(handler, FINE)

    with serving(answer) as url:
        claude = Claude(KEY, base_url=url, deadline=60)
        assert ask(claude).signals == []
        claude.close()
    (path, told) = seen[0]
    assert path == "/v1/messages"
    assert KEY in told


# --- what comes back ---


def closed(shape: type[BaseModel]) -> type[BaseModel]:
    """The SDK's type, taking no field that it does not know."""
    return type(shape.__name__, (shape,), {"model_config": ConfigDict(extra="forbid"), "__module__": shape.__module__})


@pytest.mark.parametrize("stop", ["end_turn", "refusal", "max_tokens"])
def test_our_recorded_messages_have_every_field_of_the_apis(stop: str) -> None:
    """No field of the SDK's types is missing, at the top, in blocks, use or refusal; none is made up."""
    body = message("{}", stop)
    assert set(Message.model_fields) == set(body)
    assert set(Usage.model_fields) == set(body["usage"])
    closed(Message).model_validate(body)
    known = {get_args(block.model_fields["type"].annotation)[0]: block for block in _blocks()}
    for block in body["content"]:
        assert set(known[block["type"]].model_fields) == set(block)
    assert set(anthropic.types.CacheCreation.model_fields) == set(body["usage"]["cache_creation"])
    if stop == "refusal":
        assert set(anthropic.types.RefusalStopDetails.model_fields) == set(body["stop_details"])


def _blocks() -> Iterator[type[BaseModel]]:
    yield from (anthropic.types.TextBlock, anthropic.types.ThinkingBlock)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"),
     (404, "not_found_error"), (429, "rate_limit_error"), (500, "api_error"), (529, "overloaded_error")],
)  # fmt: skip
def test_our_recorded_errors_are_the_apis(status: int, kind: str) -> None:
    """Each is an error of the SDK's own kind, with the request's id."""
    body = error(status, kind).json()
    parsed = ErrorResponse.model_validate(body)
    assert (parsed.error.type, parsed.request_id) == (kind, "req_011")
    assert set(ErrorResponse.model_fields) == set(body)
    assert set(type(parsed.error).model_fields) <= set(body["error"])


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, "authentication_error", "refused the key"),
        (403, "permission_error", "refused the key"),
        (404, "not_found_error", "refused the request"),
        (429, "rate_limit_error", "asked for too much"),
        (529, "overloaded_error", "overloaded"),
        (413, "request_too_large", "too much to read"),
    ],
)
def test_each_error_is_said_in_a_few_words(status: int, kind: str, words: str) -> None:
    """What the rep reads says what to do or that it passes, and nothing of the response."""
    with pytest.raises(Unavailable, match=words):
        ask(over(Wire([error(status, kind, **{"retry-after": "3600"})]), deadline=30))


# --- in time, and in company ---


def test_a_long_retry_after_is_not_waited_for() -> None:
    """An hour was asked for: the question is given up at once, with one request sent."""
    wire = Wire([error(429, "rate_limit_error", **{"retry-after": "3600"})])
    with pytest.raises(Unavailable):
        ask(over(wire, deadline=3000))
    assert len(wire.asked) == 1


def test_no_more_than_so_many_are_asked_side_by_side() -> None:
    """Eight ask at once, two lanes: never three at the wire, and all are answered."""
    now, most, lock, enough = 0, 0, threading.Lock(), threading.Barrier(2)

    def answer(_body: Json) -> Json:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        enough.wait(60)
        with lock:
            now -= 1
        return FINE

    claude = over(Wire([answer]), deadline=90, at_a_time=2)
    done: list[SeenNote] = []
    threads = [threading.Thread(target=lambda: done.append(ask(claude))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, len(done)) == (2, 8)


def test_a_question_that_found_no_lane_is_not_taken_for_silence() -> None:
    """The one lane is busy for longer than the deadline: those who wait are told so, and it is asked again after."""
    gate, taken = threading.Event(), threading.Event()

    def answer(_body: Json) -> Json:
        taken.set()
        assert gate.wait(60)
        return FINE

    claude = over(Wire([answer]), deadline=3, at_a_time=1)
    claude._made()
    waiting: list[str] = []

    def wait() -> None:
        try:
            ask(claude)
        except Unavailable as error:
            waiting.append(str(error))

    threads = [threading.Thread(target=wait) for _ in range(PATIENCE_FAILS + 2)]
    threads[0].start()
    assert taken.wait(60)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waiting) == ["it did not answer in time"] + ["too many questions are waiting for it"] * 4
    gate.set()
    claude._lanes.shutdown(wait=True)
    assert claude._asked_again_at < monotonic(), "nobody is sent away"


def test_after_silence_nobody_is_kept_waiting_for_a_while() -> None:
    """Three questions without a word: the next is answered by rules at once. An answer in between starts anew."""
    silence = httpx2.ReadTimeout("slow")
    wire = Wire([silence, silence, FINE, silence])
    claude = over(wire, deadline=3)
    for _ in range(2):
        with pytest.raises(Unavailable):
            ask(claude)
    ask(claude)
    for _ in range(PATIENCE_FAILS):
        with pytest.raises(Unavailable, match="in time"):
            ask(claude)
    asked = len(wire.asked)
    with pytest.raises(Unavailable, match="not answered for a while"):
        ask(claude)
    assert len(wire.asked) == asked


def test_an_answer_that_drips_ends_too() -> None:
    """A byte now and then keeps any single read from timing out: the lane is free again soon after the deadline."""
    ended = threading.Event()

    def answer(handler: BaseHTTPRequestHandler, _body: Json) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.end_headers()
        try:
            while not ended.wait(0.05):
                handler.wfile.write(b" ")
                handler.wfile.flush()
        except OSError:
            ended.set()

    with serving(answer) as url:
        claude = Claude(KEY, base_url=url, deadline=4, at_a_time=1)
        with pytest.raises(Unavailable, match="in time"):
            ask(claude)
        assert ended.wait(60), "the connection was kept"
        claude.close()


def test_nothing_of_the_bot_loads_the_sdk_without_a_key(tmp_path: Path) -> None:
    """Every module imported, a desk opened and asked: `anthropic` is not loaded."""
    code = """
import importlib, pkgutil, sys
from pathlib import Path
import bot
for module in pkgutil.walk_packages(bot.__path__, "bot."):
    importlib.import_module(module.name)
from bot import wiring
from bot.settings import Settings
settings = Settings(rapport_data_dir=Path(sys.argv[1]))
with wiring.open_desk(settings) as desk:
    who = wiring.viewer(settings)
    desk.log_line(who, "+Acme Corp: they want a discount")
    desk.brief(who, "Acme Corp"); desk.digest(who); desk.in_words(who, desk.recall_line(who, "Acme Corp: discount?"))
sys.exit("anthropic" in sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_the_jobs_are_what_the_settings_say() -> None:
    """Models, effort and tokens come from the settings, each to its job."""
    from bot.settings import Settings
    from bot.wiring import jobs

    made = jobs(
        Settings(
            rapport_model_read="r", rapport_model_words="w", rapport_effort="high", rapport_llm_tokens_read=1,
            rapport_llm_tokens_words=2, rapport_llm_tokens_digest=3,
        )
    )  # fmt: skip
    assert made.read == replace(JOBS.read, model="r", effort="high", max_tokens=1)
    assert made.brief == replace(JOBS.brief, model="w", effort="high", max_tokens=2)
    assert made.answer == replace(JOBS.answer, model="w", effort="high", max_tokens=2)
    assert made.digest == replace(JOBS.digest, model="w", effort="high", max_tokens=3)
