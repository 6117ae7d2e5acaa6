"""Promises of the server adapter beyond the contract: what it sends, and what it makes of a server that fails."""

import logging
from collections.abc import Iterator
from time import monotonic
from typing import Any, cast
from uuid import UUID

import numpy as np
import pytest
from qdrant_client import QdrantClient

from storage.errors import IndexDown
from storage.index import Point, Scope, Vector
from storage.index_qdrant import BACKOFF, QdrantIndex
from tests.storage.qdrant_stub import Fault, LockedClient, Stub, qdrant_stub

DIMS = 4
EAST: Vector = np.array([1, 0, 0, 0], np.float32)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with qdrant_stub() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def index(stub: Stub, waits: list[float]) -> Iterator[QdrantIndex]:
    opened = QdrantIndex(stub.url, "s3cret", dims=DIMS, signature="minilm s1", sleep=waits.append)
    yield opened
    opened.close()


def note(number: int, ordinal: int = 0) -> Point:
    return Point(number, ordinal, 1, "", EAST, {7: 2.0})


def ask(index: QdrantIndex, team: str = "T1") -> int:
    return len(index.candidates(team, Scope((1,), (1, 2), frozenset({"C1"})), EAST, (7, 8), 100).points)


def paths(stub: Stub) -> list[str]:
    return [f"{method} {path}" for method, path, _, _ in stub.seen]


def conditions(body: Any) -> dict[str, Any]:
    return {each["key"]: each["match"] for each in body["must"]}


# --- what it sends ---


def test_nothing_is_sent_before_the_first_call(stub: Stub, index: QdrantIndex) -> None:
    """Opening connects to nobody, and an empty write or scope sends nothing."""
    index.upsert("T1", [])
    index.remove("T1", [])
    index.candidates("T1", Scope(accounts=()), EAST, (7,), 10)
    index.flush()
    assert stub.seen == []


def test_a_question_is_one_round_trip(stub: Stub, index: QdrantIndex) -> None:
    """Dense and every word in one request, exact, without payloads, each with the workspace and the whole scope."""
    index.upsert("T1", [note(1)])
    stub.seen.clear()
    assert ask(index) == 1
    assert paths(stub) == [f"POST /collections/{index.collection}/points/query/batch"]
    searches = stub.seen[0][3]["searches"]
    assert [search["using"] for search in searches] == ["dense", "words", "words"]
    for search in searches:
        assert (search["with_payload"], search["params"]["exact"]) == (False, True)
        assert conditions(search["filter"]) == {
            "team": {"value": "T1"},
            "account": {"any": [1]},
            "note": {"any": [1, 2]},
            "visibility": {"any": ["*", "C1"]},
        }


def test_every_filter_names_the_workspace(stub: Stub, index: QdrantIndex) -> None:
    """Counting, removing and dropping too."""
    index.upsert("T1", [note(1)])
    stub.seen.clear()
    index.count("T1")
    index.remove("T1", [1])
    index.drop("T1")
    filters = [body["filter"] for _, _, _, body in stub.seen if "filter" in body]
    assert [conditions(each)["team"] for each in filters] == [{"value": "T1"}] * 3


def test_the_collection_is_made_once_with_its_payload_indexes(stub: Stub, index: QdrantIndex) -> None:
    """The workspace is the tenant; no graph is built, because every search is exact."""
    index.upsert("T1", [note(1)])
    index.upsert("T1", [note(2)])
    made = [body for method, path, _, body in stub.seen if method == "PUT" and path.endswith(index.collection)]
    assert [(body["vectors"]["dense"]["size"], body["hnsw_config"]["m"]) for body in made] == [(DIMS, 0)]
    fields = {body["field_name"]: body["field_schema"] for _, path, _, body in stub.seen if "/index" in path}
    assert sorted(fields) == ["account", "note", "team", "visibility", "whole"]
    assert fields["team"]["is_tenant"] is True


def test_payloads_hold_ids_and_filter_fields_only(stub: Stub, index: QdrantIndex) -> None:
    """No words of a note can be read from the server."""
    index.upsert("T1", [note(1), note(1, 1)])
    points = [point for _, path, _, body in stub.seen if "/points?" in path for point in body["points"]]
    assert points[0]["payload"] == {"team": "T1", "account": 1, "note": 1, "visibility": "*", "whole": 1}
    assert points[1]["payload"] == {"team": "T1", "account": 1, "note": 1, "visibility": "*"}


def test_writes_wait_until_they_are_applied(stub: Stub, index: QdrantIndex) -> None:
    """What was written is found by whoever asks next."""
    index.upsert("T1", [note(1)])
    index.remove("T1", [1])
    assert all("wait=true" in path for path in paths(stub) if "/points" in path)


def test_the_same_note_of_two_workspaces_is_two_points(index: QdrantIndex, stub: Stub) -> None:
    """Half of a point's id is the workspace."""
    for team in ("T1", "T2"):
        index.upsert(team, [note(5, 3)])
    ids = [UUID(point["id"]).int for _, path, _, body in stub.seen if "/points?" in path for point in body["points"]]
    assert len(set(ids)) == 2
    assert {id_ & ((1 << 64) - 1) for id_ in ids} == {5 << 10 | 3}


def test_another_model_begins_another_collection(stub: Stub, index: QdrantIndex) -> None:
    """Vectors of two models never meet, and dropping a workspace reaches both."""
    other = QdrantIndex(stub.url, dims=DIMS, signature="another s1")
    index.upsert("T1", [note(1)])
    assert (other.count("T1"), other.collection != index.collection) == (0, True)
    other.upsert("T1", [note(1), note(2)])
    other.drop("T1")
    assert (index.count("T1"), other.count("T1")) == (0, 0)
    other.close()


