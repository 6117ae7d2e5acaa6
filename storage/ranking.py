"""Ranks the notes of a scope for a question. Pure: arrays in, note ids and scores out; no text is read here.

    question = parse("What did Dana say about pricing in May?", people=["Dana Reed"], today=date(2026, 6, 1))
    found = index.candidates(team, scope, vector, question.dimensions, limit)
    ranking = rank(question, Evidence(found.points, Sense(found.cosines), found.postings), limit=10)

A note's score is a weighted sum of signals, of the note and of the best of its leaves (storage/layout.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from math import exp
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage import sparse
from storage.aim import NO_AIM, Aim, believed
from storage.index import Posting, Vector, aligned
from storage.layout import Floats, Ids, Layout, laid_out, z_scores
from storage.question import Question, Term, parse

__all__ = ["Evidence", "Question", "Ranked", "Ranking", "Term", "parse", "rank"]


@dataclass(frozen=True, slots=True)
class Sense:
    """What the question's vector says of P points: (P,) cosines, and what it is after with (P,) pulls towards that."""

    cosines: Floats | Vector
    pull: Floats | Vector | None = None
    aim: Aim = NO_AIM

    def at(self, places: Ids) -> "Sense":
        """The same of the points at these places."""
        return Sense(self.cosines[places], None if self.pull is None else self.pull[places], self.aim)

    def plus(self, cosines: Sequence[float], pull: Sequence[float]) -> "Sense":
        """The same with further points."""
        pulls = None if self.pull is None else np.append(self.pull, pull)
        return Sense(np.append(self.cosines, cosines), pulls, self.aim)


