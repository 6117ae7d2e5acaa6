"""Fits what questions are after (storage/aim.py), and with it the weights of the ranking for notes.

    python -m bench.aims --sales bench/data/sales_fit.json            five-fold: each account by what others taught
    python -m bench.aims --sales bench/data/sales_fit.json --write    fit on all, write the file, print the weights
    python -m bench.aims --sales bench/data/sales_fit.json --belief   fit what speaks for an answer, into the file
    python -m bench.aims --sales bench/data/sales_fit.json --ablate   what that loses without each of its signals

The belief is fitted last, on what the ranking says with the printed weights in place.

The kind of a question is told from its vector by a softmax that learns from the labels. The directions, what time
counts and the weights learn from the ranking: for each note that answers, the probability that it goes before those
that do not is made large (a listwise loss, Cao et al. 2007). Everything is pulled towards where it starts. Gradients
are written out, the best passage of a note as a subgradient. Deterministic.

The belief is a logistic regression over what the evidence says, with weights that depend on the kind of the question.
It is given no opinion of the question itself: that questions of a kind are seldom answered is no reason to refuse one.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench import weights
from bench.recall import DEPTH, Asked, Corpus, ask, figures, labelled
from storage import passages, ranking
from storage.aim import BELIEVED, IN_FEW, SIGNALS, Aims, believed, softmax
from storage.embedder_fastembed import FastembedEmbedder
from storage.index import ORDINAL_BITS

Array = np.ndarray[Any, Any]
Values = weights.Values

KINDS = (
    "authority", "budget", "competitor", "date", "next_step", "objection", "other", "person", "promise", "resolved",
    "told",
)  # fmt: skip
FOLDS = 5
MAY_REFUSE = 0.045
"""The share of the answerable questions that the belief may refuse, judged by what others taught: the promise is 0.05.
Of accounts that have their questions to themselves: what can be asked at both of two twins is vaguer."""
TAKEN_AWAY = 0.3
"""The share of the answered questions that are asked without their answers too."""
STRENGTH, ROUNDS = 0.02, 30
SMALLER = (1, 2, 3, 4, 6, 9)
"""Notes of the smaller scopes in which the same questions are asked too: most accounts are young."""
RATES: Mapping[str, float] = {"asked": 0.03, "answers": 0.03}
RATE = 0.01
PULLS: Mapping[str, float] = {"asked": 1e-4, "answers": 1e-4, "bias": 0.0, "late": 3e-3, "follows": 3e-3}
PULL = 0.03
LABELS = 0.5
"""What telling the kinds counts beside the ranking."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """An answerable question: its vector (dims,) and kind, its signals, its leaves' vectors (L, dims), recency (W,)."""

    asked: Asked
    vector: Array
    kind: int
    sheet: weights.Sheet
    leaves: Array
    recency: Array
    followed: float


def lessons(corpora: Sequence[Corpus]) -> list[Lesson]:
    """The answerable questions of labelled sets."""
    embedder = FastembedEmbedder()
    return [lesson for corpus in corpora for lesson in _lessons(corpus, embedder)]


def _lessons(corpus: Corpus, embedder: FastembedEmbedder) -> Iterator[Lesson]:
    notes = {
        (account["accountId"], note["interactionId"]): passages.split(note["summary"])
        for account in corpus.accounts
        for note in account["INTERACTION"]
    }
    grains = dict(zip(notes, embedder.notes(list(notes.values())), strict=True))
    for asked in ask(corpus):
        if not asked.relevant:
            continue
        at, case = asked.scope.layout, asked.case
        owners = asked.scope.points[at.leaf] >> ORDINAL_BITS
        leaves = [
            grains[case.account, asked.keys[owner]][ordinal]
            for owner, ordinal in zip(owners.tolist(), at.ordinals.tolist(), strict=True)
        ]
        yield Lesson(
            asked,
            embedder.question(case.question),
            KINDS.index(case.category if case.category in KINDS else "other"),
            weights.sheet(asked.scope, asked.sense, asked.relevant),
            np.stack(leaves),
            at.recency,
            float(bool(asked.scope.question.kinds & ranking.FOLLOWED)),
        )


