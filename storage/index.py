"""Port: the index that finds notes by meaning and by words, inside a hard scope.

The index is disposable. It holds vectors, ids and filter fields, never words, and can be rebuilt from SQL at any time.
Adapters: `index_edge.py` (embedded) and `index_qdrant.py` (a server or cluster); `MemoryIndex` here is the plain
in-process twin that the contract suite holds to the same promises.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from storage.errors import BadInput

Vector = NDArray[np.float32]
Posting = tuple[NDArray[np.int64], NDArray[np.float32]]

ORDINAL_BITS = 10
"""A note has at most 2**10 grains: the whole note (ordinal 0) and its passages."""


PUBLIC = "*"
"""Stored as the visibility of notes without a private channel: engines match a value better than its absence."""


def point_id(note_id: int, ordinal: int) -> int:
    """The id of a grain, derived from its note, so that writing it twice is writing it once."""
    return note_id << ORDINAL_BITS | ordinal


def note_of(point: int) -> tuple[int, int]:
    """The note and the ordinal a point id was made from."""
    return point >> ORDINAL_BITS, point & ((1 << ORDINAL_BITS) - 1)


@dataclass(frozen=True, slots=True)
class Point:
    """One grain of a note: ids and filter fields only.

    `dense` is (dims,) and of unit length; `sparse` maps a dimension (uint32) to its weight. `visibility` is the id of
    the private channel the note belongs to, or "". A weight of 0 is the same as no weight.
    """

    note_id: int
    ordinal: int
    account_id: int
    visibility: str
    dense: Vector
    sparse: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Scope:
    """The hard filter. None means no restriction of that kind; an empty tuple means nothing passes.

    `audience` holds the private channels the asker is a member of; notes without a private channel always pass it.
    None is the operator, who sees all.
    """

    accounts: tuple[int, ...] | None = None
    notes: tuple[int, ...] | None = None
    audience: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """What lies in the scope: (n,) point ids and cosines, best first; and per asked sparse dimension its postings.

    `postings[i]` holds the point ids and stored weights of the i-th asked dimension, in no particular order. `pulls`
    (n,) are the products of the points with the vector `towards`, when one was given.
    """

    points: NDArray[np.int64]
    cosines: NDArray[np.float32]
    postings: tuple[Posting, ...]
    pulls: NDArray[np.float32] | None = None


class SummaryIndex(Protocol):
    """What every engine promises. `team` is the tenant: no call reaches past it. All calls are thread-safe.

    Raises IndexDown when the engine cannot be reached in time, BadInput for a workspace id that cannot name a folder,
    ValueError for points or a question that no engine could hold. Writes are idempotent by point id.
    """

    @property
    def kind(self) -> str:
        """Short name of the engine, for `doctor`."""

    def upsert(self, team: str, points: Sequence[Point]) -> None:
        """Write points; those with the same ids are replaced."""

    def remove(self, team: str, notes: Sequence[int]) -> None:
        """Take all grains of these notes out. Unknown notes are no error."""

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
        """All points in the scope by cosine (at most `limit`) and the postings of each dimension (at most `limit`).

        With `question` None only postings are read, and `points` and `cosines` are empty. With `towards`, a vector of
        any length, the same points are measured by it too; one that is not among its `limit` nearest counts 0.
        """

    def count(self, team: str, *, notes: bool = True) -> int:
        """How many notes (ordinal 0 points) are indexed, or how many points with `notes=False`."""

    def drop(self, team: str) -> None:
        """Forget a workspace wholly."""

    def flush(self) -> None:
        """Make what was written durable."""

    def close(self) -> None:
        """Flush and let go. Calling twice is no error."""


class MemoryIndex:
    """The plain twin: a dictionary per workspace, scanned with numpy. Keeps every promise but that of surviving."""

    def __init__(self, dims: int | None = None) -> None:
        self._dims = dims
        self._teams: dict[str, dict[int, Point]] = {}
        self._lock = Lock()

    @property
    def kind(self) -> str:
        """Short name of the engine."""
        return "memory"

    def upsert(self, team: str, points: Sequence[Point]) -> None:
        """Write points; those with the same ids are replaced."""
        check_team(team)
        check_points(points, self._dims)
        with self._lock:
            self._teams.setdefault(team, {}).update({point_id(p.note_id, p.ordinal): _copy(p) for p in points})

    def remove(self, team: str, notes: Sequence[int]) -> None:
        """Take all grains of these notes out."""
        check_team(team)
        gone = set(notes)
        with self._lock:
            kept = {id_: p for id_, p in self._teams.get(team, {}).items() if p.note_id not in gone}
            self._teams[team] = kept

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
        """All points in the scope by cosine and the postings of each dimension, each at most `limit`."""
        check_team(team)
        check_question(question, self._dims)
        check_question(towards, self._dims)
        with self._lock:
            inside = _inside(self._teams.get(team, {}), scope)
        points, cosines = ranked([] if question is None else _cosines(inside, unit(question)), limit)
        pulls = None if towards is None else aligned(points, ranked(_cosines(inside, towards), limit))
        return Candidates(
            points, cosines, tuple(ranked(_weights(inside, dimension), limit) for dimension in dimensions), pulls
        )

    def count(self, team: str, *, notes: bool = True) -> int:
        """How many notes are indexed, or how many points with `notes=False`."""
        check_team(team)
        with self._lock:
            return sum(not notes or p.ordinal == 0 for p in self._teams.get(team, {}).values())

    def drop(self, team: str) -> None:
        """Forget a workspace wholly."""
        check_team(team)
        with self._lock:
            self._teams.pop(team, None)

    def flush(self) -> None:
        """Nothing here outlives the process."""

    def close(self) -> None:
        """Nothing is held."""


_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def check_team(team: str) -> None:
    """Raise BadInput unless the id is letters, digits, - and _: it becomes a folder's name and a filter's value."""
    if not _TEAM.fullmatch(team):
        raise BadInput(f"'{team[:40]}' cannot be a workspace id: up to 64 letters, digits, '-' and '_' can.")


def check_points(points: Sequence[Point], dims: int | None) -> None:
    """Raise ValueError unless every point can be held exactly: engines take NaN in silence and answer with nonsense."""
    for point in points:
        if not 0 <= point.note_id < 1 << 53 or not 0 <= point.ordinal < 1 << ORDINAL_BITS:
            raise ValueError(f"no point id for note {point.note_id}, ordinal {point.ordinal}")
        if point.visibility == PUBLIC:
            raise ValueError("a private channel cannot bear the mark of what all may see")
        check_question(point.dense, dims)
        _check_sparse(point.sparse)


def check_question(vector: Vector | None, dims: int | None) -> None:
    """Raise ValueError unless the vector is finite and has `dims` elements (any number when None)."""
    if vector is None:
        return
    if vector.ndim != 1 or (dims is not None and vector.shape[0] != dims):
        raise ValueError(f"a vector of shape {vector.shape} where ({dims},) is due")
    if not np.isfinite(vector).all():
        raise ValueError("a vector must be finite")


def _check_sparse(vector: Mapping[int, float]) -> None:
    if vector and not 0 <= min(vector) <= max(vector) < 1 << 32:
        raise ValueError("a sparse dimension has 32 bits")
    if not all(map(isfinite, vector.values())):
        raise ValueError("a sparse weight must be finite")


def audience_of(scope: Scope) -> list[str] | None:
    """The stored visibilities that pass the scope, or None when all do."""
    return None if scope.audience is None else sorted(scope.audience | {PUBLIC})


def is_empty(scope: Scope) -> bool:
    """Whether nothing can pass, so that no engine need be asked."""
    return scope.accounts == () or scope.notes == ()


def nothing(dimensions: Sequence[int], towards: Vector | None = None) -> Candidates:
    """No candidates, with an empty posting per dimension."""
    empty = ranked([], 0)
    return Candidates(*empty, (empty,) * len(dimensions), None if towards is None else empty[1])


def aligned(
    points: NDArray[np.int64], found: tuple[NDArray[np.int64], NDArray[Any]], scale: float = 1.0
) -> NDArray[np.float32]:
    """(n,) the scores of `points` among those found, scaled; 0 for a point that is not."""
    ids, scores = found
    if not len(ids):
        return np.zeros(len(points), np.float32)
    order = np.argsort(ids)
    places = order[np.minimum(np.searchsorted(ids, points, sorter=order), len(ids) - 1)]
    return np.where(ids[places] == points, scores[places] * scale, 0.0).astype(np.float32)


def length(vector: Vector) -> float:
    """Of a vector, as engines that scale to length 1 take it away."""
    return float(np.linalg.norm(vector))


def ranked(pairs: Sequence[tuple[int, float]], limit: int) -> Posting:
    """Point ids and scores as arrays, highest score first, ties by the higher id."""
    best = sorted(pairs, key=lambda pair: (-pair[1], -pair[0]))[:limit]
    return as_arrays((id_ for id_, _ in best), (score for _, score in best), len(best))


def postings_of(point: Point) -> tuple[list[int], list[float]]:
    """The dimensions of a point that have weight, and the weights."""
    kept = [(dimension, float(weight)) for dimension, weight in point.sparse.items() if weight]
    return [dimension for dimension, _ in kept], [weight for _, weight in kept]


def as_arrays(ids: Iterable[int], scores: Iterable[float], size: int) -> Posting:
    """(size,) ids and scores."""
    return np.fromiter(ids, np.int64, size), np.fromiter(scores, np.float32, size)


def unit(vector: Vector) -> Vector:
    """The vector at length 1; zeros stay zeros."""
    return np.asarray(vector / (length(vector) or 1.0), np.float32)


def _copy(point: Point) -> Point:
    return Point(
        point.note_id, point.ordinal, point.account_id, point.visibility, unit(point.dense), dict(point.sparse)
    )


def _inside(points: Mapping[int, Point], scope: Scope) -> dict[int, Point]:
    accounts = None if scope.accounts is None else set(scope.accounts)
    notes = None if scope.notes is None else set(scope.notes)
    seen = None if scope.audience is None else {"", *scope.audience}
    return {
        id_: point
        for id_, point in points.items()
        if (accounts is None or point.account_id in accounts)
        and (notes is None or point.note_id in notes)
        and (seen is None or point.visibility in seen)
    }


def _cosines(points: Mapping[int, Point], question: Vector) -> list[tuple[int, float]]:
    return [(id_, float(point.dense @ question)) for id_, point in points.items()]


def _weights(points: Mapping[int, Point], dimension: int) -> list[tuple[int, float]]:
    return [(id_, point.sparse[dimension]) for id_, point in points.items() if point.sparse.get(dimension)]
