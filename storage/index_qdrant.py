"""The index on a Qdrant server or cluster: one collection for all workspaces of one embedder, kept apart by a filter.

The collection's name ends in a hash of what derived its vectors, so that another model begins another collection.
Every filter carries the workspace. Searches are exact: inside one workspace the payload index leaves so few points that
a graph of neighbours would only cost memory, and would miss some.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from storage.errors import IndexDown
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

log = logging.getLogger("rapport.storage")

LAYOUT = "q1"
"""Names the vectors and payload fields of a collection; a change begins a new one."""

CHUNK = 256
REMOVE_CHUNK = 1000
WRITE_TIMEOUT = 10
BACKOFF = (0.2, 1.0)
"""Seconds before the second and the third try of a write. Reads are tried once: the asker has a fallback."""

Answer = TypeVar("Answer")


class QdrantIndex:
    """SummaryIndex over a Qdrant server or cluster. Thread-safe; connects at the first call.

    `timeout` (whole seconds, at least 1) is for reads; IndexDown after that. Writes wait until they are applied and are
    tried three times before IndexDown. `client` replaces the connections, and `sleep` the wait between tries.
    """

    def __init__(
        self,
        url: str,
        api_key: str = "",
        collection: str = "rapport",
        *,
        dims: int,
        signature: str,
        timeout: float = 1.0,
        client: QdrantClient | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url
        self._api_key = api_key
        self._prefix = collection
        self._collection = f"{collection}-{_digest(f'{LAYOUT} {dims} {signature}', 4).hex()}"
        self._dims = dims
        self._timeout = timeout
        self._given = client
        self._clients: dict[float, QdrantClient] = {}
        self._sleep = sleep
        self._ready = False
        self._closed = False
        self._lock = Lock()
        self._making_ready = Lock()

    @property
    def kind(self) -> str:
        """Short name of the engine."""
        return "qdrant"

    @property
    def collection(self) -> str:
        """The collection's name on the server."""
        return self._collection

    def upsert(self, team: str, points: Sequence[Point]) -> None:
        """Write points; those with the same ids are replaced. One bad point refuses them all."""
        check_team(team)
        check_points(points, self._dims)
        for start in range(0, len(points), CHUNK):
            chunk = [_structure(team, point) for point in points[start : start + CHUNK]]
            self._write(partial(_put, self._collection, chunk))

    def remove(self, team: str, notes: Sequence[int]) -> None:
        """Take all grains of these notes out."""
        check_team(team)
        for start in range(0, len(notes), REMOVE_CHUNK):
            gone = _filter(team, Scope(notes=tuple(notes[start : start + REMOVE_CHUNK])))
            self._write(partial(_delete, self._collection, gone))

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
        """All points in the scope by cosine and the postings of each dimension, in one round trip."""
        check_team(team)
        check_question(question, self._dims)
        check_question(towards, self._dims)
        requests = [] if is_empty(scope) else _requests(_filter(team, scope), (question, towards), dimensions, limit)
        if not requests:
            return nothing(dimensions, towards)
        no_collection: Sequence[models.QueryResponse] = ()
        answers = self._read(partial(_ask, self._collection, requests), no_collection)
        if not answers:
            return nothing(dimensions, towards)
        found = [_arrays(answer.points) for answer in answers]
        points, cosines = as_arrays((), (), 0) if question is None else found.pop(0)
        pulls = None if towards is None else aligned(points, found.pop(0), length(towards))
        return Candidates(points, cosines, tuple(found), pulls)

    def count(self, team: str, *, notes: bool = True) -> int:
        """How many notes are indexed, or how many points with `notes=False`."""
        check_team(team)
        mine = _filter(team, Scope(), whole=notes)
        return self._read(lambda client: client.count(self._collection, mine, exact=True).count, 0)

    def drop(self, team: str) -> None:
        """Forget a workspace wholly, in the collections of former embedders too."""
        check_team(team)
        mine = _filter(team, Scope())
        for name in self._write(self._collections):
            self._write(partial(_delete, name, mine))

    def flush(self) -> None:
        """Nothing to do: every write has waited until it was applied."""

    def close(self) -> None:
        """Close the connections. Calls that come later raise IndexDown."""
        with self._lock:
            self._closed = True
            while self._clients:
                self._clients.popitem()[1].close()

    def _read(self, ask: Callable[[QdrantClient], Answer], absent: Answer) -> Answer:
        """One try within the read timeout; `absent` when there is no collection yet."""
        try:
            return ask(self._client(self._timeout))
        except _FAILURES as error:
            if _is_absent(error):
                return absent
            raise IndexDown(_reason(error)) from error

    def _write(self, do: Callable[[QdrantClient], Answer]) -> Answer:
        for wait in (*BACKOFF, None):
            try:
                client = self._client(WRITE_TIMEOUT)
                self._make_ready(client)
                return do(client)
            except _FAILURES as error:
                self._ready = False
                if wait is None or not _is_passing(error):
                    raise IndexDown(_reason(error)) from error
                self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _client(self, timeout: float) -> QdrantClient:
        with self._lock:
            if self._closed:
                raise IndexDown("it has been closed")
            if self._given is not None:
                return self._given
            if timeout not in self._clients:
                self._clients[timeout] = self._connected(timeout)
            return self._clients[timeout]

    def _connected(self, timeout: float) -> QdrantClient:
        parts = urlsplit(self._url)
        if self._api_key and parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            log.warning("the Qdrant key travels unencrypted: use an https address")
        # As a header, because the client's own parameter warns anew for every local address.
        headers = {"api-key": self._api_key} if self._api_key else None
        return QdrantClient(url=self._url, headers=headers, timeout=max(1, round(timeout)), check_compatibility=False)

    def _make_ready(self, client: QdrantClient) -> None:
        """Create the collection and its payload indexes unless they are there. Repeating any part of it is harmless."""
        with self._making_ready:
            if self._ready:
                return
            if not client.collection_exists(self._collection):
                client.create_collection(
                    self._collection,
                    vectors_config={"dense": models.VectorParams(size=self._dims, distance=models.Distance.COSINE)},
                    sparse_vectors_config={"words": models.SparseVectorParams()},
                    hnsw_config=models.HnswConfigDiff(m=0),
                )
            for name, kind in _FIELDS.items():
                client.create_payload_index(self._collection, name, kind, wait=True)
            self._ready = True

    def _collections(self, client: QdrantClient) -> list[str]:
        names = [each.name for each in client.get_collections().collections]
        return [name for name in names if re.fullmatch(f"{re.escape(self._prefix)}-[0-9a-f]{{8}}", name)]