def fit(taught: Sequence[Lesson]) -> Values:
    """Values that rank the right notes of these questions first."""
    start = _start(len(taught[0].vector))

    def slopes(values: Values) -> Values:
        # That a passage holds a word that was asked for never speaks against it.
        values["leaf"] = np.maximum(values["leaf"], 0.0)
        total = {name: 2 * PULLS.get(name, PULL) * (value - start[name]) for name, value in values.items()}
        for lesson in taught:
            for name, slope in _slopes(values, lesson).items():
                total[name] += slope / len(taught)
        return total

    values = weights.descended(start, slopes, lambda name: RATES.get(name, RATE))
    return values | {"leaf": np.maximum(values["leaf"], 0.0)}


def _start(dims: int) -> Values:
    kinds = len(KINDS)
    return {
        "asked": np.zeros((kinds, dims)),
        "bias": np.zeros(kinds),
        "answers": np.zeros((kinds, dims)),
        "late": np.zeros(kinds),
        "follows": np.zeros(kinds),
        "leaf": np.array(list(ranking.BY_HAND.leaf.values())),
        "note": np.array(list(ranking.BY_HAND.note.values())),
        "always_follows": np.array(0.3),
    }


def scores(values: Values, lesson: Lesson) -> Array:
    """(W,) what the ranking gives the notes."""
    return _forward(values, lesson)["score"]


def _forward(values: Values, lesson: Lesson) -> Values:
    odds = softmax(values["asked"] @ lesson.vector + values["bias"])
    leaf = lesson.sheet.leaves @ values["leaf"] + lesson.leaves @ (odds @ values["answers"])
    best = np.maximum.reduceat(leaf, lesson.sheet.first)
    before = best + lesson.sheet.notes @ values["note"] + lesson.recency * (odds @ values["late"])
    follows = lesson.followed * values["always_follows"] + odds @ values["follows"]
    lift = np.append(0.0, np.maximum(before - before.mean(), 0.0)[:-1])
    return {"odds": odds, "leaf": leaf, "best": best, "before": before, "follows": follows, "lift": lift,
            "score": before + follows * lift}  # fmt: skip


def _slopes(values: Values, lesson: Lesson) -> Values:
    """The gradient of one question's loss."""
    got, sheet = _forward(values, lesson), lesson.sheet
    odds, push = got["odds"], _push(got["score"], sheet.right)
    # Through what a note lends to the one after it.
    lent = np.append(push[1:], 0.0) * (got["before"] > got["before"].mean()) * got["follows"]
    lends = float(push @ got["lift"])
    push = push + lent - lent.mean()
    winners = np.flatnonzero(got["leaf"] == got["best"][sheet.owner])
    winners = winners[np.unique(sheet.owner[winners], return_index=True)[1]]
    towards, late = lesson.leaves[winners].T @ push, float(lesson.recency @ push)
    of_odds = values["answers"] @ towards + values["late"] * late + values["follows"] * lends
    of_kind = odds * (of_odds - odds @ of_odds) + LABELS * (odds - (np.arange(len(odds)) == lesson.kind))
    return {
        "asked": np.outer(of_kind, lesson.vector),
        "bias": of_kind,
        "answers": np.outer(odds, towards),
        "late": odds * late,
        "follows": odds * lends,
        "leaf": sheet.leaves[winners].T @ push,
        "note": sheet.notes.T @ push,
        "always_follows": np.array(lesson.followed * lends),
    }


def _push(score: Array, right: Array) -> Array:
    """(W,) the slope of the loss by each note's score."""
    if right.all():
        return np.zeros_like(score)
    wrong = np.where(right, -np.inf, score)
    top = wrong.max()
    total = top + np.log(np.exp(wrong - top).sum())
    late = np.where(right, 1 / (1 + np.exp(np.clip(score - total, -50, 50))), 0.0) / right.sum()
    return np.asarray(np.exp(wrong - total) * late.sum() - late)


def check(taught: Sequence[Lesson]) -> None:
    """Print recall@5 per kind, each account asked with what the others taught."""
    rows: list[tuple[str, float]] = []
    for held in _folds({lesson.asked.case.account for lesson in taught}):
        values = fit([lesson for lesson in taught if lesson.asked.case.account not in held])
        rows += [
            (lesson.asked.case.category, _found(values, lesson))
            for lesson in taught
            if lesson.asked.case.account in held
        ]
    for kind in (*sorted({kind for kind, _ in rows}), "all"):
        some = [found for name, found in rows if kind in (name, "all")]
        print(f"  {kind:12} {len(some):5}  recall@5 {100 * float(np.mean(some)):5.1f}", flush=True)


