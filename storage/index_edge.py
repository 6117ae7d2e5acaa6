"""The embedded index: Qdrant's engine in this process, one shard folder per workspace.

    <root>/<team>-<digest>/made_by    what derived the shard: embedder, dimensions, scheme
    <root>/<team>-<digest>/seal       checksum of a shard that was closed well; taken away while it is open
    <root>/<team>-<digest>/shard/     Qdrant Edge's own files

Isolation is physical and uninstalling is deleting a folder. A shard that cannot be trusted is set aside and begun anew
rather than repaired: SQL has every word. Measured with 250,000 points: a question of 8 terms over the 200 points of an
account takes 0.4 ms.
"""

import logging
import os
import shutil
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from threading import Condition, Event, Lock, RLock
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zlib import crc32

import numpy as np
import qdrant_edge as qe
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from storage.errors import FolderInUse, IndexDown, RapportError
from storage.index import (
    PUBLIC,
    Candidates,
    Point,
    Posting,
    Scope,
    Vector,
    aligned,
    as_arrays,
    audience_of,
    check_points,
    check_question,
    check_team,
    is_empty,
    length,
    nothing,
    point_id,
    postings_of,
)
from storage.remembered import Remembered

if TYPE_CHECKING:
    from qdrant_edge import ConditionType, PayloadSchemaParams

log = logging.getLogger("rapport.storage")

LAYOUT = "e1"
"""Names the vectors and payload fields of a shard; a change rebuilds every shard."""

CHUNK = 256
"""Points per engine call. Edge holds the interpreter's lock while it writes: 256 points are about 6 ms."""

REMOVE_CHUNK = 1000
BLOCK = 1 << 16
WAIT = 30.0
HELD_POINTS = 1000
"""Points of a scope that are kept in memory whole: some 2 MB."""
READ_CHUNK = 32
"""Points read at a time for it: the engine holds the interpreter's lock meanwhile, some 0.5 ms."""
STRIKES = 2
"""Failures of an open shard after which it is begun anew; after the first it is opened again."""


@dataclass(slots=True)
class _Shard:
    """An open shard. `users` guards it against being closed in mid-call; `writer` makes writes one at a time."""

    edge: qe.EdgeShard
    users: int = 0
    unflushed: int = 0
    dirty_since: float = 0.0
    failed: bool = False
    writer: Lock = field(default_factory=Lock)


class _Damaged(Exception):
    """The shard is not what was written."""


