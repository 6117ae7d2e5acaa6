"""Promises of the benches that write what the program uses."""

from unittest import mock

import numpy as np
import pytest

from bench import aims, weights
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
