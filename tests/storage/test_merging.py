"""Promises of merging accounts, taking that back, and remembering what was chosen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import Memory, NewNote, StorageConfig, TeamMemory, open_memory
from storage.embedder import HashEmbedder
from storage.errors import BadInput, BadPayload, NotFound, UnknownAccount
from storage.index import MemoryIndex

START = datetime(2026, 6, 1, tzinfo=UTC)


class Hand:
    """A clock that is set by hand."""

    at = START

    def __call__(self) -> datetime:
        return self.at


def book(key: str, name: str, person: str) -> dict[str, Any]:
    """An account with one of each, all under the same keys, and Dana Reed who works at both."""
    return {
        "accountId": key,
        "name": name,
        "CONTACT": [{"contactId": "c-1", "name": "Dana Reed"}, {"contactId": "c-2", "name": person}],
        "OPPORTUNITY": [{"opportunityId": "opp-1", "name": f"Deal of {name}", "status": "open"}],
        "INTERACTION": [
            {
                "interactionId": "int-1", "summary": f"{name}: Dana asked about billing.", "contactId": "c-1",
                "opportunityId": "opp-1", "occurredAt": "2026-05-01",
            }
        ],
        "NEXT_STEP": [{"nextStepId": "step-1", "title": f"Send {name} the plan", "interactionId": "int-1"}],
    }  # fmt: skip


@pytest.fixture
def clock() -> Hand:
    """The memory's clock."""
    return Hand()


@pytest.fixture
def memory(tmp_path: Path, clock: Hand) -> Iterator[Memory]:
    """Two accounts that are one company."""
    config = StorageConfig(data_dir=tmp_path, now=clock)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as made:
        made.of("T1").import_payload([book("old-1", "Initech", "Bill Lumbergh"), book("new-1", "Initrode", "Ana Ruiz")])
        made.catch_up()
        yield made


@pytest.fixture
def team(memory: Memory) -> TeamMemory:
    """The workspace."""
    return memory.of("T1")


def ids(team: TeamMemory) -> tuple[int, int]:
    """The numbers of both accounts."""
    return team.who("old-1").account.id, team.who("new-1").account.id


def held(team: TeamMemory, account_id: int) -> dict[str, set[Any]]:
    """All that stands on an account, by the keys a user knows it by."""
    return {
        "people": {(c.key, c.name) for c in team.contacts(account_id)},
        "deals": {(o.key, o.name) for o in team.opportunities(account_id)},
        "notes": {(n.key, n.text, n.contact, n.opportunity) for n in team.timeline(account_id)},
        "steps": {(s.key, s.title) for s in team.next_steps(account_id)},
    }


def test_everything_moves_and_comes_back_as_it_was(team: TeamMemory) -> None:
    """Keys that both accounts use are told apart while they are one, and are as before when they are two again."""
    old, new = ids(team)
    before = held(team, old), held(team, new)
    number = team.merge_accounts(old, new, "U1")
    merged = held(team, new)
    assert [len(merged[name]) for name in ("people", "deals", "notes", "steps")] == [3, 2, 2, 2]
    assert {note[2] for note in merged["notes"]} == {"Dana Reed"}
    assert held(team, old)["notes"] == set()
    assert team.undo_merge(number).id == old
    assert (held(team, old), held(team, new)) == before


def test_whoever_works_at_both_is_one_person(team: TeamMemory) -> None:
    """Two of a name at one account could never be told apart: their notes are one person's."""
    old, new = ids(team)
    team.merge_accounts(old, new, "U1")
    found = team.who("Dana Reed")
    assert found.contact is not None
    assert len(team.timeline(new, contact_id=found.contact.id)) == 2


def test_names_keys_and_former_names_go_on_finding(team: TeamMemory) -> None:
    """What the account was ever called means the one that is left, and itself again after an undo."""
    old, new = ids(team)
    team.rename_account(old, "Initech Global")
    number = team.merge_accounts(old, new, "U1")
    assert {team.who(name).account.id for name in ("Initech Global", "Initech", "old-1")} == {new}
    assert [account.id for account in team.accounts()] == [new]
    team.undo_merge(number)
    assert {team.who(name).account.id for name in ("Initech Global", "Initech", "old-1")} == {old}
    assert team.who("Initrode").account.id == new


def test_the_index_follows(memory: Memory, team: TeamMemory) -> None:
    """Recall within the account that is left finds the notes of both, and no longer after an undo."""
    old, new = ids(team)
    number = team.merge_accounts(old, new, "U1")
    memory.catch_up()
    assert len(team.recall("Dana billing", account=new).hits) == 2
    team.undo_merge(number)
    memory.catch_up()
    assert [len(team.recall("Dana billing", account=one).hits) for one in (old, new)] == [1, 1]


