"""What every SummaryIndex promises, held against every engine.

A real Qdrant server or cluster takes part where QDRANT_URL (with QDRANT_API_KEY) is set when the tests are collected.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from storage.errors import BadInput
from storage.index import Candidates, MemoryIndex, Point, Scope, SummaryIndex, Vector, length, note_of, point_id
from storage.index_edge import EdgeIndex
from storage.index_qdrant import QdrantIndex
from tests.storage.qdrant_stub import LockedClient, qdrant_stub

DIMS = 8
COSINE_TOLERANCE = 0.01
"""Edge keeps 8 bits per dimension; at 384 dimensions the error is a twentieth of this."""

ALL = Scope()
REAL_SERVER = os.environ.get("QDRANT_URL", "")
REAL_KEY = os.environ.get("QDRANT_API_KEY", "")

Opener = Callable[[Path], SummaryIndex]


def _memory(folder: Path) -> SummaryIndex:
    return MemoryIndex(DIMS)


def _edge(folder: Path) -> SummaryIndex:
    return EdgeIndex(folder / "index", DIMS, "test", min_free_bytes=0)


@contextmanager
def _memory_engine() -> Iterator[Opener]:
    yield _memory


@contextmanager
def _edge_engine() -> Iterator[Opener]:
    yield _edge


@contextmanager
def _local_engine() -> Iterator[Opener]:
    client = cast("QdrantClient", LockedClient())
    yield lambda folder: QdrantIndex("", dims=DIMS, signature="test", client=client)


@contextmanager
def _stub_engine() -> Iterator[Opener]:
    with qdrant_stub() as stub:
        yield lambda folder: QdrantIndex(stub.url, "key", dims=DIMS, signature="test")


@contextmanager
def _server_engine() -> Iterator[Opener]:
    name = f"contract{uuid4().hex[:8]}"
    opened = QdrantIndex(REAL_SERVER, REAL_KEY, name, dims=DIMS, signature="test")
    yield lambda folder: QdrantIndex(REAL_SERVER, REAL_KEY, name, dims=DIMS, signature="test")
    client = QdrantClient(url=REAL_SERVER, api_key=REAL_KEY or None)
    client.delete_collection(opened.collection)
    client.close()


ENGINES = {
    "memory": _memory_engine,
    "edge": _edge_engine,
    "qdrant-local": _local_engine,
    "qdrant-http": _stub_engine,
} | ({"qdrant-server": _server_engine} if REAL_SERVER else {})
SURVIVING = [name for name in ENGINES if name != "memory"]


@pytest.fixture(params=list(ENGINES))
def opener(request: pytest.FixtureRequest) -> Iterator[Opener]:
    with ENGINES[request.param]() as made:
        yield made


@pytest.fixture
def index(opener: Opener, tmp_path: Path) -> Iterator[SummaryIndex]:
    opened = opener(tmp_path)
    yield opened
    opened.close()


def direction(*parts: float) -> Vector:
    vector = np.zeros(DIMS, np.float32)
    vector[: len(parts)] = parts
    return vector / np.float32(np.linalg.norm(vector))


EAST = direction(1)
NORTH = direction(0, 1)


def grain(note: int, ordinal: int = 0, account: int = 1, **changes: Any) -> Point:
    return replace(Point(note, ordinal, account, "", EAST, {7: 2.0}), **changes)


def notes_in(found: Candidates) -> set[int]:
    return {note_of(int(point))[0] for point in found.points}


def ask(index: SummaryIndex, scope: Scope = ALL, team: str = "T1", dimensions: Sequence[int] = (7,)) -> Candidates:
    return index.candidates(team, scope, EAST, dimensions, 1000)


def test_an_unknown_workspace_is_empty(index: SummaryIndex) -> None:
    """Asking, counting and removing where nothing was ever written is no error."""
    index.remove("T1", [1])
    found = ask(index)
    assert len(found.points) == len(found.cosines) == len(found.postings[0][0]) == index.count("T1") == 0


def test_the_answer_is_arrays_of_the_promised_kinds(index: SummaryIndex) -> None:
    """Ids are int64 and scores float32, also when there are none."""
    index.upsert("T1", [grain(1)])
    for found in (ask(index), ask(index, Scope(accounts=())), ask(index, Scope(accounts=(99,)))):
        assert found.points.dtype == found.postings[0][0].dtype == np.int64
        assert found.cosines.dtype == found.postings[0][1].dtype == np.float32


def test_writing_twice_is_writing_once(index: SummaryIndex) -> None:
    """An upsert is idempotent, across calls and within one."""
    index.upsert("T1", [grain(1), grain(1)])
    index.upsert("T1", [grain(1), grain(2)])
    assert index.count("T1", notes=False) == 2
    assert sorted(ask(index).points) == [point_id(1, 0), point_id(2, 0)]


def test_a_rewritten_grain_is_wholly_replaced(index: SummaryIndex) -> None:
    """Vectors, words and filter fields of the former writing are gone."""
    index.upsert("T1", [grain(1, sparse={7: 2.0, 8: 1.0}, visibility="C1")])
    index.upsert("T1", [grain(1, account=2, dense=NORTH, sparse={9: 4.0})])
    found = ask(index, Scope((2,), None, frozenset()), dimensions=(7, 8, 9))
    assert found.cosines == pytest.approx([0.0], abs=COSINE_TOLERANCE)
    assert [list(weights) for _, weights in found.postings] == [[], [], [4.0]]
    assert notes_in(ask(index, Scope(accounts=(1,)))) == set()


def test_removing_a_note_takes_all_its_grains(index: SummaryIndex) -> None:
    """Passages go with the whole note; other notes and unknown ones are untouched."""
    index.upsert("T1", [grain(1), grain(1, 1), grain(1, 2), grain(2), grain(2, 1)])
    index.remove("T1", [1, 77])
    index.remove("T1", [])
    assert sorted(ask(index).points) == [point_id(2, 0), point_id(2, 1)]


def test_many_notes_are_removed_at_once(index: SummaryIndex) -> None:
    """More than an engine takes in one request."""
    index.upsert("T1", [grain(note) for note in range(1, 31)])
    index.remove("T1", range(1, 2500))
    assert index.count("T1", notes=False) == 0


def test_notes_are_counted_apart_from_grains(index: SummaryIndex) -> None:
    """`count` says how many notes, or how many points."""
    index.upsert("T1", [grain(1), grain(1, 1), grain(2)])
    assert (index.count("T1"), index.count("T1", notes=False)) == (2, 3)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), {1, 2, 3}),
        (Scope(accounts=(10,)), {1, 2}),
        (Scope(accounts=(10, 20)), {1, 2, 3}),
        (Scope(notes=(2, 3)), {2, 3}),
        (Scope(notes=(3,)), {3}),
        (Scope(accounts=(10,), notes=(2, 3)), {2}),
        (Scope(accounts=(30,)), set()),
        (Scope(accounts=()), set()),
        (Scope(notes=()), set()),
        (Scope(audience=frozenset()), {1, 3}),
        (Scope(audience=frozenset({"C1"})), {1, 2, 3}),
        (Scope(audience=frozenset({"C2"})), {1, 3}),
        (Scope(accounts=(10,), notes=(1, 2, 3), audience=frozenset({"C2", "C3"})), {1}),
    ],
)
def test_the_scope_is_hard(index: SummaryIndex, scope: Scope, expected: set[int]) -> None:
    """Nothing outside the accounts, the notes or the audience appears, neither by meaning nor by a word."""
    index.upsert("T1", [grain(1, 0, 10), grain(2, 0, 10, visibility="C1"), grain(3, 0, 20)])
    found = ask(index, scope)
    assert notes_in(found) == expected
    assert {note_of(int(point))[0] for point in found.postings[0][0]} == expected


def test_never_another_workspaces_notes(index: SummaryIndex) -> None:
    """The same note and account numbers in another workspace are other things: read, removed and dropped apart."""
    index.upsert("T1", [grain(1)])
    index.upsert("T2", [grain(1, dense=NORTH), grain(2)])
    index.upsert("t1", [grain(3)])
    assert (notes_in(ask(index)), notes_in(ask(index, team="T2")), notes_in(ask(index, team="t1"))) == (
        {1},
        {1, 2},
        {3},
    )
    index.remove("T2", [1])
    index.drop("t1")
    assert (index.count("T1"), index.count("T2"), index.count("t1")) == (1, 1, 0)


@pytest.mark.parametrize("team", ["", "..", "../T1", "T1/x", "T 1", "-T", "T1\x00", "é", "T" * 65])
def test_an_odd_workspace_id_is_refused(index: SummaryIndex, team: str) -> None:
    """No id can name a folder that is not its own."""
    for call in (lambda: index.upsert(team, [grain(1)]), lambda: index.drop(team), lambda: index.count(team)):
        with pytest.raises(BadInput):
            call()


def test_cosines_are_right_and_the_best_come_first(index: SummaryIndex) -> None:
    """Cosines are those of the vectors, within the engine's precision, in falling order."""
    rng = np.random.default_rng(5)
    vectors = [direction(*rng.normal(size=DIMS)) for _ in range(50)]
    index.upsert("T1", [grain(n, dense=vector) for n, vector in enumerate(vectors)])
    question = direction(*rng.normal(size=DIMS))
    found = index.candidates("T1", ALL, question, (), 1000)
    expected = [float(vectors[note_of(int(point))[0]] @ question) for point in found.points]
    assert len(expected) == 50
    assert found.cosines == pytest.approx(expected, abs=COSINE_TOLERANCE)
    assert list(found.cosines) == sorted(found.cosines, reverse=True)


