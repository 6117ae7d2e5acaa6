"""Promises of the plain scribe: every line is on record, cites its note, and says what to do next."""

from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.deal import read_deal
from bot.health import assess
from bot.scribe import Brief, Claim, Scribe, to_json
from bot.scribe_plain import OBJECTIONS, PROMISES, REST, PlainScribe
from bot.week import card
from storage import Facts, Hit, Kind, Side, Topic
from tests.bot.facts import DAY, START, Book, books, cold, james, james_book, priya, priya_book, said

LISTS = ("objections", "budget", "tone", "competitors", "promises", "next_steps", "told", "recommendation")


def brief(facts: Facts) -> Brief:
    """The brief as the desk asks for it."""
    scribe: Scribe = PlainScribe()
    return scribe.brief(facts, assess(facts), read_deal(facts))


# --- the worked examples ---


def test_priya_gets_a_migration_plan_and_timeline() -> None:
    """70, the objections open, the freeze, the pilot to build on, and one action: the heaviest concern's."""
    found = brief(priya())
    assert (found.person, found.role, found.account) == ("Priya Sharma", "VP Sales", "Rentokil")
    assert found.recommended_action.text == "Provide a data migration plan and timeline"
    assert found.recommended_action.interaction == "rentokil-n4"
    assert [(o.text, o.status) for o in found.objections] == [
        ("Data migration, open since 25 May", "open"),
        ("Onboarding, open since 11 May", "open"),
    ]
    assert [(b.text, b.status) for b in found.budget] == [("Budget blocked until 1 Jul", "blocked")]
    assert [line.text for line in found.tone] == ["Warm"]
    assert [line.quote for line in found.told] == ["Showed the ROI calculator"]
    assert [(line.text, line.quote) for line in found.people] == [
        ("Priya Sharma, VP Sales", "concerned about data migration from the old CRM")
    ]


def test_priya_is_recommended_in_three_sentences() -> None:
    """What to build on, then what holds it back and what helps; each with its note."""
    assert [(c.text, c.interaction) for c in brief(priya()).recommendation] == [
        ("Pilot agreed on 25 May: build on it.", "rentokil-n4"),
        (
            "Data migration is an open objection, raised on 25 May: provide a data migration plan and timeline.",
            "rentokil-n4",
        ),
        (
            "Onboarding is an open objection, raised on 11 May: share an onboarding plan with dates and names.",
            "rentokil-n2",
        ),
    ]


def test_james_is_to_be_called_about_the_competitor() -> None:
    """Silent for seven days with a competitor unanswered: get back to him, and with what."""
    found = brief(james())
    assert found.recommended_action.text == (
        "Get back to James Okafor: answer the competitor on pricing with a side-by-side comparison"
    )
    assert [(o.text, o.status) for o in found.objections] == [("API reliability, resolved on 9 May", "resolved")]
    assert [(c.text, c.status) for c in found.competitors] == [("Competitor pricing, unanswered since 14 May", "open")]
    assert [line.text for line in found.tone] == ["Quiet: no word for 7 days"]
    assert found.last_contact is not None
    assert found.last_contact.at == date(2026, 5, 18)


def test_a_cold_start_invents_nothing() -> None:
    """The one sentence of the sources, and nothing that would need a note."""
    found = brief(cold())
    assert found.is_cold_start
    assert found.recommended_action.text == "Understand their priorities and introduce the product"
    values = to_json(found)
    assert all(values[name] == [] for name in LISTS)
    assert (values["last_contact"], values["health"]["score"], values["health"]["items"]) == (None, None, [])


# --- lines ---


def test_promises_go_both_ways_with_where_they_stand() -> None:
    """Ours overdue, theirs open, one kept; each with owner, day and source."""
    book = Book("a", "A", "Dana Reed")
    note = book.note(0, "We send the proposal. Dana sends the data. We booked the demo.")
    ours: dict[str, Any] = {"note": note, "is_promise": True, "owner": "rep-1"}
    book.step("send the proposal", quote="We send the proposal", due=date(2026, 5, 5), **ours)
    book.step("book the demo", quote="We booked the demo", done_at=START + DAY, **ours)
    book.step("send the data", quote="Dana sends the data", note=note, is_promise=True, side=Side.THEIRS)
    found = {p.text: (p.side, p.status, p.owner, p.due) for p in brief(book.facts(2)).promises}
    assert found == {
        "Send the proposal": ("ours", "overdue", "rep-1", date(2026, 5, 5)),
        "Book the demo": ("ours", "kept", "rep-1", None),
        "Send the data": ("theirs", "open", "Dana Reed", None),
    }


