"""Objections without a topic, grouped by what they mean: a concern that comes back is seldom put in the same words."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from storage.embedder import Embedder, Vector
from storage.records import Facts, Kind, Topic

NEAR = 0.42
"""Cosine from which two objections are one concern. Over 27 objections of nine concerns, each put in three ways, the
nearest two of different concerns were at 0.41, and 0.42 joined 14 of 27 pairs of the same."""

KEPT = 4096
"""Objections whose vectors are kept: the same are asked for at every brief and digest."""


def threaded(facts: Facts, embedder: Embedder) -> Facts:
    """The facts with `Signal.thread` told for objections that no topic groups."""
    loose = [s for s in facts.signals if s.kind is Kind.OBJECTION and s.topic is Topic.OTHER]
    if len(loose) < 2:
        return facts
    names = groups([s.quote for s in loose], lambda text: _vector(embedder.question, text))
    named = {id(s): replace(s, thread=name) for s, name in zip(loose, names, strict=True)}
    return replace(facts, signals=tuple(named.get(id(s), s) for s in facts.signals))


def groups(texts: Sequence[str], vector_of: Callable[[str], Vector]) -> list[str]:
    """For each text the first of those it belongs with: two are together when a chain of near ones joins them."""
    vectors = np.stack([vector_of(text) for text in texts])
    near = vectors @ vectors.T >= NEAR
    first = list(range(len(texts)))
    for one in range(len(texts)):
        for other in range(one):
            if near[one, other] and first[one] != first[other]:
                kept, gone = sorted((first[one], first[other]))
                first = [kept if group == gone else group for group in first]
    return [_plain(texts[group]) for group in first]


@lru_cache(maxsize=KEPT)
def _vector(vector_of: Callable[[str], Vector], text: str) -> Vector:
    return vector_of(text)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
