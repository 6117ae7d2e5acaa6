"""How the grains of a scope lie to each other, whatever is asked of it. Pure: arrays in, places and norms out.

Leaves are the passages of a note, or the note itself when it has none; leaves of one conversation (a note, or messages
of the same minutes) are a sequence where neighbours support each other.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from storage.index import ORDINAL_BITS

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

SAME_CONVERSATION = 10
"""Minutes between notes of one conversation, such as the messages of a thread."""

SHORT_TALK, LONG_TALK = 4.0, 12.0
"""Leaves per conversation from which on, and up to which, a scope counts as a transcript."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the grains of a scope lie to each other, whatever is asked: W whole notes in conversation order, L leaves.

    `notes` (W,) are note ids; `whole` (W,) and `leaf` (L,) places among the points; `ordinals` (L,) which passage a
    leaf is; `first` (W,) each note's first leaf and `owner` (L,) each leaf's note by number; `conversation` (W,) a
    note's conversation by number; `talks` (C,) each conversation's first note. `around` (5, L) are the leaves -2..2
    places away in the same conversation, L where there is none. `leaf_norm` (L,) and `talk_norm` (C,) are BM25's k
    times its length norm; `length` (L,) and `recency` (W,) are z-scores; `times` (W,) minutes; `talk` is 0 for notes of
    a few sentences and 1 for transcripts.
    """

    notes: Ids
    whole: Ids
    leaf: Ids
    ordinals: Ids
    first: Ids
    owner: Ids
    conversation: Ids
    talks: Ids
    around: Ids
    leaf_norm: Floats
    talk_norm: Floats
    length: Floats
    recency: Floats
    times: Floats
    talk: float

    @classmethod
    def of(cls, points: Ids, lengths: Floats, minutes: Floats) -> "Layout":
        """Lays out points in id order. A note whose whole grain is missing is stood for by its first passage."""
        if not len(points):
            none, nothing = np.zeros(0, np.int64), np.zeros(0)
            return cls(
                none, none, none, none, none, none, none, none, none, nothing, nothing, nothing, nothing, nothing, 0.0
            )
        notes, first = np.unique(points >> ORDINAL_BITS, return_index=True)
        times = minutes[first]
        order = np.lexsort((notes, times))
        sizes = np.diff(np.append(first, len(points)))
        has_passages = sizes > 1
        leaf = _leaves(sizes, first[has_passages], order)
        counts = np.where(has_passages, sizes - 1, sizes)[order]
        times = times[order]
        # Messages are single passages; a written-up note stands for itself, whatever else happened in those minutes.
        gap = (np.diff(times, prepend=times[:1]) > SAME_CONVERSATION) | (times == 0) | (counts > 1)
        gap[1:] |= counts[:-1] > 1
        gap[0] = False
        conversation = np.cumsum(gap)
        talks = np.flatnonzero(np.diff(conversation, prepend=-1))
        leaf_lengths = np.maximum(lengths[leaf], 1.0)
        talk_lengths = np.maximum(np.add.reduceat(lengths[first[order]], talks), 1.0)
        talk = (len(leaf) / len(talks) - SHORT_TALK) / (LONG_TALK - SHORT_TALK)
        return cls(
            notes[order], first[order], leaf, points[leaf] & ((1 << ORDINAL_BITS) - 1),
            np.append(0, np.cumsum(counts)[:-1]), np.repeat(np.arange(len(counts)), counts), conversation, talks,
            _around(np.repeat(conversation, counts)),
            _norm(leaf_lengths, 0.3), _norm(talk_lengths, 0.75), z_scores(np.log(leaf_lengths)), z_scores(times), times,
            min(1.0, max(0.0, talk)),
        )  # fmt: skip

    def best_ordinals(self, leaf: Floats, best: Floats, order: Ids) -> list[int]:
        """The ordinal of the best leaf of each note in `order`; `best` (W,) is what those leaves have."""
        winners = np.flatnonzero(leaf == best[self.owner])
        found: list[int] = self.ordinals[winners[np.searchsorted(winners, self.first[order])]].tolist()
        return found


@lru_cache(maxsize=128)
def laid_out(points: bytes, lengths: bytes, minutes: bytes) -> Layout:
    """The layout of (P,) points in id order, from their bytes and those of their lengths and minutes."""
    # The same account is asked about again and again, and laying it out takes longer than looking it up by its bytes.
    return Layout.of(np.frombuffer(points, np.int64), np.frombuffer(lengths), np.frombuffer(minutes))


def _leaves(sizes: Ids, wholes: Ids, order: Ids) -> Ids:
    """Points that are leaves, note by note in `order`: all but the `wholes` of notes with passages."""
    leaf = np.ones(sizes.sum(), bool)
    leaf[wholes] = False
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    points = np.flatnonzero(leaf)
    return np.asarray(points[np.argsort(np.repeat(place, sizes)[points], kind="stable")])


def _around(conversation: Ids) -> Ids:
    """(5, L): the places -2..2 away that belong to the same conversation, L for those that do not."""
    count = len(conversation)
    places = np.arange(count) + np.arange(-2, 3)[:, None]
    inside = (places >= 0) & (places < count)
    same = conversation[np.where(inside, places, 0)] == conversation
    return np.asarray(np.where(inside & same, places, count))


def _norm(lengths: Floats, b: float) -> Floats:
    """BM25's k = 1.2 times its length norm."""
    return np.asarray(1.2 * (1 - b + b * lengths / lengths.mean()))


def z_scores(values: Floats) -> Floats:
    """Scores as deviations from their mean, along the last axis."""
    apart = values - values.sum(-1, keepdims=True) / values.shape[-1]
    spread = np.sqrt(np.einsum("...i,...i->...", apart, apart) / values.shape[-1])
    return np.asarray(apart / (spread[..., None] + 1e-9))
