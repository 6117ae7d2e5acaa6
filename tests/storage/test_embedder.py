"""Promises of the embedder port, held by the bundled model, by a model taken by name, and by the plain twin."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import embedder_fastembed
from storage.embedder import Embedder, HashEmbedder, unit
from storage.embedder_fastembed import BUNDLED, BUNDLED_FOLDER, SUMS, WINDOW, FastembedEmbedder
from storage.errors import ModelMissing

NOTES = [
    ["She pushed back on the onboarding timeline.", "Budget is frozen until Q3 at least.", "Is there a pilot?"],
    ["They signed."],
    ["Legal has the contract now.", "Procurement wants a quarterly invoice."],
    ["Champion left last week, her successor starts in May."],
]
LONG = [f"Point {n}: the data migration would take {n} weeks and needs sign-off by the board." for n in range(520)]
ODD = [
    "",
    " ",
    "\x00",
    "\ud800",
    "é" * 50,
    "👍🏽",
    "\u202eabc",
    "한국어 고객",
    "a" * 3000,
    "\n\n\t",
    "e\u0301",
    "中" * 700,
]


@pytest.fixture(scope="module")
def bundled() -> Iterator[FastembedEmbedder]:
    embedder = FastembedEmbedder()
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def by_name(bundled: FastembedEmbedder) -> Iterator[FastembedEmbedder]:
    """The bundled files again, loaded the way any other fastembed model is."""
    with pytest.MonkeyPatch.context() as patch:
        here = {"specific_model_path": str(BUNDLED_FOLDER), "cache_dir": str(BUNDLED_FOLDER), "local_files_only": True}
        load = embedder_fastembed._load
        patch.setattr(embedder_fastembed, "_load", lambda name: load(name, **here))
        embedder = FastembedEmbedder(BUNDLED)
    yield embedder
    embedder.close()


@pytest.fixture(params=["bundled", "by_name", "hash"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "hash":
        return HashEmbedder()
    chosen: Embedder = request.getfixturevalue(request.param)
    return chosen


# --- every embedder ---


def test_a_row_for_the_note_and_one_for_each_passage(embedder: Embedder) -> None:
    """Row 0 is the whole note, and a note of one passage has no second row for the same words."""
    assert [len(matrix) for matrix in embedder.notes(NOTES)] == [4, 1, 3, 1]
    assert [len(matrix) for matrix in embedder.notes([[]])] == [1]
    assert embedder.notes([]) == []


def test_every_vector_is_a_unit_vector(embedder: Embedder) -> None:
    """Rows are float32, finite, of the stated dimension and of length one."""
    rows = np.concatenate([embedder.question("Who signs?")[None], *embedder.notes(NOTES)])
    assert rows.dtype == np.float32
    assert rows.shape[1] == embedder.dims
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_same_words_give_the_same_vector(embedder: Embedder) -> None:
    """Whatever else is embedded beside them, in whatever order."""
    forward, backward = embedder.notes(NOTES), embedder.notes(NOTES[::-1])
    for one, other in zip(forward, backward[::-1], strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(embedder.notes(NOTES[1:2])[0], forward[1])


def test_a_question_and_a_note_of_the_same_words_agree(embedder: Embedder) -> None:
    """Questions and notes live in one space."""
    [note] = embedder.notes([["They signed."]])
    assert float(note[0] @ embedder.question("They signed.")) == pytest.approx(1, abs=1e-5)


def test_the_signature_is_stable_and_one_line(embedder: Embedder) -> None:
    """The signature is stored beside every note, so it must not change within a process."""
    assert embedder.signature == embedder.signature
    assert embedder.signature.isprintable()


def test_a_note_of_40_000_characters(embedder: Embedder) -> None:
    """A long note is embedded to its end: every passage has a row of its own."""
    assert sum(map(len, LONG)) > 40_000
    [matrix] = embedder.notes([LONG])
    assert matrix.shape == (1 + len(LONG), embedder.dims)
    assert len(np.unique(matrix[1:].round(4), axis=0)) > len(LONG) / 2


@pytest.mark.parametrize("text", ODD, ids=[f"{text[:4]!a}" for text in ODD])
def test_odd_text_is_embedded(embedder: Embedder, text: str) -> None:
    """Empty, unspeakable and endless texts give unit vectors as well, alone and among others."""
    rows = np.concatenate(
        [embedder.question(text)[None], *embedder.notes([[text], ["They signed.", text], [text, text]])]
    )
    assert rows.shape == (8, embedder.dims)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)


def test_threads_do_not_disturb_each_other(embedder: Embedder) -> None:
    """Two bulk callers and a questioner at a time get what each would get alone."""
    notes, question = embedder.notes(NOTES), embedder.question("Who signs?")
    with ThreadPoolExecutor(3) as callers:
        bulk = [callers.submit(embedder.notes, NOTES * 5) for _ in range(2)]
        asked = [callers.submit(embedder.question, "Who signs?") for _ in range(10)]
        for done in bulk:
            assert all(np.array_equal(a, b) for a, b in zip(done.result(), notes * 5, strict=True))
        assert all(np.array_equal(done.result(), question) for done in asked)


def test_closing_twice_is_no_error() -> None:
    """Whoever shuts down need not know whether somebody else already did."""
    for embedder in (HashEmbedder(), FastembedEmbedder()):
        embedder.close()
        embedder.close()


# --- the plain twin ---


def test_the_twin_knows_words_only() -> None:
    """Shared words are near, other words are not, and case does not matter."""
    twin = HashEmbedder()
    near, far = twin.notes([["Budget FROZEN until Q3"], ["a friendly chat over lunch"]])
    question = twin.question("is the budget frozen?")
    assert float(near[0] @ question) > 0.4 > float(far[0] @ question)


def test_the_twin_is_the_same_in_another_process() -> None:
    """Nothing in it depends on the hash seed of a process."""
    script = (
        "from storage.embedder import HashEmbedder; print(HashEmbedder().question('budget frozen').tobytes().hex())"
    )
    env = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[2])}
    there = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert there.stdout.strip() == HashEmbedder().question("budget frozen").tobytes().hex()


@given(st.lists(st.lists(st.text(max_size=60), max_size=5), max_size=4))
def test_the_twin_keeps_the_shape_for_any_text(notes: list[list[str]]) -> None:
    """Shapes and lengths hold for whatever can be typed."""
    for passages, matrix in zip(notes, HashEmbedder(64).notes(notes), strict=True):
        assert matrix.shape == (1 + len(passages) if len(passages) > 1 else 1, 64)
        assert np.linalg.norm(matrix, axis=1) == pytest.approx(1, abs=1e-5)


# --- the bundled model ---


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("What pricing objections came up?", "Buyer says we are too expensive.", "The demo went smoothly."),
        ("When is the money available?", "Budget is frozen until Q3.", "Her successor is called Tom."),
        (
            "Are they worried about moving their records?",
            "The data migration scares them.",
            "They liked the dashboard.",
        ),
    ],
)
def test_meaning_brings_near(bundled: FastembedEmbedder, question: str, near: str, far: str) -> None:
    """What answers a question is nearer than what does not, with hardly a word in common."""
    right, wrong = (matrix[0] @ bundled.question(question) for matrix in bundled.notes([[near], [far]]))
    assert right > wrong + 0.05


def test_late_pooling_equals_fastembeds_own_for_the_whole_note(
    bundled: FastembedEmbedder, by_name: FastembedEmbedder
) -> None:
    """Row 0 is what fastembed itself gives for the joined words of a note that fits one window."""
    for late, own in zip(bundled.notes(NOTES), by_name.notes(NOTES), strict=True):
        assert float(late[0] @ own[0]) == pytest.approx(1, abs=1e-5)


def test_a_passage_knows_its_note(bundled: FastembedEmbedder) -> None:
    """A passage is pooled from the note's own run, so what "it" stands for is in its vector."""
    with_context, alone = bundled.notes(
        [["The data migration is planned for June.", "It scares them."], ["It scares them."]]
    )
    question = bundled.question("Who is afraid of the migration?")
    assert with_context[2] @ question > alone[0] @ question


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(1000, 30000), max_size=600), max_size=8))
def test_windows_hold_every_token_once(passages: list[list[int]]) -> None:
    """No window is too long, no token is lost, and spans point at the passage's own tokens."""
    again: list[list[int]] = [[] for _ in passages]
    for window, spans in embedder_fastembed._windows(passages):
        assert len(window) <= WINDOW
        for row, start, end in spans:
            again[row - 1] += [0, *window][start:end]
    assert again == passages


