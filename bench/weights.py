"""Fits the weights of the ranking to labelled questions: a softmax over the notes of a scope, by gradient descent.

The probability that the ranking puts a right note first is made large (a listwise loss, Cao et al. 2007), with a pull
of every weight towards zero. The best leaf of a note changes with the weights: the descent is on a subgradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage import ranking

Array = np.ndarray[Any, Any]
Labelled = tuple[ranking.Scope, Array, frozenset[int]]
STEPS, RATE, PULL = 80, 0.08, 3e-3


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
    vector = np.full(len(leaf) + len(note), 0.2)
    first, second = np.zeros_like(vector), np.zeros_like(vector)
    for step in range(1, STEPS + 1):  # Adam (Kingma and Ba 2015)
        slope = sum(_slope(vector, item, len(leaf)) for item in sheets) / len(sheets) + 2 * PULL * vector
        first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope**2
        vector = vector - RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-9)
    return ranking.Weights(
        leaf=dict(zip(leaf, vector[: len(leaf)].tolist(), strict=True)),
        note=dict(zip(note, vector[len(leaf) :].tolist(), strict=True)),
    )


def sheet(scope: ranking.Scope, cosines: Array, relevant: frozenset[int]) -> Sheet:
    """The signals of a question in its scope as matrices, in the order of the weight tables."""
    near = scope.meanings(cosines.astype(np.float64))
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