class EdgeIndex:
    """SummaryIndex over Qdrant Edge. Thread-safe; one process per folder (FolderInUse otherwise).

    At most `open_shards` idle workspaces stay open. What was written survives the death of the process at once, and a
    power cut after a flush: every `flush_every` writes or `flush_seconds`, on `flush` and on `close`. Below
    `min_free_bytes` of free disk nothing is written (IndexDown): a full disk would kill the process.

    `rebuilt` names the workspaces whose index was begun anew because it was damaged or made by something else than
    `signature`. `on_rebuilt`, which may be set later, is called with each outside of all locks, so that their notes can
    be queued again.
    """

    def __init__(
        self,
        root: Path,
        dims: int,
        signature: str,
        *,
        open_shards: int = 64,
        min_free_bytes: int = 512 << 20,
        flush_every: int = 500,
        flush_seconds: float = 5.0,
        on_rebuilt: Callable[[str], object] = lambda _team: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = root
        self._dims = dims
        self._made_by = f"{LAYOUT} {dims} {signature}"
        self._open_shards = open_shards
        self._min_free_bytes = min_free_bytes
        self._flush_every = flush_every
        self._flush_seconds = flush_seconds
        self.on_rebuilt = on_rebuilt
        self._clock = clock
        self._turn = Condition(RLock())
        self._shards: OrderedDict[str, _Shard] = OrderedDict()
        self._strikes: Counter[str] = Counter()
        self._remembered = Remembered()
        self._closing = Event()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="index")
        self._rebuilt: list[str] = []
        self._untold: list[str] = []
        self._closed = False
        self._lock = _take(root)

    @property
    def kind(self) -> str:
        """Short name of the engine."""
        return "qdrant edge"

    @property
    def rebuilt(self) -> tuple[str, ...]:
        """Workspaces begun anew since this index was opened, in order."""
        return tuple(self._rebuilt)

    def upsert(self, team: str, points: Sequence[Point]) -> None:
        """Write points; those with the same ids are replaced. One bad point refuses them all."""
        check_points(points, self._dims)
        chunks = (points[start : start + CHUNK] for start in range(0, len(points), CHUNK))
        operations = (qe.UpdateOperation.upsert_points([_edge_point(point) for point in chunk]) for chunk in chunks)
        self._write(team, operations, create=bool(points))

    def remove(self, team: str, notes: Sequence[int]) -> None:
        """Take all grains of these notes out."""
        chunks = (notes[start : start + REMOVE_CHUNK] for start in range(0, len(notes), REMOVE_CHUNK))
        gone = (qe.Filter(must=[_any_number("note", chunk)]) for chunk in chunks)
        self._write(team, (qe.UpdateOperation.delete_points_by_filter(each) for each in gone))

    def candidates(
        self,
        team: str,
        scope: Scope,
        question: Vector | None,
        dimensions: Sequence[int],
        limit: int,
        *,
        towards: Vector | None = None,
    ) -> Candidates:
        """All points in the scope by cosine and the postings of each dimension, in one pass over the shard."""
        check_question(question, self._dims)
        check_question(towards, self._dims)
        with self._using(team) as shard:
            if shard is None or is_empty(scope):
                return nothing(dimensions, towards)
            held = self._remembered.get(team, (scope, limit))
            if held is not None and len(held) == len(_Whole._fields):
                return _Whole(*held).candidates(question, dimensions, towards)
            points, cosines, pulls = self._nearest(team, shard.edge, scope, (question, towards), limit)
            return Candidates(points, cosines, self._postings(team, shard.edge, scope, dimensions, limit), pulls)

    def _nearest(
        self, team: str, edge: qe.EdgeShard, scope: Scope, vectors: tuple[Vector | None, Vector | None], limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32] | None]:
        question, towards = vectors
        if question is None:
            none, nought = as_arrays((), (), 0)
            return none, nought, None if towards is None else nought
        edition, key = self._remembered.edition(team), (scope, limit)
        asked_before = self._remembered.get(team, key) is not None
        asked = [_nearest_to(vector, scope, limit) for vector in (question, towards) if vector is not None]
        found = [_arrays(points) for points in edge.query_batch(qe.QueryBatchRequest(asked))]
        points, cosines = found[0]
        # Fewer than the limit: these are all points of the scope.
        if scope.notes is None and 0 < len(points) < min(limit, HELD_POINTS):
            # Asked about for a second time, a scope is read whole, beside the answer: who asks twice asks on.
            if not asked_before:
                self._remembered.keep(team, key, (), edition)
            elif not self._closed:
                self._reader.submit(self._hold, team, key, points, edition)
        return points, cosines, None if towards is None else aligned(points, found[1], length(towards))

    def _hold(self, team: str, key: tuple[Scope, int], points: NDArray[np.int64], edition: int) -> None:
        """Keep all that a scope's points hold, unless it is kept already or something was written meanwhile."""
        if self._remembered.get(team, key) or edition != self._remembered.edition(team):
            return
        try:
            with self._using(team) as shard:
                whole = _whole(shard.edge, points, self._closing) if shard is not None else None
            if whole is not None:
                self._remembered.keep(team, key, whole, edition)
        except IndexDown as error:
            log.info("a scope of workspace %s is not kept in memory: %s", team, error)

    def _postings(
        self, team: str, edge: qe.EdgeShard, scope: Scope, dimensions: Sequence[int], limit: int
    ) -> tuple[Posting, ...]:
        edition = self._remembered.edition(team)
        kept = ((d, self._remembered.get(team, (scope, limit, d))) for d in dimensions)
        known = {dimension: cast("Posting", posting) for dimension, posting in kept if posting}
        wanted = [dimension for dimension in dict.fromkeys(dimensions) if dimension not in known]
        if wanted:
            batch = qe.QueryBatchRequest(_requests(scope, wanted, limit))
            for dimension, points in zip(wanted, edge.query_batch(batch), strict=True):
                known[dimension] = _arrays(points)
                if scope.notes is None:
                    self._remembered.keep(team, (scope, limit, dimension), known[dimension], edition)
        return tuple(known[dimension] for dimension in dimensions)

    def count(self, team: str, *, notes: bool = True) -> int:
        """How many notes are indexed, or how many points with `notes=False`."""
        whole = qe.Filter(must=[qe.FieldCondition("whole", match=qe.MatchValue(1))]) if notes else None
        with self._using(team) as shard:
            return shard.edge.count(qe.CountRequest(filter=whole)) if shard else 0

    def drop(self, team: str) -> None:
        """Forget a workspace wholly: its folder, and what was set aside of it, are deleted."""
        check_team(team)
        with self._turn:
            if not self._turn.wait_for(lambda: team not in self._shards or not self._shards[team].users, WAIT):
                raise IndexDown("the workspace is in use")
            self._let_go(team)
            self._remembered.forget(team)
            for folder in (self._folder(team), *self._aside(team)):
                shutil.rmtree(folder, ignore_errors=True)

    def flush(self) -> None:
        """Make what was written durable."""
        for team in tuple(self._shards):
            with self._using(team) as shard:
                if shard is not None:
                    self._flush(shard)

    def close(self) -> None:
        """Flush and let go. Calls that come later raise IndexDown."""
        with self._turn:
            self._closed = True
        self._closing.set()
        self._reader.shutdown(wait=True, cancel_futures=True)
        with self._turn:
            self._turn.wait_for(lambda: not any(shard.users for shard in self._shards.values()), WAIT)
            for team in tuple(self._shards):
                self._let_go(team)
            self._lock.release()

    @contextmanager
    def _using(self, team: str, *, create: bool = False) -> Iterator[_Shard | None]:
        """The workspace's shard, or None when it has none; a failure of the engine inside becomes IndexDown."""
        check_team(team)
        shard = self._taken(team, create)
        self._tell()
        try:
            yield shard
        except BaseException as error:
            if shard is None or not _is_fault(error):
                raise
            self._refuse_if_passing(error)
            log.warning("the index of workspace %s failed: %s", team, error)
            shard.failed = True
            raise IndexDown("the embedded engine failed") from error
        finally:
            self._give_back(team, shard)
            self._tell()

    def _taken(self, team: str, create: bool) -> _Shard | None:
        with self._turn:
            if self._closed:
                raise IndexDown("it has been closed")
            shard = self._shards.get(team) or self._opened_safely(team, create)
            if shard is None:
                return None
            if shard.failed:
                raise IndexDown("it is being opened again")
            self._shards[team] = shard
            self._shards.move_to_end(team)
            shard.users += 1
            self._evict()
            return shard

    def _give_back(self, team: str, shard: _Shard | None) -> None:
        if shard is None:
            return
        with self._turn:
            shard.users -= 1
            if shard.failed and not shard.users:
                self._let_go(team)
                self._strikes[team] += 1
                if self._strikes[team] >= STRIKES:
                    self._set_aside(team)
            self._turn.notify_all()

    def _evict(self) -> None:
        idle = [team for team, shard in self._shards.items() if not shard.users]
        for team in idle[: max(0, len(self._shards) - self._open_shards)]:
            self._let_go(team)

    def _let_go(self, team: str) -> None:
        shard = self._shards.pop(team, None)
        if shard is None:
            return
        try:
            self._flush(shard)
            shard.edge.close()
            if not shard.failed:
                folder = self._folder(team)
                (folder / "seal").write_text(_checksum(folder / "shard"), encoding="utf-8")
        except BaseException as error:
            if not _is_fault(error):
                raise
            log.warning("the index of workspace %s did not close well: %s", team, error)

    def _opened_safely(self, team: str, create: bool) -> _Shard | None:
        try:
            return self._opened(team, create)
        except BaseException as error:
            if not _is_fault(error):
                raise
            log.warning("the index of workspace %s cannot be opened: %s", team, error)
            raise IndexDown("it cannot be opened") from error

    def _opened(self, team: str, create: bool) -> _Shard | None:
        folder = self._folder(team)
        if folder.exists():
            edge = self._loaded(folder)
            if edge is not None:
                return _Shard(edge)
            self._set_aside(team)
        return _Shard(self._created(folder)) if create else None

    def _loaded(self, folder: Path) -> qe.EdgeShard | None:
        """The shard in the folder, or None when it is damaged or was made by something else."""
        if _read(folder / "made_by") != self._made_by:
            log.warning("the index in %s was made by another model or version", folder.name)
            return None
        try:
            if (seal := _read(folder / "seal")) is not None and seal != _checksum(folder / "shard"):
                raise _Damaged("its files are not those that were closed")
            (folder / "seal").unlink(missing_ok=True)
            edge = qe.EdgeShard.load(str(folder / "shard"))
            _check_whole(edge)
            return edge
        except BaseException as error:
            if not _is_fault(error):
                raise
            self._refuse_if_passing(error)
            log.warning("the index in %s is damaged: %s", folder.name, error)
            return None

    def _refuse_if_passing(self, error: BaseException) -> None:
        """Raise what is no damage: a folder in use, a disk that is full, a limit of the system."""
        if "WouldBlock" in str(error):
            raise FolderInUse(str(self._root)) from error
        if any(sign in str(error) for sign in _PASSING):
            raise IndexDown("the system refused to open it") from error

    def _created(self, folder: Path) -> qe.EdgeShard:
        self._check_disk()
        path = folder / "shard"
        path.mkdir(parents=True)
        edge = qe.EdgeShard.create(str(path), _config(self._dims))
        for name, kind in _FIELDS.items():
            edge.update(qe.UpdateOperation.create_field_index(name, kind))
        edge.flush()
        # Written last: a shard without it was never finished.
        (folder / "made_by").write_text(self._made_by, encoding="utf-8")
        return edge

    def _set_aside(self, team: str) -> None:
        """Move the folder out of the way, keeping only the latest, and remember to say so."""
        self._remembered.forget(team)
        folder, before = self._folder(team), self._aside(team)
        latest = max((int(path.name.rpartition("-")[2]) for path in before), default=0)
        folder.rename(folder.with_name(f"{folder.name}.damaged-{latest + 1}"))
        for path in before:
            shutil.rmtree(path, ignore_errors=True)
        self._strikes.pop(team, None)
        self._rebuilt.append(team)
        self._untold.append(team)

    def _tell(self) -> None:
        with self._turn:
            untold, self._untold = self._untold, []
        for team in untold:
            try:
                self.on_rebuilt(team)
            except Exception:  # whoever listens must not take the index down with it
                log.exception("nobody could be told that the index of workspace %s is new", team)

    def _write(self, team: str, operations: Iterable[qe.UpdateOperation], *, create: bool = False) -> None:
        with self._using(team, create=create) as shard:
            if shard is None:
                return
            for operation in operations:
                self._check_disk()
                if self._written(team, shard, operation):
                    self._flush(shard)

    def _written(self, team: str, shard: _Shard, operation: qe.UpdateOperation) -> bool:
        """Write; says whether a flush is due."""
        with shard.writer:
            self._remembered.forget(team)
            shard.edge.update(operation)
            self._remembered.forget(team)
            now = self._clock()
            shard.dirty_since = shard.dirty_since if shard.unflushed else now
            shard.unflushed += 1
            return shard.unflushed >= self._flush_every or now - shard.dirty_since >= self._flush_seconds

    def _flush(self, shard: _Shard) -> None:
        with shard.writer:
            if shard.unflushed:
                shard.edge.flush()
                shard.unflushed = 0

    def _check_disk(self) -> None:
        if shutil.disk_usage(self._root).free < self._min_free_bytes:
            raise IndexDown(f"less than {self._min_free_bytes >> 20} MB of disk are free")

    def _folder(self, team: str) -> Path:
        # The digest keeps ids apart that differ only in case, where the file system would not.
        return self._root / f"{team}-{blake2b(team.encode(), digest_size=4).hexdigest()}"

    def _aside(self, team: str) -> list[Path]:
        found = self._root.glob(f"{self._folder(team).name}.damaged-*")
        return [path for path in found if path.name.rpartition("-")[2].isdigit()]


