"""Fits the weights of the ranking to labelled questions: a softmax over the notes of a scope, by gradient descent.

The probability that the ranking puts a right note first is made large (a listwise loss, Cao et al. 2007), with a pull
of every weight towards zero. The best leaf of a note changes with the weights: the descent is on a subgradient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage import ranking

Array = np.ndarray[Any, Any]
Values = dict[str, Array]
Labelled = tuple[ranking.Scope, ranking.Sense, frozenset[int]]
STEPS, RATE, PULL = 80, 0.08, 1e-3


@dataclass(frozen=True, slots=True)
class Sheet:
    """The signals of one question: leaves (L, a), notes (W, b), each note's first leaf (W,), right notes (W,)."""

    leaves: Array
    notes: Array
    first: Array
    owner: Array
    right: Array


def fit(labelled: Sequence[Labelled]) -> ranking.Weights:
    """Weights that rank the right notes of these questions first. Deterministic; starts from equal weights."""
    sheets = [sheet(*item) for item in labelled]
    leaf, note = list(ranking.NOTES.leaf), list(ranking.NOTES.note)

    def slopes(values: Values) -> Values:
        vector = values["all"]
        return {"all": sum(_slope(vector, item, len(leaf)) for item in sheets) / len(sheets) + 2 * PULL * vector}

    vector = descended({"all": np.full(len(leaf) + len(note), 0.2)}, slopes, lambda _name: RATE)["all"]
    return ranking.Weights(
        leaf=dict(zip(leaf, vector[: len(leaf)].tolist(), strict=True)),
        note=dict(zip(note, vector[len(leaf) :].tolist(), strict=True)),
    )


def descended(start: Values, slopes: Callable[[Values], Values], rate: Callable[[str], float]) -> Values:
    """Where STEPS of Adam (Kingma and Ba 2015) lead from `start`; the names of values have rates of their own."""
    values = {name: value.copy() for name, value in start.items()}
    first = {name: np.zeros_like(value) for name, value in start.items()}
    second = {name: np.zeros_like(value) for name, value in start.items()}
    for step in range(1, STEPS + 1):
        for name, slope in slopes(values).items():
            first[name] = 0.9 * first[name] + 0.1 * slope
            second[name] = 0.99 * second[name] + 0.01 * slope**2
            move = (first[name] / (1 - 0.9**step)) / (np.sqrt(second[name] / (1 - 0.99**step)) + 1e-9)
            values[name] = values[name] - rate(name) * move
    return values


def sheet(scope: ranking.Scope, sense: ranking.Sense, relevant: frozenset[int]) -> Sheet:
    """The signals of a question in its scope as matrices, in the order of the weight tables."""
    near = scope.meanings(sense)
    leaf, note = {**scope.leaf_words(), **near.leaf}, {**scope.note_words(), **near.note}
    counts = np.diff(np.append(scope.layout.first, len(scope.layout.leaf)))
    return Sheet(
        np.stack([leaf[name] for name in ranking.NOTES.leaf], 1),
        np.stack([note[name] for name in ranking.NOTES.note], 1),
        scope.layout.first,
        np.repeat(np.arange(len(counts)), counts),
        np.isin(scope.layout.notes, list(relevant)),
    )


def _slope(vector: Array, item: Sheet, split: int) -> Array:
    leaf = item.leaves @ vector[:split]
    best = np.maximum.reduceat(leaf, item.first)
    score = best + item.notes @ vector[split:]
    odds = np.exp(score - score.max())
    right = odds * item.right
    push = odds / odds.sum() - right / max(right.sum(), 1e-300)
    winners = np.flatnonzero(leaf == best[item.owner])
    winners = winners[np.unique(item.owner[winners], return_index=True)[1]]
    return np.concatenate([item.leaves[winners].T @ push, item.notes.T @ push])