@pytest.mark.parametrize("again", range(3))
def test_a_second_vector_measures_the_same_points(index: SummaryIndex, again: int) -> None:
    """The products with it come in the order of the points found, with its length; however often it is asked."""
    rng = np.random.default_rng(6)
    vectors = [direction(*rng.normal(size=DIMS)) for _ in range(30)]
    index.upsert("T1", [grain(n, dense=vector) for n, vector in enumerate(vectors)])
    question, towards = direction(*rng.normal(size=DIMS)), np.asarray(3 * rng.normal(size=DIMS), np.float32)
    for _ in range(again):
        index.candidates("T1", Scope((1,)), question, (), 1000, towards=towards)
    found = index.candidates("T1", Scope((1,)), question, (), 1000, towards=towards)
    assert found.pulls is not None
    expected = [float(vectors[note_of(int(point))[0]] @ towards) for point in found.points]
    assert len(expected) == 30
    assert found.pulls == pytest.approx(expected, abs=COSINE_TOLERANCE * length(towards))
    assert found.points.tolist() == index.candidates("T1", Scope((1,)), question, (), 1000).points.tolist()
    none = index.candidates("T1", Scope(accounts=()), question, (), 1000, towards=towards)
    assert none.pulls is not None
    assert len(none.pulls) == 0


