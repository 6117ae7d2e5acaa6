"""Measures recall quality through the public door: hits, MRR and nDCG per category, abstention, ablation, time.

    python -m bench.recall --sales bench/data/sales_dev.json
    python -m bench.recall --locomo ../shared/data/locomo_dev.json --ablate --leave-one-out

Sets of notes and questions made up for measuring. The model is tuned on `sales_dev.json` and `sales_dev_2.json` (305
accounts) and on `sales_twins.json` and `sales_twins_2.json` (1,284, where each question is asked at two accounts);
words were chosen on the first. Weights, aims and belief are fitted on `sales_fit.json` (328), which the model has not
seen, and `bench.aims` tells what they do for accounts that taught nothing. `sales_unseen.json` (14 accounts),
`sales_unseen_2.json` (24) and `sales_unseen_twins.json` (28) were kept aside: what is changed for them one day
belongs to the other files. An unanswerable question may hold an `answer`, a note that would answer it: asked again
with those notes in place, it tells whether evidence is judged or the sound of a question.

LoCoMo (Maharana et al. 2024) is read by path and never committed. Mapping: conversation = account; session or turn =
interaction (text "Speaker: words", time of the session); question = recall query; evidence = the right interactions.
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bench import weights
from storage import StorageConfig, open_memory, ranking

Json = dict[str, Any]
Array = np.ndarray[Any, Any]
DEPTH = 10
LOCOMO_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}


@dataclass(frozen=True, slots=True)
class Case:
    """A question about an account with the keys of the interactions that answer it; none if nothing does."""

    account: str
    question: str
    relevant: frozenset[str]
    category: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Accounts in the import format, and the questions about them."""

    name: str
    accounts: list[Json]
    cases: list[Case]


@dataclass(frozen=True, slots=True)
class Asked:
    """A case with what the pipeline saw (`scope`, `sense`), the ids that answer it, the keys of
    the account's notes by id, and the seconds it took."""

    case: Case
    scope: ranking.Scope
    sense: ranking.Sense
    relevant: frozenset[int]
    keys: Mapping[int, str]
    abstained: bool
    seconds: float

    def ranked(self) -> ranking.Ranking:
        """The ranking, made again with the weights of the moment."""
        return ranking.rank_scope(self.scope, self.scope.words(), self.sense, DEPTH)


# ---------------------------------------------------------------------------------------------- corpora


def locomo(path: Path, grain: str) -> Corpus:
    """LoCoMo-shaped data with each session or each turn as an interaction."""
    conversations = json.loads(path.read_text())
    read = [_conversation(n, conversation, grain) for n, conversation in enumerate(conversations)]
    return Corpus(f"LoCoMo, {grain}s", [account for account, _ in read], [case for _, cases in read for case in cases])