def _folds(accounts: Iterable[str]) -> list[set[str]]:
    """The accounts in FOLDS parts. Twins are asked the same questions and stay together."""
    families: dict[str, set[str]] = defaultdict(set)
    for account in accounts:
        families[_family(account)].add(account)
    names = sorted(families)
    np.random.default_rng(1).shuffle(names)
    return [set().union(*(families[name] for name in names[fold::FOLDS])) for fold in range(FOLDS)]


def _family(account: str) -> str:
    """What both of two twins are called."""
    return account.removesuffix("-a").removesuffix("-b")


def _found(values: Values, lesson: Lesson) -> float:
    order = np.argsort(-scores(values, lesson), kind="stable")[:DEPTH]
    gain = lesson.sheet.right[order].astype(float)
    return figures(np.append(gain, np.zeros(DEPTH - len(gain))), int(lesson.sheet.right.sum()))["recall@5"]


# ---------------------------------------------------------------------------------------------- belief


@dataclass(frozen=True, slots=True)
class Opinions:
    """n questions: what is believed of them (n, s), the odds of their kinds (n, k), whether they are answered, their
    accounts, and whether they were asked as they were written."""

    signals: Array
    odds: Array
    answered: Array
    accounts: Array
    whole: Array

    def some(self, chosen: Array) -> "Opinions":
        """Those chosen."""
        return Opinions(*(getattr(self, name)[chosen] for name in self.__slots__))


def opinions(corpora: Sequence[Corpus]) -> Opinions:
    """What the ranking says of all questions of labelled sets, as the file and its weights are now."""
    embedder = FastembedEmbedder()
    aims = Aims.load(embedder.signature)
    random = np.random.default_rng(2)
    rows = []
    for asked in (asked for corpus in corpora for asked in ask(corpus)):
        odds = aims.odds(embedder.question(asked.case.question))
        for answered, notes in _scopes(asked, random):
            scope, sense = _only(asked, notes)
            signals = ranking.rank_scope(scope, scope.words(), sense).signals
            whole = bool(asked.relevant) == answered and len(notes) == len(asked.scope.layout.notes)
            rows.append((believed(signals)[:-1], odds, answered, asked.case.account, whole))
    return Opinions(*(np.array(column) for column in zip(*rows, strict=True)))


def _scopes(asked: Asked, random: np.random.Generator) -> Iterator[tuple[bool, list[int]]]:
    """Sets of notes in which the question is asked, and whether one of them answers it.

    Questions that are answered are asked where their answers are taken away as well: else what is believed would be how
    questions sound that somebody thought up as having no answer.
    """
    notes = asked.scope.layout.notes.tolist()
    answers, others = ([note for note in notes if (note in asked.relevant) == right] for right in (True, False))
    yield bool(answers), notes
    few = [*random.permutation(others).tolist()][: int(random.choice(SMALLER))]
    if answers:
        yield True, [*random.permutation(answers)[:1].tolist(), *few[1:]]
    if not answers or random.random() < TAKEN_AWAY:
        yield False, few
    if answers and random.random() < TAKEN_AWAY:
        yield False, others


def _only(asked: Asked, notes: Sequence[int]) -> tuple[ranking.Scope, ranking.Sense]:
    """The question among these notes."""
    places = np.flatnonzero(np.isin(asked.scope.points >> ORDINAL_BITS, notes))
    points = asked.scope.points[places]
    table = asked.scope.table[:, places]
    postings = [(points[row > 0], row[row > 0].astype(np.float32)) for row in table]
    return ranking.Scope.of(asked.scope.question, points, postings), asked.sense.at(places)


def believe(given: Opinions) -> Array:
    """(k, s + 1) weights; below 0 in sum are MAY_REFUSE of the answerable questions of accounts without a twin, each
    judged by what other accounts taught."""
    judged, twin = _by_others(given), _twins(given)
    bound = _bound(given, judged)
    for name, among in (
        ("as written", given.whole & ~twin), ("as written, twins", given.whole & twin), ("fewer notes", ~given.whole)
    ):  # fmt: skip
        shares = [100 * float((judged[among & each] < bound).mean()) for each in (given.answered, ~given.answered)]
        print(f"  {name}, by what others taught: {shares[0]:.1f} % of the answered refused, {shares[1]:.1f} % else")
    table = _logistic(given)
    table[:, -1] -= bound
    return table


