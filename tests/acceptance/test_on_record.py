"""What the samples say is found with the bundled model, and what they do not say is not made up."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.samples import sample_payloads
from storage import StorageConfig, TeamMemory, open_memory

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamMemory]:
    folder = tmp_path_factory.mktemp("samples")
    with open_memory(StorageConfig(data_dir=folder, now=lambda: NOW)) as memory:
        team = memory.of("T0001")
        for payload in sample_payloads(NOW.date()):
            team.import_payload(payload)
        memory.catch_up()
        yield team


@pytest.mark.parametrize(
    ("account", "question", "note"),
    [
        ("acme-01", "What pricing objections came up?", "int-204"),
        ("acme-01", "do they want to pay in smaller pieces through the year?", "int-204"),
        ("Rentokil", "is there money for this?", "priya-1"),
        ("Rentokil", "did they ask for a trial?", "priya-3"),
        ("Rentokil", "moving their old records over", "priya-4"),
        ("Paysend", "who else are they looking at?", "james-3"),
        ("Paysend", "is the stability worry settled?", "james-2"),
        ("Paysend", "what have we sent them?", "james-4"),
    ],
)
def test_what_is_on_record_comes_first(team: TeamMemory, account: str, question: str, note: str) -> None:
    """Asked in other words than the note has, the note that answers is the first."""
    found = team.recall(question, account=account)
    assert not found.abstained
    assert found.hits[0].interaction == note


@pytest.mark.parametrize(
    ("account", "question"),
    [
        ("acme-01", "which competitors are in play?"),
        ("acme-01", "when does their contract end?"),
        ("acme-01", "security concerns"),
        ("Rentokil", "Did they ask about a mobile app?"),
        ("Rentokil", "who signs?"),
        ("Rentokil", "which competitors do they look at?"),
        ("Paysend", "how many employees do they have?"),
        ("Paysend", "when is the next meeting?"),
        ("Paysend", "legal redlines"),
    ],
)
def test_what_is_not_on_record_is_not_made_up(team: TeamMemory, account: str, question: str) -> None:
    """A question that no note answers is refused, with the nearest notes beside it."""
    found = team.recall(question, account=account)
    assert found.abstained
    assert not found.hits
    assert found.nearest


def test_who_asks_for_a_kind_gets_what_is_on_record_of_it(team: TeamMemory) -> None:
    """ "Objections" is answered where there are some, whatever they are about."""
    found = team.recall("objections", account="Paysend")
    assert {"james-1", "james-3"} <= {hit.interaction for hit in found.hits}