_FAILURES = (ApiException, QdrantException, ValueError, OSError)
"""A client over `:memory:` says ValueError where a server says 404."""

_NUMBER = models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=True, range=False)
_FIELDS: Mapping[str, models.KeywordIndexParams | models.IntegerIndexParams] = {
    "team": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    "account": _NUMBER,
    "note": _NUMBER,
    "visibility": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD),
    "whole": _NUMBER,
}


def _put(collection: str, points: list[models.PointStruct], client: QdrantClient) -> None:
    client.upsert(collection, points, wait=True)


def _delete(collection: str, gone: models.Filter, client: QdrantClient) -> None:
    client.delete(collection, gone, wait=True)


def _ask(collection: str, requests: list[models.QueryRequest], client: QdrantClient) -> Sequence[models.QueryResponse]:
    return client.query_batch_points(collection, requests)


def _digest(text: str, size: int) -> bytes:
    return blake2b(text.encode(), digest_size=size).digest()


def _uuid(team: str, point: int) -> str:
    """64 bits of the workspace, 64 bits of the point."""
    return str(UUID(bytes=_digest(team, 8) + point.to_bytes(8)))


def _point_of(id_: object) -> int:
    text = str(id_)
    return int(text[19:23] + text[24:], 16)


def _structure(team: str, point: Point) -> models.PointStruct:
    indices, weights = postings_of(point)
    payload = {
        "team": team,
        "account": point.account_id,
        "note": point.note_id,
        "visibility": point.visibility or PUBLIC,
    } | ({"whole": 1} if point.ordinal == 0 else {})
    vector = {"dense": point.dense.tolist(), "words": models.SparseVector(indices=indices, values=weights)}
    return models.PointStruct(id=_uuid(team, point_id(point.note_id, point.ordinal)), vector=vector, payload=payload)


def _filter(team: str, scope: Scope, *, whole: bool = False) -> models.Filter:
    must: list[models.Condition] = [_is("team", models.MatchValue(value=team))]
    numbers = {"account": scope.accounts, "note": scope.notes}
    must += [_is(name, models.MatchAny(any=list(each))) for name, each in numbers.items() if each is not None]
    seen = audience_of(scope)
    must += [] if seen is None else [_is("visibility", models.MatchAny(any=seen))]
    must += [_is("whole", models.MatchValue(value=1))] if whole else []
    return models.Filter(must=must)


def _is(name: str, match: models.MatchValue | models.MatchAny) -> models.FieldCondition:
    return models.FieldCondition(key=name, match=match)


def _requests(
    inside: models.Filter, vectors: Sequence[Vector | None], dimensions: Sequence[int], limit: int
) -> list[models.QueryRequest]:
    exact = models.SearchParams(exact=True)
    asked = [_request("dense", each.tolist(), inside, limit, exact) for each in vectors if each is not None]
    # The score of a one-dimension query of weight 1 is the stored weight: a posting list, read through the filter.
    words = (models.SparseVector(indices=[int(each)], values=[1.0]) for each in dimensions)
    return [*asked, *(_request("words", each, inside, limit, exact) for each in words)]


def _request(
    using: str,
    query: list[float] | models.SparseVector,
    inside: models.Filter,
    limit: int,
    params: models.SearchParams,
) -> models.QueryRequest:
    nearest = models.NearestQuery(nearest=query)
    return models.QueryRequest(
        query=nearest, using=using, filter=inside, limit=limit, params=params, with_payload=False, with_vector=False
    )


def _arrays(found: Sequence[models.ScoredPoint]) -> Posting:
    return as_arrays((_point_of(point.id) for point in found), (point.score for point in found), len(found))


def _is_absent(error: Exception) -> bool:
    if isinstance(error, UnexpectedResponse):
        return error.status_code == 404
    return isinstance(error, ValueError) and "not found" in str(error)


def _is_passing(error: Exception) -> bool:
    """Whether the same may succeed in a moment."""
    if isinstance(error, UnexpectedResponse):
        # 404 and 409: the collection has just been deleted, or created by another process.
        return error.status_code in (404, 409, 429) or (error.status_code or 500) >= 500
    return isinstance(error, ResponseHandlingException | ResourceExhaustedResponse | OSError) or _is_absent(error)


def _reason(error: Exception) -> str:
    """A few words that hold no address, key or content."""
    if isinstance(error, UnexpectedResponse):
        return f"Qdrant answered {error.status_code}"
    if isinstance(error, ResourceExhaustedResponse):
        return "Qdrant answered 429"
    cause = error.source if isinstance(error, ResponseHandlingException) else error
    return "Qdrant did not answer in time" if "Timeout" in type(cause).__name__ else "Qdrant cannot be reached"