def ablate(given: Opinions) -> None:
    """Print what is refused less of the unanswerable questions, as written, where a signal is not weighed."""

    def refused(some: Opinions) -> float:
        judged = _by_others(some)
        return 100 * float((judged[some.whole & ~some.answered] < _bound(some, judged)).mean())

    full = refused(given)
    print(f"  {full:.1f} % of the unanswerable refused")
    names = np.array([*SIGNALS, *IN_FEW])
    for name in SIGNALS:
        without = replace(given, signals=np.where(names == name, 0.0, given.signals))
        print(f"  without {name:14} {refused(without) - full:+5.1f}", flush=True)


def _by_others(given: Opinions) -> Array:
    """(n,) the belief in each question, judged by what other accounts taught."""
    judged = np.zeros(len(given.answered))
    for held in _folds(given.accounts.tolist()):
        fold = np.isin(given.accounts, list(held))
        judged[fold] = _judged(_logistic(given.some(~fold)), given.some(fold))
    return judged


def _bound(given: Opinions, judged: Array) -> float:
    """Where the belief refuses as many questions as it may."""
    return float(np.quantile(judged[given.answered & given.whole & ~_twins(given)], MAY_REFUSE))


def _twins(given: Opinions) -> Array:
    return np.array([_family(account) != account for account in given.accounts])


def _judged(table: Array, given: Opinions) -> Array:
    return np.asarray((given.odds * (given.signals @ table[:, :-1].T + table[:, -1])).sum(1))


def _logistic(given: Opinions) -> Array:
    """Newton's steps for a logistic regression on the signals and on their products with the odds."""
    mean, spread, usual = given.signals.mean(0), given.signals.std(0) + 1e-9, given.odds.mean(0)
    plain = (given.signals - mean) / spread
    mixed = (plain[:, None, :] * (given.odds - usual)[:, :, None]).reshape(len(plain), -1)
    inputs = np.hstack([plain, mixed, np.ones((len(plain), 1))])
    share = given.answered.mean()
    count = np.where(given.answered, 0.5 / share, 0.5 / (1 - share)) * STRENGTH
    pull = np.append(np.ones(inputs.shape[1] - 1), 0.0)
    weights_ = np.zeros(inputs.shape[1])
    for _ in range(ROUNDS):
        likely = 1 / (1 + np.exp(-inputs @ weights_))
        slope = inputs.T @ (count * (likely - given.answered)) + pull * weights_
        bend = (inputs * (count * likely * (1 - likely))[:, None]).T @ inputs + np.diag(pull + 1e-9)
        weights_ -= np.linalg.solve(bend, slope)
    kinds, signals = given.odds.shape[1], len(mean)
    own = weights_[:signals] + weights_[signals:-1].reshape(kinds, signals)
    own = (own - usual @ weights_[signals:-1].reshape(kinds, signals)) / spread
    return np.hstack([own, (weights_[-1] - own @ mean)[:, None]])


def aims_of(values: Values) -> Aims:
    """What the ranking needs of the values, beside the weights; no belief yet, so everything is believed."""
    parts = {name: values[name].astype(np.float32) for name in Aims.__slots__ if name != "belief"}
    belief = np.zeros((len(KINDS), BELIEVED), np.float32)
    return Aims(**parts, belief=belief)


def main() -> None:
    """Read the arguments; check, or fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sales", type=Path, action="append", required=True, help="a labelled set; may be repeated")
    parser.add_argument("--write", action="store_true", help="fit the aims, write storage/model/aims.npz")
    parser.add_argument("--belief", action="store_true", help="fit the belief, write it into the file")
    parser.add_argument(
        "--ablate", action="store_true", help="print what the belief loses without each signal (minutes)"
    )
    args = parser.parse_args()
    signature, corpora = FastembedEmbedder().signature, [corpus for path in args.sales for corpus in labelled(path)]
    if args.ablate:
        ablate(opinions(corpora))
        return
    if args.belief:
        table = believe(opinions(corpora)).astype(np.float32)
        replace(Aims.load(signature), belief=table).save(signature)
        return
    taught = lessons(corpora)
    print(f"{len(taught)} questions of {len({lesson.asked.case.account for lesson in taught})} accounts")
    if not args.write:
        check(taught)
        return
    values = fit(taught)
    aims_of(values).save(signature)
    for name, names in (("leaf", ranking.BY_HAND.leaf), ("note", ranking.BY_HAND.note)):
        print(f"{name}:", ", ".join(f'"{key}": {value:.2f}' for key, value in zip(names, values[name], strict=True)))
    print(f"FOLLOWS: {float(values['always_follows']):.2f}")


if __name__ == "__main__":
    main()
