"""Measures what the rules read of notes against labelled clauses: precision and recall per kind.

    python -m bench.signals bench/data/signals_dev.json bench/data/signals_unseen.json

A sighting is right when a label of its kind overlaps with its quote; a label is found when a sighting of its kind does.
Rules were written with a look at the first file and none at the second.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from bot.signals_rules import read_by_rules
from storage import Kind

KINDS = {
    Kind.OBJECTION: "objection",
    Kind.COMPETITOR: "competitor",
    Kind.BUDGET_CONFIRMED: "budget",
    Kind.BUDGET_BLOCKED: "budget",
    Kind.COMMITMENT_BY_US: "promise_us",
    Kind.COMMITMENT_BY_THEM: "promise_them",
    Kind.NEXT_STEP: "next_step",
    Kind.OBJECTION_RESOLVED: "resolved",
    Kind.COMPETITOR_RESOLVED: "resolved",
}
ALIKE = {"next_step": {"next_step", "promise_us", "promise_them"}}
"""A promise is a next step too: each may stand for the other."""


def measure(path: Path) -> None:
    """Print the figures of a labelled file: a list of `id, text, signals` with `kind` and `quote`."""
    notes = json.loads(path.read_text())
    said, right, labelled, found = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    noisy = 0
    for note in notes:
        sightings = [(KINDS[s.kind], s.quote) for s in read_by_rules(note["text"]).sightings if s.kind in KINDS]
        labels = [(label["kind"], label["quote"]) for label in note["signals"]]
        for mine, theirs, all_, hit in ((sightings, labels, said, right), (labels, sightings, labelled, found)):
            for kind, quote in mine:
                all_[kind] += 1
                hit[kind] += any(_alike(kind, other) and _overlap(quote, words) for other, words in theirs)
        noisy += bool(sightings and not labels)
    print(f"{path.stem}: {len(notes)} notes, {sum(not note['signals'] for note in notes)} without a signal")
    for kind in (*sorted(labelled), "all"):
        a, b, c, d = (sum(n.values()) if kind == "all" else n[kind] for n in (right, said, found, labelled))
        precise, complete = 100 * a / max(b, 1), 100 * c / max(d, 1)
        print(f"  {kind:12} precision {precise:5.1f} % of {b:3}   recall {complete:5.1f} % of {d:3}")
    print(f"  notes without a signal in which something was seen: {noisy}")


def _alike(kind: str, other: str) -> bool:
    return kind == other or other in ALIKE.get(kind, ()) or kind in ALIKE.get(other, ())


def _overlap(one: str, other: str) -> bool:
    first, second = (" ".join(text.casefold().split()) for text in (one, other))
    return (
        first in second or second in first or len(set(first.split()) & set(second.split())) > 0.5 * len(second.split())
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        measure(Path(name))
