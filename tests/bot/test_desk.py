"""The desk over a real memory, on the sources' own deals."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.desk import OBJECTIONS, Desk, Viewer
from bot.samples import sample_payloads
from bot.scribe import to_json
from bot.scribe_plain import PlainScribe
from bot.worker import Worker
from storage import Kind, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.errors import AmbiguousName, BadInput, EmptyNote, UnknownAccount
from storage.index import MemoryIndex

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
REP = Viewer("T0001", "U0REP")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk that knows Acme, Priya and James."""
    config = StorageConfig(data_dir=tmp_path, now=lambda: NOW)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        for payload in sample_payloads(NOW.date()):
            memory.of("T0001").import_payload(payload)
        memory.catch_up()
        yield Desk(memory, PlainScribe())


def test_priya_is_seventy_and_improving_at_risk_over_data_migration(desk: Desk) -> None:
    """The second source's worked example, from her four notes as they were written."""
    brief = desk.brief(REP, "Priya Sharma")
    health = brief.health
    assert (health.score, health.label, health.momentum, health.confidence) == (70, "Hot", "improving", "medium")
    assert (health.at_risk, health.risk) == (True, "data migration")
    assert brief.recommended_action.text == "Provide a data migration plan and timeline"
    assert sum(item.points for item in health.items) == 70
    assert {item.interaction for item in health.items} <= {f"priya-{n}" for n in range(1, 5)}


def test_james_is_thirty_five_declining_and_silent(desk: Desk) -> None:
    """The third source's worked example: silence of seven days with competitor pricing open."""
    health = desk.brief(REP, "James Okafor").health
    assert (health.score, health.momentum, health.confidence) == (35, "declining", "medium")
    assert "7 days of silence" in health.risk


def test_an_account_without_history_gets_the_cold_start_and_nothing_invented(desk: Desk) -> None:
    """No score, no objections, and the one thing to do."""
    desk.memory.of("T0001").create_account("Initech")
    brief = desk.brief(REP, "Initech")
    assert brief.health.score is None
    assert brief.recommended_action.text == "Understand their priorities and introduce the product"
    assert [*brief.objections, *brief.promises, *brief.recommendation] == []


def test_the_pricing_question_brings_the_first_sources_note_with_its_objection_and_step(desk: Desk) -> None:
    """int-204 first, among the objections, with the record of the next step beside it."""
    answer = desk.recall_line(REP, "acme-01: What pricing objections came up on this account?")
    assert answer.found.hits[0].interaction == "int-204"
    assert answer.groups[0][0] == OBJECTIONS
    assert (answer.account, answer.next_step) == ("Acme Corp", "Send quarterly-billing proposal")
    assert "annual pricing" in answer.objection


def test_every_line_of_a_brief_has_its_proof(desk: Desk) -> None:
    """Each list item of the JSON has text, interaction, quote and day, and the quote is in the note."""
    desk.log(REP, "Priya Sharma", "I'll send the migration plan by Friday. She compared us with Zendesk.")
    facts = desk.facts(REP, "Priya Sharma")
    words = {note.key: note.text for note in facts.interactions}
    data = to_json(desk.brief(REP, "Priya Sharma"))
    lists = [value for value in data.values() if isinstance(value, list)]
    for item in (item for items in lists for item in items):
        assert {"text", "interaction", "quote", "at"} <= set(item)
        assert item["quote"] in words[item["interaction"]]


def test_a_log_is_understood_and_its_promise_is_a_record(desk: Desk) -> None:
    """The receipt names the objection, and the promise is a next step with its day."""
    receipt = desk.log_line(REP, "Acme Corp: Dana is worried about security. I'll send the SOC 2 report by Friday.")
    assert Kind.OBJECTION in {s.kind for s in receipt.signals}
    assert [(s.owner, str(s.due)) for s in receipt.next_steps] == [("U0REP", "2026-06-19")]


def test_bad_lines_get_one_clear_sentence(desk: Desk) -> None:
    """Empty, unknown and ambiguous names and notes each have their own error."""
    desk.memory.of("T0001").create_account("Acme Labs")
    for line, error in (("", BadInput), ("Acme Corp:", EmptyNote), ("Globex: hi", UnknownAccount)):
        with pytest.raises(error):
            desk.log_line(REP, line)
    with pytest.raises(AmbiguousName, match=r"Acme (Corp|Labs) or Acme (Corp|Labs)"):
        desk.brief(REP, "Acme")