class Grain(NamedTuple):
    """A grain that is not in the index yet."""

    point: int
    cosine: float
    pull: float
    document: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the index knows in the scope: (n,) point ids with their sense, and the postings of each term asked for."""

    points: Ids
    sense: Sense
    postings: tuple[Posting, ...]

    def plus(self, terms: Sequence[Term], grains: Iterable[Grain]) -> "Evidence":
        """The same with grains that are not indexed yet."""
        new = list(grains)
        points = np.array([grain.point for grain in new], np.int64)
        sense = self.sense.plus([grain.cosine for grain in new], [grain.pull for grain in new])
        postings = tuple(
            _extended(
                posting,
                [(g.point, g.document[term.dimension]) for g in new if term.dimension in g.document],
            )
            for term, posting in zip(terms, self.postings, strict=True)
        )
        return Evidence(np.concatenate([self.points, points]), sense, postings)

    def sense_at(self, points: Ids) -> Sense:
        """What is said of `points`, which are in id order; 0 where nothing is."""
        order = np.argsort(self.points)
        if np.array_equal(self.points[order], points):  # the usual case
            return self.sense.at(order)
        cosines = aligned(points, (self.points, self.sense.cosines))
        pull = None if self.sense.pull is None else aligned(points, (self.points, self.sense.pull))
        return Sense(cosines, pull, self.sense.aim)


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


@dataclass(frozen=True, slots=True)
class Weights:
    """What each signal counts, for leaves and for notes; the best leaf of a note counts 1."""

    leaf: Mapping[str, float]
    note: Mapping[str, float]


NOTES = Weights(
    leaf={
        "dense": 1.14, "near_dense": 0.35, "words": 0.02, "window": 0.10, "near_window": 0.08, "length": 0.08,
        "topic": 0.04, "subject": 0.11, "kind": 0.37,
    },
    note={
        "whole_dense": 0.67, "conversation_words": 0.08, "topic": 0.11, "subject": 0.11, "kind": 0.11,
        "person": 0.95, "date": 5.48, "recency": 0.09,
    },
)  # fmt: skip
"""For notes of a few sentences, which share few words with their questions; fitted by bench/aims.py."""

BY_HAND = Weights(
    leaf={
        "dense": 0.70, "near_dense": 0.20, "words": 0.0, "window": 0.15, "near_window": 0.15, "length": 0.0,
        "topic": 0.10, "subject": 0.25, "kind": 0.75,
    },
    note={
        "whole_dense": 0.25, "conversation_words": 0.15, "topic": 0.20, "subject": 0.30, "kind": 0.50, "person": 0.9,
        "date": 5.5, "recency": 0.05,
    },
)  # fmt: skip
"""As chosen before questions were told apart: where the fit of NOTES starts, and what weighs the words of notes whose
meaning is not known because the index is away. Few questions name days, so the fit leaves that weight where it starts:
with 2.5, 4.5 and 5.5 recall@5 was 93.7, 97.4 and 98.8 for those of sales_dev when it was chosen."""

TALK = Weights(
    leaf={
        "dense": 0.94, "near_dense": 0.68, "words": 0.10, "window": 0.34, "near_window": 0.06, "length": 0.50,
        "topic": 0.0, "subject": 0.0, "kind": 0.15,
    },
    note={
        "whole_dense": -0.15, "conversation_words": 0.68, "topic": 0.15, "subject": 0.05, "kind": 0.0,
        "person": 0.05, "date": 4.0, "recency": 0.0,
    },
)  # fmt: skip
"""For transcripts: a long talk touches every topic and kind, so words and the turns around an answer carry it. `length`
was fitted at 0.76; with 0.50 LoCoMo stays as it is, and short notes logged within minutes are not outweighed."""

BELIEF: Mapping[str, float] = {
    "names": 5.3, "asks_subject": -2.2, "subjects": 1.0, "subjects_met": 2.3, "date": 3.9, "best": -1.8, "gap": 9.1,
    "kinds": 1.3,
}  # fmt: skip
BELIEF_BASE = -8.15
"""What speaks for an answer on record, where nothing is known of what the question is after; below 0 in sum, the
ranking abstains."""

TALKED = 4.0
"""What is added to the belief for transcripts: somewhere in a long talk there is an answer."""

FOLLOWED = frozenset(("promise_us", "promise_them", "resolved", "told", "next_step"))
FOLLOWS = 0.10
"""What the note after one that fits counts where the question asks for something that goes on: a promise has two notes,
the one that gives it and the one that keeps it."""

LOOKED_AT = 3
BACKGROUND, BACKGROUND_NOTES = 0.12, 4
"""Cosine of a note with a question it has nothing to do with, weighing as four notes: small scopes have no shape."""

SPREAD = 4.0


def rank(question: Question, evidence: Evidence, limit: int = 10) -> Ranking:
    """Ranks the notes of the scope. An empty scope abstains."""
    order = np.argsort(evidence.points, kind="stable")
    scope = Scope.of(question, evidence.points[order], evidence.postings)
    words = scope.words(NOTES if evidence.sense.cosines.any() else BY_HAND)
    return rank_scope(scope, words, evidence.sense.at(order), limit)


def rank_scope(scope: "Scope", words: "Words", sense: Sense, limit: int = 10) -> Ranking:
    """Ranks a scope by what its words say and by the sense of its points, in their order."""
    if not len(scope.points):
        return Ranking((), True, "nothing on record yet")
    at, near = scope.layout, scope.meanings(sense)
    leaf = words.leaf + _weighed(NOTES.leaf, TALK.leaf, at.talk, near.leaf) + (1 - at.talk) * near.pull
    best = np.maximum.reduceat(leaf, at.first)
    score = best + words.note + _weighed(NOTES.note, TALK.note, at.talk, near.note)
    score += (1 - at.talk) * sense.aim.late * at.recency
    follows = sense.aim.follows + (FOLLOWS if scope.question.kinds & FOLLOWED else 0.0)
    score[1:] += (1 - at.talk) * follows * np.maximum(score[:-1] - score.sum() / len(score), 0.0)
    # Backwards, so that of equals the latest comes first.
    order = np.argsort(score, kind="stable")[::-1][:limit]
    signals = {
        **words.doubts,
        **near.doubts,
        **words.met(order[:LOOKED_AT]),
        "spread": _spread(score),
        "aimed": _aimed(near.pull, at.first, int(order[0])),
        "few": 1 / len(at.notes),
    }
    belief = TALKED * at.talk + _belief(signals, sense.aim)
    if scope.question.kinds_alone and signals["kinds"]:
        belief = max(belief, 0.0)  # who asks for objections gets them, whatever they are about
    shown = _shown(score[order], belief)
    ranked = tuple(map(Ranked, at.notes[order].tolist(), shown.tolist(), at.best_ordinals(leaf, best, order)))
    return Ranking(ranked, belief < 0, _reason(signals) if belief < 0 else "", signals)


def _belief(signals: Mapping[str, float], aim: Aim) -> float:
    if aim.belief is None:
        return BELIEF_BASE + sum(weight * signals[name] for name, weight in BELIEF.items())
    return float(aim.belief @ believed(signals))


def _aimed(pull: Floats, first: Ids, best: int) -> float:
    """By how much the best note is pulled more than the others."""
    pulls = np.maximum.reduceat(pull, first)
    return float(pulls[best] - pulls.sum() / len(pulls))


def _shown(scores: Floats, belief: float) -> Floats:
    """Scores as shown, in 0..1: how far below the best a note lies, scaled by how much the record says at all."""
    top = 1 / (1 + exp(-(belief + 0.5)))
    return np.asarray(top * np.exp((scores - scores[0]) / SPREAD))


def _reason(signals: Mapping[str, float]) -> str:
    if signals["names"] < 1:
        return "a name in the question is nowhere on record"
    if signals["subjects"] < 0.25:
        return "no note speaks of the subject"
    return "no note stands out from the rest"


@dataclass(frozen=True, slots=True)
class Words:
    """What the words, features, people and days of a question say in a scope, weighed; all but the meaning.

    `leaf` (L,) and `note` (W,) are weighed sums; `kinds` (k, W), `subjects` (s, W) and `told` (t, W) say which notes
    show the kinds, the subjects and the telling words asked for, `rarity` (t,) how rare those are in the scope, and
    `people` (p, W) which show the people.
    """

    leaf: Floats
    note: Floats
    kinds: NDArray[np.bool_]
    subjects: NDArray[np.bool_]
    told: NDArray[np.bool_]
    rarity: Floats
    people: NDArray[np.bool_]
    doubts: Mapping[str, float]

    def met(self, top: Ids) -> dict[str, float]:
        """The shares of the kinds, the subjects, the words and the people asked for that the best notes show."""
        met = np.asarray(self.told.take(top, 1).any(1))
        return {
            "kinds": float(self.kinds.take(top, 1).any(1).mean()) if len(self.kinds) else 0.0,
            "subjects_met": float(self.subjects.take(top, 1).any(1).mean()) if len(self.subjects) else 0.5,
            "asks_kinds": float(len(self.kinds) > 0),
            "asks_people": float(len(self.people) > 0),
            "people_met": float(self.people.take(top, 1).any(1).mean()) if len(self.people) else 0.5,
            "words": float(len(met)),
            "words_met": float(self.rarity @ met / self.rarity.sum()) if len(met) else 0.5,
        }


@dataclass(frozen=True, slots=True)
class Meanings:
    """Signals of meaning, per leaf and per note; `pull` (L,) towards what is asked for; in `doubts` how near the best
    note is, the second, all on average and the best as a whole, and how far the best stands out."""

    leaf: Mapping[str, Floats]
    note: Mapping[str, Floats]
    pull: Floats
    doubts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scope:
    """The candidates of a question: (P,) points by id, how they lie, and a (T, P) table of the terms' weights."""

    question: Question
    points: Ids
    layout: Layout
    table: Floats

    @classmethod
    def of(cls, question: Question, points: Ids, postings: Sequence[Posting]) -> "Scope":
        """Lays out points (by id) and the postings of the question's terms; those of other points are left out."""
        table = _table(points, postings)
        length, minutes = table[question.row("length")], table[question.row("time")]
        return cls(question, points, laid_out(points.tobytes(), length.tobytes(), minutes.tobytes()), table)

    def words(self, notes: Weights | None = None) -> Words:
        """What can be said before the question's vector is known; `notes` weighs it for notes of a few sentences, by
        default NOTES."""
        notes = notes or NOTES
        if not len(self.points):
            none = np.zeros((0, 0), bool)
            return Words(np.zeros(0), np.zeros(0), none, none, none, np.zeros(0), none, {})
        signals, talk = self.note_words(), self.layout.talk
        told = self.table[self.question.rows("telling")][:, self.layout.whole] > 0
        return Words(
            _weighed(notes.leaf, TALK.leaf, talk, self.leaf_words()),
            _weighed(notes.note, TALK.note, talk, signals),
            self.table[self.question.rows("kind")][:, self.layout.whole] > 0,
            self.table[self.question.rows("subject")][:, self.layout.whole] > 0,
            told,
            _idf(told)[:, 0],
            self.table[self.question.rows("people")][:, self.layout.whole] > 0,
            self._doubts(signals["date"]),
        )

    def meanings(self, sense: Sense) -> Meanings:
        """What the sense of the points says."""
        at, cosines = self.layout, sense.cosines.astype(np.float64)
        leaf, whole = cosines[at.leaf], cosines[at.whole]
        # A zero stands for whatever lies beyond a conversation's ends.
        padded = np.zeros(len(leaf) + 1)
        dense = padded[:-1]
        dense[:] = z_scores(leaf)
        around = padded[at.around]
        best = np.maximum(np.maximum.reduceat(leaf, at.first), whole)
        top = float(best.max())
        mean = float(best.sum()) / len(best)
        background = (len(best) * mean + BACKGROUND * BACKGROUND_NOTES) / (len(best) + BACKGROUND_NOTES)
        return Meanings(
            {"dense": dense, "near_dense": _AROUND @ around},
            {"whole_dense": z_scores(whole)},
            np.zeros(len(leaf)) if sense.pull is None else sense.pull[at.leaf].astype(np.float64),
            {"best": top, "second": _second(best), "mean": mean, "whole": float(whole.max()), "gap": top - background},
        )

    def leaf_words(self) -> dict[str, Floats]:
        """What words and features say for each leaf: (L,) per signal."""
        at, rows = self.layout, self.question.rows("words")
        counts = self.table[rows][:, at.leaf]
        idf = _idf(counts > 0) * self.question.word_weights
        beyond = np.zeros((len(rows), len(at.leaf) + 1))
        np.multiply(idf, counts > 0, out=beyond[:, :-1])
        around = beyond[:, at.around]
        near = np.maximum(np.maximum(around[:, 1], around[:, 2]), around[:, 3])
        wide = np.maximum(np.maximum(around[:, 0], around[:, 4]), near)
        bm25 = (idf * counts * 2.2 / (counts + at.leaf_norm)).sum(0)
        scores = z_scores(np.stack([bm25, near.sum(0), wide.sum(0)]))
        topic, subject, kind = self._shares(at.leaf)
        names = ("words", "near_window", "window", "length", "topic", "subject", "kind")
        return dict(zip(names, (*scores, at.length, topic, subject, kind), strict=True))

    def note_words(self) -> dict[str, Floats]:
        """What words, features, people and days say for each note: (W,) per signal."""
        at = self.layout
        talk = np.add.reduceat(self.table[self.question.rows("words")][:, at.whole], at.talks, axis=1)
        idf = _idf(talk > 0) * self.question.word_weights
        bm25 = (idf * talk * 2.2 / (talk + at.talk_norm)).sum(0)
        topic, subject, kind = self._shares(at.whole)
        people = self.table[self.question.rows("people")][:, at.whole] > 0
        return {
            "conversation_words": z_scores(bm25)[at.conversation],
            "topic": topic,
            "subject": subject,
            "kind": kind,
            "person": (_idf(people) * people).sum(0) if len(people) else np.zeros(len(at.whole)),
            "date": _closeness(self.question, at.times),
            "recency": at.recency,
        }

    def _doubts(self, closeness: Floats) -> dict[str, float]:
        """What tells an answerable question from one the scope cannot answer; the belief weighs it.

        `closeness` (W,) is the date signal. Absence of subjects and names is looked for in the whole scope.
        """
        known: NDArray[np.bool_] = np.asarray((self.table[:, self.layout.whole] > 0).any(1))
        subjects = self.question.rows("subject")
        return {
            "names": self._known_names(known),
            "asks_subject": float(bool(subjects)),
            "subjects": float(known[subjects].mean()) if subjects else 0.5,
            "date": float(closeness.max()) if self.question.periods else 0.7,
        }

    def _known_names(self, known: NDArray[np.bool_]) -> float:
        """The share of the names in the question that occur in the scope, as a word or as a person."""
        found: dict[str, bool] = {}
        for i in self.question.rows("names"):
            name = self.question.terms[i].text.removesuffix("'s")
            found[name] = found.get(name, False) or name in self.question.known or bool(known[i])
        return sum(found.values()) / len(found) if found else 1.0

    def _shares(self, places: Ids) -> Floats:
        """(3, n): by how much the topics, the subjects and the kinds asked for are met, the rare ones counting more."""
        rows = self.question.rows("features")
        if not rows:
            return np.zeros((3, len(places)))
        features = self.table[rows] > 0
        idf = _idf(features[:, self.layout.whole])
        return np.asarray((self.question.feature_groups * idf.T) @ features[:, places])


