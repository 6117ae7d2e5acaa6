"""Port: words to vectors, with the plain twin for tests and machines without onnxruntime.

Adapter: `embedder_fastembed.py`. Whatever embeds, every vector is finite and of unit length, so that a dot product is
a cosine.
"""

import re
from collections.abc import Sequence
from typing import Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]

_WORD = re.compile(r"\w+")
_TINY = 1e-9


class Embedder(Protocol):
    """What every embedder promises. The same words give the same vector. All calls are thread-safe."""

    @property
    def signature(self) -> str:
        """Names the model, its version and the pooling: whatever, when changed, would change a vector."""

    @property
    def dims(self) -> int:
        """The length of a vector."""

    def question(self, text: str) -> Vector:
        """The vector (dims,) of a question. It does not wait behind notes that are being embedded."""

    def notes(self, notes: Sequence[Sequence[str]]) -> list[Matrix]:
        """One matrix per note, each note given as its passages in order.

        (1 + passages, dims): row 0 is the whole note, row i its i-th passage. A note of one passage, or of none, has
        row 0 only.
        """

    def close(self) -> None:
        """Let go of the model. Calling twice is no error."""


def unit(rows: Matrix) -> Matrix:
    """The rows at unit length. Raises ValueError on a vector that is not finite or has no length."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > _TINY).all()):
        raise ValueError("The embedding model gave a vector without a direction.")
    return np.asarray(rows / lengths, dtype=np.float32)


class HashEmbedder:
    """Embeds by hashing words: a bag of words, each word one signed dimension. No model, no files, no meaning.

    Texts that share words are near, and nothing else is. Honest in everything a caller can rely on (shapes, unit
    length, determinism across processes, rows per passage), it stands in where loading a model would be waste.
    """

    def __init__(self, dims: int = 256) -> None:
        self._dims = dims

    @property
    def signature(self) -> str:
        return f"hash-1 {self._dims}"

    @property
    def dims(self) -> int:
        return self._dims

    def question(self, text: str) -> Vector:
        return unit(self._bag(text))

    def notes(self, notes: Sequence[Sequence[str]]) -> list[Matrix]:
        return [self._note(passages) for passages in notes]

    def close(self) -> None:
        pass

    def _note(self, passages: Sequence[str]) -> Matrix:
        grains = [" ".join(passages), *(passages if len(passages) > 1 else ())]
        return unit(np.stack([self._bag(grain) for grain in grains]))

    def _bag(self, text: str) -> Vector:
        bag = np.zeros(self._dims, np.float32)
        for word in _WORD.findall(text.lower()):
            code = crc32(word.encode("utf-8", "replace"))
            bag[code % self._dims] += 1.0 if code & 1 << 31 else -1.0
        if not bag.any():  # no words, or words that cancel out
            bag[0] = 1.0
        return bag
