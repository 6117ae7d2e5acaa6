"""Ranks the notes of a scope for a question. Pure: arrays in, note ids and scores out; no text is read here.

    question = parse("What did Dana say about pricing in May?", people=["Dana Reed"], today=date(2026, 6, 1))
    found = index.candidates(team, scope, vector, question.dimensions, limit)
    ranking = rank(question, Evidence(found.points, found.cosines, found.postings), limit=10)

A note's score is a weighted sum of signals. Leaves are the passages of a note, or the note itself when it has none;
leaves of one conversation (a note, or messages of the same minutes) are a sequence where neighbours support each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

import numpy as np
from numpy.typing import NDArray

from storage import sparse
from storage.question import Question, Term, parse

__all__ = ["Evidence", "Question", "Ranked", "Ranking", "Term", "parse", "rank"]

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
Vector = NDArray[np.float32]
Posting = tuple[Ids, Vector]

ORDINAL_BITS = 10
SAME_CONVERSATION = 10
"""Minutes between notes of one conversation, such as the messages of a thread."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the index knows in the scope: (n,) point ids with their cosines, and the postings of each term asked for."""

    points: Ids
    cosines: Floats | NDArray[np.float32]
    postings: tuple[Posting, ...]

    def plus(self, terms: Sequence[Term], grains: Iterable[tuple[int, float, Mapping[int, float]]]) -> "Evidence":
        """The same with grains that are not indexed yet: (point id, cosine, sparse vector) each."""
        new = list(grains)
        points = np.array([point for point, _, _ in new], np.int64)
        cosines = np.array([cosine for _, cosine, _ in new])
        postings = tuple(
            _extended(
                posting, [(point, vector[term.dimension]) for point, _, vector in new if term.dimension in vector]
            )
            for term, posting in zip(terms, self.postings, strict=True)
        )
        return Evidence(np.concatenate([self.points, points]), np.concatenate([self.cosines, cosines]), postings)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A note in the ranking. `score` is calibrated to 0..1; `ordinal` is its best grain (0: the whole note)."""

    note_id: int
    score: float
    ordinal: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """Notes best first. `abstained`: nothing on record answers the question; `reason` says why in a few words."""

    notes: tuple[Ranked, ...]
    abstained: bool = False
    reason: str = ""
    signals: Mapping[str, float] = field(default_factory=dict)


WORD_WEIGHTS: Mapping[str, float] = {"word": 1.0, "covered": 1.0, "scaffold": 0.5, "name": 1.0, "day": 0.3}
"""How much a word of the question counts, by its role."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each signal counts, for leaves and for notes; the best leaf of a note counts 1."""

    leaf: Mapping[str, float]
    note: Mapping[str, float]


NOTES = Weights(
    leaf={
        "dense": 0.50, "near_dense": 0.10, "words": 0.0, "window": 0.15, "near_window": 0.15, "length": 0.0,
        "topic": 0.10, "subject": 0.30, "kind": 0.65,
    },
    note={
        "whole_dense": 0.25, "conversation_words": 0.15, "topic": 0.35, "subject": 0.40, "kind": 0.50, "person": 0.1,
        "date": 2.5, "recency": 0.05,
    },
)  # fmt: skip
"""For notes of a few sentences, which share few words with their questions: topics and kinds carry a good part."""

TALK = Weights(
    leaf={
        "dense": 0.94, "near_dense": 0.68, "words": 0.10, "window": 0.34, "near_window": 0.06, "length": 0.76,
        "topic": 0.0, "subject": 0.0, "kind": 0.15,
    },
    note={
        "whole_dense": -0.15, "conversation_words": 0.68, "topic": 0.15, "subject": 0.05, "kind": 0.0,
        "person": 0.05, "date": 4.0, "recency": 0.0,
    },
)  # fmt: skip
"""For transcripts: a long talk touches every topic and kind, so words and the turns around an answer carry it."""

SHORT_TALK, LONG_TALK = 4.0, 12.0
"""Leaves per conversation from which on, and up to which, TALK takes over from NOTES."""


BELIEF: Mapping[str, float] = {
    "base": -6.2, "talk": 3.0, "gap": 3.5, "names": 3.0, "subjects": 4.4, "loose": 0.8, "bare": -0.9, "kinds": 0.9,
    "date": 2.0,
}  # fmt: skip
"""What speaks for an answer on record; below 0 in sum, the ranking abstains."""

