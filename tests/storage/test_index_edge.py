"""Promises of the embedded index beyond the contract: damage, death, a full disk, a second process, many workspaces."""

import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from storage import index_edge
from storage.errors import FolderInUse, IndexDown
from storage.index import ORDINAL_BITS, Point, Scope, Vector
from storage.index_edge import EdgeIndex

DIMS = 8
ROOT = Path(__file__).parents[2]
EVERYTHING = 10_000


def vector(seed: int) -> Vector:
    drawn = np.random.default_rng(seed).normal(size=DIMS).astype(np.float32)
    return drawn / np.float32(np.linalg.norm(drawn))


def note(number: int) -> Point:
    return Point(number, 0, number % 5, "C1" if number % 3 == 0 else "", vector(number), {number % 7: 1.0 + number})


def opened(root: Path, signature: str = "minilm s1", **options: Any) -> EdgeIndex:
    return EdgeIndex(root, DIMS, signature, **({"min_free_bytes": 0} | options))


def found(index: EdgeIndex, scope: Scope = Scope()) -> list[tuple[int, float]]:  # noqa: B008 - a frozen value
    answer = index.candidates("T1", scope, vector(0), range(7), EVERYTHING)
    lists = [(answer.points, answer.cosines), *answer.postings]
    return sorted((int(id_), float(score)) for ids, scores in lists for id_, score in zip(ids, scores, strict=True))


def everything(index: EdgeIndex) -> list[object]:
    """All that the index can say of T1."""
    scopes = [Scope(), Scope(None, None, frozenset()), *(Scope(accounts=(account,)) for account in range(5))]
    return [index.count("T1"), index.count("T1", notes=False), *(found(index, scope) for scope in scopes)]


def ask_until_answered(index: EdgeIndex) -> list[object]:
    """Failures in between are IndexDown, and end after a few."""
    for _ in range(4):
        try:
            return everything(index)
        except IndexDown:
            continue
    raise AssertionError("still down after four questions")


# --- damage ---


def truncated(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content))]