def test_dropping_leaves_other_collections_alone(stub: Stub, index: QdrantIndex) -> None:
    """Only collections that bear our name and a signature are touched."""
    index.upsert("T1", [note(1)])
    client = cast("QdrantClient", stub.client)
    client.create_collection("rapport-of-someone-else", vectors_config={})
    index.drop("T1")
    assert not any("someone-else" in path for path in paths(stub))


# --- a server that fails ---


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(500), "Qdrant answered 500"),
        (Fault(503), "Qdrant answered 503"),
        (Fault(401), "Qdrant answered 401"),
        (Fault(429), "Qdrant answered 429"),
        (Fault(429, {"Retry-After": "3"}), "Qdrant answered 429"),
        (Fault(200), "Qdrant cannot be reached"),
    ],
)
def test_a_failing_read_is_said_at_once(stub: Stub, index: QdrantIndex, fault: Fault, said: str) -> None:
    """One try, IndexDown with a short reason; the next question is asked anew."""
    index.upsert("T1", [note(1)])
    stub.faults.append(fault)
    with pytest.raises(IndexDown) as caught:
        ask(index)
    assert f"({said})" in str(caught.value)
    assert ask(index) == 1


def test_a_silent_server_is_given_up_after_the_timeout(stub: Stub, index: QdrantIndex) -> None:
    """A question waits a second, not five."""
    index.upsert("T1", [note(1)])
    stub.faults.append(Fault(silence=1.6))
    began = monotonic()
    with pytest.raises(IndexDown, match="in time"):
        ask(index)
    assert monotonic() - began < 1.5


def test_no_server_at_all_is_said(stub: Stub) -> None:
    """Connection refused, for reads and, after three tries, for writes."""
    waits: list[float] = []
    index = QdrantIndex("http://127.0.0.1:9", dims=DIMS, signature="s", sleep=waits.append)
    for call in (lambda: index.count("T1"), lambda: index.upsert("T1", [note(1)])):
        with pytest.raises(IndexDown, match="cannot be reached"):
            call()
    assert waits == list(BACKOFF)
    index.close()


@pytest.mark.parametrize("fault", [Fault(500), Fault(503), Fault(429), Fault(429, {"Retry-After": "1"}), Fault(404)])
def test_a_write_is_tried_again(stub: Stub, index: QdrantIndex, waits: list[float], fault: Fault) -> None:
    """Twice more, with growing waits, and then it is there."""
    stub.faults.extend([fault, fault])
    index.upsert("T1", [note(1)])
    assert (index.count("T1"), waits) == (1, list(BACKOFF))


def test_a_write_is_given_up_after_three_tries(stub: Stub, index: QdrantIndex, waits: list[float]) -> None:
    """The note stays pending and is written later."""
    stub.faults.extend([Fault(503)] * 3)
    with pytest.raises(IndexDown, match="503"):
        index.upsert("T1", [note(1)])
    assert (len(stub.seen), waits) == (3, list(BACKOFF))
    index.upsert("T1", [note(1)])
    assert index.count("T1") == 1


def test_a_refusal_is_not_repeated(stub: Stub, index: QdrantIndex, waits: list[float]) -> None:
    """A wrong key does not become right by asking again."""
    stub.faults.append(Fault(403))
    with pytest.raises(IndexDown, match="403"):
        index.upsert("T1", [note(1)])
    assert waits == []


def test_a_collection_that_is_gone_is_empty_and_made_again(stub: Stub, index: QdrantIndex) -> None:
    """Someone deleted it: counts say so, and writing begins anew."""
    index.upsert("T1", [note(1)])
    stub.client.delete_collection(index.collection)
    assert (index.count("T1"), ask(index)) == (0, 0)
    index.upsert("T1", [note(2)])
    assert index.count("T1") == 1


def test_two_writers_that_create_at_once_do_not_fail(stub: Stub, index: QdrantIndex) -> None:
    """Another process made the collection between our look and our own try."""
    stub.faults.append(Fault(409))
    index.upsert("T1", [note(1)])
    assert index.count("T1") == 1


# --- the key ---


def test_the_key_is_sent_and_never_said(stub: Stub, index: QdrantIndex, caplog: pytest.LogCaptureFixture) -> None:
    """In the header of every request; in no error and no log."""
    stub.faults.append(Fault(401))
    with caplog.at_level(logging.DEBUG), pytest.raises(IndexDown) as caught:
        index.count("T1")
    assert [headers["api-key"] for _, _, headers, _ in stub.seen] == ["s3cret"]
    assert "s3cret" not in str(caught.value) + caplog.text


@pytest.mark.parametrize(("url", "warned"), [("http://qdrant.example:6333", True), ("https://qdrant.example", False)])
def test_a_key_over_plain_http_is_warned_of(url: str, warned: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Said once when it connects, without the key."""
    index = QdrantIndex(url, "s3cret", dims=DIMS, signature="s")
    index._client(1)
    assert ("unencrypted" in caplog.text) is warned
    assert "s3cret" not in caplog.text
    index.close()


def test_a_closed_index_says_so(index: QdrantIndex) -> None:
    """Late calls raise IndexDown instead of connecting again."""
    index.close()
    with pytest.raises(IndexDown, match="closed"):
        index.count("T1")


def test_a_given_client_is_used_and_not_closed() -> None:
    """Whoever made it closes it."""
    client = LockedClient()
    index = QdrantIndex("", dims=DIMS, signature="s", client=cast("QdrantClient", client))
    index.upsert("T1", [note(1)])
    index.close()
    assert client.get_collections().collections[0].name == index.collection
