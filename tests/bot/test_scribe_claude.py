"""Claude as a scribe, through the real SDK over a wire of our own: what is kept, what is dropped, what fails."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

from bot.claude import Claude, Use
from bot.deal import read_deal
from bot.desk import Desk, Viewer
from bot.grounding import estimated
from bot.health import assess
from bot.samples import sample_payloads
from bot.scribe import Brief
from bot.scribe_claude import ClaudeScribe, SaidBrief
from bot.scribe_plain import PlainScribe
from bot.signals_rules import VERSION
from bot.week import Card, card
from storage import Facts, Hit, Kind, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from tests.bot.claude_wire import FAILURES, GOOD, KEY, Wire, error, message, said
from tests.bot.facts import priya as worked_example

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
    quote = "nervous about data migration from the old CRM"
    wire = Wire([message(seen(kind="commitment_by_us", topic="migration", quote=quote, party="ours", who="Priya"))])
    scribe = wire.scribe()
    reading = scribe.read(priya.interactions[-1])
    assert reading.read_as == scribe.name == "read/1+claude-haiku-5-5"
    assert {Kind.COMMITMENT_BY_US, Kind.PILOT_AGREED} <= {s.kind for s in reading.sightings}
    assert Wire([error(500, "api_error")]).scribe().read(priya.interactions[-1]).read_as == VERSION


def seen(**fields: str) -> str:
    """A reading of one signal as the model gives it."""
    blank = {
        "kind": "objection",
        "topic": "other",
        "quote": "",
        "summary": "",
        "party": "",
        "due_phrase": "",
        "who": "",
    }
    return json.dumps({"signals": [blank | fields]})


def test_a_made_up_quote_does_not_push_out_what_the_rules_saw(priya: Facts) -> None:
    """A sighting whose words nobody wrote goes before the merge, so an objection on record stays."""
    note = priya.interactions[-1]
    forged = f"Nobody said: {note.text} All is well."
    reading = Wire([message(seen(quote=forged))]).scribe().read(note)
    assert reading.sightings == PlainScribe().read(note).sightings


def test_of_a_signal_only_what_the_note_says_is_kept(priya: Facts) -> None:
    """A day, a speaker and a figure that the note does not have are left out, and the quote is the note's own words."""
    quote = "NERVOUS about\u200b data  migration"
    reply = seen(
        quote=quote, summary="Worth 9,000,000 at https://evil.example", due_phrase="by Friday", who="Eve <@U1>"
    )
    saw = Wire([message(reply)]).scribe().read(priya.interactions[-1]).sightings[0]
    assert saw.quote == "nervous about data migration"
    assert (saw.summary, saw.due_phrase, saw.who) == ("", "", "")


def test_a_figure_that_no_cited_note_has_costs_the_sentence(priya: Facts) -> None:
    """Numbers are ours: a claim with one of its own is dropped and counted, one from the note stays."""
    wire = Wire([message(said(
        ("They pay 4,500,000 and the health is 99.", ["N1"], "budget is frozen until Q3"),
        ("Nothing before Q3.", ["N1"], "budget is frozen until Q3"),
    ))])  # fmt: skip
    value = brief(wire, priya)
    assert [claim.text for claim in value.recommendation] == ["Nothing before Q3."]
    assert value.dropped == 1


def test_a_use_that_cannot_be_written_down_does_not_cost_the_brief(priya: Facts) -> None:
    """The ledger of costs is locked: the brief by rules comes, and says so."""

    def locked(_use: Use) -> None:
        raise OSError("database is locked")

    client = httpx2.Client(transport=httpx2.MockTransport(Wire([message(GOOD)])))
    scribe = ClaudeScribe(Claude(KEY, deadline=5, on_use=locked, http_client=client), PlainScribe())
    value = scribe.brief(priya, assess(priya), read_deal(priya))
    assert value.recommendation
    assert value.health.score == 70


@pytest.mark.parametrize("name", ["refusal", "truncation", "another shape"])
def test_a_note_that_claude_will_not_read_does_not_hold_up_the_others(priya: Facts, name: str) -> None:
    """Declined or cut off, it counts as read by the rules' words: only an absent Claude is asked again."""
    scribe = Wire(list(FAILURES[name])).scribe(deadline=3.0)
    assert scribe.read(priya.interactions[0]).read_as == scribe.name
    assert Wire(list(FAILURES["timeout"])).scribe().read(priya.interactions[0]).read_as == VERSION


