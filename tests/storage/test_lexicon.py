"""Promises of the sales lexicon."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import lexicon


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("implementation timeline concerns", "onboarding delays"),
        ("She pushed back on timing", "onboarding timeline is a concern"),
        ("how much did we quote", "the price is too high"),
        ("Any security worries?", "asked for our SOC 2 report"),
        ("Who signs off?", "final decision is with the CFO"),
        ("Which other vendors are in play?", "they also evaluate a competitor"),
    ],
)
def test_paraphrases_share_a_topic(one: str, other: str) -> None:
    """What means the same to a rep shares a topic."""
    assert lexicon.concepts(one) & lexicon.concepts(other)


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        ("Buyer pushed back on annual pricing.", "objection"),
        ("I promised to send the deck by Friday.", "promise_us"),
        ("She will get back to us with the redlines.", "promise_them"),
        ("They are also looking at another vendor.", "competitor"),
        ("Budget is frozen until Q3.", "budget"),
        ("Agreed to a two-week pilot.", "pilot"),
        ("No reply since the demo.", "silence"),
        ("Walked her through the ROI calculator.", "told"),
        ("The board has the final say.", "authority"),
    ],
)
def test_notes_show_their_kind(note: str, kind: str) -> None:
    """A plain sentence of each kind is recognised."""
    assert kind in lexicon.kinds(note)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What pricing objections came up on this account?", "objection"),
        ("What did we promise them?", "promise_us"),
        ("What do they owe us?", "promise_them"),
        ("Who are we up against?", "competitor"),
        ("Is there money for this?", "budget"),
        ("What are the next steps?", "next_step"),
        ("What have we already told her?", "told"),
        ("Who signs off on the deal?", "authority"),
    ],
)
def test_questions_ask_for_a_kind(question: str, kind: str) -> None:
    """A plain question for each kind is recognised."""
    assert kind in lexicon.asked(question)


@pytest.mark.parametrize(("one", "other"), [("delays", "delayed"), ("pricing", "prices"), ("budgets", "budget")])
def test_inflections_share_a_stem(one: str, other: str) -> None:
    """One entry of the lexicon covers the inflections of its word."""
    assert lexicon.stem(one) == lexicon.stem(other)


def test_every_kind_can_be_shown_and_asked_for() -> None:
    """Notes and questions speak of the same kinds."""
    assert lexicon.CUES.keys() == lexicon.ASKED.keys()


@given(st.text(max_size=200))
def test_reading_never_fails(text: str) -> None:
    """Any text can be read, and only known names come out."""
    assert lexicon.concepts(text) <= lexicon.CONCEPTS.keys()
    assert lexicon.kinds(text) | lexicon.asked(text) <= lexicon.CUES.keys()
