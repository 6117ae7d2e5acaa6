"""Promises of import and export: one call for a whole account, checked whole, never doubled."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from storage import Imported, Memory, NewNote, StorageConfig, open_memory, parse_json
from storage.embedder import HashEmbedder
from storage.errors import BadPayload, UnknownAccount
from storage.index import MemoryIndex

FIRST_SOURCE: dict[str, Any] = {
    "accountId": "acme-01",
    "name": "Acme Corp",
    "stage": "negotiation",
    "CONTACT": [{"contactId": "c-9", "name": "Dana Reed", "role": "VP Eng"}],
    "OPPORTUNITY": [{"opportunityId": "opp-7", "amountUsd": 48000, "status": "open"}],
    "INTERACTION": [
        {"interactionId": "int-204", "channel": "call", "repId": "rep-12", "summary": "Wants quarterly billing."}
    ],
    "NEXT_STEP": [{"title": "Send quarterly-billing proposal", "dueAt": "2026-06-20"}],
}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as opened:
        yield opened


def changed(**fields: Any) -> dict[str, Any]:
    return FIRST_SOURCE | fields


# --- one call ---


def test_one_call_writes_an_account_with_all_that_is_nested_under_it(memory: Memory) -> None:
    """The payload of the first source makes one row of each kind, all linked."""
    team = memory.of("T1")
    assert team.import_payload(FIRST_SOURCE) == Imported(1, 1, 1, 1, 1)
    account = team.who("acme-01").account
    assert (account.name, account.stage) == ("Acme Corp", "negotiation")
    (deal,) = team.opportunities(account.id)
    assert (deal.key, deal.amount, deal.currency, deal.status) == ("opp-7", Decimal(48000), "USD", "open")
    (note,) = team.timeline(account.id)
    assert (note.key, note.contact, note.opportunity, note.account_key) == ("int-204", "Dana Reed", "opp-7", "acme-01")
    (step,) = team.next_steps(account.id)
    assert (step.interaction, step.due, step.account_key) == ("int-204", date(2026, 6, 20), "acme-01")


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: [d], lambda d: {"label": "ACCOUNT", "data": d}])
def test_an_account_may_come_bare_listed_or_labelled(memory: Memory, wrap: Any) -> None:
    """All three forms of a payload are understood."""
    assert memory.of("T1").import_payload(wrap(FIRST_SOURCE)).accounts == 1


def test_importing_again_changes_nothing(memory: Memory) -> None:
    """A second import of the same payload finds all of it unchanged."""
    team = memory.of("T1")
    team.import_payload(FIRST_SOURCE)
    before = team.export_payload()
    assert team.import_payload(FIRST_SOURCE) == Imported(unchanged=5)
    assert team.export_payload() == before


def test_a_note_without_an_id_is_not_doubled(memory: Memory) -> None:
    """Importing a payload twice keeps one note even when the note has no id."""
    team = memory.of("T1")
    payload = changed(INTERACTION=[{"summary": "They want a pilot."}, {"summary": "They asked for a price."}])
    assert team.import_payload(payload).interactions == 2
    assert team.import_payload(payload).interactions == 0
    assert len(team.timeline()) == 2


def test_a_later_touch_leaves_what_it_does_not_speak_of(memory: Memory) -> None:
    """A deal reported won keeps its amount, a person named again keeps the role, and the note keeps its deal."""
    team = memory.of("T1")
    team.import_payload(FIRST_SOURCE)
    touch = {
        "accountId": "acme-01",
        "CONTACT": [{"contactId": "c-9", "name": "Dana Reed"}],
        "OPPORTUNITY": [{"opportunityId": "opp-7", "status": "won"}],
        "INTERACTION": [{"interactionId": "int-204", "summary": "Wants quarterly billing."}],
    }
    team.import_payload(touch)
    account = team.who("acme-01").account
    (deal,) = team.opportunities(account.id)
    (person,) = team.contacts(account.id)
    (note,) = team.timeline(account.id)
    assert (account.name, account.stage) == ("Acme Corp", "negotiation")
    assert (deal.amount, deal.status, person.role) == (Decimal(48000), "won", "VP Eng")
    assert (note.opportunity, note.contact, note.channel, note.rep) == ("opp-7", "Dana Reed", "call", "rep-12")


def test_other_words_under_a_known_id_are_a_correction(memory: Memory) -> None:
    """A note imported with other words keeps the former ones in its history."""
    team = memory.of("T1")
    team.import_payload(FIRST_SOURCE)
    team.import_payload(changed(INTERACTION=[{"interactionId": "int-204", "summary": "Wants monthly billing."}]))
    (note,) = team.timeline()
    assert note.text == "Wants monthly billing."
    assert [n.text for n in team.history(note.id)] == ["Wants quarterly billing."]


def test_an_account_with_thousands_of_notes_is_counted_right(memory: Memory) -> None:
    """An account larger than one transaction is written whole and counted once."""
    notes = [{"interactionId": f"n-{n}", "summary": f"Note {n}.", "contactId": "c-9"} for n in range(1201)]
    team = memory.of("T1")
    assert team.import_payload(changed(INTERACTION=notes)) == Imported(1, 1, 1, 1201, 1)
    assert {n.contact for n in team.timeline()} == {"Dana Reed"}


# --- unknown fields ---


def test_unknown_fields_are_kept_and_filterable(memory: Memory) -> None:
    """Fields that are not ours become typed properties that filters reach, on accounts and on what is under them."""
    team = memory.of("T1")
    deal = {"opportunityId": "opp-7", "probability": 0.4}
    note = {"interactionId": "int-204", "summary": "Wants quarterly billing.", "minutes": 35, "recorded": True}
    team.import_payload(changed(region="EMEA", OPPORTUNITY=[deal], INTERACTION=[note]))
    assert team.who("acme-01").account.properties == {"region": "EMEA"}
    for where in (
        {"ACCOUNT": {"region": "EMEA"}},
        {"OPPORTUNITY": {"probability": {"$lt": 0.5}}},
        {"minutes": {"$gte": 35}},
        {"recorded": True},
    ):
        assert len(team.recall("quarterly billing", where=where, abstain=False).hits) == 1
    assert not team.recall("quarterly billing", where={"minutes": {"$gt": 35}}, abstain=False).hits


# --- what is refused ---


def test_malformed_json_is_said_with_line_and_column() -> None:
    """A slip in the JSON is pointed at."""
    with pytest.raises(BadPayload, match="line 2, column 8"):
        parse_json('{\n  "a": oops}')


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": Infinity}', "[" * 200_000, '{"a": ' + "9" * 5000 + "}"],
    ids=["twice", "nan", "infinity", "deep", "digits"],
)
def test_json_that_hides_something_is_refused(text: str) -> None:
    """Keys that occur twice, numbers that are none and bottomless nesting are refused with a sentence."""
    with pytest.raises(BadPayload):
        parse_json(text)


def deep(levels: int) -> Any:
    return {"in": deep(levels - 1)} if levels else "bottom"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (changed(accountId=""), r"ACCOUNT\.accountId is missing"),
        (changed(CONTACT=[{"contactId": "c-1"}]), r"ACCOUNT\.CONTACT\[0\]\.name is missing"),
        (changed(CONTACT=[{"contactId": "c-1", "name": None}]), r"name is missing"),
        (changed(CONTACT=["Dana"]), r"CONTACT\[0\] is not an object"),
        (changed(OPPORTUNITY=[{"opportunityId": "o", "status": "maybe"}]), "open, won or lost"),
        (changed(OPPORTUNITY=[{"opportunityId": "o", "amountUsd": "lots"}]), "amountUsd is not an amount"),
        (changed(OPPORTUNITY=[{"opportunityId": "o", "amountUsd": Decimal("1e999999999")}]), "not an amount"),
        (changed(INTERACTION=[{"summary": "  "}]), r"INTERACTION\[0\]\.summary: The note is empty"),
        (changed(INTERACTION=[{"summary": "x" * 40_001}]), "40,001 characters"),
        (changed(INTERACTION=[{"summary": "x", "occurredAt": "soon"}]), "occurredAt is not an ISO 8601"),
        (changed(NEXT_STEP=[{"title": "Call", "dueAt": "32 May"}]), "dueAt is not an ISO 8601"),
        (changed(NEXT_STEP=[{"title": "Call", "done": "yes"}]), "done is not true or false"),
        (changed(CONTACT=[{"contactId": "c", "name": "A"}, {"contactId": "c", "name": "B"}]), "contactId 'c' occurs"),
        (changed(INTERACTION=[{"interactionId": "i", "summary": w} for w in "ab"]), "interactionId 'i' occurs twice"),
        (changed(NEXT_STEP=[{"nextStepId": "s", "title": w} for w in "ab"]), "nextStepId 's' occurs twice"),
        ([FIRST_SOURCE, FIRST_SOURCE], "accountId 'acme-01' occurs twice"),
        (changed(INTERACTION=[{"summary": "x", "opportunityId": "opp-8"}]), "opportunityId 'opp-8' is not on"),
        (changed(INTERACTION=[{"summary": "x", "contactId": "c-8"}]), "contactId 'c-8' is not on"),
        (changed(NEXT_STEP=[{"title": "x", "interactionId": "int-9"}]), "interactionId 'int-9' is not on"),
        (changed(size=float("nan")), r"ACCOUNT\.size is not a number"),
        (changed(size=float("inf")), r"ACCOUNT\.size is not a number"),
        (changed(size=Decimal("1e999999999")), r"ACCOUNT\.size is not a number"),
        (changed(nested=deep(25)), "nested more than 20 levels"),
        ({"label": "DEAL", "data": []}, "label 'DEAL' cannot be imported"),
        (7, "ACCOUNT is not an object"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_whole(memory: Memory, payload: Any, said: str) -> None:
    """What is wrong is said with its path, and nothing of the payload is written."""
    team = memory.of("T1")
    with pytest.raises(BadPayload, match=said):
        team.import_payload(payload)
    assert team.accounts() == ()


def test_one_bad_account_keeps_all_the_others_out(memory: Memory) -> None:
    """A list is checked to its end before its first row is written."""
    team = memory.of("T1")
    with pytest.raises(BadPayload, match=r"ACCOUNT\[1\]"):
        team.import_payload([FIRST_SOURCE, {"accountId": "b", "INTERACTION": [{"summary": ""}]}])
    with pytest.raises(UnknownAccount):
        team.who("acme-01")


# --- export ---


def test_an_export_imported_elsewhere_is_the_same_memory(memory: Memory) -> None:
    """Export, through JSON, into an empty workspace, and out again: nothing is lost, unknown fields included."""
    team = memory.of("T1")
    person = {"contactId": "c-9", "name": "Dana Reed", "role": "VP Eng", "city": "Oslo"}
    deal = {"opportunityId": "opp-7", "amountUsd": 48000.5, "status": "open", "plan": ["gold", {"seats": 12}]}
    step = {"title": "Send proposal", "dueAt": "2026-06-20", "done": True, "colour": "red"}
    team.import_payload(changed(region="EMEA", CONTACT=[person], OPPORTUNITY=[deal], NEXT_STEP=[step]))
    account = team.who("acme-01").account
    team.log(account.id, NewNote("Kept among us.", rep="r", visibility="C9", external=True, permalink="https://x.test"))
    exported = team.export_payload()
    other = memory.of("T2")
    other.import_payload(parse_json(json.dumps(exported)))
    assert other.export_payload() == exported
    assert len(memory.of("T2", frozenset()).timeline()) == 1
    assert team.import_payload(exported) == Imported(unchanged=6)
