"""Promises of the benches that write what the program uses."""

import json
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from bench import aims, recall, weights
from storage import ranking

DIMS, LEAVES, NOTES = 6, 5, 3


def lesson(seed: int) -> aims.Lesson:
    """A question over three notes of five passages, all at random; nothing of it was asked."""
    random = np.random.default_rng(seed)
    sheet = weights.Sheet(
        random.normal(size=(LEAVES, len(ranking.BY_HAND.leaf))),
        random.normal(size=(NOTES, len(ranking.BY_HAND.note))),
        np.array([0, 2, 3]),
        np.array([0, 0, 1, 2, 2]),
        np.array([False, True, False]),
    )
    return aims.Lesson(
        mock.Mock(),
        random.normal(size=DIMS),
        3,
        sheet,
        random.normal(size=(LEAVES, DIMS)),
        random.normal(size=NOTES),
        1.0,
    )


def loss(values: aims.Values, given: aims.Lesson) -> float:
    """What the fit makes small, written down a second time."""
    score = aims.scores(values, given)
    right, wrong = score[given.sheet.right], score[~given.sheet.right]
    ranked = np.mean(np.log1p(np.exp(np.log(np.exp(wrong).sum()) - right)))
    told = values["asked"] @ given.vector + values["bias"]
    return float(ranked + aims.LABELS * (np.log(np.exp(told).sum()) - told[given.kind]))


@pytest.mark.parametrize("seed", range(5))
def test_the_slopes_are_those_of_the_loss(seed: int) -> None:
    """Each written-out gradient is what a small step in that value does to the loss."""
    given, random = lesson(seed), np.random.default_rng(100 + seed)
    values = {name: value + random.normal(scale=0.3, size=value.shape) for name, value in aims._start(DIMS).items()}
    slopes = aims._slopes(values, given)
    for name, value in values.items():
        step = random.normal(size=value.shape) * 1e-5
        up, down = ({**values, name: value + sign * step} for sign in (1, -1))
        measured = (loss(up, given) - loss(down, given)) / 2
        assert float((slopes[name] * step).sum()) == pytest.approx(measured, rel=1e-3, abs=1e-10), name


def labelled(folder: Path) -> Path:
    """A set of one account with two notes, one question they answer and two they do not, one of which has an answer."""
    path = folder / "set.json"
    notes = [("n1", "They want a pilot.", "2026-01-01"), ("n2", "No budget before May.", "2026-03-01")]
    interactions = [
        {"interactionId": key, "channel": "call", "repId": "rep", "summary": text, "occurredAt": f"{day}T10:00:00Z"}
        for key, text, day in notes
    ]
    asked = [
        {"question": "When is there money?", "relevant": ["n2"], "kind": "budget"},
        {"question": "Who signs?", "relevant": [], "kind": "none", "answer": "Dana puts her name to it."},
        {"question": "Which rival?", "relevant": [], "kind": "none"},
    ]
    account = {"accountId": "acme", "name": "Acme", "INTERACTION": interactions}
    path.write_text(json.dumps({"accounts": [account], "questions": [{"account": "acme", **each} for each in asked]}))
    return path


def test_answers_are_written_in_between_the_notes(tmp_path: Path) -> None:
    """A question that nothing answers is asked again where its answer is one more note of the account."""
    plain, written = recall.labelled(labelled(tmp_path))
    assert [case.relevant for case in plain.cases] == [{"n2"}, set(), set()]
    (case,) = written.cases
    notes = written.accounts[0]["INTERACTION"]
    assert case.question == "Who signs?"
    assert [note["interactionId"] in case.relevant for note in notes] == [False, True, False]
    assert notes[1]["summary"] == "Dana puts her name to it."


def test_twins_are_held_out_together() -> None:
    """Two accounts that were asked the same questions are never on the two sides of a check."""
    folds = aims._folds([f"pair-{n}-{side}" for n in range(9) for side in "ab"])
    assert len(folds) == aims.FOLDS
    assert sum(map(len, folds)) == 18
    for fold in folds:
        assert {name[:-1] for name in fold if name.endswith("a")} == {name[:-1] for name in fold if name.endswith("b")}


def test_the_bound_of_the_belief_is_that_of_accounts_without_a_twin(capsys: pytest.CaptureFixture[str]) -> None:
    """As many of their answered questions are refused as may be; how vague those of twins are does not matter."""
    random, accounts, each = np.random.default_rng(3), 50, 20
    names = [name for n in range(accounts) for name in (f"alone-{n}", f"pair-{n}-a", f"pair-{n}-b")]
    owners = np.repeat(names, each)
    answered = random.random(len(owners)) < 0.6
    twin = np.array([name.startswith("pair") for name in owners])
    evidence = random.normal(size=len(owners)) + np.where(answered, np.where(twin, 0.5, 2.0), -2.0)
    whole = random.random(len(owners)) < 0.9
    given = aims.Opinions(evidence[:, None], np.ones((len(owners), 1)), answered, owners, whole)
    ((weight, constant),) = aims.believe(given)
    refused = weight * evidence + constant < 0
    assert refused[answered & whole & ~twin].mean() == pytest.approx(aims.MAY_REFUSE, abs=0.01)
    assert refused[answered & whole & twin].mean() > 2 * aims.MAY_REFUSE
    assert "twins" in capsys.readouterr().out
