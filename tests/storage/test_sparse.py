"""Promises of the sparse vectors."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from storage import sparse

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_words_are_counted() -> None:
    """A word's weight is how often it occurs, whatever its inflection and case; stop words are left out."""
    counts = sparse.word_counts("Delays, delay and the DELAY of onboarding")
    assert sorted(counts.values()) == [1.0, 3.0]


def test_words_and_features_never_meet() -> None:
    """Features live in the upper half of the dimensions, words in the lower."""
    assert sparse.feature("topic", "price") >= 1 << 31
    assert all(token < 1 << 31 for token in sparse.tokens("price"))


def test_a_question_finds_the_words_of_a_document() -> None:
    """The tokens of a question's word are dimensions of a document that has it."""
    assert set(sparse.tokens("onboarding")) <= sparse.document("Onboarding was slow.").keys()


def test_the_whole_note_carries_people_and_time() -> None:
    """Names and time belong to the whole note, not to its passages."""
    whole = sparse.document("Call.", occurred_at=NOON, people=("Dana Reed", "VP Eng"), rep="rep-12")
    passage = sparse.document("Call.", ordinal=1, occurred_at=NOON, people=("Dana Reed",))
    dana = sparse.feature("person", "dana")
    assert whole[dana] == 1.0
    assert whole[sparse.TIME] == sparse.minutes(NOON)
    assert dana not in passage
    assert sparse.TIME not in passage


@given(st.integers(0, 9_000), st.integers(1, 10_000))
def test_times_keep_their_order(days: int, later: int) -> None:
    """Minutes survive the 32 bits of a weight."""
    at = datetime(2002, 1, 1, tzinfo=UTC) + timedelta(days)
    first, second = (np.float32(sparse.minutes(t)) for t in (at, at + timedelta(minutes=later)))
    assert second - first == later


@given(st.text(max_size=300))
def test_every_document_is_a_valid_vector(text: str) -> None:
    """Dimensions are distinct uint32 in ascending order and weights are positive, for any text."""
    indices, values = sparse.weights(sparse.document(text))
    assert indices == sorted(set(indices))
    assert all(0 <= index < 1 << 32 for index in indices)
    assert all(value > 0 for value in values)