def test_a_private_channels_note_changes_no_one_elses_brief(desk: Desk) -> None:
    """A note from a private channel counts for its members only: in the brief, the health and recall."""
    before = desk.brief(REP, "acme-01").health
    desk.log(REP, "acme-01", "They are worried about data migration.", visibility="G0001")
    member = Viewer("T0001", "U0MEM", frozenset({"G0001"}))
    assert desk.brief(REP, "acme-01").health == before
    assert desk.brief(member, "acme-01").health != before
    assert not [h for h in desk.recall(REP, "acme-01", "data migration worried").found.hits if "migration" in h.text]


def test_a_text_is_guessed_only_when_one_account_fits(desk: Desk) -> None:
    """A name or a person points to an account; nobody or two point to none."""
    assert desk.guess(REP, "call with acme corp today") == "acme-01"
    assert desk.guess(REP, "Priya Sharma wrote") == "rentokil"
    assert desk.guess(REP, "lunch?") == ""
    assert desk.guess(REP, "Acme Corp and Rentokil") == ""


def test_the_worker_reads_and_indexes_what_an_earlier_process_left(desk: Desk) -> None:
    """After a round nothing is pending and every note has been read."""
    desk.memory.of("T0001").import_payload({"accountId": "n-1", "INTERACTION": [{"summary": "They want a discount."}]})
    assert Worker(desk).once()
    assert desk.memory.status()["pending"] == 0
    assert desk.memory.never_read("T0001", (desk.scribe.name,)) == ()


def test_a_question_of_all_accounts_is_answered_account_by_account(tmp_path: Path) -> None:
    """Who asked for it, and in each such account what came of it; namesakes are told apart."""
    with open_memory(StorageConfig(data_dir=tmp_path, now=lambda: NOW)) as memory:
        desk = Desk(memory, PlainScribe())
        for payload in sample_payloads(NOW.date()):
            memory.of("T0001").import_payload(payload)
        for key, name in (("b-1", "Borealis"), ("c-1", "Corvus"), ("c-2", "Corvus")):
            memory.of("T0001").import_payload({"accountId": key, "name": name})
            desk.log(REP, key, "Asked for quarterly billing, the annual invoice hurts them.")
            desk.log(REP, key, "Signed today: quarterly billing from the second year closed it.")
            desk.log(REP, key, "Lunch with the dispatchers, all well.")
        memory.catch_up()
        answer = desk.recall_line(REP, "Who asked for quarterly billing, and what closed it?")
    assert {heading for heading, _ in answer.groups} == {"Acme Corp", "Borealis", "Corvus (c-1)", "Corvus (c-2)"}
    for heading, hits in answer.groups:
        assert len({hit.account_id for hit in hits}) == 1
        if heading.startswith(("Borealis", "Corvus")):
            assert any("closed it" in hit.text for hit in hits)
    assert [hit for _, hits in answer.groups for hit in hits] == list(answer.found.hits)


def test_nothing_at_any_account_is_said(desk: Desk) -> None:
    """No account is named that was not asked."""
    answer = desk.recall_line(REP, "Do they need Zanzibarian subtitles?")
    assert answer.found.abstained
    assert answer.nothing == "Nothing on record about that at any account."


def test_steps_on_record_are_not_denied(tmp_path: Path) -> None:
    """The ledger knows a next step of which no note speaks; where it knows none, nothing is claimed."""
    with open_memory(StorageConfig(data_dir=tmp_path, now=lambda: NOW)) as memory:
        desk = Desk(memory, PlainScribe())
        for payload in sample_payloads(NOW.date()):
            memory.of("T0001").import_payload(payload)
        memory.of("T0001").import_payload({"accountId": "b-1", "name": "Borealis"})
        desk.log(REP, "b-1", "Lunch with the dispatchers, they talked about football.")
        known, unknown = desk.recall_line(REP, "acme-01: next steps?"), desk.recall_line(REP, "b-1: next steps?")
    assert (known.found.abstained, known.next_step) == (False, "Send quarterly-billing proposal")
    assert unknown.found.abstained


@pytest.mark.parametrize("who", ["James Okafor", "Priya Sharma"])
def test_a_person_is_asked_about_by_name(desk: Desk, who: str) -> None:
    """The notes of that person come back, whether or not they are indexed."""
    desk.log(REP, who, "They object to the price.")
    answer = desk.recall_line(REP, f"{who}: what objections came up?")
    assert any("price" in hit.text for hit in answer.found.hits)
    assert answer.found.hits