def test_a_question_of_any_length_gives_cosines(index: SummaryIndex) -> None:
    """The length of the question's vector does not matter."""
    index.upsert("T1", [grain(1, dense=direction(3, 4))])
    found = index.candidates("T1", ALL, EAST * np.float32(9), (), 10)
    assert found.cosines == pytest.approx([0.6], abs=COSINE_TOLERANCE)


def test_postings_hold_the_exact_weights(index: SummaryIndex) -> None:
    """A posting is read back as it was written: float32, small and large, over all 32 bits of dimensions."""
    weights = {0: 0.5, 7: 1.0, (1 << 31) + 5: 13_931_337.0, (1 << 32) - 1: 1.25}
    index.upsert("T1", [grain(1, sparse=weights), grain(2, sparse={9: 3.0, 7: 2.0}), grain(3, sparse={})])
    found = ask(index, dimensions=[*weights, 8, 7])
    read = [dict(zip(ids.tolist(), values.tolist(), strict=True)) for ids, values in found.postings]
    one, two = point_id(1, 0), point_id(2, 0)
    seven = {one: 1.0, two: 2.0}
    assert read == [{one: 0.5}, seven, {one: 13_931_337.0}, {one: 1.25}, {}, seven]


def test_a_weight_of_zero_is_no_posting(index: SummaryIndex) -> None:
    """Zero is the same as not there."""
    index.upsert("T1", [grain(1, sparse={7: 0.0, 8: 1.0})])
    assert [len(ids) for ids, _ in ask(index, dimensions=(7, 8)).postings] == [0, 1]


def test_without_a_question_only_postings_are_read(index: SummaryIndex) -> None:
    """Words alone can be asked, and nothing at all."""
    index.upsert("T1", [grain(1)])
    found = index.candidates("T1", ALL, None, (7,), 10)
    assert (len(found.points), len(found.cosines), len(found.postings[0][0])) == (0, 0, 1)
    assert index.candidates("T1", ALL, None, (), 10).postings == ()


def test_no_list_is_longer_than_the_limit(index: SummaryIndex) -> None:
    """The nearest by meaning are kept; a posting list is cut."""
    index.upsert("T1", [grain(n, dense=direction(1, n)) for n in range(20)])
    found = index.candidates("T1", ALL, EAST, (7,), 5)
    assert notes_in(found) == {0, 1, 2, 3, 4}
    assert len(found.postings[0][0]) == 5


@pytest.mark.parametrize(
    "broken",
    [
        grain(2, dense=np.full(DIMS, np.nan, np.float32)),
        grain(2, dense=np.full(DIMS, np.inf, np.float32)),
        grain(2, dense=np.ones(DIMS + 1, np.float32)),
        grain(2, sparse={7: float("nan")}),
        grain(2, sparse={-1: 1.0}),
        grain(2, sparse={1 << 32: 1.0}),
        grain(-1),
        grain(2, 1 << 10),
        grain(2, visibility="*"),
    ],
)
def test_what_cannot_be_held_is_refused_whole(index: SummaryIndex, broken: Point) -> None:
    """One bad point refuses the call, and nothing of it is written."""
    with pytest.raises(ValueError, match=r".+"):
        index.upsert("T1", [grain(1), broken])
    assert index.count("T1", notes=False) == 0