def test_an_overdue_promise_of_ours_is_what_to_do_first() -> None:
    """Whatever else weighs more, this one is on us."""
    book = priya_book()
    promise: dict[str, Any] = {"note": "rentokil-n3", "quote": "Showed the ROI calculator", "is_promise": True}
    book.step("Send the ROI figures", due=date(2026, 5, 20), **promise)
    found = brief(book.person(22))
    assert found.recommended_action.text == "Keep our promise: Send the ROI figures (due 20 May)"
    assert found.recommendation[1].text == "Our promise is overdue: Send the ROI figures (due 20 May)."


def test_a_step_by_hand_is_its_own_source() -> None:
    """It came from no note, and none is made up for it."""
    book = Book("a", "A")
    book.note(0, "We spoke.")
    book.step("Send the deck", due=date(2026, 5, 20))
    (step,) = brief(book.facts(1)).next_steps
    assert (step.text, step.interaction, step.quote) == ("Send the deck", "", "Send the deck")


def test_an_imported_step_is_proved_by_its_note() -> None:
    """It came with a note but with no words marked in it: the note's first sentence stands for it."""
    book = Book("a", "A")
    note = book.note(0, "Wants quarterly billing. Nice talk.")
    book.step("Send the proposal", note=note)
    found = brief(book.facts(1))
    assert [(s.interaction, s.quote) for s in found.next_steps] == [(note, "Wants quarterly billing.")]
    assert found.recommendation[0].quote == "Wants quarterly billing."


def test_a_concern_that_never_goes_away_is_said_so() -> None:
    """Counted over notes and people since the first time."""
    book = Book("a", "A")
    for day, who in ((0, "Dana"), (7, "Marc"), (14, "Dana")):
        text = "worried about migration"
        book.note(day, text, said(Kind.OBJECTION, text, Topic.MIGRATION, who=who))
    (concern,) = brief(book.facts(15)).concerns
    assert concern.text == "Data migration: raised 3 times since 4 May by 2 people, never resolved"


def test_what_was_told_names_day_and_rep() -> None:
    """So that no pitch is given twice, the latest first."""
    book = Book("a", "A")
    book.note(0, "Showed the deck", said(Kind.TOLD, "Showed the deck"), rep="ann")
    book.note(5, "Sent the price list", said(Kind.TOLD, "Sent the price list", summary="The price list"), rep="bob")
    assert [(t.text, t.at, t.rep) for t in brief(book.facts(6)).told] == [
        ("The price list", date(2026, 5, 9), "bob"),
        ("Showed the deck", date(2026, 5, 4), "ann"),
    ]


def test_a_bare_note_still_gets_two_sentences() -> None:
    """Nothing was read in it: what can be said is when, and that a step is missing."""
    book = Book("a", "A")
    book.note(0, "Coffee with Dana. Nice chat.")
    found = brief(book.facts(1))
    assert [(c.text, c.quote) for c in found.recommendation] == [
        ("No next step is on record: agree one with a date.", "Coffee with Dana."),
        ("The last contact was on 4 May.", "Coffee with Dana."),
    ]
    assert found.recommended_action.text == "Agree a next step with a date"


def test_a_budget_said_free_and_a_competitor_answered_are_shown_as_such() -> None:
    """The latest word first; what is settled is shown as settled."""
    book = Book("a", "A")
    book.note(0, "no budget, rival", said(Kind.BUDGET_BLOCKED, "no budget"), said(Kind.COMPETITOR, "rival"))
    book.note(1, "got budget, rival out", said(Kind.BUDGET_CONFIRMED, "got budget"))
    book.note(2, "rival out", said(Kind.COMPETITOR_RESOLVED, "rival out"))
    found = brief(book.facts(3))
    assert [b.text for b in found.budget] == ["Budget confirmed", "Budget blocked with no end named"]
    assert [(c.text, c.status) for c in found.competitors] == [("A competitor, answered on 6 May", "answered")]


# --- for programs ---


