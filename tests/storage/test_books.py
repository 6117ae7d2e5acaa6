"""Accounts made one and taken apart; what was chosen; deliveries and model use on record."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from storage import Memory, NewNote, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.errors import BadInput, NotFound
from storage.index import MemoryIndex


class Clock:
    """Set by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> Iterator[Memory]:
    config = StorageConfig(data_dir=tmp_path, now=clock)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as made:
        made.of("T1").import_payload(
            [
                {"accountId": "a", "name": "Acme", "CONTACT": [{"contactId": "c1", "name": "Dana"}],
                 "INTERACTION": [{"interactionId": "n1", "summary": "They want a quarterly plan."}]},
                {"accountId": "b", "name": "Acme Ltd", "CONTACT": [{"contactId": "c1", "name": "Dan"}],
                 "INTERACTION": [{"interactionId": "n1", "summary": "They fear the migration."}]},
            ]
        )  # fmt: skip
        made.catch_up()
        yield made


def test_a_merge_moves_all_and_is_found_by_both_names_at_once(memory: Memory) -> None:
    """Notes, people and keys that collide; recall sees the moved note in its new account before it is indexed anew."""
    team = memory.of("T1")
    a, b = team.who("a").account, team.who("b").account
    number = team.merge_accounts(a.id, b.id, "U1")
    assert len(team.timeline(b.id)) == 2
    assert {c.name for c in team.contacts(b.id)} == {"Dana", "Dan"}
    assert team.who("Acme").account.id == b.id
    found = team.recall("quarterly plan", account="b", abstain=False)
    assert "quarterly" in found.hits[0].text
    memory.catch_up()
    assert "quarterly" in team.recall("quarterly plan", account="b", abstain=False).hits[0].text
    back = team.undo_merge(number)
    assert back.key == "a"
    assert [len(team.timeline(x.id)) for x in (a, b)] == [1, 1]
    memory.catch_up()
    assert [h.account for h in team.recall("quarterly plan", account="a", abstain=False).hits] == ["Acme"]


def test_a_merge_with_itself_twice_or_too_late_is_refused(memory: Memory, clock: Clock) -> None:
    """Each with one sentence, and nothing moves."""
    team = memory.of("T1")
    a, b = team.who("a").account, team.who("b").account
    with pytest.raises(BadInput):
        team.merge_accounts(a.id, a.id, "U1")
    number = team.merge_accounts(a.id, b.id, "U1")
    with pytest.raises(BadInput):
        team.merge_accounts(a.id, b.id, "U1")
    clock.at += timedelta(days=31)
    with pytest.raises(NotFound):
        team.undo_merge(number)
    with pytest.raises(NotFound):
        memory.of("T2").undo_merge(number)


def test_a_choice_is_the_channels_and_the_workspaces_own(memory: Memory) -> None:
    """Remembered per channel, replaced by the next."""
    team = memory.of("T1")
    a, b = team.who("a").account, team.who("b").account
    team.remember_choice("C1", "ACME", a.id)
    team.remember_choice("C1", "acme", b.id)
    chosen = team.choice("C1", "Acme")
    assert chosen is not None
    assert chosen.key == "b"
    assert team.choice("C2", "acme") is None
    assert memory.of("T2").choice("C1", "acme") is None


def test_private_channels_are_those_that_notes_came_from(memory: Memory) -> None:
    """Each once, of this workspace only."""
    team = memory.of("T1")
    account = team.who("a").account
    for n in range(2):
        team.log(account.id, NewNote(f"Secret {n}", rep="U1", visibility="G1"))
    assert team.private_channels() == {"G1"}
    assert memory.of("T2").private_channels() == frozenset()


def test_a_delivery_is_taken_once_a_workspace_and_forgotten_after_a_week(memory: Memory, clock: Clock) -> None:
    """The same id from another workspace is another delivery."""
    assert [memory.inbox.take("T1", "e1"), memory.inbox.take("T1", "e1"), memory.inbox.take("T2", "e1")] == [
        True,
        False,
        True,
    ]
    clock.at += timedelta(days=8)
    assert memory.inbox.take("T1", "e2")
    assert memory.inbox.take("T1", "e1")


def test_model_use_is_added_up_by_day_and_counted_by_month(memory: Memory, clock: Clock) -> None:
    """Two calls are one page; last month's cost is not this month's."""
    for _ in range(2):
        memory.usage.add("T1", "claude-sonnet-5-5", 1000, 100, Decimal("0.0045"))
    page = memory.usage.pages()[0]
    assert (page.calls, page.input_tokens, page.output_tokens, page.cost) == (2, 2000, 200, Decimal("0.009"))
    assert memory.usage.this_month() == Decimal("0.009")
    clock.at += timedelta(days=31)
    assert memory.usage.this_month() == 0
