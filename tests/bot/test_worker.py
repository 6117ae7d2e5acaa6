"""Reading in the background: at a pace, without holding up what is due by the clock, each day where it was meant."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.desk import Desk, Viewer
from bot.pace import Pace
from bot.scribe_claude import ClaudeScribe, Jobs
from bot.scribe_plain import PlainScribe
from bot.worker import READ_IN_A_ROUND, Worker
from storage import Memory, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from tests.bot.claude_wire import Wire, error, message

NOW = datetime(2026, 6, 16, 3, 30, tzinfo=UTC)
REP = Viewer("T0001", "U0REP")
NOTHING = message(json.dumps({"signals": []}))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """A memory with one account in each of two workspaces."""
    config = StorageConfig(data_dir=tmp_path, now=lambda: NOW)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as made:
        for team in ("T0001", "T0002"):
            made.of(team).create_account("Acme Corp", key="acme-01")
        yield made


def desk_with(memory: Memory, answer: Any, notes: int) -> tuple[Desk, Wire]:
    """A desk whose notes Claude has still to read, in both workspaces."""
    wire = Wire([answer])
    desk = Desk(memory, wire.scribe(deadline=30), quick=PlainScribe())
    for team in ("T0001", "T0002"):
        for number in range(notes):
            desk.log(Viewer(team, "U0REP"), "acme-01", f"They want a discount, call {number}.")
    return desk, wire


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_pace_is_kept() -> None:
    """Thirty a minute: a moment's share at first, then one in two seconds; little of what is not used is saved up."""
    clock = Clock()
    pace = Pace(30, clock)
    assert [pace.take(25), pace.take(25)] == [5, 0]
    clock.at += 2.0
    assert pace.take(25) == 1
    clock.at += 3600
    assert pace.take(25) == 5
    pace.give_back(3)
    assert pace.take(25) == 3
    assert Pace(1, clock).take(25) == 1


def test_a_backlog_does_not_hold_up_what_is_due(memory: Memory) -> None:
    """A changed prompt, and many notes to read: each round reads a few, and then looks at the clock."""
    desk, wire = desk_with(memory, NOTHING, notes=8)
    asked_at_chore: list[int] = []
    worker = Worker(desk, chores=[lambda: asked_at_chore.append(len(wire.asked))], pace=Pace(6000))
    while not worker.once():
        pass
    assert asked_at_chore[0] == READ_IN_A_ROUND
    assert max(b - a for a, b in pairwise(asked_at_chore)) <= READ_IN_A_ROUND
    assert len(wire.asked) == 16
    assert desk.reread_estimate().notes == 0


def test_reading_goes_no_faster_than_the_pace(memory: Memory) -> None:
    """The share of the moment is used up: until time passes no more is asked."""
    desk, wire = desk_with(memory, NOTHING, notes=8)
    clock = Clock()
    worker = Worker(desk, pace=Pace(12, clock))
    for _ in range(5):
        assert not worker.once()
    assert len(wire.asked) == 2
    clock.at += 10
    worker.once()
    assert len(wire.asked) == 4


def test_a_scribe_that_is_away_is_left_alone_for_a_while(memory: Memory) -> None:
    """One question tells that it is away: the notes keep what the rules read, and the rounds go on without asking."""
    desk, wire = desk_with(memory, error(401, "authentication_error"), notes=3)
    worker = Worker(desk, pace=Pace(6000))
    for _ in range(5):
        worker.once()
    assert len(wire.asked) == 1
    assert desk.reread_estimate().notes == 6
    assert desk.brief(REP, "acme-01").health.score is not None


def test_what_a_changed_prompt_would_cost_is_said_before(memory: Memory) -> None:
    """Notes that another prompt has read are counted and priced; nothing is asked for that."""
    desk, wire = desk_with(memory, NOTHING, notes=4)
    waiting = desk.reread_estimate()
    assert (waiting.notes, wire.asked) == (8, [])
    assert 0 < waiting.cost < 1
    Worker(desk).once()
    assert desk.reread_estimate().notes == 0
    assert float(sum(use.cost for use in wire.uses)) < 20 * float(waiting.cost)


@pytest.mark.parametrize("reader", ["rules", "Claude"])
def test_a_day_is_meant_where_the_note_was_written(memory: Memory, reader: str) -> None:
    """In New York it is still Monday evening: "tomorrow" is Tuesday, also when the worker reads the note later."""
    phrase = "tomorrow"
    seen = {
        "kind": "commitment_by_us", "topic": "other", "quote": "I'll send the proposal tomorrow", "summary": "",
        "party": "ours", "due_phrase": phrase, "who": "",
    }  # fmt: skip
    wire = Wire([message(json.dumps({"signals": [seen]}))])
    desk = Desk(memory, wire.scribe(deadline=30), quick=PlainScribe())
    desk.log(Viewer("T0001", "U0REP", tz="America/New_York"), "acme-01", "I'll send the proposal tomorrow.")
    if reader == "Claude":
        assert desk.read_pending("T0001").done == 1
    assert [step.due for step in memory.of("T0001").next_steps()] == [date(2026, 6, 16)]


def test_a_zone_is_kept_and_not_forgotten_for_not_being_told(memory: Memory) -> None:
    """The zone a rep was last seen in; UTC stands for not knowing, and one that no machine knows costs no note."""
    team = memory.of("T0001")
    for tz in ("Europe/Berlin", "America/New_York", "UTC", "America/New_York"):
        team.remember_zone("U0REP", tz)
    team.remember_zone("U0OTHER", "UTC")
    assert team.zones() == {"U0REP": "America/New_York"}
    assert memory.of("T0002").zones() == {}
    team.remember_zone("U0REP", "Mars/Olympus")
    desk, _ = desk_with(memory, NOTHING, notes=1)
    assert desk.read_pending("T0001").done == 1


def test_another_model_reads_everything_again(memory: Memory) -> None:
    """What derived a reading is kept with it: after a change of the model, or the prompt, every note is pending."""
    desk, _ = desk_with(memory, NOTHING, notes=2)
    Worker(desk).once()
    wire = Wire([NOTHING])
    jobs = Jobs(read=replace(Jobs().read, model="claude-haiku-6"))
    after = Desk(memory, ClaudeScribe(wire.claude(), PlainScribe(), jobs), quick=PlainScribe())
    assert after.reread_estimate().notes == 4
    Worker(after).once()
    assert [asked["model"] for asked in wire.asked] == ["claude-haiku-6"] * 4
    assert after.reread_estimate().notes == 0


def test_each_use_is_said_with_its_workspace(memory: Memory, caplog: pytest.LogCaptureFixture) -> None:
    """The log has a line a call: what for, for whom, tokens and dollars."""
    caplog.set_level(logging.INFO, logger="rapport.claude")
    desk, _ = desk_with(memory, NOTHING, notes=1)
    Worker(desk).once()
    lines = sorted(record.getMessage() for record in caplog.records if record.name == "rapport.claude")
    assert lines == [f"read_note for {team}: 1200 tokens in, 120 out, about $0.0019" for team in ("T0001", "T0002")]
