"""A Qdrant server in small: the requests that `QdrantIndex` sends, answered over HTTP by `QdrantClient(":memory:")`.

It can be told to fail: `stub.faults` holds the answers to the next requests, before any is served.
"""

import json
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import sleep
from typing import Any

from qdrant_client import QdrantClient, models


class LockedClient:
    """`QdrantClient(":memory:")` behind one lock: it is not thread-safe, and warns of the indexes it ignores."""

    def __init__(self) -> None:
        self._client = QdrantClient(":memory:")
        self._lock = Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def locked(*args: Any, **kwargs: Any) -> Any:
            with self._lock, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return method(*args, **kwargs)

        return locked


@dataclass(frozen=True)
class Fault:
    """How a request fails: a status, headers with it, or a silence of some seconds before the connection is cut."""

    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    silence: float = 0.0


@dataclass
class Stub:
    """The running server. `seen` holds (method, path, headers, body) of every request."""

    url: str
    client: LockedClient
    faults: deque[Fault] = field(default_factory=deque)
    seen: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)


@contextmanager
def qdrant_stub() -> Iterator[Stub]:
    """A server on a free port of 127.0.0.1, gone when the block is left."""
    server = _Server(("127.0.0.1", 0), _Handler)
    stub = server.stub = Stub(f"http://127.0.0.1:{server.server_address[1]}", LockedClient())
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stub: Stub


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _serve(self) -> None:
        stub = self.server.stub
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else {}
        path = self.path.partition("?")[0]
        stub.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        if stub.faults:
            self._fail(stub.faults.popleft())
            return
        for (method, pattern), serve in _ROUTES.items():
            if method == self.command and (found := re.fullmatch(pattern, path)):
                self._try(serve, stub.client, found.groups(), body)
                return
        self._answer(404, {"status": {"error": "no such route"}})

    do_GET = do_PUT = do_POST = _serve  # noqa: N815 - the base class names them

    def _try(self, serve: "Serve", client: LockedClient, names: tuple[str, ...], body: Any) -> None:
        try:
            self._answer(200, {"result": serve(client, *names, body), "status": "ok", "time": 0.0})
        except ValueError as error:
            status = next((code for words, code in _REFUSALS.items() if words in str(error)), 400)
            self._answer(status, {"status": {"error": str(error)}})

    def _fail(self, fault: Fault) -> None:
        if fault.silence:
            sleep(fault.silence)
            self.close_connection = True
            return
        self._answer(fault.status, {"status": {"error": "told to fail"}}, fault.headers)

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Quiet."""


Serve = Callable[..., Any]
_REFUSALS = {"not found": 404, "already exists": 409}
_UPDATED = {"operation_id": 0, "status": "completed"}


def _collections(client: LockedClient, _body: Any) -> Any:
    return client.get_collections().model_dump(mode="json")


def _exists(client: LockedClient, name: str, _body: Any) -> Any:
    return {"exists": client.collection_exists(name)}


def _create(client: LockedClient, name: str, body: Any) -> Any:
    wanted = models.CreateCollection.model_validate(body)
    return client.create_collection(
        name, vectors_config=wanted.vectors, sparse_vectors_config=wanted.sparse_vectors, hnsw_config=wanted.hnsw_config
    )


def _create_index(client: LockedClient, name: str, body: Any) -> Any:
    models.CreateFieldIndex.model_validate(body)
    client.get_collection(name)
    return _UPDATED


def _upsert(client: LockedClient, name: str, body: Any) -> Any:
    client.upsert(name, models.PointsList.model_validate(body).points)
    return _UPDATED


def _delete(client: LockedClient, name: str, body: Any) -> Any:
    client.delete(name, models.FilterSelector.model_validate(body).filter)
    return _UPDATED


def _count(client: LockedClient, name: str, body: Any) -> Any:
    wanted = models.CountRequest.model_validate(body)
    return {"count": client.count(name, wanted.filter, exact=True).count}


def _query(client: LockedClient, name: str, body: Any) -> Any:
    asked = models.QueryRequestBatch.model_validate(body).searches
    return [answer.model_dump(mode="json") for answer in client.query_batch_points(name, asked)]


_ROUTES: dict[tuple[str, str], Serve] = {
    ("GET", "/collections"): _collections,
    ("GET", "/collections/([^/]+)/exists"): _exists,
    ("PUT", "/collections/([^/]+)"): _create,
    ("PUT", "/collections/([^/]+)/index"): _create_index,
    ("PUT", "/collections/([^/]+)/points"): _upsert,
    ("POST", "/collections/([^/]+)/points/delete"): _delete,
    ("POST", "/collections/([^/]+)/points/count"): _count,
    ("POST", "/collections/([^/]+)/points/query/batch"): _query,
}