_AROUND = np.array([0.3, 0.4, 0.0, 0.2, 0.15])
"""What the cosines of the leaves -2..2 places away count: what comes before an answer tells more than what follows."""

_DECAY_DAYS = 4.0


def _weighed(
    notes: Mapping[str, float], talk: Mapping[str, float], share: float, signals: Mapping[str, Floats]
) -> Floats:
    total: Floats | float = 0.0
    for name, signal in signals.items():
        if weight := (1 - share) * notes[name] + share * talk[name]:
            total = total + weight * signal
    return np.asarray(total)


def _closeness(question: Question, times: Floats) -> Floats:
    """1 inside a period the question names, fading over the days after it: people tell what happened last week."""
    best = np.zeros(len(times))
    for period in question.periods:
        first = sparse.minutes(datetime.combine(period.first, time.min, UTC))
        last = sparse.minutes(datetime.combine(period.last, time.max, UTC))
        late = np.maximum(times - last, 0.0) / 1440
        best = np.maximum(best, np.where(times >= first, np.exp(-late / _DECAY_DAYS), 0.0))
    return best


def _table(points: Ids, postings: Sequence[Posting]) -> Floats:
    """(terms, points): the weights of postings at points that are in id order."""
    table = np.zeros((len(postings), len(points)))
    if not len(points):
        return table
    ids = np.concatenate([ids for ids, _ in postings])
    weights = np.concatenate([weights for _, weights in postings])
    rows = np.repeat(np.arange(len(postings)), [len(ids) for ids, _ in postings])
    at = np.minimum(np.searchsorted(points, ids), len(points) - 1)
    here = points[at] == ids
    table[rows[here], at[here]] = weights[here]
    return table


def _idf(present: NDArray[np.bool_]) -> Floats:
    """Lucene's IDF by the scope's own frequencies: (t, n) -> (t, 1)."""
    df = np.count_nonzero(present, axis=1)[:, None]
    return np.asarray(np.log1p((present.shape[1] - df + 0.5) / (df + 0.5)))


def _second(values: Floats) -> float:
    """The second highest of (n,) values; the background where there is one."""
    return float(np.partition(values, -2)[-2]) if len(values) > 1 else BACKGROUND


def _spread(values: Floats) -> float:
    """The standard deviation of (n,) values; numpy's own takes four times as long on so few."""
    apart = values - values.sum() / len(values)
    return float((apart @ apart / len(values)) ** 0.5)


def _extended(posting: Posting, more: Sequence[tuple[int, float]]) -> Posting:
    ids, weights = posting
    return (
        np.concatenate([ids, np.array([point for point, _ in more], np.int64)]),
        np.concatenate([weights, np.array([weight for _, weight in more], np.float32)]),
    )