LOOKED_AT = 3
BACKGROUND, BACKGROUND_NOTES = 0.12, 4
"""Cosine of a note with a question it has nothing to do with, weighing as four notes: small scopes have no shape."""

SPREAD = 4.0


def rank(question: Question, evidence: Evidence, limit: int = 10) -> Ranking:
    """Ranks the notes of the scope. An empty scope abstains."""
    if not len(evidence.points):
        return Ranking((), True, "nothing on record yet")
    scope = Scope.of(question, evidence)
    talk = scope.talkativeness()
    leaf = _weighted(NOTES.leaf, TALK.leaf, talk, scope.leaf_signals())
    signals = scope.note_signals()
    score = np.maximum.reduceat(leaf, scope.first) + _weighted(NOTES.note, TALK.note, talk, signals)
    order = np.lexsort((-scope.notes, -score))[:limit]
    doubts = scope.doubts(order[:LOOKED_AT], signals["date"], talk)
    belief = sum(BELIEF[name] * value for name, value in doubts.items())
    best = scope.best_ordinals(leaf, order)
    shown = _shown(score[order], float(belief))
    notes = tuple(
        Ranked(int(scope.notes[i]), float(value), ordinal) for i, value, ordinal in zip(order, shown, best, strict=True)
    )
    abstained = bool(belief < 0)
    return Ranking(notes, abstained, _reason(doubts) if abstained else "", doubts)


def _shown(scores: Floats, belief: float) -> Floats:
    """Scores as shown, in 0..1: how far below the best a note lies, scaled by how much the record says at all."""
    top = 1 / (1 + np.exp(-(belief + 0.5)))
    return np.asarray(top * np.exp((scores - scores[0]) / SPREAD))


def _reason(doubts: Mapping[str, float]) -> str:
    if doubts["names"] < 1:
        return "a name in the question is nowhere on record"
    if doubts["subjects"] < 0.25:
        return "no note speaks of the subject"
    return "no note stands out from the rest"


