"""Claude as a scribe, through the real SDK over a wire of our own: what is kept, what is dropped, what fails."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

from bot.deal import read_deal
from bot.desk import Desk, Viewer
from bot.health import assess
from bot.samples import sample_payloads
from bot.scribe import Brief
from bot.scribe_claude import SaidBrief
from bot.scribe_plain import PlainScribe
from bot.week import Card, card
from storage import Facts, Kind, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from tests.bot.claude_wire import KEY, Wire, error, message

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
REP = Viewer("T0001", "U0REP")


@pytest.fixture
def priya(tmp_path: Path) -> Iterator[Facts]:
    """All on record about Priya at Rentokil, read by rules."""
    config = StorageConfig(data_dir=tmp_path, now=lambda: NOW)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        for payload in sample_payloads(NOW.date()):
            memory.of("T0001").import_payload(payload)
        yield Desk(memory, PlainScribe()).facts(REP, "Rentokil")


def brief(wire: Wire, facts: Facts, **scribe: Any) -> Brief:
    """The brief as the scribe over this wire words it."""
    return wire.scribe(**scribe).brief(facts, assess(facts), read_deal(facts))


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


def test_every_sentence_of_a_brief_cites_her_notes(priya: Facts) -> None:
    """Claude's words come with the note and the quote; figures stay ours; thinking comes first and is passed over."""
    wire = Wire([message(GOOD)])
    value = brief(wire, priya)
    assert [claim.interaction for claim in value.recommendation] == ["priya-1", "priya-3"]
    texts = {note.key: note.text for note in priya.interactions}
    assert all(c.quote in texts[c.interaction] for c in (*value.recommendation, value.recommended_action))
    assert value.recommended_action.text == "Send a migration plan before the pilot starts"
    assert (value.health.score, value.notice, value.dropped) == (70, "", 0)


