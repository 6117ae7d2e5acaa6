"""Promises of what is learnt from labelled questions: told from the vector, used where it fits, refused if damaged."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from storage import NewNote, StorageConfig, open_memory
from storage.aim import AIMS, BELIEVED, NO_AIM, Aims
from storage.embedder_fastembed import FastembedEmbedder
from storage.errors import ModelMissing


@pytest.fixture(scope="module")
def embedder() -> FastembedEmbedder:
    """The bundled model."""
    return FastembedEmbedder()


@pytest.fixture(scope="module")
def aims(embedder: FastembedEmbedder) -> Aims:
    """What travels with it."""
    return Aims.load(embedder.signature)


def two() -> Aims:
    """Two kinds in three dimensions."""
    belief = np.zeros((2, BELIEVED), np.float32)
    belief[1] = 1.0
    return Aims(
        asked=np.array([[9, 0, 0], [0, 9, 0]], np.float32),
        bias=np.zeros(2, np.float32),
        answers=np.array([[0, 0, 2], [0, 0, -2]], np.float32),
        late=np.array([0.5, 0.0], np.float32),
        follows=np.array([0.0, 0.25], np.float32),
        belief=belief,
    )


def test_a_question_aims_where_its_kind_is_answered() -> None:
    """A question of one kind takes that kind's direction and measures; one between two takes a mean."""
    first, between = two().of(np.array([1, 0, 0], np.float32)), two().of(np.array([0.7, 0.7, 0], np.float32))
    assert first.towards is not None
    assert first.towards[2] == pytest.approx(2, abs=0.01)
    assert first.late == pytest.approx(0.5, abs=0.01)
    assert between.towards is not None
    assert between.towards[2] == pytest.approx(0, abs=0.01)
    assert between.follows == pytest.approx(0.125, abs=0.01)


def test_the_odds_are_odds(aims: Aims, embedder: FastembedEmbedder) -> None:
    """They sum to 1, and a question about a rival is told from one about money."""
    rival, money = (
        aims.odds(embedder.question(text)) for text in ("Who else are they talking to?", "What can they pay?")
    )
    assert rival.sum() == pytest.approx(1)
    assert money.sum() == pytest.approx(1)
    assert rival.argmax() != money.argmax()


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """The same for the same embedder, and byte for byte the same file."""
    path, again = tmp_path / "aims.npz", tmp_path / "again.npz"
    two().save("model-1", path)
    two().save("model-1", again)
    assert path.read_bytes() == again.read_bytes()
    loaded = Aims.load("model-1", path)
    assert all(np.array_equal(getattr(loaded, name), getattr(two(), name)) for name in Aims.__slots__)


def test_another_model_has_no_aims(tmp_path: Path) -> None:
    """Directions of one model mean nothing in the space of another; a missing file is no error either."""
    two().save("model-1", tmp_path / "aims.npz")
    for found in (Aims.load("model-2", tmp_path / "aims.npz"), Aims.load("model-1", tmp_path / "none.npz")):
        assert found.of(np.ones(3, np.float32)) == NO_AIM


@pytest.mark.parametrize("cut", [0, 10, 5_000])
def test_a_damaged_file_is_said(cut: int, tmp_path: Path, embedder: FastembedEmbedder) -> None:
    """What is cut short is not read as something else."""
    path = tmp_path / "aims.npz"
    path.write_bytes(AIMS.read_bytes()[:cut])
    with pytest.raises(ModelMissing, match="damaged"):
        Aims.load(embedder.signature, path)


def test_a_kind_is_found_without_its_words(tmp_path: Path) -> None:
    """A question about rivals finds the note about one, which says nothing of the sort; indexed or not, alike."""
    notes = [
        ("n1", "Rang Dana, she is on holiday until Monday."),
        ("n2", "Old Mr Voss came by with his dog, talked about football and the new roundabout."),
        ("n3", "Quillfast were there on Tuesday with cake and a free month, Dana says. She found them slick."),
        ("n4", "Invoice address changed to the Hamburg office."),
        ("n5", "Showed the planner to the two dispatchers, they liked the colours."),
        ("n6", "Dana wants the training to be on a Friday."),
        ("n7", "Parking is awful, use the yard at the back."),
    ]
    with open_memory(StorageConfig(data_dir=tmp_path, now=lambda: datetime(2026, 6, 1, tzinfo=UTC))) as memory:
        team = memory.of("T1")
        interactions = [
            {
                "interactionId": key,
                "channel": "call",
                "repId": "lea",
                "summary": text,
                "occurredAt": f"2026-05-0{n}T10:00:00Z",
            }
            for n, (key, text) in enumerate(notes, 1)
        ]
        team.import_payload(
            {"label": "ACCOUNT", "data": {"accountId": "a", "name": "Voss", "INTERACTION": interactions}}
        )
        fresh = team.recall("Are they seeing other vendors?", account="a", abstain=False)
        memory.catch_up()
        indexed = team.recall("Are they seeing other vendors?", account="a", abstain=False)
        again = [team.recall("Are they seeing other vendors?", account="a", abstain=False) for _ in range(3)][-1]
    assert "n3" in [hit.interaction for hit in indexed.hits[:2]]
    for other in (fresh, again):
        assert [hit.interaction for hit in other.hits[:3]] == [hit.interaction for hit in indexed.hits[:3]]
        assert other.hits[0].score == pytest.approx(indexed.hits[0].score, abs=0.02)


@pytest.mark.parametrize(
    ("note", "question", "answered"),
    [
        ("Buyer pushed back on annual pricing; wants quarterly billing.", "What pricing objections came up?", True),
        ("Buyer pushed back on annual pricing; wants quarterly billing.", "Do they need single sign-on?", False),
        ("Greg wants the Leeds depot on it by Easter.", "What did Greg want?", True),
        ("Greg wants the Leeds depot on it by Easter.", "What did Helena say about encryption?", False),
    ],
)
def test_a_young_account_is_believed_and_doubted(note: str, question: str, answered: bool, tmp_path: Path) -> None:
    """One note is enough to answer from, and not enough to answer everything from."""
    with open_memory(StorageConfig(data_dir=tmp_path)) as memory:
        team = memory.of("T1")
        account = team.create_account("Acme Corp", key="acme-01").id
        team.log(account, NewNote(note, rep="U1"))
        memory.catch_up()
        assert team.recall(question, account="acme-01").abstained is not answered
