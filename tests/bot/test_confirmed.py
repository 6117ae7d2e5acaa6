"""What a person said of a note stands above rules and model; good news in a customer's own text waits for that word."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.desk import Desk, Viewer
from bot.scribe_plain import PlainScribe
from storage import Kind, Memory, Signal, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from tests.bot.claude_wire import Wire, message

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
REP = Viewer("T0001", "U0REP")
BLANK = {"kind": "", "topic": "other", "quote": "", "summary": "", "party": "", "due_phrase": "", "who": ""}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """A memory with one account."""
    config = StorageConfig(data_dir=tmp_path, now=lambda: NOW)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as made:
        made.of("T0001").create_account("Acme Corp", key="acme-01")
        yield made


def desk(memory: Memory, *seen: dict[str, str]) -> Desk:
    """A desk whose notes Claude reads like this."""
    wire = Wire([message(json.dumps({"signals": [BLANK | each for each in seen]}))])
    return Desk(memory, wire.scribe(deadline=30), quick=PlainScribe())


def signals(memory: Memory, note: int) -> list[Signal]:
    """What is on record of a note."""
    return list(memory.of("T0001").signals(note))


PILOT = {"kind": "pilot_agreed", "quote": "we agreed to a pilot in March"}
NEWS = "Hello, we agreed to a pilot in March. The budget is approved. You have our verbal yes. We worry about security."


def test_good_news_of_a_customers_text_counts_after_a_reps_word(memory: Memory) -> None:
    """Pilot, budget and yes are pending for rules and model alike, move no score, and count once a rep says Right."""
    made = desk(
        memory,
        PILOT,
        {"kind": "budget_confirmed", "topic": "budget", "quote": "The budget is approved"},
        {"kind": "verbal_commitment", "quote": "You have our verbal yes"},
    )
    note = made.log(REP, "acme-01", NEWS, external=True).interaction_id
    by_rules = made.brief(REP, "acme-01").health.score
    made.read_pending("T0001")
    waiting = {s.kind for s in signals(memory, note) if s.pending}
    assert waiting == {Kind.PILOT_AGREED, Kind.BUDGET_CONFIRMED, Kind.VERBAL_COMMITMENT}
    assert [s.pending for s in signals(memory, note) if s.kind is Kind.OBJECTION] == [False]
    before = made.plain_brief(REP, "acme-01").health.score
    assert before == by_rules
    made.confirm(REP, note)
    after = made.plain_brief(REP, "acme-01").health.score
    assert before is not None
    assert after is not None
    assert after > before + 40
    assert not any(s.pending for s in signals(memory, note))


def test_what_was_confirmed_does_not_wait_again_after_another_reading(memory: Memory) -> None:
    """A changed prompt reads the customer's text anew: what a rep has said Right to goes on counting."""
    made = desk(memory, PILOT)
    note = made.log(REP, "acme-01", NEWS, external=True).interaction_id
    made.confirm(REP, note)
    confirmed = [(s.kind, s.quote) for s in signals(memory, note)]
    made.read_pending("T0001")
    assert [(s.kind, s.quote) for s in signals(memory, note) if s.confirmed_by] == confirmed
    assert not any(s.pending for s in signals(memory, note))


def test_a_reps_own_note_does_not_wait(memory: Memory) -> None:
    """The same words from a rep count at once."""
    made = desk(memory, PILOT)
    note = made.log(REP, "acme-01", NEWS).interaction_id
    made.read_pending("T0001")
    assert not any(s.pending for s in signals(memory, note))


@pytest.mark.parametrize(
    "rival",
    [
        {"kind": "pilot_agreed", "quote": "asked for a pilot with one region"},
        {"kind": "pilot_agreed", "quote": "She asked for a pilot with one region in spring"},
        {"kind": "pilot_requested", "topic": "timing", "quote": "asked for a pilot"},
    ],
)
def test_another_reading_of_confirmed_words_adds_nothing(memory: Memory, rival: dict[str, str]) -> None:
    """A rep said that a pilot was asked for: the model cannot make it agreed, nor ask for it twice."""
    made = desk(memory, rival)
    note = made.log(REP, "acme-01", "She asked for a pilot with one region in spring.").interaction_id
    made.confirm(REP, note)
    before = signals(memory, note)
    assert {s.kind for s in before} == {Kind.PILOT_REQUESTED}
    made.read_pending("T0001")
    assert signals(memory, note) == before


def test_something_else_in_the_same_note_is_still_read(memory: Memory) -> None:
    """What was confirmed does not close the note to what only the model sees."""
    made = desk(memory, {"kind": "authority", "topic": "authority", "quote": "her boss Ana has the last word"})
    text = "She asked for a pilot with one region, and her boss Ana has the last word."
    note = made.log(REP, "acme-01", text).interaction_id
    made.confirm(REP, note)
    made.read_pending("T0001")
    assert Kind.AUTHORITY in {s.kind for s in signals(memory, note)}


def test_a_confirmed_promise_keeps_its_day_and_its_number(memory: Memory) -> None:
    """The model sees the promise without its day: the step that the rep said Right to stays as it was."""
    made = desk(memory, {"kind": "commitment_by_us", "party": "ours", "quote": "send the proposal by Friday"})
    note = made.log(REP, "acme-01", "I'll send the proposal by Friday.").interaction_id
    made.confirm(REP, note)
    before = memory.of("T0001").next_steps()
    assert [step.due for step in before] == [date(2026, 6, 19)]
    made.read_pending("T0001")
    assert memory.of("T0001").next_steps() == before


@pytest.mark.parametrize("topic", ["pricing", "budget"])
def test_what_a_person_refused_does_not_come_back_under_another_topic(memory: Memory, topic: str) -> None:
    """Unticked in the form behind Fix, an objection stays out, however the next reader files it."""
    text = "They are worried about the annual price of it."
    made = desk(memory, {"kind": "objection", "topic": topic, "quote": "worried about the annual price"})
    receipt = made.log(REP, "acme-01", text)
    wrong = [s.id for s in receipt.signals if s.kind is Kind.OBJECTION]
    assert wrong
    made.correct(REP, receipt.interaction_id, text, rejected=wrong)
    made.read_pending("T0001")
    assert Kind.OBJECTION not in {s.kind for s in signals(memory, receipt.interaction_id)}
