"""Promises of the ranking, on small scopes written out by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import passages, ranking, sparse
from storage.index import ORDINAL_BITS
from storage.question import Question, periods
from storage.ranking import Evidence, Grain, Sense, parse, rank

MONDAY = datetime(2026, 5, 4, 9, tzinfo=UTC)
TODAY = date(2026, 11, 20)


def evidence(question: Question, notes: Sequence[str], cosines: Sequence[float] = (), apart: int = 7) -> Evidence:
    """The notes as the index would give them, `apart` days from one another; ids count from 1."""
    grains = []
    for i, text in enumerate(notes):
        at = MONDAY + timedelta(days=i * apart)
        cosine = cosines[i] if cosines else 0.2
        point = (i + 1) << ORDINAL_BITS
        grains.append(Grain(point, cosine, 0.0, sparse.document(text, occurred_at=at)))
        parts = passages.split(text)
        if len(parts) > 1:
            grains += [
                Grain(point | n, cosine, 0.0, sparse.document(part, ordinal=n)) for n, part in enumerate(parts, 1)
            ]
    nothing = np.empty(0, np.int64), np.empty(0, np.float32)
    empty = Evidence(nothing[0], Sense(np.empty(0)), tuple(nothing for _ in question.terms))
    return empty.plus(question.terms, grains)


def ids(question: str, notes: Sequence[str], cosines: Sequence[float] = (), limit: int = 10) -> list[int]:
    """Note ids in the order of the ranking."""
    asked = parse(question, today=TODAY)
    return [ranked.note_id for ranked in rank(asked, evidence(asked, notes, cosines), limit).notes]


NOTES = [
    "Buyer pushed back on annual pricing; wants quarterly billing.",
    "I promised to send the migration plan by Friday.",
    "They are also talking to another vendor, Kestrel.",
    "She liked the calculator and had lunch with the team.",
    "Onboarding delays at the Leeds site.",
    "Budget is frozen until the new fiscal year.",
]


@pytest.mark.parametrize(
    ("question", "note"),
    [
        ("What pricing objections came up on this account?", 1),
        ("What did we promise them?", 2),
        ("Which competitors are in play?", 3),
        ("implementation timeline concerns", 5),
        ("Is there money for this?", 6),
    ],
)
def test_kinds_and_topics_find_without_the_words(question: str, note: int) -> None:
    """A note is found by what it says, even where no vector helps and no word is shared."""
    assert ids(question, NOTES, [0.0] * len(NOTES))[0] == note


def test_meaning_alone_finds() -> None:
    """With no word in common the nearest vector wins."""
    assert ids("zebra", NOTES, [0.1, 0.1, 0.1, 0.6, 0.1, 0.1])[0] == 4


def test_a_named_month_prefers_its_notes() -> None:
    """ "in June" prefers what was logged in June."""
    notes = ["Talked about the contract."] * 8
    assert ids("What did we talk about in June?", notes, limit=4)[0] in (5, 6, 7, 8)


def test_recency_only_breaks_ties() -> None:
    """Of two equal notes the newer comes first; an old note that answers beats new ones that do not."""
    assert ids("pricing objections", ["Pushed back on price."] * 2) == [2, 1]
    assert ids("budget freeze", [NOTES[5], *["Nice call about the demo."] * 5])[0] == 1


def test_the_best_passage_is_named() -> None:
    """`ordinal` points to the passage that answers."""
    note = "Nice lunch with the whole team today. Their budget is frozen until October this year."
    asked = parse("budget freeze")
    assert rank(asked, evidence(asked, [note, NOTES[3]])).notes[0].ordinal == 2


def test_nothing_on_record_is_said() -> None:
    """A subject and a name that no note has are refused, with the reason."""
    for question in ("Do they need single sign-on?", "What did Helena say about encryption?"):
        asked = parse(question, today=TODAY)
        ranking = rank(asked, evidence(asked, NOTES))
        assert ranking.abstained
        assert ranking.reason


def test_an_empty_scope_abstains() -> None:
    """No note, no answer."""
    asked = parse("anything?")
    assert rank(asked, evidence(asked, [])).abstained


def test_the_only_note_is_not_refused() -> None:
    """One note that answers is enough: an account on its first day has no background to stand out from."""
    asked = parse("What pricing objections came up on this account?")
    assert not rank(asked, evidence(asked, NOTES[:1], [0.4])).abstained


def test_messages_of_one_talk_support_each_other() -> None:
    """The message that answers a question carries few of its words; its neighbours have them."""
    asked = parse("Which city did the Lisbon team choose for the kickoff workshop?")
    talk = ["hello there", "so the kickoff workshop, which city?", "Porto it is", "bye now", "what a day", "see you"]
    close = rank(asked, evidence(asked, talk, apart=0)).notes
    far = rank(asked, evidence(asked, talk, apart=9)).notes
    assert [r.note_id for r in close].index(3) <= [r.note_id for r in far].index(3)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("on 19 August, 2023", date(2023, 8, 19), date(2023, 8, 19)),
        ("What happened on May 3rd 2026?", date(2026, 5, 3), date(2026, 5, 3)),
        ("in the second week of November 2023", date(2023, 11, 8), date(2023, 11, 14)),
        ("in Q3 2026", date(2026, 7, 1), date(2026, 9, 30)),
        ("since 2026-02-01", date(2026, 2, 1), TODAY),
        ("What has come in since March?", date(2026, 3, 1), TODAY),
        ("What did they say after the 10th of June?", date(2026, 6, 11), TODAY),
        ("objections since December", date(2025, 12, 1), TODAY),
        ("since 2025", date(2025, 1, 1), TODAY),
        ("What did we promise before May 2026?", TODAY - timedelta(3660), date(2026, 4, 30)),
        ("all until the 3rd of April", TODAY - timedelta(3660), date(2026, 4, 3)),
        ("what came in yesterday", date(2026, 11, 19), date(2026, 11, 19)),
        ("two weeks ago", date(2026, 11, 3), date(2026, 11, 9)),
    ],
)
def test_days_are_understood(text: str, first: date, last: date) -> None:
    """The days a question names are read as a range."""
    assert (first, last) in [(period.first, period.last) for period in periods(text, TODAY)]


def test_may_is_not_always_a_month() -> None:
    """ "may" as a verb names no days."""
    assert not list(periods("What may she want to march towards?", TODAY))


@given(
    st.lists(st.sampled_from([*NOTES, "", "Dana: yes.\nSam: no."]), max_size=12),
    st.text(st.sampled_from("abc ?éA1 priceobjection"), max_size=40),
    st.integers(1, 5),
)
def test_a_ranking_is_sane(notes: list[str], question: str, limit: int) -> None:
    """Any scope and question give at most `limit` distinct notes of the scope, scores in 0..1 from high to low."""
    asked = parse(question, today=TODAY)
    ranked = rank(asked, evidence(asked, notes), limit).notes
    scores = [r.score for r in ranked]
    assert len({r.note_id for r in ranked}) == len(ranked) == min(limit, len(notes))
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("objections", True),
        ("any concerns?", True),
        ("what did we promise?", True),
        ("budget", True),
        ("next steps", True),
        ("pricing objections", False),
        ("objections in May", False),
        ("what did Dana promise?", False),
        ("who decides?", False),
        ("the weather", False),
    ],
)
def test_a_question_for_all_of_a_kind_is_told_from_one_about_something(question: str, alone: bool) -> None:
    """Only a kind that is named and neither a subject nor a person nor a day asks for everything of that kind."""
    assert parse(question, ["Dana Reed"], TODAY).kinds_alone is alone


@given(st.permutations(range(6)))
def test_the_order_of_candidates_does_not_matter(order: list[int]) -> None:
    """The same candidates in another order give the same ranking."""
    asked = parse("pricing objections and budget")
    found = evidence(asked, NOTES)
    mixed = Evidence(found.points[order], found.sense.at(np.array(order)), found.postings)
    assert rank(asked, mixed) == rank(asked, found)


def test_a_weight_that_is_muted_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ablation that puts other weights in place measures them: words, people and days read them when asked."""
    asked = parse("promises in May", today=TODAY)
    found = evidence(asked, NOTES)
    scope = ranking.Scope.of(asked, found.points, found.postings)
    before = scope.words().note
    monkeypatch.setattr(ranking, "NOTES", replace(ranking.NOTES, note=dict.fromkeys(ranking.NOTES.note, 0.0)))
    assert before.any()
    assert not scope.words().note.any()
