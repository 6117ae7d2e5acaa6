"""Promises of accounts and names: who is meant, and asking instead of guessing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import StorageConfig, TeamMemory, open_memory
from storage.embedder import HashEmbedder
from storage.errors import AmbiguousName, BadInput, UnknownAccount
from storage.index import MemoryIndex

BOOK: list[dict[str, Any]] = [
    {"accountId": "acme-01", "name": "Acme Corp", "CONTACT": [{"contactId": "c-9", "name": "Dana Reed"}]},
    {"accountId": "fin-1", "name": "Fintech Nord", "CONTACT": [{"contactId": "c-1", "name": "Priya Sharma"}]},
    {"accountId": "glo-1", "name": "Globex East"},
    {"accountId": "glo-2", "name": "Globex West"},
]


@pytest.fixture
def team(tmp_path: Path) -> Iterator[TeamMemory]:
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        made = memory.of("T1")
        made.import_payload(BOOK)
        yield made


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("acme-01", "acme-01"),
        ("Acme-01", "acme-01"),
        ("Acme Corp", "acme-01"),
        ("  ACME   corp. ", "acme-01"),
        ("Ácme Corp", "acme-01"),
        ("Acme", "acme-01"),
        ("Acme Corporation", "acme-01"),
        ("Fintec Nord", "fin-1"),
    ],
)
def test_a_name_is_found_as_people_write_it(team: TeamMemory, name: str, key: str) -> None:
    """Keys, names, case, accents, a slip of the finger and the usual short form all find the account."""
    assert team.who(name).account.key == key


@pytest.mark.parametrize("name", ["", "  ", "!?", "Initech", "tech", "corp holdings", "99"])
def test_a_name_that_fits_nothing_is_unknown(team: TeamMemory, name: str) -> None:
    """A part inside another word, or nothing at all, is no account."""
    with pytest.raises(UnknownAccount):
        team.who(name)


def test_a_person_is_found_with_the_account(team: TeamMemory) -> None:
    """A person's name means the person and where they work."""
    found = team.who("Priya Sharma")
    assert found.contact is not None
    assert (found.account.key, found.contact.name) == ("fin-1", "Priya Sharma")


def test_several_that_fit_are_listed(team: TeamMemory) -> None:
    """Between two likely accounts nothing is guessed: both are named."""
    with pytest.raises(AmbiguousName) as asked:
        team.who("Globex")
    assert set(asked.value.candidates) == {"Globex East", "Globex West"}


def test_accounts_of_one_name_are_told_apart_by_their_ids(team: TeamMemory) -> None:
    """Two accounts of the same name are asked about with their ids, and each answer is understood."""
    team.import_payload({"accountId": "acme-02", "name": "Acme Corp"})
    with pytest.raises(AmbiguousName) as asked:
        team.who("Acme Corp")
    assert {team.who(name).account.key for name in asked.value.candidates} == {"acme-01", "acme-02"}


@pytest.mark.parametrize(
    ("line", "key", "rest"),
    [
        ("Acme Corp: wants a pilot", "acme-01", "wants a pilot"),
        ("acme-01 wants a pilot", "acme-01", "wants a pilot"),
        ("Acme-01 wants a pilot", "acme-01", "wants a pilot"),
        ("Acme Corp wants a pilot", "acme-01", "wants a pilot"),
        ("Priya Sharma wants a pilot", "fin-1", "wants a pilot"),
        ("Acme: first line\nsecond: line", "acme-01", "first line\nsecond: line"),
        ("Acme Corp call at 10:30, they want a pilot", "acme-01", "call at 10:30, they want a pilot"),
        ("Acme Corp see https://x.test/a: good", "acme-01", "see https://x.test/a: good"),
        ("Acme Corp said\nprice: too high", "acme-01", "said\nprice: too high"),
    ],
)
def test_a_line_begins_with_whom_it_is_about(team: TeamMemory, line: str, key: str, rest: str) -> None:
    """A colon decides where the name ends, else the longest name known; the rest of the line stays as written."""
    who, words = team.split_who(line)
    assert (who.account.key, words) == (key, rest)


@pytest.mark.parametrize("line", ["Initech: wants a pilot", "wants a pilot", "", "   ", ": no name"])
def test_a_line_about_nobody_known_says_so(team: TeamMemory, line: str) -> None:
    """A line that begins with no known name is not put on some account."""
    with pytest.raises(UnknownAccount):
        team.split_who(line)


def test_a_colon_never_hands_words_to_a_shorter_name(team: TeamMemory) -> None:
    """A new company is not mistaken for a known one that begins alike."""
    with pytest.raises((UnknownAccount, AmbiguousName)):
        team.split_who("Acme Corp Robotics Japan: wants a pilot")


def test_an_account_is_not_made_twice(team: TeamMemory) -> None:
    """Making an account of a known name hands the known one back; a taken id is refused with a sentence."""
    assert team.create_account(" ACME corp ").key == "acme-01"
    assert team.create_account("Initech").key == "initech"
    with pytest.raises(BadInput, match="acme-01"):
        team.create_account("Umbrella", key="acme-01")
    with pytest.raises(BadInput):
        team.create_account(" ?! ")


def test_a_former_name_goes_on_finding_the_account(team: TeamMemory) -> None:
    """A renamed account answers to both names."""
    before = team.who("acme-01").account
    team.rename_account(before.id, "Zenith Works")
    assert team.who("Zenith Works").account.id == team.who("Acme Corp").account.id == before.id


def test_a_channel_stands_for_an_account(team: TeamMemory) -> None:
    """A channel is linked, linked anew and let go; an owner is set."""
    one, other = team.who("acme-01").account, team.who("fin-1").account
    for account in (one, other):
        team.link_channel("C1", account.id)
        found = team.channel_account("C1")
        assert found is not None
        assert found.id == account.id
    team.link_channel("C1", None)
    assert team.channel_account("C1") is None
    assert team.set_owner(one.id, "U7").owner == "U7"
