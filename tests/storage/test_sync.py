"""Promises of the queue: what is written is indexed, once, whatever fails or changes on the way."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import CaughtUp, Memory, NewNote, StorageConfig, open_memory
from storage.embedder import HashEmbedder, Matrix
from storage.errors import IndexDown
from storage.index import MemoryIndex, Point


class Clock:
    """A clock that is moved by hand."""

    time = datetime(2026, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


class Choosy(HashEmbedder):
    """Cannot embed a note with a certain word; says when it is asked."""

    refuses = "\0"
    asked: Callable[[], object] = staticmethod(lambda: None)

    def notes(self, notes: Sequence[Sequence[str]]) -> list[Matrix]:
        self.asked()
        if any(self.refuses in passage for note in notes for passage in note):
            raise ValueError("not this one")
        return super().notes(notes)


class Flaky(MemoryIndex):
    """An engine that can be away, and that counts its flushes."""

    away, flushes = False, 0
    on_rebuilt: Callable[[str], object] = staticmethod(lambda _team: None)

    def upsert(self, team: str, points: Sequence[Point]) -> None:
        if self.away:
            raise IndexDown("no answer")
        super().upsert(team, points)

    def flush(self) -> None:
        self.flushes += 1


class Bench:
    """A memory whose clock, embedder and index can be moved."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.embedder, self.index = Clock(), Choosy(), Flaky()
        config = StorageConfig(data_dir=folder, now=self.clock)
        self.memory: Memory = open_memory(config, embedder=self.embedder, index=self.index)
        self.team = self.memory.of("T1")
        self.account = self.team.create_account("Acme Corp", key="acme-01").id

    def log(self, *texts: str) -> list[int]:
        return [self.team.log(self.account, NewNote(text, rep="U1")).id for text in texts]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.memory.close()


def test_catching_up_counts_what_it_did(bench: Bench) -> None:
    """Notes indexed, notes taken out, and nothing the second time."""
    first, *_ = bench.log("one", "two", "three")
    assert bench.memory.catch_up(limit=2) == CaughtUp(indexed=2)
    assert bench.memory.catch_up() == CaughtUp(indexed=1)
    bench.team.retract(first, "U1")
    assert bench.memory.catch_up() == CaughtUp(removed=1)
    assert bench.memory.catch_up() == CaughtUp()
    assert bench.index.count("T1") == 2


def test_a_failing_note_backs_off_and_does_not_stop_the_others(bench: Bench) -> None:
    """The others are indexed; the one is tried again later, and parked in the end until its words change."""
    bad = bench.log("good one", "cursed", "good two")[1]
    bench.embedder.refuses = "cursed"
    done = bench.memory.catch_up()
    assert (done.indexed, done.failed) == (2, 1)
    assert "cursed" not in done.notice
    assert bench.memory.catch_up() == CaughtUp()
    for _ in range(9):
        bench.clock.time += timedelta(minutes=11)
        bench.memory.catch_up()
    assert bench.memory.status()["parked"] == 1
    bench.team.correct(bad, "healed", "U1")
    assert bench.memory.catch_up() == CaughtUp(indexed=1)


def test_an_index_that_is_away_costs_nothing(bench: Bench) -> None:
    """While it is away nothing is marked; as soon as it is back all is indexed, without waiting for a lease."""
    bench.log(*(f"note {n}" for n in range(600)))
    bench.index.away = True
    done = bench.memory.catch_up()
    assert done.indexed == 0
    assert "away" in done.notice
    bench.index.away = False
    assert bench.memory.catch_up().indexed == 600
    assert bench.index.flushes == 1


def test_a_note_or_two_are_not_flushed(bench: Bench) -> None:
    """A flush costs more than a note: the engine flushes small writes in its own time."""
    bench.log("one")
    bench.memory.catch_up()
    assert bench.index.flushes == 0


def test_an_edit_made_while_its_former_words_are_embedded_is_indexed_again(bench: Bench) -> None:
    """Marking compares the revision, so the newer words are not taken for indexed."""
    (note,) = bench.log("former words")
    edits = iter(["latter words"])
    bench.embedder.asked = lambda: [bench.team.correct(note, text, "U1") for text in edits]
    bench.memory.catch_up()
    assert bench.memory.status()["pending"] == 1
    assert bench.memory.catch_up() == CaughtUp(indexed=1)
    assert [h.text for h in bench.team.recall("latter", abstain=False).hits] == ["latter words"]
    assert bench.team.note(note).revision == 2


@pytest.mark.parametrize("told", [False, True], ids=["found by verify", "told by the index"])
def test_a_lost_index_is_built_again(bench: Bench, told: bool) -> None:
    """What the index has lost is queued again, whether it is noticed by counting or said by the engine."""
    bench.log("one", "two")
    bench.memory.catch_up()
    assert bench.memory.verify() == []
    bench.index.drop("T1")
    if told:
        bench.index.on_rebuilt("T1")
    else:
        assert "0 of 2" in bench.memory.verify()[0]
    assert bench.memory.catch_up() == CaughtUp(indexed=2)
    assert bench.index.count("T1") == 2


def test_a_changed_model_is_taken_up_while_questions_are_answered(tmp_path: Path) -> None:
    """Every question finds its note: before, between and after the steps of the indexing anew, each note once."""
    notes = [f"Spoke of the {word} they bought in spring." for word in WORDS]
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(64)) as memory:
        team = memory.of("T1")
        account = team.create_account("Acme Corp", key="acme-01").id
        for text in notes:
            team.log(account, NewNote(text, rep="U1"))
        memory.catch_up()
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(96)) as memory:
        team = memory.of("T1")
        pending: list[int] = []
        while not pending or pending[-1]:
            for n in (0, len(notes) // 2, len(notes) - 1):
                found = team.recall(f"the {WORDS[n]} they bought", account="acme-01", abstain=False)
                assert found.hits[0].text == notes[n]
                assert len({hit.id for hit in found.hits}) == len(found.hits)
            memory.catch_up(limit=40)
            pending.append(memory.status()["pending"])
        assert memory.status()["embedder"] == HashEmbedder(96).signature
    assert pending == [80, 40, 0]


WORDS = [a + b for a in ("crane", "plough", "kiln", "loom", "press", "drill") for b in "abcdefghijklmnopqrst"]
"""120 things, so many that not all of their notes can be embedded for a question."""