def test_the_json_has_exactly_the_promised_keys() -> None:
    """No more and no less at the top, in health, and in its items; every list item has its proof."""
    values = to_json(brief(priya()))
    assert list(values) == [
        "account", "person", "health", "last_contact", "objections", "budget", "tone", "competitors", "promises",
        "next_steps", "told", "recommended_action", "recommendation",
    ]  # fmt: skip
    assert list(values["health"]) == ["score", "label", "momentum", "at_risk", "risk", "confidence", "items"]
    assert all(list(item) == ["points", "reason", "interaction"] for item in values["health"]["items"])
    assert (values["account"], values["person"], values["last_contact"]) == ("Rentokil", "Priya Sharma", "2026-05-25")
    assert (values["health"]["score"], values["health"]["risk"]) == (70, "data migration")
    for item in chain.from_iterable(values[name] for name in LISTS):
        assert {"text", "interaction", "quote", "at"} <= set(item)


def test_a_brief_of_an_account_names_no_person() -> None:
    """The account was asked for, so the account heads it."""
    assert to_json(brief(james_book().facts(21)))["person"] is None


# --- for every account there can be ---


@given(books(), st.floats(0, 200))
def test_every_line_cites_a_note_that_holds_its_words(book: Book, day: float) -> None:
    """Lines from notes quote them verbatim; lines from records quote the record; nothing is from later."""
    facts = book.facts(day)
    found = brief(facts)
    texts = {note.key: note.text for note in facts.interactions if note.occurred_at <= facts.as_of}
    for claim in (*found.objections, *found.budget, *found.tone, *found.competitors, *found.told, *found.people):
        assert claim.quote
        assert claim.quote in texts[claim.interaction]
    recorded = {(step.interaction, step.quote or step.title) for step in book.steps}
    for claim in (*found.promises, *found.next_steps, *found.recommendation, *_action(found)):
        in_a_note = claim.quote in texts.get(claim.interaction, "")
        assert in_a_note or (claim.interaction, claim.quote) in recorded


def _action(found: Brief) -> tuple[Claim, ...]:
    return () if found.is_cold_start else (found.recommended_action,)


@given(books(least=1))
def test_a_recommendation_has_two_or_three_sentences_each_with_a_note(book: Book) -> None:
    """Whatever the account is like."""
    found = brief(book.facts(120)).recommendation
    assert 2 <= len(found) <= 3
    assert all(claim.interaction for claim in found)
    assert all(claim.text.endswith(".") for claim in found)


@given(books())
def test_the_same_facts_give_the_same_words(book: Book) -> None:
    """No clock, no chance."""
    assert brief(book.facts(120)) == brief(book.facts(120))


# --- the other jobs ---


def test_it_reads_notes_by_the_rules() -> None:
    """What it saw carries the name of what saw it."""
    scribe = PlainScribe()
    book = Book("a", "A")
    book.note(0, "They are worried about data migration.")
    reading = scribe.read(book.notes[0])
    assert reading.read_as == scribe.name
    assert [(s.kind, s.topic) for s in reading.sightings] == [(Kind.OBJECTION, Topic.MIGRATION)]


def test_a_digest_keeps_the_words_of_the_cards() -> None:
    """One wording for each account."""
    cards = [card(priya()), card(james())]
    worded = PlainScribe().digest(cards)
    assert {key: (w.why, w.action) for key, w in worded.lines.items()} == {c.account: (c.why, c.action) for c in cards}


def _hit(key: str, quote: str, **fields: Any) -> Hit:
    made = Hit(
        interaction=key, score=0.9, text=f"Before. {quote} After.", quote=quote, account="A", account_key="a",
        rep="ann", channel="call", occurred_at=START,
    )  # fmt: skip
    return replace(made, **fields)


def test_an_answer_is_the_passages_in_groups() -> None:
    """Objections, then promises and next steps, then the rest; inside a group the best first."""
    hits = [
        _hit("n1", "They have four offices."),
        _hit("n2", "I'll send the proposal by Friday."),
        _hit("n3", "They are worried about data migration."),
        _hit("n4", "She pushed back on annual pricing."),
    ]
    answer = PlainScribe().answer("What about them?", hits)
    assert answer.answerable
    assert [(c.group, c.interaction) for c in answer.claims] == [
        (OBJECTIONS, "n3"),
        (OBJECTIONS, "n4"),
        (PROMISES, "n2"),
        (REST, "n1"),
    ]
    assert answer.claims[0].text == answer.claims[0].quote == "They are worried about data migration."


def test_without_a_hit_the_notes_do_not_say() -> None:
    """An answer is never made up."""
    answer = PlainScribe().answer("What about them?", [])
    assert (answer.answerable, answer.claims) == (False, ())
