"""Concerns are the same by meaning, not by words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import alike
from storage.embedder import Vector
from storage.embedder_fastembed import FastembedEmbedder


@pytest.fixture(scope="module")
def embedder() -> FastembedEmbedder:
    return FastembedEmbedder()


def test_a_concern_in_other_words_is_the_same_and_another_is_not(embedder: FastembedEmbedder) -> None:
    """Two say that staff are watched, two that the sizing is not it, two that a festival is in the way."""
    said = [
        "The works council fears that we monitor staff",
        "nervous about the festival week in July",
        "not convinced that returns are a sizing problem",
        "concerned about surveillance of employees",
        "Ottoline worried that the crew is on event duty that week",
        "doubts sizing is why people send things back",
    ]
    watched, festival, sizing, *rest = alike.groups(said, embedder.question)
    assert rest == [watched, festival, sizing]
    assert len({watched, festival, sizing}) == 3


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12))
def test_groups_are_chains_of_near_ones(texts: list[str]) -> None:
    """Whoever is near one of a group is in it, a text is with itself, and a group is named after its first."""
    angle = {letter: 0.9 * place for place, letter in enumerate("abcdef")}
    names = alike.groups(texts, lambda text: _at(angle[text]))
    assert all(name in texts for name in names)
    for one, name in zip(texts, names, strict=True):
        for other, its in zip(texts, names, strict=True):
            if abs(angle[one] - angle[other]) < 1:
                assert name == its


def _at(angle: float) -> Vector:
    return np.array([np.cos(angle), np.sin(angle)], np.float32)
