"""Promises of filters: the query JSON as SQL, bound values only, and errors that say what is known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import StorageConfig, TeamMemory, open_memory
from storage.embedder import HashEmbedder
from storage.errors import BadPayload, UnknownField
from storage.index import MemoryIndex

NOTES: list[dict[str, Any]] = [
    {"interactionId": "i1", "summary": "Billing call", "channel": "call", "repId": "r1", "occurredAt": "2026-05-01"},
    {"interactionId": "i2", "summary": "Billing mail 50%", "channel": "email", "outcome": "won", "minutes": 5},
    {"interactionId": "i3", "summary": "Billing chat", "channel": "chat", "minutes": 50, "contactId": "c-9"},
]
BOOK: list[dict[str, Any]] = [
    {
        "accountId": "acme-01",
        "name": "Acme Corp",
        "stage": "negotiation",
        "CONTACT": [{"contactId": "c-9", "name": "Dana Reed"}],
        "OPPORTUNITY": [{"opportunityId": "opp-7", "amountUsd": 48000}],
        "INTERACTION": NOTES,
        "NEXT_STEP": [{"title": "Send it", "interactionId": "i1", "dueAt": "2026-06-20"}],
    },
    {"accountId": "b", "name": "Beta", "INTERACTION": [{"interactionId": "i4", "summary": "Billing of another"}]},
]


@pytest.fixture
def team(tmp_path: Path) -> Iterator[TeamMemory]:
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        made = memory.of("T1")
        made.import_payload(BOOK)
        yield made


def keys(team: TeamMemory, where: Any) -> set[str]:
    return {hit.interaction for hit in team.recall("billing", where=where, abstain=False).hits}


def test_the_query_of_the_first_source_works_as_it_stands(team: TeamMemory) -> None:
    """The query JSON of the first source is answered from its account only."""
    query = {
        "labels": ["INTERACTION"],
        "propertyName": "summary",
        "query": "What pricing objections came up on this account?",
        "where": {"ACCOUNT": {"accountId": "acme-01"}},
        "limit": 10,
    }
    found = team.query(query)
    assert {hit.account_key for hit in found.hits + found.nearest} == {"acme-01"}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "i1 i2 i3 i4"),
        ({"channel": "call"}, "i1"),
        ({"channel": {"$in": ["call", "email"]}}, "i1 i2"),
        ({"channel": {"$in": []}}, ""),
        ({"channel": {"$ne": "call"}}, "i2 i3 i4"),
        ({"channel": {"$not": {"$in": ["call", "email"]}}}, "i3 i4"),
        ({"minutes": {"$gt": 5}}, "i3"),
        ({"minutes": {"$gte": 5, "$lt": 50}}, "i2"),
        ({"minutes": {"$exists": False}}, "i1 i4"),
        ({"outcome": {"$exists": True}}, "i2"),
        ({"outcome": None}, "i1 i3 i4"),
        ({"summary": {"$contains": "MAIL"}}, "i2"),
        ({"summary": {"$contains": "%"}}, "i2"),
        ({"summary": {"$contains": "_"}}, ""),
        ({"occurredAt": {"$lte": "2026-05-01T23:00:00Z"}}, "i1"),
        ({"$or": [{"channel": "call"}, {"minutes": 50}]}, "i1 i3"),
        ({"$and": [{"channel": "call"}, {"minutes": 50}]}, ""),
        ({"$not": {"ACCOUNT": {"accountId": "acme-01"}}}, "i4"),
        ({"$not": {"minutes": {"$gt": 5}}}, "i1 i2 i4"),
        ({"ACCOUNT": {"stage": "negotiation"}, "CONTACT": {"name": "Dana Reed"}}, "i3"),
        ({"OPPORTUNITY": {"amountUsd": {"$gte": 48000}}}, "i1 i2 i3"),
        ({"OPPORTUNITY": {"amountUsd": {"$gt": 48000}}}, ""),
        ({"NEXT_STEP": {"dueAt": "2026-06-20"}}, "i1"),
        ({"ACCOUNT": {"$or": [{"accountId": "b"}, {"name": "Acme Corp"}]}, "channel": "note"}, "i4"),
    ],
)
def test_a_filter_lets_through_what_it_says(team: TeamMemory, where: Any, expected: str) -> None:
    """Every operator, alone and combined, on notes and on what they belong to."""
    assert keys(team, where) == set(expected.split())


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"colour": "red"}, "Unknown field 'colour'. Known: interactionId"),
        ({"ACCOUNT": {"city": "Oslo"}}, "Unknown field 'city'. Known: accountId"),
        ({"channel": {"$like": "x"}}, "Unknown operator '\\$like'. Known: \\$gt"),
        ({"$xor": []}, "Unknown operator '\\$xor'"),
    ],
)
def test_what_is_unknown_is_said_with_what_is_known(team: TeamMemory, where: Any, said: str) -> None:
    """A slip in a field or an operator is answered with the list to choose from."""
    with pytest.raises(UnknownField, match=said):
        keys(team, where)


def deep(levels: int) -> Any:
    return {"$not": deep(levels - 1)} if levels else {"channel": "call"}


@pytest.mark.parametrize(
    "where",
    [
        {"channel": {"$in": "call"}}, {"channel": {}}, {"channel": ["call"]}, {"$or": {}}, {"$or": []},
        {"ACCOUNT": "acme-01"}, {"minutes": {"$gt": [1]}}, {"OPPORTUNITY": {"amountUsd": "lots"}},
        {"OPPORTUNITY": {"amountUsd": 1e300}}, {"OPPORTUNITY": {"amountUsd": float("nan")}}, {"external": "yes"},
        {"occurredAt": "soon"}, {"occurredAt": {"$contains": "2026"}}, {"outcome": {"$exists": 1}}, deep(30),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(team: TeamMemory, where: Any) -> None:
    """Each is a sentence for the user, never a database's error."""
    with pytest.raises(BadPayload):
        keys(team, where)


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": True}, {"limit": 101}, {"labels": ["ACCOUNT"]}, {"labels": None}, {"labels": 3},
     {"where": [1]}, {"propertyName": "name"}, {"select": "*"}],
)  # fmt: skip
def test_a_query_that_does_not_fit_is_refused(team: TeamMemory, query: Any) -> None:
    """The outer fields of a query are checked like the inner ones."""
    with pytest.raises((BadPayload, UnknownField)):
        team.query(query)


@pytest.mark.parametrize("evil", ["' OR 1=1 --", "x'); DROP TABLE interaction; --", '" OR ""="'])
def test_sql_in_a_value_is_a_value(team: TeamMemory, evil: str) -> None:
    """A value is bound, never spliced: it finds nothing, destroys nothing, and is found when it is what was meant."""
    for where in ({"channel": evil}, {"summary": {"$contains": evil}}, {"ACCOUNT": {"name": {"$in": [evil]}}}):
        assert keys(team, where) == set()
    with pytest.raises(UnknownField):
        keys(team, {evil: 1})
    team.import_payload({"accountId": "b", "INTERACTION": [{"interactionId": "i5", "summary": "x", "outcome": evil}]})
    assert keys(team, {"outcome": evil}) == {"i5"}
    assert len(team.timeline()) == 5