@dataclass(frozen=True, slots=True)
class Scope:
    """The candidates as aligned arrays. W whole notes in conversation order, L leaves in the same order.

    `whole` (T, W) and `leaves` (T, L) hold the weights of the T terms; `owner` (L,) is each leaf's note by position,
    `first` (W,) each note's first leaf; `conversation` (W,) numbers the conversations.
    """

    question: Question
    notes: Ids
    ordinals: Ids
    whole_cosines: Floats
    leaf_cosines: Floats
    whole: Floats
    leaves: Floats
    owner: Ids
    first: Ids
    conversation: Ids

    @classmethod
    def of(cls, question: Question, evidence: Evidence) -> "Scope":
        """Aligns the candidates. A note whose whole grain is missing is stood for by its first passage."""
        points, cosines, table = _aligned(question, evidence)
        note_of = points >> ORDINAL_BITS
        notes, first = np.unique(note_of, return_index=True)
        times = table[_row(question, "time")][first]
        order = np.lexsort((notes, times))
        sizes = np.diff(np.append(first, len(points)))
        has_passages = sizes > 1
        keep = _leaves(sizes, first[has_passages], order)
        counts = np.where(has_passages, sizes - 1, sizes)[order]
        starts = np.append(0, np.cumsum(counts)[:-1])
        times = times[order]
        # Messages are single passages; a written-up note stands for itself, whatever else happened in those minutes.
        gap = (np.diff(times, prepend=times[:1]) > SAME_CONVERSATION) | (times == 0) | (counts > 1)
        gap[1:] |= counts[:-1] > 1
        gap[0] = False
        return cls(
            question, notes[order], points[keep] & ((1 << ORDINAL_BITS) - 1), cosines[first][order], cosines[keep],
            table[:, first[order]], table[:, keep], np.repeat(np.arange(len(notes)), counts), starts, np.cumsum(gap),
        )  # fmt: skip

    def rows(self, *roles: str) -> list[int]:
        """Rows of the terms with these roles."""
        return [i for i, term in enumerate(self.question.terms) if term.role in roles]

    def talkativeness(self) -> float:
        """0 for notes of a few sentences, 1 for transcripts, by leaves per conversation."""
        leaves = len(self.owner) / (self.conversation[-1] + 1)
        return float(np.clip((leaves - SHORT_TALK) / (LONG_TALK - SHORT_TALK), 0, 1))

    def leaf_signals(self) -> dict[str, Floats]:
        """What speaks for each leaf: (L,) per signal."""
        words = self.rows(*WORD_WEIGHTS)
        counts = self.leaves[words]
        lengths = np.maximum(self.leaves[_row(self.question, "length")], 1.0)
        idf = _idf(counts) * self._word_weights()
        conversation = self.conversation[self.owner]
        dense = _z(self.leaf_cosines)
        present = idf * (counts > 0)
        near = np.maximum.reduce([_shifted(present, by, conversation) for by in (-1, 0, 1)])
        wide = np.maximum.reduce([near, *(_shifted(present, by, conversation) for by in (-2, 2))])
        around = sum(weight * _shifted(dense, by, conversation) for by, weight in _AROUND)
        return {
            "dense": dense,
            "near_dense": np.asarray(around),
            "words": _z(_bm25(counts, lengths, idf, 0.3)),
            "near_window": _z(near.sum(0)),
            "window": _z(wide.sum(0)),
            "length": _z(np.log(lengths)),
            "topic": self._share(self.leaves, "topic"),
            "subject": self._share(self.leaves, "subject", "loose"),
            "kind": self._share(self.leaves, "kind"),
        }

    def note_signals(self) -> dict[str, Floats]:
        """What speaks for each note: (W,) per signal."""
        words = self.rows(*WORD_WEIGHTS)
        talk = _summed(self.whole[words], self.conversation)
        lengths = np.maximum(_summed(self.whole[[_row(self.question, "length")]], self.conversation)[0], 1.0)
        idf = _idf(talk) * self._word_weights()
        times = self.whole[_row(self.question, "time")]
        return {
            "whole_dense": _z(self.whole_cosines),
            "conversation_words": _z(_bm25(talk, lengths, idf, 0.75))[self.conversation],
            "topic": self._share(self.whole, "topic"),
            "subject": self._share(self.whole, "subject", "loose"),
            "kind": self._share(self.whole, "kind"),
            "person": self._share(self.whole, "person"),
            "date": _closeness(self.question, times),
            "recency": _z(times),
        }

    def doubts(self, top: Ids, closeness: Floats, talk: float) -> dict[str, float]:
        """What tells an answerable question from one the scope cannot answer; BELIEF weighs it.

        `closeness` (W,) is the date signal. Absence of subjects and names is looked for in the whole scope.
        """
        cosines = np.maximum(np.maximum.reduceat(self.leaf_cosines, self.first), self.whole_cosines)
        background = (cosines.sum() + BACKGROUND * BACKGROUND_NOTES) / (len(cosines) + BACKGROUND_NOTES)
        subjects, loose, kinds, words = (
            self.whole[self.rows(role)] > 0 for role in ("subject", "loose", "kind", "word")
        )
        return {
            "base": 1.0,
            "talk": talk,
            "gap": float(cosines.max() - background),
            "names": self._known_names(),
            "subjects": float(subjects.any(1).mean()) if len(subjects) else 0.5,
            "loose": float(loose.any(1).mean()) if len(loose) else 0.5,
            "bare": float(not (subjects.any() or loose.any() or words.any() or self._asks_more())),
            "kinds": float(kinds[:, top].any(1).mean()) if len(kinds) else 0.0,
            "date": float(closeness.max()) if self.question.periods else 0.7,
        }

    def _asks_more(self) -> bool:
        return bool(self.question.kinds or self.question.periods or self.rows("name", "person"))

    def _known_names(self) -> float:
        """The share of the names in the question that occur in the scope, as a word or as a person."""
        known: dict[str, bool] = {}
        for i in self.rows("name", "person"):
            name = self.question.terms[i].text.removesuffix("'s")
            here = name in self.question.known or bool((self.whole[i] > 0).any())
            known[name] = known.get(name, False) or here
        return float(np.mean(list(known.values()))) if known else 1.0

    def _word_weights(self) -> Floats:
        weights = [WORD_WEIGHTS[term.role] for term in self.question.terms if term.role in WORD_WEIGHTS]
        return np.array(weights, np.float64).reshape(-1, 1)

    def _share(self, table: Floats, *roles: str) -> Floats:
        rows = self.rows(*roles)
        found = table[rows] > 0
        idf = _idf(self.whole[rows])
        return np.asarray((idf * found).sum(0))

    def best_ordinals(self, leaf: Floats, order: Ids) -> list[int]:
        """The ordinal of the best leaf of each note in `order`."""
        ends = np.append(self.first[1:], len(leaf))
        return [int(self.ordinals[self.first[i] + int(np.argmax(leaf[self.first[i] : ends[i]]))]) for i in order]


