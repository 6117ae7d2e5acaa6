"""Promises of recall: nothing outside the scope, nothing late, nothing lost when the index is away."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import Kind, NewNote, NoteReading, Signal, StorageConfig, Topic, open_memory
from storage.embedder import HashEmbedder
from storage.errors import IndexDown, UnknownAccount
from storage.index import Candidates, MemoryIndex

TEAMS, ACCOUNTS, CHANNELS = ["T1", "T2"], ["a", "b"], ["", "C1", "C2"]


class AwayIndex(MemoryIndex):
    """A server that does not answer."""

    away = True

    def candidates(self, *args: object, **options: object) -> Candidates:
        if self.away:
            raise IndexDown("no answer")
        return super().candidates(*args, **options)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    notes=st.lists(
        st.tuples(st.sampled_from(TEAMS), st.sampled_from(ACCOUNTS), st.sampled_from(CHANNELS)), max_size=12
    ),
    team=st.sampled_from(TEAMS),
    account=st.sampled_from(ACCOUNTS),
    audience=st.frozensets(st.sampled_from(CHANNELS[1:])),
    indexed=st.booleans(),
)
def test_no_row_of_another_team_account_or_hidden_channel_is_ever_returned(
    notes: list[tuple[str, str, str]], team: str, account: str, audience: frozenset[str], indexed: bool
) -> None:
    """Recall, timeline and facts return exactly what lies in the scope, indexed or not."""
    with (
        TemporaryDirectory() as folder,
        open_memory(StorageConfig(data_dir=Path(folder)), embedder=HashEmbedder(), index=MemoryIndex()) as memory,
    ):
        ids = {(t, a): memory.of(t).create_account(f"Name {a}", key=a).id for t in TEAMS for a in ACCOUNTS}
        for n, (t, a, c) in enumerate(notes):
            memory.of(t).log(ids[t, a], NewNote(f"pricing {n}", rep="U1", key=f"{t}/{a}/{c}/{n}", visibility=c))
        if indexed:
            memory.catch_up()
        asker = memory.of(team, audience)
        visible = {f"{t}/{a}/{c}/{n}" for n, (t, a, c) in enumerate(notes) if t == team and (not c or c in audience)}
        here = {key for key in visible if key.split("/")[1] == account}
        who = asker.who(account)
        assert {h.interaction for h in asker.recall("pricing", account=account, limit=50, abstain=False).hits} == here
        assert {h.interaction for h in asker.recall("pricing", limit=50, abstain=False).hits} == visible
        assert {n.key for n in asker.timeline(ids[team, account])} == here
        assert {n.key for n in asker.timeline()} == visible
        assert {n.key for n in asker.facts(who).interactions} == here
        assert {n.key for facts in asker.all_facts() for n in facts.interactions} == visible


def test_a_note_is_recalled_before_it_is_indexed(tmp_path: Path) -> None:
    """What was just logged is found, alone and beside what is indexed."""
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        team = memory.of("T1")
        account = team.create_account("Acme Corp").id
        for words in ("Wants quarterly billing.", "Wants quarterly invoices."):
            team.log(account, NewNote(words, rep="U1"))
            hits = team.recall("quarterly", account=account, abstain=False).hits
            assert words in {h.text for h in hits}
            memory.catch_up()
        assert len(hits) == 2


def test_when_the_index_is_away_words_are_ranked_and_it_is_said(tmp_path: Path) -> None:
    """Recall goes on inside the scope, with a notice, and without it once the index is back."""
    index = AwayIndex()
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=index) as memory:
        team = memory.of("T1")
        account = team.create_account("Acme Corp").id
        team.log(account, NewNote("Wants quarterly billing.", rep="U1"))
        team.log(team.create_account("Beta").id, NewNote("Wants quarterly billing.", rep="U1"))
        memory.catch_up()
        found = team.recall("quarterly billing", account=account, abstain=False)
        assert [h.account for h in found.hits] == ["Acme Corp"]
        assert "away" in found.notice
        index.away = False
        assert not team.recall("quarterly billing", account=account, abstain=False).notice


def test_an_account_nobody_knows_is_an_error_and_an_empty_one_is_no_answer(tmp_path: Path) -> None:
    """An unknown account is never answered from another; an account without notes abstains."""
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        team = memory.of("T1")
        team.create_account("Acme Corp")
        for name in ("Initech", ""):
            with pytest.raises(UnknownAccount):
                team.recall("pricing", account=name)
        found = team.recall("pricing", account="Acme Corp")
        assert (found.abstained, found.hits, found.nearest) == (True, (), ())


def test_ten_hits_are_not_ten_copies(tmp_path: Path) -> None:
    """A note pasted five times is one of the first two hits; its copies come behind whatever else there is."""
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        team = memory.of("T1")
        account = team.create_account("Acme", key="acme")
        for number in range(5):
            team.log(account.id, NewNote("They object to the price.", rep=f"U{number}"))
        team.log(account.id, NewNote("The price is fine for legal.", rep="U9"))
        memory.catch_up()
        hits = team.recall("What about the price?", account="acme", limit=2, abstain=False).hits
        assert {hit.text for hit in hits} == {"They object to the price.", "The price is fine for legal."}


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize(
    "filters",
    [
        {"contact": "Dana Reed"}, {"contact": "c-1"}, {"opportunity": "o-1"}, {"channel": "call"}, {"rep": "lea"},
        {"stage": "proposal"}, {"since": datetime(2026, 5, 1, tzinfo=UTC)}, {"contact": "c-1", "opportunity": "o-1"},
        {"until": datetime(2026, 5, 9, tzinfo=UTC), "rep": "lea"}, {"kinds": [Kind.OBJECTION]},
    ],
)  # fmt: skip
def test_each_filter_lets_its_notes_pass_and_no_other(
    tmp_path: Path, filters: dict[str, Any], away: bool, indexed: bool
) -> None:
    """Alike for notes that are indexed, for those that are not, and without the index."""
    index = AwayIndex()
    index.away = False
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=index) as memory:
        team = memory.of("T1")
        mine = {
            "accountId": "a", "name": "Acme", "stage": "proposal",
            "CONTACT": [{"contactId": "c-1", "name": "Dana Reed"}],
            "OPPORTUNITY": [{"opportunityId": "o-1", "name": "First"}],
            "INTERACTION": [
                {"interactionId": "n-1", "channel": "call", "repId": "lea", "summary": "The price is too high.",
                 "occurredAt": "2026-05-04T10:00:00Z", "contactId": "c-1", "opportunityId": "o-1"},
            ],
        }  # fmt: skip
        other = {
            "accountId": "b", "name": "Beta",
            "INTERACTION": [
                {"interactionId": "n-2", "channel": "email", "repId": "tom", "summary": "The price is a topic.",
                 "occurredAt": "2026-04-04T10:00:00Z"},
            ],
        }  # fmt: skip
        team.import_payload([mine, other])
        note = team.timeline(team.who("a").account.id)[0]
        said = Signal(Kind.OBJECTION, Topic.PRICING, note.text)
        team.save_readings([NoteReading(note.id, note.revision, (said,), (), "rules")])
        if indexed:
            memory.catch_up()
        index.away = away
        found = team.recall("What about the price?", abstain=False, **filters)
        assert [hit.interaction for hit in found.hits] == ["n-1"]