def test_a_question_is_answered_while_notes_are_embedded(bundled: FastembedEmbedder) -> None:
    """A question does not queue behind an import: it takes milliseconds, not the rest of the batch."""
    bulk = threading.Thread(target=bundled.notes, args=(NOTES * 100,))
    bulk.start()
    waits: list[float] = []
    while bulk.is_alive() and len(waits) < 20:
        started = time.perf_counter()
        bundled.question("What pricing objections came up?")
        waits.append(time.perf_counter() - started)
    bulk.join()
    assert np.median(waits) < 0.1  # measured: 2 ms


def test_loading_is_left_to_the_constructor() -> None:
    """Importing the module does not import fastembed, and so a command that needs no model starts fast."""
    script = "import sys, storage.embedder_fastembed; sys.exit('fastembed' in sys.modules)"
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", script], env=env, check=False).returncode == 0


def test_checksums_are_those_of_the_files() -> None:
    """SHA256SUMS names the five files that are loaded and their true checksums; the signature carries the model's."""
    sums = dict(line.split()[::-1] for line in (BUNDLED_FOLDER / SUMS).read_text().splitlines())
    assert len(sums) == 5
    for name, digest in sums.items():
        assert hashlib.sha256((BUNDLED_FOLDER / name).read_bytes()).hexdigest() == digest
    assert sums["model.onnx"][:12] in FastembedEmbedder().signature


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", SUMS])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """What is missing is said in one sentence, with the path."""
    folder = shutil.copytree(BUNDLED_FOLDER, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(ModelMissing, match=rf"{name} cannot be read\. Reinstall Rapport\.$"):
        FastembedEmbedder(model_dir=folder)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """One flipped bit in the weights would embed silently wrong; it is found at start."""
    folder = shutil.copytree(BUNDLED_FOLDER, tmp_path / "model")
    weights = bytearray((folder / "model.onnx").read_bytes())
    weights[len(weights) // 2] ^= 1
    (folder / "model.onnx").write_bytes(weights)
    with pytest.raises(ModelMissing, match=r"model\.onnx is damaged\. Reinstall Rapport\.$"):
        FastembedEmbedder(model_dir=folder)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """Right checksum, wrong content: still one sentence, not a traceback from the runtime."""
    folder = shutil.copytree(BUNDLED_FOLDER, tmp_path / "model")
    (folder / "model.onnx").write_bytes(b"not a model")
    (folder / SUMS).write_text(f"{hashlib.sha256(b'not a model').hexdigest()}  model.onnx\n")
    with pytest.raises(ModelMissing, match="cannot be loaded"):
        FastembedEmbedder(model_dir=folder)


def test_an_unknown_model_is_named() -> None:
    """A typing error in the setting is answered with the name that was given."""
    with pytest.raises(ModelMissing, match="'no-such/model' cannot be loaded"):
        FastembedEmbedder("no-such/model")


@pytest.mark.parametrize("row", [[np.nan, 1.0], [np.inf, 1.0], [0.0, 0.0]])
def test_no_vector_without_a_direction(row: list[float]) -> None:
    """A vector that is not finite, or has no length, never leaves an embedder."""
    with pytest.raises(ValueError, match="without a direction"):
        unit(np.array([row], np.float32))