_AROUND = ((1, 0.4), (2, 0.3), (-1, 0.2), (-2, 0.15))
_DECAY_DAYS = 4.0


def _weighted(
    notes: Mapping[str, float], talk: Mapping[str, float], share: float, signals: Mapping[str, Floats]
) -> Floats:
    parts = (((1 - share) * notes[name] + share * talk[name]) * signal for name, signal in signals.items())
    return np.asarray(sum(parts))


def _closeness(question: Question, times: Floats) -> Floats:
    """1 inside a period the question names, fading over the days after it: people tell what happened last week."""
    best = np.zeros(len(times))
    for period in question.periods:
        first = sparse.minutes(datetime.combine(period.first, time.min, UTC))
        last = sparse.minutes(datetime.combine(period.last, time.max, UTC))
        late = np.maximum(times - last, 0.0) / 1440
        best = np.maximum(best, np.where(times >= first, np.exp(-late / _DECAY_DAYS), 0.0))
    return best


def _row(question: Question, text: str) -> int:
    return next(i for i, term in enumerate(question.terms) if term.role == "meta" and term.text == text)


def _aligned(question: Question, evidence: Evidence) -> tuple[Ids, Floats, Floats]:
    """Points in id order, their cosines, and a (terms, points) table of weights."""
    order = np.argsort(evidence.points, kind="stable")
    points = evidence.points[order]
    table = np.zeros((len(question.terms), len(points)))
    for row, (ids, weights) in zip(table, evidence.postings, strict=True):
        at = np.minimum(np.searchsorted(points, ids), len(points) - 1)
        known = points[at] == ids
        row[at[known]] = weights[known]
    return points, evidence.cosines[order].astype(np.float64), table


def _leaves(sizes: Ids, wholes: Ids, order: Ids) -> Ids:
    """Points that are leaves, note by note in `order`: all but the `wholes` of notes with passages."""
    leaf = np.ones(sizes.sum(), bool)
    leaf[wholes] = False
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    points = np.flatnonzero(leaf)
    return np.asarray(points[np.argsort(np.repeat(place, sizes)[points], kind="stable")])


def _summed(values: Floats, group: Ids) -> Floats:
    """Columns of one group added up: (t, n) -> (t, groups). Groups are runs."""
    return np.asarray(np.add.reduceat(values, np.flatnonzero(np.diff(group, prepend=-1)), axis=1))


def _idf(counts: Floats) -> Floats:
    """Lucene's IDF by the scope's own frequencies: (t, n) -> (t, 1)."""
    df = (counts > 0).sum(1, keepdims=True)
    return np.asarray(np.log1p((counts.shape[1] - df + 0.5) / (df + 0.5)))


def _bm25(counts: Floats, lengths: Floats, idf: Floats, b: float) -> Floats:
    """BM25 with k = 1.2: (t, n) -> (n,)."""
    return np.asarray((idf * counts * 2.2 / (counts + 1.2 * (1 - b + b * lengths / lengths.mean()))).sum(0))


def _shifted(values: Floats, by: int, group: Ids) -> Floats:
    """Each place holds the value `by` places before it, 0 where that lies in another group."""
    if not by:
        return values
    out = np.zeros_like(values)
    if by > 0:
        out[..., by:] = values[..., :-by] * (group[by:] == group[:-by])
    else:
        out[..., :by] = values[..., -by:] * (group[:by] == group[-by:])
    return out


def _z(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / (values.std() + 1e-9))


def _extended(posting: Posting, more: Sequence[tuple[int, float]]) -> Posting:
    ids, weights = posting
    return (
        np.concatenate([ids, np.array([point for point, _ in more], np.int64)]),
        np.concatenate([weights, np.array([weight for _, weight in more], np.float32)]),
    )