def test_a_question_that_is_not_finite_is_refused(index: SummaryIndex) -> None:
    """NaN would rank in no order."""
    index.upsert("T1", [grain(1)])
    with pytest.raises(ValueError, match="finite"):
        index.candidates("T1", ALL, np.full(DIMS, np.nan, np.float32), (), 10)


def test_a_dropped_workspace_is_forgotten_and_can_begin_anew(index: SummaryIndex) -> None:
    """Nothing of it is found, and later writes work."""
    index.upsert("T1", [grain(1), grain(2)])
    index.drop("T1")
    index.drop("T1")
    assert index.count("T1", notes=False) == len(ask(index).points) == 0
    index.upsert("T1", [grain(3)])
    assert notes_in(ask(index)) == {3}


def test_closing_twice_is_no_error(index: SummaryIndex) -> None:
    """As is flushing with nothing to flush."""
    index.flush()
    index.close()
    index.close()


@pytest.mark.parametrize("name", SURVIVING)
def test_what_was_written_survives_reopening(name: str, tmp_path: Path) -> None:
    """Everything: vectors, words, filter fields, the counts, and that a note was removed."""
    with ENGINES[name]() as opener:
        first = opener(tmp_path)
        first.upsert("T1", [grain(1), grain(1, 1), grain(2, account=2, visibility="C1"), grain(3)])
        first.remove("T1", [3])
        before = ask(first)
        first.close()
        second = opener(tmp_path)
        after = ask(second)
        assert sorted(after.points) == sorted(before.points)
        assert sorted(after.postings[0][0]) == sorted(before.postings[0][0])
        assert (second.count("T1"), notes_in(ask(second, Scope(audience=frozenset())))) == (2, {1})
        second.close()


def test_writers_and_readers_do_not_disturb_each_other(index: SummaryIndex) -> None:
    """Two writers and a reader: every read is well-formed, and in the end all is there."""

    def write(first: int) -> None:
        for note in range(first, first + 20):
            index.upsert("T1", [grain(note), grain(note, 1)])
            index.remove("T1", [note] if note % 5 == 0 else [])

    def read(_: int) -> None:
        found = ask(index)
        assert len(found.points) == len(found.cosines)
        assert set(found.cosines.round(1).tolist()) <= {1.0}

    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(write, 100), pool.submit(write, 200), *(pool.submit(read, n) for n in range(30))]
    for job in work:
        job.result()
    assert (index.count("T1"), index.count("T1", notes=False)) == (32, 64)


numbers = st.integers(1, 6)
channels = st.sampled_from(["", "C1", "C2"])
made_points = st.builds(
    Point,
    note_id=numbers,
    ordinal=st.integers(0, 2),
    account_id=st.integers(1, 3),
    visibility=channels,
    dense=st.integers(0, 1000).map(lambda seed: direction(*np.random.default_rng(seed).normal(size=DIMS))),
    sparse=st.dictionaries(st.integers(0, 4), st.integers(1, 9).map(float), max_size=4),
)
few = st.none() | st.lists(numbers, max_size=4).map(tuple)
made_scopes = st.builds(Scope, few, few, st.none() | st.frozensets(st.sampled_from(["C1", "C2"])))


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "memory"])
def test_every_engine_answers_as_the_plain_twin(name: str, tmp_path: Path) -> None:
    """For any points, removals and scope: all that lies in the scope with its weights, and nothing else."""
    with ENGINES[name]() as opener:
        index = opener(tmp_path)

        @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(made_points, max_size=12), st.lists(numbers, max_size=2), made_scopes)
        def holds(points: list[Point], removed: list[int], scope: Scope) -> None:
            twin = MemoryIndex(DIMS)
            answers = []
            for engine in (index, twin):
                engine.remove("T1", range(1, 7))
                engine.upsert("T1", points)
                engine.remove("T1", removed)
                answers.append(engine.candidates("T1", scope, EAST, range(5), 100))
            assert _facts(answers[0]) == _facts(answers[1])
            assert sorted(answers[0].cosines) == pytest.approx(sorted(answers[1].cosines), abs=COSINE_TOLERANCE)
            assert index.count("T1") == twin.count("T1")

        holds()
        index.close()


def _facts(found: Candidates) -> tuple[list[int], list[dict[int, float]]]:
    postings = [dict(zip(ids.tolist(), weights.tolist(), strict=True)) for ids, weights in found.postings]
    return sorted(found.points.tolist()), postings
