"""Sparse vectors: BM25 words, and what a note is about, as dimensions of one vector.

Every dimension is a posting list in the index. Words keep Qdrant's own BM25 token space (31 bits); features (topics,
subjects, kinds, people, the time of the note) live in the upper half of the 32 bits, so that a feature never meets a
word. Weights of words are their raw counts: IDF, saturation and length need the account's own statistics, which are
known only at ranking.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

from storage import lexicon

if TYPE_CHECKING:
    from qdrant_edge import Bm25

SCHEME = "s2"
"""Names what the dimensions mean; part of the index signature, so that a change re-indexes."""

_FEATURE_SPACE = 1 << 31
_SATURATION = 1.2
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][a-z]+(?:[-'’][A-Z]?[a-z]+)*\b")


def document(
    text: str,
    *,
    ordinal: int = 0,
    occurred_at: datetime | None = None,
    people: Iterable[str] = (),
    rep: str = "",
) -> dict[int, float]:
    """The sparse vector of a grain: dimension (uint32) -> weight.

    `ordinal` 0 is the whole note and also carries `people` (the contact's name and role), `rep` and the time.
    """
    vector = word_counts(text)
    vector[LENGTH] = float(max(1.0, sum(vector.values())))
    vector |= {feature(group, name): 1.0 for group, name in lexicon.features(text)}
    if ordinal == 0:
        vector |= {feature("person", part): 1.0 for name in (*people, rep) for part in lexicon.words(name)}
        if occurred_at is not None:
            vector[TIME] = minutes(occurred_at)
    return vector


def word_counts(text: str) -> dict[int, float]:
    """How often each stemmed word occurs: BM25 token (31 bits) -> count. Stop words are left out."""
    if not text.strip():
        return {}
    found = _bm25().embed_document(text)
    # With b = 0 the stored weight is tf * (k + 1) / (tf + k); this is its inverse.
    return {
        token: round(weight * _SATURATION / (_SATURATION + 1 - weight), 3)
        for token, weight in zip(found.indices, found.values, strict=True)
    }


@lru_cache(maxsize=16384)
def tokens(word: str) -> tuple[int, ...]:
    """The BM25 tokens of one word of a question; none for a stop word."""
    return tuple(_bm25().embed_query(word).indices)


@lru_cache(maxsize=16384)
def feature(group: str, name: str) -> int:
    """The dimension of a feature, e.g. feature("topic", "price")."""
    return _FEATURE_SPACE | crc32(f"{group}:{name}".encode()) & 0x7FFFFFFF


def minutes(at: datetime) -> float:
    """Minutes since 2000: exact as float32 until 2031, and within two minutes long after."""
    return max(1.0, (at - _EPOCH).total_seconds() // 60)


def weights(vector: Mapping[int, float]) -> tuple[list[int], list[float]]:
    """Indices and values in ascending order, as engines want them."""
    indices = sorted(vector)
    return indices, [vector[index] for index in indices]


@lru_cache(maxsize=1)
def _bm25() -> "Bm25":
    from qdrant_edge import Bm25, Bm25Config

    return Bm25(Bm25Config(k=_SATURATION, b=0.0))


LENGTH = feature("meta", "length")
"""Words in the grain, stop words left out. Every grain has it."""

TIME = feature("meta", "minutes")
"""When the interaction took place, in minutes since 2000. Whole notes only."""