def _conversation(number: int, data: Json, grain: str) -> tuple[Json, list[Case]]:
    key, talk = f"conversation-{number}", data["conversation"]
    sessions = sorted((k for k, v in talk.items() if isinstance(v, list)), key=lambda k: int(k.split("_")[1]))
    notes: list[Json] = []
    place: dict[str, str] = {}
    for session in sessions:
        at = datetime.strptime(talk[f"{session}_date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC).isoformat()
        lines = {turn["dia_id"]: f"{turn['speaker']}: {turn['text']}" for turn in talk[session]}
        place |= {turn: turn if grain == "turn" else session for turn in lines}
        texts = lines if grain == "turn" else {session: "\n".join(lines.values())}
        notes += [_note(name, text, at) for name, text in texts.items()]
    cases = list(_locomo_cases(key, data["qa"], place))
    return {"accountId": key, "name": f"Conversation {number}", "INTERACTION": notes}, cases


def _note(key: str, text: str, at: str) -> Json:
    return {"interactionId": key, "channel": "call", "repId": "rep", "summary": text, "occurredAt": at}


def _locomo_cases(account: str, questions: Iterable[Json], place: Mapping[str, str]) -> Iterator[Case]:
    for item in questions:
        turns = " ".join(map(str, item["evidence"])).replace(";", " ").split()
        relevant = frozenset(place[turn] for turn in turns if turn in place)
        if relevant:
            yield Case(account, item["question"], relevant, LOCOMO_CATEGORIES[item["category"]])


def sales(path: Path) -> Corpus:
    """A labelled sales set: `accounts` in the import format, `questions` with `account, question, relevant, kind`."""
    data = json.loads(path.read_text())
    cases = [
        Case(q["account"], q["question"], frozenset(q.get("relevant", ())), q.get("kind", "any"))
        for q in data["questions"]
    ]
    return Corpus(path.stem, data["accounts"], cases)


def labelled(path: Path) -> list[Corpus]:
    """A labelled set as it is, and with its answers written in."""
    return [corpus for corpus in (sales(path), answered(path)) if corpus.cases]


def answered(path: Path) -> Corpus:
    """The accounts of a labelled set with the notes written in that would answer its unanswerable questions, and those
    questions: what is refused here is refused for how it is asked, and not for what is on record."""
    data = json.loads(path.read_text())
    missing: dict[str, list[Json]] = defaultdict(list)
    for question in data["questions"]:
        if "answer" in question:
            missing[question["account"]].append(question)
    accounts = [_with_answers(account, missing[account["accountId"]]) for account in data["accounts"]]
    cases = [
        Case(account, question["question"], frozenset({_answer_key(n)}), "answered")
        for account, questions in missing.items()
        for n, question in enumerate(questions)
    ]
    return Corpus(f"{path.stem}, answers written in", [a for a in accounts if missing[a["accountId"]]], cases)


def _with_answers(account: Json, questions: Sequence[Json]) -> Json:
    notes = account["INTERACTION"]
    first, last = (datetime.fromisoformat(notes[place]["occurredAt"]) for place in (0, -1))
    times = [first + (last - first) * (n + 1) / (len(questions) + 1) for n in range(len(questions))]
    more = [_note(_answer_key(n), q["answer"], times[n].isoformat()) for n, q in enumerate(questions)]
    return account | {"INTERACTION": sorted([*notes, *more], key=lambda note: str(note["occurredAt"]))}


def _answer_key(number: int) -> str:
    return f"answer-{number}"


# ---------------------------------------------------------------------------------------------- asking


def ask(corpus: Corpus) -> list[Asked]:
    """Import the corpus into a fresh memory, index it, and ask every question in its account."""
    with tempfile.TemporaryDirectory() as folder, open_memory(StorageConfig(data_dir=Path(folder))) as memory:
        team = memory.of("T0001")
        team.import_payload({"label": "ACCOUNT", "data": corpus.accounts})
        memory.catch_up()
        keys = {account["accountId"]: _ids(team, account["accountId"]) for account in corpus.accounts}
        return [_ask_one(team, case, keys[case.account]) for case in corpus.cases]


def _ids(team: Any, account: str) -> dict[str, int]:
    everything = team.recall("anything", account=account, limit=10_000, abstain=False)
    return {hit.interaction: hit.id for hit in everything.hits}


def _ask_one(team: Any, case: Case, ids: Mapping[str, int]) -> Asked:
    seen: list[tuple[ranking.Scope, ranking.Sense, bool]] = []

    def remembering(
        scope: ranking.Scope, words: ranking.Words, sense: ranking.Sense, limit: int = DEPTH
    ) -> ranking.Ranking:
        ranked = true_rank(scope, words, sense, limit)
        seen.append((scope, sense, ranked.abstained))
        return ranked

    true_rank = ranking.rank_scope
    with mock.patch.object(ranking, "rank_scope", remembering):  # listens only; the answer is the pipeline's own
        started = time.perf_counter()
        team.recall(case.question, account=case.account, limit=DEPTH, abstain=False)
        seconds = time.perf_counter() - started
    scope, sense, abstained = seen[0]
    relevant = frozenset(ids[key] for key in case.relevant)
    return Asked(case, scope, sense, relevant, {note: key for key, note in ids.items()}, abstained, seconds)


# ---------------------------------------------------------------------------------------------- figures


def gains(asked: Asked) -> Array:
    """(DEPTH,) 1 where the ranking holds a note that answers."""
    notes = asked.ranked().notes
    found = [float(note.note_id in asked.relevant) for note in notes]
    return np.array(found + [0.0] * (DEPTH - len(found)))


def figures(gain: Array, total: int) -> dict[str, float]:
    """Hit, recall, reciprocal rank and nDCG of one ranking with `total` right notes."""
    discount = 1 / np.log2(np.arange(2, DEPTH + 2))
    place = np.flatnonzero(gain)
    return {
        "hit@5": float(gain[:5].any()),
        "hit@10": float(gain.any()),
        "recall@5": float(gain[:5].sum() / min(total, 5)),
        "MRR": float(1 / (place[0] + 1)) if len(place) else 0.0,
        "nDCG@10": float((gain * discount).sum() / discount[: min(total, DEPTH)].sum()),
    }


def interval(values: Sequence[float], rounds: int = 2_000) -> tuple[float, float]:
    """The 95 % bootstrap interval of a mean."""
    data = np.asarray(values)
    means = np.random.default_rng(0).choice(data, (rounds, len(data))).mean(1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def quality(answerable: Sequence[Asked]) -> None:
    """Print the figures of the answerable questions, per category and over all."""
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    for asked in answerable:
        row = figures(gains(asked), len(asked.relevant))
        rows[asked.case.category].append(row)
        rows["all"].append(row)
    for name in sorted(rows, key=lambda name: (name == "all", name)):
        means = {key: 100 * float(np.mean([row[key] for row in rows[name]])) for key in rows[name][0]}
        print(f"  {name:18} {len(rows[name]):5}  " + "  ".join(f"{key} {value:5.1f}" for key, value in means.items()))
    for key in ("hit@5", "hit@10", "recall@5"):
        low, high = interval([row[key] for row in rows["all"]])
        print(f"  95 % interval of {key}: {100 * low:.1f} to {100 * high:.1f}")


def abstention(asked: Sequence[Asked]) -> None:
    """Print how many of the unanswerable questions are refused, and of the answerable ones."""
    refused = [a for a in asked if a.abstained]
    nothing = [a for a in asked if not a.relevant]
    right = sum(not a.relevant for a in refused)
    wrong = len(refused) - right
    answerable = len(asked) - len(nothing)
    print(f"  answerable refused {wrong} of {answerable} ({100 * wrong / max(answerable, 1):.1f} %)")
    if nothing:
        recall, precision = 100 * right / len(nothing), 100 * right / max(len(refused), 1)
        print(f"  unanswerable refused {right} of {len(nothing)}: recall {recall:.1f} %, precision {precision:.1f} %")
        for name, among in (
            ("recall", [a.abstained for a in nothing]),
            ("precision", [not a.relevant for a in refused]),
        ):
            if among:
                low, high = interval(among)
                print(f"  95 % interval of its {name}: {100 * low:.1f} to {100 * high:.1f}")


def ablation(answerable: Sequence[Asked], key: str) -> None:
    """Print what `key` loses without each signal; and the same where the index is away and words alone are known."""
    _ablated(answerable, key)
    blind = [replace(asked, sense=ranking.Sense(asked.sense.cosines)) for asked in answerable]
    print(f"  without {'what it is after':20} {_mean(blind, key) - _mean(answerable, key):+5.1f}")
    worded = [replace(asked, sense=ranking.Sense(np.zeros(len(asked.scope.points)))) for asked in answerable]
    with mock.patch.object(ranking, "NOTES", ranking.BY_HAND):
        print(f"  by words alone, as when the index is away: {key} {_mean(worded, key):.1f}")
        _ablated(worded, key)


def _ablated(answerable: Sequence[Asked], key: str) -> None:
    full = _mean(answerable, key)
    for stage, (notes, talk) in _without().items():
        with mock.patch.object(ranking, "NOTES", notes), mock.patch.object(ranking, "TALK", talk):
            print(f"  without {stage:20} {_mean(answerable, key) - full:+5.1f}")


def _mean(answerable: Sequence[Asked], key: str) -> float:
    return 100 * float(np.mean([figures(gains(asked), len(asked.relevant))[key] for asked in answerable]))


def _without() -> dict[str, tuple[ranking.Weights, ranking.Weights]]:
    """Stages by name, each with the two weight tables that lack it."""
    stages = {
        "dense": ("dense", "near_dense", "whole_dense"),
        "words": ("words", "conversation_words", "window", "near_window"),
        "neighbours": ("near_dense", "window", "near_window"),
        "whole note": ("whole_dense", "conversation_words"),
        "passage length": ("length",),
        **{name: (name,) for name in ("topic", "subject", "kind", "person", "date", "recency")},
        "lexicon": ("topic", "subject", "kind"),
    }
    return {name: (_muted(ranking.NOTES, signals), _muted(ranking.TALK, signals)) for name, signals in stages.items()}


def _muted(table: ranking.Weights, signals: Sequence[str]) -> ranking.Weights:
    silent = dict.fromkeys(signals, 0.0)
    return replace(
        table,
        leaf={name: silent.get(name, weight) for name, weight in table.leaf.items()},
        note={name: silent.get(name, weight) for name, weight in table.note.items()},
    )


def leave_one_out(answerable: Sequence[Asked]) -> None:
    """Print the figures with weights fitted on all accounts but the one that is asked."""
    rows = []
    for account in sorted({asked.case.account for asked in answerable}):
        others = [asked for asked in answerable if asked.case.account != account]
        table = weights.fit([(asked.scope, asked.sense, asked.relevant) for asked in others])
        with mock.patch.object(ranking, "NOTES", table), mock.patch.object(ranking, "TALK", table):
            held = [asked for asked in answerable if asked.case.account == account]
            rows += [figures(gains(asked), len(asked.relevant)) for asked in held]
    means = {key: 100 * float(np.mean([row[key] for row in rows])) for key in rows[0]}
    print("  weights fitted without the asked account: " + "  ".join(f"{k} {v:.1f}" for k, v in means.items()))


def timing(asked: Sequence[Asked]) -> None:
    """Print the time per question, and of the ranking alone."""
    ranked = 1e3 * float(np.median([_ranking_seconds(a) for a in asked]))
    grains = int(np.median([len(a.sense.cosines) for a in asked]))
    whole = 1e3 * float(np.median([a.seconds for a in asked]))
    print(f"  median per question {whole:.2f} ms, of which ranking {ranked:.2f} ms ({grains} grains)")


def _ranking_seconds(asked: Asked) -> float:
    started = time.perf_counter()
    asked.ranked()
    return time.perf_counter() - started


def report(corpus: Corpus, *, ablate: bool, folds: bool) -> None:
    """Ask the corpus and print all figures."""
    asked = ask(corpus)
    answerable = [a for a in asked if a.relevant]
    nothing = len(asked) - len(answerable)
    print(f"{corpus.name}: {len(corpus.accounts)} accounts, {len(answerable)} answerable questions, {nothing} not")
    quality(answerable)
    abstention(asked)
    timing(asked)
    if ablate:
        ablation(answerable, "recall@5" if "LoCoMo" not in corpus.name else "hit@10")
    if folds:
        leave_one_out(answerable)


def main() -> None:
    """Read the arguments and print a report per corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--locomo", type=Path, help="LoCoMo-shaped data, read by path")
    parser.add_argument("--sales", type=Path, action="append", default=[], help="a labelled sales set; may be repeated")
    parser.add_argument("--ablate", action="store_true", help="print what is lost without each signal")
    parser.add_argument("--leave-one-out", action="store_true", help="fit weights without the asked account (minutes)")
    args = parser.parse_args()
    corpora = [locomo(args.locomo, grain) for grain in ("session", "turn")] if args.locomo else []
    for corpus in [*corpora, *(corpus for path in args.sales for corpus in labelled(path))]:
        report(corpus, ablate=args.ablate, folds=args.leave_one_out)


if __name__ == "__main__":
    main()