def flipped(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(8):
        changed[random.randrange(min(len(changed), 1 << random.randrange(4, 25)))] ^= 1 << random.randrange(8)
    return bytes(changed)


def zeroed(content: bytes, random: Random) -> bytes:
    return bytes(len(content))


def gone(content: bytes, random: Random) -> None:
    return None


DAMAGES = (truncated, flipped, zeroed, gone)


@pytest.mark.parametrize("turn", range(len(DAMAGES)))
def test_a_damaged_file_is_noticed(tmp_path: Path, turn: int) -> None:
    """Whichever file is damaged, the index is as it was, or empty and says so: never in part, never a crash."""
    random = Random(turn)
    root, held = tmp_path / "index", None
    for number in range(turn, 1000, len(DAMAGES)):
        index = opened(root)
        index.upsert("T1", [note(n) for n in range(60)])
        index.remove("T1", [7])
        held = everything(index)
        index.close()
        files = [path for path in sorted(root.glob("T1*/**/*")) if path.is_file() and path.stat().st_size]
        if number >= len(files):
            return
        damage = random.choice(DAMAGES)
        assert _survives(root, files[number], damage(files[number].read_bytes(), random), held), (number, damage)


def _survives(root: Path, file: Path, content: bytes | None, held: list[object]) -> bool:
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    index = opened(root)
    answers = ask_until_answered(index)
    index.upsert("T1", [note(1)])
    index.drop("T1")
    index.close()
    return answers == held or (index.rebuilt == ("T1",) and answers[0] == 0)


def shard_files(root: Path, pattern: str) -> list[Path]:
    return [path for path in root.rglob(pattern) if path.is_file()]


def test_damage_that_shows_while_open_ends_in_a_new_index(tmp_path: Path) -> None:
    """A shard that was not closed well and lost its vectors fails twice, and is then begun anew."""
    index = opened(tmp_path)
    index.upsert("T1", [note(n) for n in range(60)])
    index.close()
    for seal in shard_files(tmp_path, "seal"):
        seal.unlink()
    for chunk in shard_files(tmp_path, "chunk_0.mmap"):
        chunk.write_bytes(b"")
    told: list[str] = []
    index = opened(tmp_path, on_rebuilt=told.append)
    assert ask_until_answered(index)[0] == 0
    assert (index.rebuilt, told) == (("T1",), ["T1"])
    index.upsert("T1", [note(1)])
    assert index.count("T1") == 1
    index.close()


def test_a_panic_of_the_engine_is_caught_and_an_interrupt_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edge's panics are no Exception, yet must not end the process; Ctrl-C must."""
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
    raised: list[BaseException] = [panic("index out of range"), KeyboardInterrupt()]

    def fails(_: object) -> None:
        raise raised.pop(0)

    index = opened(tmp_path)
    index.upsert("T1", [note(1)])
    monkeypatch.setattr(index_edge, "_arrays", fails)
    with pytest.raises(IndexDown, match="embedded engine failed"):
        found(index)
    with pytest.raises(KeyboardInterrupt):
        found(index)
    monkeypatch.undo()
    assert (index.count("T1"), index.rebuilt) == (1, ())
    index.close()


def test_the_rebuilt_index_is_told_of_outside_all_locks(tmp_path: Path) -> None:
    """Whoever is told may ask the index at once."""
    first = opened(tmp_path, "minilm s1")
    first.upsert("T1", [note(1)])
    first.close()
    counts: list[int] = []

    def told(team: str) -> None:
        counts.append(second.count(team))

    second: EdgeIndex = opened(tmp_path, "minilm s2", on_rebuilt=told)
    assert (second.count("T1"), counts) == (0, [0])
    second.close()


def test_whoever_listens_cannot_take_the_index_down(tmp_path: Path) -> None:
    """A failing listener is logged; the call goes on."""

    def fails(team: str) -> None:
        raise RuntimeError(team)

    first = opened(tmp_path)
    first.upsert("T1", [note(1)])
    first.close()
    second = opened(tmp_path, "another", on_rebuilt=fails)
    second.upsert("T1", [note(1), note(2)])
    assert second.count("T1") == 2
    second.drop("T1")
    second.close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is IndexDown, not its own error; when it gives way, writing works."""

    def refuses(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    index = opened(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuses)
        with pytest.raises(IndexDown, match="cannot be opened"):
            index.upsert("T1", [note(1)])
    index.upsert("T1", [note(1)])
    assert (index.count("T1"), index.rebuilt) == (1, ())
    index.close()


@pytest.mark.parametrize(("signature", "dims"), [("another model s1", DIMS), ("minilm s2", DIMS), ("minilm s1", 16)])
def test_vectors_of_another_model_are_set_aside(tmp_path: Path, signature: str, dims: int) -> None:
    """Another embedder, scheme or size begins anew, and says so."""
    first = opened(tmp_path)
    first.upsert("T1", [note(1)])
    first.close()
    second = EdgeIndex(tmp_path, dims, signature, min_free_bytes=0)
    assert (second.count("T1"), second.rebuilt) == (0, ("T1",))
    second.close()


def test_at_most_one_damaged_folder_is_kept(tmp_path: Path) -> None:
    """The latest, for whoever wants to know what happened."""
    for turn in range(3):
        index = opened(tmp_path, f"model {turn}")
        index.upsert("T1", [note(1)])
        index.close()
    assert [path.name.rpartition(".")[2] for path in tmp_path.glob("*.damaged-*")] == ["damaged-2"]
    index = opened(tmp_path, "model 2")
    index.drop("T1")
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    index.close()


def test_a_shard_that_was_never_finished_is_begun_anew(tmp_path: Path) -> None:
    """A process that died while it created a shard leaves nothing that could be taken for one."""
    index = opened(tmp_path)
    index.upsert("T1", [note(1)])
    index.close()
    for made_by in shard_files(tmp_path, "made_by"):
        made_by.unlink()
    index = opened(tmp_path)
    index.upsert("T1", [note(1), note(2)])
    assert (index.count("T1"), index.rebuilt) == (2, ("T1",))
    index.close()


# --- death, a full disk, a second process ---

WRITER = """
import sys
from pathlib import Path
from tests.storage.test_index_edge import note, opened
index = opened(Path(sys.argv[1]))
for number in range(100_000):
    index.upsert("T1", [note(number)])
    if number % 10 == 9:
        index.flush()
        print(number, flush=True)
"""


OPENER = """
import sys
from pathlib import Path
from storage.errors import FolderInUse
from tests.storage.test_index_edge import opened
try:
    opened(Path(sys.argv[1]))
except FolderInUse as error:
    print(error)
    sys.exit(1)
"""


def process(code: str, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, text=True, cwd=ROOT)


@pytest.mark.parametrize("lines", [1, 7])
def test_a_killed_writer_loses_nothing_it_flushed(tmp_path: Path, lines: int) -> None:
    """kill -9 between or during writes: every flushed note is there, whole, and the folder is free at once."""
    with process(WRITER, tmp_path) as writer:
        assert writer.stdout is not None
        flushed = [int(writer.stdout.readline()) for _ in range(lines)][-1]
        writer.kill()
    index = opened(tmp_path)
    assert index.rebuilt == ()
    held = index.candidates("T1", Scope(), vector(0), range(7), EVERYTHING)
    notes = {int(point) >> 10 for point in held.points}
    worded = {int(point) >> 10 for ids, _ in held.postings for point in ids}
    assert set(range(flushed + 1)) <= notes == worded
    assert index.count("T1") == len(notes)
    index.close()


def test_nothing_is_written_on_a_full_disk(tmp_path: Path) -> None:
    """Under the limit of free space writes raise IndexDown, before anything is touched; reading goes on."""
    index = opened(tmp_path)
    index.upsert("T1", [note(1)])
    index.close()
    full = opened(tmp_path, min_free_bytes=1 << 62)
    with pytest.raises(IndexDown, match="disk"):
        full.upsert("T1", [note(2)])
    with pytest.raises(IndexDown, match="disk"):
        full.upsert("T2", [note(2)])
    with pytest.raises(IndexDown, match="disk"):
        full.remove("T1", [1])
    assert (full.count("T1"), len(found(full)), full.rebuilt) == (1, 2, ())
    assert len(list(tmp_path.glob("T2*"))) == 0
    full.close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """One sentence instead of two writers; the folder is free again after closing."""
    index = opened(tmp_path)
    with process(OPENER, tmp_path) as other:
        said, _ = other.communicate()
    assert (other.returncode, said) == (
        1,
        f"The data folder {tmp_path} is in use by another Rapport process. Stop that one first.\n",
    )
    with pytest.raises(FolderInUse):
        opened(tmp_path)
    index.close()
    opened(tmp_path).close()


# --- many workspaces, flushing ---


def test_only_so_many_workspaces_stay_open(tmp_path: Path) -> None:
    """The least recently used is closed, and opened again when it is asked."""
    index = opened(tmp_path, open_shards=2)
    for number in range(6):
        index.upsert(f"T{number}", [note(n) for n in range(number + 1)])
    assert list(index._shards) == ["T4", "T5"]
    assert [index.count(f"T{number}") for number in range(6)] == [1, 2, 3, 4, 5, 6]
    assert len(index._shards) == 2
    index.close()


def test_a_workspace_that_was_only_asked_leaves_no_folder(tmp_path: Path) -> None:
    """Reading, removing and dropping create nothing."""
    index = opened(tmp_path)
    index.remove("T1", [1])
    index.upsert("T1", [])
    index.drop("T1")
    assert found(index) == []
    index.close()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_writes_are_flushed_by_number_and_by_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many writes or so many seconds, at the next write; never when nothing was written."""
    now = [0.0]
    index = opened(tmp_path, flush_every=3, flush_seconds=5.0, clock=lambda: now[0])

    def waiting() -> int:
        return index._shards["T1"].unflushed

    waits = []
    for at in (0.0, 1.0, 2.0, 10.0, 14.9, 15.0, 16.0):
        now[0] = at
        index.upsert("T1", [note(1)])
        waits.append(waiting())
    assert waits == [1, 2, 0, 1, 2, 0, 1]
    index.flush()
    assert waiting() == 0
    index.close()


def test_a_closed_index_says_so(tmp_path: Path) -> None:
    """Late calls raise IndexDown instead of opening anything."""
    index = opened(tmp_path)
    index.upsert("T1", [note(1)])
    index.close()
    with pytest.raises(IndexDown, match="closed"):
        index.count("T1")
    index.flush()


# --- what is kept in memory ---


def kept(index: EdgeIndex, scope: Scope) -> bool:
    """Whether a scope has been read whole, within five seconds."""
    for _ in range(250):
        if len(index._remembered.get("T1", (scope, EVERYTHING)) or ()) > 2:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("scope", [Scope(accounts=(1,)), Scope(accounts=(2,), audience=frozenset({"C1"})), Scope()])
def test_a_scope_asked_about_twice_is_answered_alike_from_memory(tmp_path: Path, scope: Scope) -> None:
    """Cosines and postings are those of the engine, also of a word that is nowhere; what is written is seen at once."""
    index = opened(tmp_path)
    index.upsert("T1", [note(number) for number in range(1, 80)])
    engine = found(index, scope)
    assert found(index, scope) == engine
    assert kept(index, scope)
    memory = found(index, scope)
    assert [id_ for id_, _ in memory] == [id_ for id_, _ in engine]
    assert [score for _, score in memory] == pytest.approx([score for _, score in engine], abs=2e-3)
    assert len(index.candidates("T1", scope, None, [4_000_000_000], EVERYTHING).postings[0][0]) == 0
    index.remove("T1", [31])
    assert 31 not in {id_ >> ORDINAL_BITS for id_, _ in found(index, scope)}
    index.close()


def test_a_scope_that_is_empty_or_cut_off_is_not_kept(tmp_path: Path) -> None:
    """What is kept answers for the whole scope, so a part of it will not do; nothing is answered with nothing."""
    index = opened(tmp_path)
    index.upsert("T1", [note(number) for number in range(1, 80)])
    for _ in range(4):
        cut = index.candidates("T1", Scope(), vector(0), range(7), 10)
        empty = index.candidates("T1", Scope(accounts=(77,)), vector(0), range(7), EVERYTHING)
    index.close()
    assert [len(points) for points, _ in cut.postings] == [10] * 7
    assert len(empty.points) == 0


def test_closing_does_not_wait_for_what_is_read_beside(tmp_path: Path) -> None:
    """A scope that is being read into memory is left where it is, and the index closes cleanly."""
    index = opened(tmp_path)
    index.upsert("T1", [note(number) for number in range(1, 900)])
    for _ in range(2):
        found(index, Scope())
    index.close()
    with pytest.raises(IndexDown):
        found(index)