def test_a_request_is_what_the_api_takes(priya: Facts) -> None:
    """The body validates against the SDK's own type; notes are data in the user's turn; no sampling, no forced tool."""
    wire = Wire([message(GOOD)])
    brief(wire, priya)
    asked = wire.asked[0]
    TypeAdapter(MessageCreateParamsNonStreaming).validate_python(asked, strict=False)
    assert not {"temperature", "top_p", "top_k", "tool_choice"} & asked.keys()
    assert asked["output_config"]["format"]["type"] == "json_schema"
    assert asked["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert '<note id="N1"' in asked["messages"][0]["content"]
    assert wire.headers[0].get("x-api-key") == KEY or KEY in wire.headers[0].get("authorization", "")


def test_what_no_note_proves_is_left_out_and_counted(priya: Facts) -> None:
    """An unknown alias, a quote of another note, and words nobody wrote: three dropped, one kept, and it is said."""
    wire = Wire([message(said(
        ("She is the champion.", ["N99"], "budget is frozen until Q3"),
        ("It is urgent.", ["N2"], "budget is frozen until Q3"),
        ("They will sign.", ["N1"], "we will sign on Friday"),
        ("Money comes in the third quarter.", ["N1"], "budget is frozen until Q3"),
    ))])  # fmt: skip
    value = brief(wire, priya)
    assert [claim.text for claim in value.recommendation] == ["Money comes in the third quarter."]
    assert value.dropped == 3
    assert value.notice == "3 statements without support were left out."
    assert value.recommended_action.text == "Provide a data migration plan and timeline"


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
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_gives_the_plain_brief_in_time_and_says_so(priya: Facts, name: str) -> None:
    """Whatever goes wrong, the brief is the one by rules, within the deadline, with one line that says why."""
    started = time.monotonic()
    value = brief(Wire(list(FAILURES[name])), priya, deadline=3.0)
    assert time.monotonic() - started < 3.5
    assert value.notice.startswith("Written without Claude: ")
    plain = PlainScribe().brief(priya, assess(priya), read_deal(priya))
    assert (value.recommendation, value.recommended_action) == (plain.recommendation, plain.recommended_action)


def test_a_call_that_hangs_ends_at_the_deadline(priya: Facts) -> None:
    """A wire that never answers costs the deadline and no more."""

    def hang(_request: Any) -> Any:
        time.sleep(2.0)
        return message(GOOD)

    started = time.monotonic()
    value = brief(Wire([hang]), priya, deadline=0.5)
    assert time.monotonic() - started < 1.5
    assert "in time" in value.notice


def test_an_overload_that_passes_is_tried_again_once(priya: Facts) -> None:
    """One 529 costs a second attempt, not the brief."""
    wire = Wire([error(529, "overloaded_error", **{"retry-after": "0"}), message(GOOD)])
    assert brief(wire, priya, deadline=20).notice == ""
    assert len(wire.asked) == 2


def test_the_same_account_with_nothing_new_is_not_asked_about_again(priya: Facts) -> None:
    """The second brief comes from memory; the use of the first was counted, its cost estimated."""
    wire = Wire([message(GOOD)])
    scribe = wire.scribe()
    first = scribe.brief(priya, assess(priya), read_deal(priya))
    assert scribe.brief(priya, assess(priya), read_deal(priya)) == first
    assert len(wire.asked) == 1
    assert (wire.uses[0].input_tokens, wire.uses[0].output_tokens) == (1200, 120)
    assert 0 < wire.uses[0].cost < 1


def test_beyond_the_budget_nothing_is_asked(priya: Facts) -> None:
    """With the month's budget used up the plain brief says so, and no request leaves."""
    wire = Wire([message(GOOD)])
    assert "budget" in brief(wire, priya, allowed=False).notice
    assert wire.asked == []


def test_a_note_is_read_by_model_and_rules_together(priya: Facts) -> None:
    """Quotes are checked later, dates are resolved by code: the reading carries the phrase, not a day."""
    seen = {"kind": "commitment_by_us", "topic": "migration", "quote": "nervous about data migration from the old CRM",
            "summary": "", "party": "ours", "due_phrase": "by Friday", "who": "Priya"}  # fmt: skip
    wire = Wire([message(json.dumps({"signals": [seen]}))])
    scribe = wire.scribe()
    reading = scribe.read(priya.interactions[-1])
    assert reading.read_as == scribe.name == "read/1+claude-haiku-5-5"
    assert {Kind.COMMITMENT_BY_US, Kind.PILOT_AGREED} <= {s.kind for s in reading.sightings}
    assert Wire([error(500, "api_error")]).scribe().read(priya.interactions[-1]).read_as == "rules/1"


def test_a_question_the_notes_do_not_answer_is_not_answered(priya: Facts) -> None:
    """`answerable: false` gives no claims, whatever else was said."""
    wire = Wire([message(json.dumps({"answerable": False, "claims": []}))])
    answer = wire.scribe().answer("Do they use Kubernetes?", ())
    assert not answer.answerable
    assert answer.claims == ()


def cards(facts: Facts, count: int) -> list[Card]:
    """That many accounts."""
    from dataclasses import replace

    one = card(facts)
    return [replace(one, account=f"acme-{n:04}", name=f"Account Number {n}") for n in range(count)]


@pytest.mark.parametrize(("count", "most"), [(50, 30_000), (500, 110_000)])
def test_a_digest_is_one_request_however_many_accounts(priya: Facts, count: int, most: int) -> None:
    """One call; under the token limits at three characters and a half a token; every card keeps words of its own."""
    line = {"card": "C1", "why": "Waits for us <@U1>", "action": "Call her", "bucket": "", "reason": ""}
    wire = Wire([message(json.dumps({"lines": [line]}))])
    wordings = wire.scribe().digest(cards(priya, count))
    assert len(wire.asked) == 1
    assert len(json.dumps(wire.asked[0])) / 3.5 < most
    assert len(wordings) == count
    assert sum(w.action == "Call her" for w in wordings.values()) == 1
    assert not any("<@" in w.why for w in wordings.values())


def test_the_schema_is_within_the_apis_limits() -> None:
    """All fields required, no unions, no recursion: what the API's grammar takes."""
    schema = json.dumps(SaidBrief.model_json_schema())
    assert "anyOf" not in schema
    assert set(SaidBrief.model_json_schema()["required"]) == set(SaidBrief.model_fields)


def test_the_key_and_the_words_never_reach_a_log(priya: Facts, caplog: pytest.LogCaptureFixture) -> None:
    """At every level, through success and failure."""
    caplog.set_level(0)
    brief(Wire([message(GOOD)]), priya)
    brief(Wire([error(401, "authentication_error")]), priya)
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith(("rapport", "bot", "storage")))
    assert "tokens in" in ours
    assert KEY not in caplog.text
    assert "migration" not in ours


def test_a_run_without_a_key_never_loads_the_sdk() -> None:
    """Importing all of the bot, and making a desk, leaves `anthropic` unloaded."""
    code = "import sys, bot.wiring, bot.__main__; sys.exit('anthropic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0
