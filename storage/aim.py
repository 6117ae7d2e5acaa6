"""What a question is after, learnt from labelled questions: which way the notes lie that answer its kind.

A question about a rival shares few words with the note about a rival, and a model of likeness finds notes that speak
alike, not notes that answer. For each of a few kinds of question (objection, resolved, promise, competitor, …) a file
holds how to tell the kind from the question's vector, a direction in which the passages lie that answer it, how much it
counts there that a note is late or follows one that fits, and how to weigh what speaks for an answer on record.
`bench/aims.py` fits and writes it.

    aim = Aims.load(embedder.signature).of(vector)
    pull = passages @ aim.towards
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from storage.embedder import Vector
from storage.errors import ModelMissing

AIMS = Path(__file__).parent / "model" / "aims.npz"

SIGNALS = (
    "names", "asks_subject", "subjects", "subjects_met", "asks_kinds", "kinds", "asks_people", "people_met", "date",
    "best", "second", "mean", "whole", "gap", "spread", "words", "words_met", "aimed", "few",
)  # fmt: skip
"""What speaks for or against an answer on record."""
IN_FEW = ("best", "gap", "subjects_met", "kinds", "asks_subject", "words_met")
"""What counts otherwise where there are few notes, and is weighed once more by how few."""
BELIEVED = len(SIGNALS) + len(IN_FEW) + 1

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Aim:
    """What one question is after. `towards` (dims,) has any length; None is no direction.

    `late` is what a note counts for each standard deviation by which it is later than the others, `follows` the share
    that a note is given of what the one before it stands out by. `belief` (BELIEVED,) weighs `believed`; below 0 in
    sum, nothing on record answers. None is no opinion.
    """

    towards: Vector | None = None
    late: float = 0.0
    follows: float = 0.0
    belief: Floats | None = None


NO_AIM = Aim()


@dataclass(frozen=True, slots=True)
class Aims:
    """The k kinds of question that a file knows; none without one.

    `asked` (k, dims) and `bias` (k,) give the odds of each kind, `answers` (k, dims) the directions; `late` and
    `follows` (k,) and `belief` (k, BELIEVED) are as in Aim.
    """

    asked: Floats
    bias: Floats
    answers: Floats
    late: Floats
    follows: Floats
    belief: Floats

    @classmethod
    def none(cls) -> "Aims":
        """Knows no kind: every question has NO_AIM."""
        nothing, empty = np.zeros(0, np.float32), np.zeros((0, 0), np.float32)
        return cls(empty, nothing, empty, nothing, nothing, empty)

    @classmethod
    def load(cls, signature: str, path: Path = AIMS) -> "Aims":
        """The file's, if it was fitted to vectors of the embedder with this signature and to these signals; else none.

        Raises ModelMissing when it is damaged.
        """
        if not path.is_file():
            return cls.none()
        try:
            with path.open("rb") as file, np.load(file) as held:
                if str(held["fitted_to"]) != _fitted_to(signature):
                    return cls.none()
                return cls(*(held[name].astype(np.float32) for name in cls.__slots__))
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise ModelMissing(f"The file {path} is damaged. Reinstall Rapport.") from error

    def save(self, signature: str, path: Path = AIMS) -> None:
        """Write the file, at half precision. The same aims give the same bytes."""
        halves = {name: getattr(self, name).astype(np.float16) for name in self.__slots__}
        np.savez(path, allow_pickle=False, fitted_to=np.array(_fitted_to(signature)), **halves)

    def of(self, vector: Vector) -> Aim:
        """What the question with this vector is after: the kinds mixed by their odds."""
        if not len(self.bias):
            return NO_AIM
        odds = self.odds(vector)
        return Aim(odds @ self.answers, float(odds @ self.late), float(odds @ self.follows), odds @ self.belief)

    def odds(self, vector: Vector) -> Floats:
        """(k,) how likely each kind is; they sum to 1."""
        return softmax(self.asked @ vector + self.bias)


def softmax(values: NDArray[Any]) -> NDArray[Any]:
    """(k,) shares that sum to 1."""
    odds = np.exp(values - values.max())
    return np.asarray(odds / odds.sum())


def believed(signals: Mapping[str, float]) -> list[float]:
    """(BELIEVED,) the signals in the order in which a belief weighs them, and a constant 1."""
    few = signals["few"]
    return [*(signals[name] for name in SIGNALS), *(few * signals[name] for name in IN_FEW), 1.0]


def _fitted_to(signature: str) -> str:
    return f"{signature} {' '.join(SIGNALS)} few {' '.join(IN_FEW)}"