def test_channels_choices_and_deals_follow(team: TeamMemory) -> None:
    """A channel that stood for the merged account stands for the other, and back."""
    old, new = ids(team)
    team.link_channel("C1", old)
    team.remember_choice("C1", "Init", old)
    number = team.merge_accounts(old, new, "U1")
    moved = (team.channel_account("C1"), team.choice("C1", "init"))
    assert [account and account.id for account in moved] == [new, new]
    team.undo_merge(number)
    back = (team.channel_account("C1"), team.choice("C1", "init"))
    assert [account and account.id for account in back] == [old, old]


def test_what_happened_since_the_merge_goes_to_the_right_side(team: TeamMemory) -> None:
    """A note corrected while they were one takes its history back; a note logged then stays where it was logged."""
    old, new = ids(team)
    moved = team.timeline(old)[0]
    number = team.merge_accounts(old, new, "U1")
    team.correct(moved.id, "Dana asked about yearly billing.", "U1")
    team.set_opportunity(moved.id, "opp-1")
    team.log(new, NewNote("They like it.", rep="U1", key="later"))
    team.undo_merge(number)
    assert {n.key for n in team.timeline(new)} == {"int-1", "later"}
    back = team.timeline(old)[0]
    assert (back.text, back.opportunity) == ("Dana asked about yearly billing.", "")
    assert [version.account_id for version in team.history(back.id)] == [old]


def test_a_merge_is_undone_once_within_thirty_days_and_in_order(team: TeamMemory, clock: Hand) -> None:
    """Not twice, not too late, and not while the account it went into is itself merged."""
    old, new = ids(team)
    third = team.create_account("Umbrella").id
    first = team.merge_accounts(old, new, "U1")
    second = team.merge_accounts(new, third, "U1")
    assert team.who("Initech").account.id == third
    with pytest.raises(BadInput, match="Take that one back first"):
        team.undo_merge(first)
    team.undo_merge(second)
    team.undo_merge(first)
    assert len(team.timeline(old)) == 1
    with pytest.raises(NotFound):
        team.undo_merge(first)
    again = team.merge_accounts(old, new, "U1")
    clock.at = START + timedelta(days=31)
    with pytest.raises(NotFound):
        team.undo_merge(again)


def test_what_cannot_be_merged_is_said(memory: Memory, team: TeamMemory) -> None:
    """Not with itself, not twice, and never across workspaces."""
    old, new = ids(team)
    with pytest.raises(BadInput, match="same account"):
        team.merge_accounts(old, old, "U1")
    number = team.merge_accounts(old, new, "U1")
    with pytest.raises(BadInput, match="merged already"):
        team.merge_accounts(old, new, "U1")
    stranger = memory.of("T2")
    theirs = stranger.create_account("Other").id
    with pytest.raises(UnknownAccount):
        stranger.merge_accounts(theirs, new, "U9")
    with pytest.raises(NotFound):
        stranger.undo_merge(number)


def test_an_import_under_a_merged_accounts_id_is_refused(team: TeamMemory) -> None:
    """Both accounts used the same ids of notes: written onto the other, one would replace the other's words."""
    old, new = ids(team)
    team.merge_accounts(old, new, "U1")
    with pytest.raises(BadPayload, match="merged into 'new-1'"):
        team.import_payload(book("old-1", "Initech", "Bill Lumbergh"))
    assert len(team.timeline(new)) == 2


def test_a_deal_is_remembered_per_channel_and_account_while_it_is_open(team: TeamMemory) -> None:
    """Another channel and another account know nothing of it, and a closed deal is forgotten."""
    old, new = ids(team)
    deal = team.opportunities(old)[0]
    team.remember_deal("C1", old, deal.id)
    team.remember_deal("C1", old, deal.id)
    assert team.remembered_deal("C1", old) == "opp-1"
    assert (team.remembered_deal("C2", old), team.remembered_deal("C1", new)) == ("", "")
    closed = {"accountId": "old-1", "OPPORTUNITY": [{"opportunityId": "opp-1", "status": "won"}]}
    team.import_payload(closed)
    assert team.remembered_deal("C1", old) == ""


def test_two_processes_with_one_delivery_keep_one_note(team: TeamMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the other one's row comes in between looking and writing, its receipt is given."""
    _, new = ids(team)
    first = team.log(new, NewNote("They want a pilot.", rep="U1", source_key="k"))
    looked: list[str] = []
    really = TeamMemory._delivered

    def not_seen_at_first(self: TeamMemory, connection: Any, source_key: str) -> Any:
        looked.append(source_key)
        return None if len(looked) == 1 else really(self, connection, source_key)

    monkeypatch.setattr(TeamMemory, "_delivered", not_seen_at_first)
    second = team.log(new, NewNote("They want a pilot.", rep="U2", source_key="k"))
    assert (second.id, second.is_new, second.rep) == (first.id, False, "U1")