def hit(facts: Facts, number: int) -> Hit:
    """A note as recall brings it back."""
    note = facts.interactions[number]
    return Hit(
        note.key, 0.9, note.text, note.text, note.account, note.account_key, note.rep, note.channel, note.occurred_at
    )


def answered(answerable: bool, *claims: tuple[str, list[str], str]) -> str:
    """An answer as the model gives it."""
    made = [{"text": text, "cites": cited, "quote": words} for text, cited, words in claims]
    return json.dumps({"answerable": answerable, "claims": made})


def test_a_question_the_notes_do_not_answer_is_not_answered(priya: Facts) -> None:
    """`answerable: false` gives no claims, whatever else was said."""
    claim = ("They do.", ["N1"], "budget is frozen until Q3")
    answer = Wire([message(answered(False, claim))]).scribe().answer("Do they use Kubernetes?", [hit(priya, 0)])
    assert not answer.answerable
    assert answer.claims == ()


def test_an_answer_is_made_of_what_the_notes_prove(priya: Facts) -> None:
    """One claim stands with its note, one without a proof is left out and counted."""
    claims = (("Money is stuck.", ["N1"], "budget is frozen until Q3"), ("They sign.", ["N1"], "we sign on Friday"))
    answer = Wire([message(answered(True, *claims))]).scribe().answer("What about money?", [hit(priya, 0)])
    assert [(c.text, c.interaction) for c in answer.claims] == [("Money is stuck.", "priya-1")]
    assert (answer.answerable, answer.dropped) == (True, 1)


def test_without_a_note_nothing_is_asked() -> None:
    """There is nothing to answer from, so no request leaves."""
    wire = Wire([message(answered(True))])
    assert not wire.scribe().answer("What about money?", ()).answerable
    assert wire.asked == []


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_gives_the_plain_answer_digest_and_reading(priya: Facts, name: str) -> None:
    """The other three jobs stand on the rules as the brief does."""
    question, hits, note = "What about money?", [hit(priya, 0)], priya.interactions[0]
    scribe, plain = Wire(list(FAILURES[name])).scribe(deadline=3.0), PlainScribe()
    answer = scribe.answer(question, hits)
    assert answer.notice.startswith("Written without Claude: ")
    assert answer.claims == plain.answer(question, hits).claims
    assert scribe.read(note).sightings == plain.read(note).sightings
    worded = scribe.digest([card(priya)])
    assert worded.notice.startswith("Written without Claude: ")
    assert worded.lines == plain.digest([card(priya)]).lines


def test_a_figure_of_the_models_own_leaves_the_cards_words() -> None:
    """In a digest too: the line with a number that the card does not have keeps the card's own words."""
    one = card(worked_example())
    line = {"card": "C1", "why": "They will pay 4,500,000", "action": "Call her", "bucket": "", "reason": ""}
    wording = Wire([message(json.dumps({"lines": [line]}))]).scribe().digest([one]).lines[one.account]
    assert (wording.why, wording.action) == (one.why, "Call her")


@pytest.mark.parametrize(("count", "most"), [(50, 30_000), (500, 110_000)])
def test_cards_stuffed_with_what_escaping_makes_longer_stay_under_the_limits(
    priya: Facts, count: int, most: int
) -> None:
    """Five characters for each ampersand, and a token for each character of other scripts: still one small request."""
    stuffed = [
        replace(one, name="&" * 200, why="<&" * 900, action="日本語" * 300, last_quote="&" * 900)
        for one in cards(priya, count)
    ]
    wire = Wire([message(json.dumps({"lines": []}))])
    wire.scribe().digest(stuffed)
    assert len(wire.asked) == 1
    assert estimated(json.dumps(wire.asked[0], ensure_ascii=False)) < most


def cards(facts: Facts, count: int) -> list[Card]:
    """That many accounts."""
    one = card(facts)
    return [replace(one, account=f"acme-{n:04}", name=f"Account Number {n}") for n in range(count)]


@pytest.mark.parametrize(("count", "most"), [(50, 30_000), (500, 110_000)])
def test_a_digest_is_one_request_however_many_accounts(priya: Facts, count: int, most: int) -> None:
    """One call; under the token limits at three characters and a half a token; every card keeps words of its own."""
    line = {"card": "C1", "why": "Waits for us <@U1>", "action": "Call her", "bucket": "", "reason": ""}
    wire = Wire([message(json.dumps({"lines": [line]}))])
    wordings = wire.scribe().digest(cards(priya, count)).lines
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