_FIELDS: Mapping[str, "PayloadSchemaParams"] = {
    "account": qe.IntegerIndexParams(lookup=True, range=False),
    "note": qe.IntegerIndexParams(lookup=True, range=False),
    "visibility": qe.KeywordIndexParams(),
    # A number on whole notes only: Edge 0.9 turns a bool that is asked for into a number, and finds nothing.
    "whole": qe.IntegerIndexParams(lookup=True, range=False),
}
_PASSING = ("No space left", "Too many open files", "Cannot allocate memory", "Permission denied")


def _take(root: Path) -> FileLock:
    """The root's lock. Edge's own is taken per shard, later, and says it less clearly."""
    root.mkdir(parents=True, exist_ok=True)
    # One lock for all threads: whoever closes may not be who opened.
    lock = FileLock(root / "lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise FolderInUse(str(root)) from error
    return lock


def _checksum(folder: Path) -> str:
    """Of all files in it, by name, size and content. Against rot and half-copied folders, not against people."""
    total = 0
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        total = crc32(f"{path.relative_to(folder)} {path.stat().st_size}".encode(), total)
        for offset, block in _blocks(path):
            total = crc32(block, crc32(offset.to_bytes(8, "big"), total))
    return f"{total:08x}"


def _blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """The file's blocks that are not all zeros: Edge's files are mostly holes, 130 MB of them in an empty shard."""
    offset = 0
    with path.open("rb", buffering=0) as file:
        while True:
            try:
                offset = os.lseek(file.fileno(), offset, os.SEEK_DATA) // BLOCK * BLOCK
            except OSError:
                return
            file.seek(offset)
            block = file.read(BLOCK)
            if block != bytes(len(block)):
                yield offset, block
            offset += BLOCK


def _check_whole(edge: qe.EdgeShard) -> None:
    """Raise _Damaged when parts of the shard disagree on how many points there are: damage that loads in silence."""
    points = edge.count(qe.CountRequest())
    found = {"dense": edge.count(qe.CountRequest(filter=qe.Filter(must=[qe.HasVectorCondition("dense")])))}
    for name in ("account", "visibility"):
        found[name] = sum(hit.count for hit in edge.facet(qe.FacetRequest(name, limit=points + 1, exact=True)).hits)
    if wrong := [name for name, count in found.items() if count != points]:
        raise _Damaged(f"{' and '.join(wrong)} do not cover its points")


def _config(dims: int) -> qe.EdgeConfig:
    # Turbo8 takes half of Float16's memory and errs by 0.0004 in the cosine (standard deviation): far less than an int8
    # embedder does.
    dense = qe.EdgeVectorParams(size=dims, distance=qe.Distance.Cosine, datatype=qe.VectorStorageDatatype.Turbo8)
    return qe.EdgeConfig(vectors={"dense": dense}, sparse_vectors={"words": qe.EdgeSparseVectorParams()})


def _edge_point(point: Point) -> qe.Point:
    words = qe.SparseVector(*postings_of(point))
    payload = {"account": point.account_id, "note": point.note_id, "visibility": point.visibility or PUBLIC}
    if point.ordinal == 0:
        payload["whole"] = 1
    vector = {"dense": point.dense.tolist(), "words": words}
    return qe.Point(point_id(point.note_id, point.ordinal), vector, payload)


def _nearest_to(question: Vector, scope: Scope, limit: int) -> qe.QueryRequest:
    return qe.QueryRequest(query=qe.Query.Nearest(question.tolist(), using="dense"), limit=limit, filter=_filter(scope))


def _requests(scope: Scope, dimensions: Sequence[int], limit: int) -> list[qe.QueryRequest]:
    inside = _filter(scope)
    # The score of a one-dimension query of weight 1 is the stored weight: a posting list, read through the filter.
    asked = (qe.Query.Nearest(qe.SparseVector([int(d)], [1.0]), using="words") for d in dimensions)
    return [qe.QueryRequest(query=query, limit=limit, filter=inside) for query in asked]


class _Whole(NamedTuple):
    """All that the n points of a scope hold: `points` (n,) ids and (n, dims) `vectors`; the postings of all their
    `dimensions` (d,) end to end: `ids` and `weights` (m,), each posting's beginning at `starts` (d + 1,)."""

    points: NDArray[np.int64]
    vectors: NDArray[np.float32]
    dimensions: NDArray[np.int64]
    starts: NDArray[np.int64]
    ids: NDArray[np.int64]
    weights: NDArray[np.float32]

    def candidates(self, question: Vector | None, dimensions: Sequence[int], towards: Vector | None) -> Candidates:
        """As the engine would find them."""
        postings = tuple(self.posting(int(dimension)) for dimension in dimensions)
        if question is None:
            return Candidates(*as_arrays((), (), 0), postings, None if towards is None else np.zeros(0, np.float32))
        cosines = self.vectors @ question
        order = np.argsort(-cosines, kind="stable")
        pulls = None if towards is None else (self.vectors @ towards)[order]
        return Candidates(self.points[order], cosines[order], postings, pulls)

    def posting(self, dimension: int) -> Posting:
        """The points with a dimension, and its weights."""
        place = int(np.searchsorted(self.dimensions, dimension))
        if place == len(self.dimensions) or self.dimensions[place] != dimension:
            return as_arrays((), (), 0)
        here = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return self.ids[here], self.weights[here]


def _whole(edge: qe.EdgeShard, points: NDArray[np.int64], closing: Event) -> _Whole | None:
    """All that these points hold, as the engine keeps it; None when the index is closing, or they are gone."""
    held: list[tuple[int, Any, Any]] = []
    for start in range(0, len(points), READ_CHUNK):
        if closing.is_set():
            return None
        some = points[start : start + READ_CHUNK].tolist()
        records = edge.retrieve(some, with_payload=False, with_vector=["dense", "words"])
        vectors = ((int(str(record.id)), record.vector) for record in records)
        held += [(id_, v["dense"], v["words"]) for id_, v in vectors if isinstance(v, dict)]
    if not held:
        return None
    ids = np.array([id_ for id_, _, _ in held], np.int64)
    dimensions = np.concatenate([np.zeros(0, np.int64), *(np.array(w.indices, np.int64) for _, _, w in held)])
    weights = np.concatenate([np.zeros(0, np.float32), *(np.array(w.values, np.float32) for _, _, w in held)])
    owners = np.repeat(ids, [len(w.indices) for _, _, w in held])
    order = np.lexsort((owners, -weights, dimensions))
    found, starts = np.unique(dimensions[order], return_index=True)
    return _Whole(
        ids,
        np.array([vector for _, vector, _ in held], np.float32),
        found,
        np.append(starts, len(order)),
        owners[order],
        weights[order],
    )


def _filter(scope: Scope) -> qe.Filter | None:
    must: list[ConditionType] = []
    must += [] if scope.accounts is None else [_any_number("account", scope.accounts)]
    must += [] if scope.notes is None else [_any_number("note", scope.notes)]
    seen = audience_of(scope)
    must += [] if seen is None else [qe.FieldCondition("visibility", match=qe.MatchAny(seen))]
    return qe.Filter(must=must) if must else None


def _any_number(field_name: str, values: Sequence[int]) -> qe.FieldCondition:
    return qe.FieldCondition(field_name, match=qe.MatchAny(list(values)))


def _arrays(found: list[qe.ScoredPoint]) -> Posting:
    ids = cast("Iterable[int]", (point.id for point in found))
    return as_arrays(ids, (point.score for point in found), len(found))


def _is_fault(error: BaseException) -> bool:
    """Whether the engine failed, as against us or the person at the keyboard. Its panics are no Exception."""
    kind = type(error)
    if (kind.__module__, kind.__name__) == ("pyo3_runtime", "PanicException"):
        return True
    return isinstance(error, Exception) and not isinstance(
        error, RapportError | TypeError | ValueError | ArithmeticError
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
