"""Promises of notes: logged once, verbatim, corrected and taken back without losing a word."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Kind, NewNote, NoteReading, Signal, State, StorageConfig, TeamMemory, Topic, open_memory
from storage.embedder import HashEmbedder
from storage.errors import BadInput, EmptyNote, NoteTooLong, UnknownNote
from storage.index import MemoryIndex


@pytest.fixture
def team(tmp_path: Path) -> Iterator[TeamMemory]:
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        made = memory.of("T1")
        made.create_account("Acme Corp", key="acme-01")
        yield made


def acme(team: TeamMemory) -> int:
    return team.who("acme-01").account.id


def recalled(team: TeamMemory, words: str) -> list[str]:
    return [hit.text for hit in team.recall(words, account="acme-01", abstain=False).hits]


def test_a_delivery_is_one_note_however_often_it_comes(team: TeamMemory) -> None:
    """The same source key gives the first receipt back, with who logged it."""
    first = team.log(acme(team), NewNote("Wants a pilot.", rep="U1", source_key="msg:C1:1"))
    again = team.log(acme(team), NewNote("Wants a pilot.", rep="U2", source_key="msg:C1:1"))
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.id, again.rep) == (first.id, "U1")
    assert len(team.timeline()) == 1


def test_one_open_deal_takes_the_note_and_of_several_none_is_guessed(team: TeamMemory) -> None:
    """A note belongs to the only open deal; when several are open they are listed on the receipt."""
    assert team.log(acme(team), NewNote("No deal yet.", rep="U1")).opportunity == ""
    deals = [{"opportunityId": "opp-7"}, {"opportunityId": "opp-1", "status": "lost"}]
    team.import_payload({"accountId": "acme-01", "OPPORTUNITY": deals})
    assert team.log(acme(team), NewNote("One deal.", rep="U1")).opportunity == "opp-7"
    team.import_payload({"accountId": "acme-01", "OPPORTUNITY": [{"opportunityId": "opp-8"}]})
    asked = team.log(acme(team), NewNote("Two deals.", rep="U1"))
    assert (asked.opportunity, asked.open_opportunities) == ("", ("opp-7", "opp-8"))
    assert team.set_opportunity(asked.id, "opp-8").opportunity == "opp-8"
    with pytest.raises(BadInput):
        team.set_opportunity(asked.id, "opp-99")


@pytest.mark.parametrize("text", ["", "   \n\t", "\x00\x07"])
def test_a_note_without_words_is_refused(team: TeamMemory, text: str) -> None:
    """Nothing, blanks and control characters are no note."""
    with pytest.raises(EmptyNote):
        team.log(acme(team), NewNote(text, rep="U1"))


def test_a_note_is_never_cut(team: TeamMemory) -> None:
    """40,000 characters are kept whole, 40,001 are refused and not kept at all."""
    assert len(team.note(team.log(acme(team), NewNote("x" * 40_000, rep="U1")).id).text) == 40_000
    with pytest.raises(NoteTooLong, match="40,001"):
        team.log(acme(team), NewNote("x" * 40_001, rep="U1"))
    assert len(team.timeline()) == 1


def test_words_are_kept_and_controls_are_not(team: TeamMemory) -> None:
    """What could break a database or a terminal is left out; lines, tabs, accents and emoji stay."""
    note = team.note(team.log(acme(team), NewNote("a\x00b\x1b[31m\ud800\r\n\tÜber 🎉", rep="U1")).id)
    assert note.text == "ab[31m\n\tÜber 🎉"


def test_an_id_is_taken_once(team: TeamMemory) -> None:
    """A second note with the same id is refused with a sentence, and the first one stays."""
    team.log(acme(team), NewNote("First.", rep="U1", key="int-1"))
    with pytest.raises(BadInput, match="int-1"):
        team.log(acme(team), NewNote("Second.", rep="U1", key="int-1"))
    assert team.note_by_key("int-1").text == "First."


def test_a_correction_counts_at_once_and_the_former_words_stay_in_history(team: TeamMemory) -> None:
    """Corrected words are recalled before any indexing, the former ones no more; undoing brings them back."""
    note = team.log(acme(team), NewNote("They want zebra stripes.", rep="U1"))
    corrected = team.correct(note.id, "They want leopard spots.", "U2")
    assert (corrected.revision, corrected.key) == (2, note.key)
    assert recalled(team, "zebra leopard") == ["They want leopard spots."]
    assert [(n.text, n.state) for n in team.history(note.id)] == [("They want zebra stripes.", State.SUPERSEDED)]
    assert team.undo_correction(note.id, "U2").text == "They want zebra stripes."
    with pytest.raises(EmptyNote):
        team.correct(note.id, " ", "U2")


def test_a_retracted_note_is_gone_at_once_and_can_be_restored(team: TeamMemory) -> None:
    """A retraction leaves recall, timeline, facts and export at once; restoring brings the note back everywhere."""
    note = team.log(acme(team), NewNote("They want a pilot.", rep="U1"))
    team.retract(note.id, "U1")
    assert not recalled(team, "pilot")
    assert not team.timeline()
    assert not team.facts(team.who("acme-01")).interactions
    for act in (lambda: team.note(note.id), lambda: team.retract(note.id, "U1"), lambda: team.signals(note.id)):
        with pytest.raises(UnknownNote):
            act()
    assert team.restore(note.id, "U1").state is State.ACTIVE
    assert recalled(team, "pilot") == ["They want a pilot."]
    with pytest.raises(UnknownNote):
        team.restore(note.id, "U1")


def test_a_reading_of_former_words_is_not_kept(team: TeamMemory) -> None:
    """What was read of a note that has changed meanwhile is dropped; a correction forgets what was read before."""
    note = team.log(acme(team), NewNote("Too expensive.", rep="U1"))
    said = Signal(Kind.OBJECTION, Topic.PRICING, "Too expensive.")
    assert team.save_readings(
        [NoteReading(note.id, 1, (said,), ({"title": "Send prices", "quote": "Too expensive."},), "rules-1")]
    )
    assert [s.kind for s in team.signals(note.id)] == [Kind.OBJECTION]
    assert [s.title for s in team.next_steps()] == ["Send prices"]
    team.correct(note.id, "All fine.", "U1")
    assert team.signals(note.id) == ()
    assert team.next_steps() == ()
    assert not team.save_readings([NoteReading(note.id, 1, (said,), (), "rules-1")])


def test_what_a_person_confirmed_outlives_a_later_reading(team: TeamMemory) -> None:
    """A confirmed signal stays when the note is read again without it."""
    note = team.log(acme(team), NewNote("Too expensive.", rep="U1"))
    team.save_readings(
        [NoteReading(note.id, 1, (Signal(Kind.OBJECTION, Topic.PRICING, "Too expensive.", pending=True),), (), "r1")]
    )
    team.confirm(team.signals(note.id)[0].id, "U1")
    team.save_readings([NoteReading(note.id, 1, (), (), "r2")])
    assert [(s.confirmed_by, s.pending) for s in team.signals(note.id)] == [("U1", False)]


def test_a_hidden_note_cannot_be_touched(tmp_path: Path) -> None:
    """Who is not in a private channel can neither read, correct, retract, restore nor confirm what was said there."""
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        insider, outsider = memory.of("T1", frozenset({"C9"})), memory.of("T1", frozenset())
        account = insider.create_account("Acme Corp", key="acme-01")
        note = insider.log(account.id, NewNote("Secret plan.", rep="U1", visibility="C9"))
        insider.save_readings(
            [NoteReading(note.id, 1, (Signal(Kind.TOLD, Topic.OTHER, "Secret plan.", pending=True),), (), "r1")]
        )
        outsider.confirm(insider.signals(note.id)[0].id, "U2")
        assert insider.signals(note.id)[0].pending
        for act in (
            lambda: outsider.note(note.id),
            lambda: outsider.note_by_key(note.key),
            lambda: outsider.correct(note.id, "x", "U2"),
            lambda: outsider.retract(note.id, "U2"),
            lambda: outsider.set_opportunity(note.id, "x"),
        ):
            with pytest.raises(UnknownNote):
                act()
        insider.correct(note.id, "Other plan.", "U1")
        assert not outsider.history(note.id)
        insider.retract(note.id, "U1")
        with pytest.raises(UnknownNote):
            outsider.restore(note.id, "U2")


def test_what_a_stranger_began_goes_and_what_others_hold_stays(team: TeamMemory) -> None:
    """A refused note leaves nothing behind but where its account holds something else."""
    fresh, known = team.create_account("Initech"), team.create_account("Umbrella")
    team.log(known.id, NewNote("Dana liked the demo", rep="U1", source_key="kept"))
    for account in (fresh, known):
        team.refuse(team.log(account.id, NewNote("spam", rep="U2", source_key=account.key)).id, "U0GUEST01")
    names = {account.name for account in team.accounts()}
    assert "Umbrella" in names
    assert "Initech" not in names
    assert [note.text for note in team.timeline(known.id)] == ["Dana liked the demo"]
