"""Promises of the week: one bucket for each account, the most urgent first, whatever order they came in."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.deal import read_deal
from bot.week import Bucket, Card, Wording, bucket_of, card, to_json, urgency, week, worded
from storage import Kind, Opportunity, Side, Topic
from tests.bot.facts import DAY, START, Book, books, cold, james_book, priya_book, said


def _now() -> tuple[Card, Card]:
    """Priya the day after her note, James seven days after the report: as of the same day."""
    james = james_book()
    james.notes = [replace(note, occurred_at=note.occurred_at + DAY) for note in james.notes]
    return card(priya_book().facts(22)), card(james.facts(22))


def test_james_is_red_above_priya() -> None:
    """Seven days without a word over an open competitor is red; an open objection a day after a talk is yellow."""
    priya, james = _now()
    found = week([priya, james])
    assert [c.account for c in found.red] == ["paysend"]
    assert [c.account for c in found.yellow] == ["rentokil"]
    assert found.green == ()


def test_a_card_says_why_and_what_to_do() -> None:
    """One specific action each, on the notes it rests on, with the owner."""
    priya, james = _now()
    assert james.why == "7 days without a word from them and competitor pricing open"
    assert james.action == "Get back to James Okafor: answer the competitor on pricing with a side-by-side comparison"
    assert james.interactions == ("paysend-n3", "paysend-n4")
    assert (priya.why, priya.action) == (
        "Data migration open and onboarding open",
        "Provide a data migration plan and timeline",
    )
    assert priya.owner == "rep-1"


def test_the_change_is_since_the_last_digest() -> None:
    """The score is replayed for the last time; an account that was not there then has no change."""
    seen = card(priya_book().facts(22), START + 15 * DAY)
    assert (seen.change, seen.new_notes, seen.changed, seen.before) == (25, 1, True, Bucket.YELLOW)
    assert card(priya_book().facts(22), START - DAY).change is None
    quiet = card(priya_book().facts(23), START + 22 * DAY)
    assert (quiet.change, quiet.new_notes, quiet.changed) == (0, 0, False)


def test_falling_silent_is_a_change() -> None:
    """Nothing was written since, but the account turned red: the reader has to see it."""
    seen = card(priya_book().facts(27), START + 22 * DAY)
    assert (seen.bucket, seen.before, seen.changed) == (Bucket.RED, Bucket.YELLOW, True)


def test_five_days_of_silence_are_red_even_if_all_is_well() -> None:
    """Whoever waits for whom; four days are not."""
    book = Book("a", "A")
    note = book.note(0, "All well.")
    book.step("Demo", note=note, due=date(2026, 6, 30))
    assert [card(book.facts(day)).bucket for day in (4, 5)] == [Bucket.GREEN, Bucket.RED]


def test_a_pause_they_asked_for_is_not_red() -> None:
    """Until the day they named it is on track; then it asks for a step; five days after it is red."""
    book = Book("a", "A", "Dana Reed")
    pause = said(Kind.PAUSE_AGREED, "Call me on 1 June", due=date(2026, 6, 1))
    book.note(0, "Call me on 1 June", pause)
    seen = [card(book.facts(day)) for day in (20, 29, 33)]
    assert [c.bucket for c in seen] == [Bucket.GREEN, Bucket.YELLOW, Bucket.RED]
    assert seen[0].why == "Pause agreed until 1 Jun"
    assert seen[0].action == "Get back to Dana Reed on 1 Jun, as agreed"


def test_an_overdue_promise_of_ours_is_red() -> None:
    """We owe, so it is on us; and that is the first thing to do."""
    book = Book("a", "A")
    note = book.note(0, "We send the proposal by 5 May.")
    book.step("Send the proposal", note=note, quote="send the proposal", is_promise=True, due=date(2026, 5, 5))
    seen = card(book.facts(2))
    assert seen.bucket is Bucket.RED
    assert seen.action == "Keep our promise: Send the proposal (due 5 May)"
    assert seen.why == "Our promise is overdue: Send the proposal (due 5 May)"


def test_an_overdue_promise_of_theirs_is_not_red() -> None:
    """Then there is no next step left, so it is yellow."""
    book = Book("a", "A")
    note = book.note(0, "They send the contract by 5 May.")
    book.step("Send the contract", note=note, is_promise=True, due=date(2026, 5, 5), side=Side.THEIRS)
    assert card(book.facts(2)).bucket is Bucket.YELLOW


def test_without_a_next_step_it_is_yellow_with_one_it_is_green() -> None:
    """A good talk that leads nowhere needs a follow-up."""
    book = Book("a", "A")
    note = book.note(0, "Good talk.")
    assert card(book.facts(1)).why == "No next step"
    book.step("Demo", note=note, due=date(2026, 5, 12))
    seen = card(book.facts(1))
    assert (seen.bucket, seen.why, seen.next_step) == (Bucket.GREEN, "Next: Demo (due 12 May)", "Demo (due 12 May)")


def test_a_closed_deal_asks_for_nothing() -> None:
    """Lost in spring and silent since: not red."""
    book = Book("a", "A")
    book.note(0, "They went with a rival.", said(Kind.COMPETITOR, "went with a rival"))
    book.deals = (Opportunity(1, "o1", 1, status="lost"),)
    seen = card(book.facts(90))
    assert (seen.bucket, seen.why) == (Bucket.GREEN, "The deal is lost")


def test_a_cold_account_is_yellow_and_invents_nothing() -> None:
    """Nobody spoke to them: there is no next step, and no note to cite."""
    seen = card(cold())
    assert (seen.bucket, seen.interactions, seen.health.score) == (Bucket.YELLOW, (), None)
    assert seen.action == "Understand their priorities and introduce the product"


def test_a_deal_to_save_comes_before_one_asleep() -> None:
    """Red: our broken promise first, then what is open, the better deal first; a hundred days of silence come last."""
    asleep, open_issue, broken = Book("asleep", "A"), Book("issue", "B"), Book("broken", "C")
    asleep.note(0, "price", said(Kind.OBJECTION, "price", Topic.PRICING))
    open_issue.note(94, "price", said(Kind.OBJECTION, "price", Topic.PRICING))
    note = broken.note(99, "We send it.")
    broken.step("It", note=note, is_promise=True, due=date(2026, 8, 11))
    found = week(card(book.facts(100)) for book in (asleep, open_issue, broken))
    assert [c.account for c in found.red] == ["broken", "issue", "asleep"]


# --- a scribe's words ---


def test_a_scribe_may_move_a_card_by_one_bucket_with_a_reason() -> None:
    """Yellow to red with a reason and a note; the move is shown, and the note is cited."""
    priya, _ = _now()
    asked = Wording("Pilot at stake", "Call today", Bucket.RED, "She leaves on Friday", ("rentokil-n4",))
    (moved,) = worded([priya], {"rentokil": asked})
    assert (moved.bucket, moved.moved, moved.why, moved.action) == (
        Bucket.RED,
        "She leaves on Friday",
        "Pilot at stake",
        "Call today",
    )
    assert "rentokil-n4" in moved.interactions


@pytest.mark.parametrize(
    ("bucket", "reason", "cites"),
    [(Bucket.YELLOW, "", ("n",)), (Bucket.YELLOW, "because", ()), (Bucket.GREEN, "all is well", ("n",))],
)
def test_a_scribe_may_not_move_a_card_otherwise(bucket: Bucket, reason: str, cites: tuple[str, ...]) -> None:
    """Not without a reason, not without a note, and never from red to green."""
    _, james = _now()
    (kept,) = worded([james], {"paysend": Wording("", "", bucket, reason, cites)})
    assert (kept.bucket, kept.moved, kept.why, kept.action) == (Bucket.RED, "", james.why, james.action)


def test_a_card_without_wording_keeps_its_own() -> None:
    """An account the scribe left out is not left out of the week."""
    priya, james = _now()
    assert worded([priya, james], {}) == (priya, james)


def test_the_json_has_what_programs_were_promised() -> None:
    """`{as_of, red, yellow, green}`, each item with the ten named keys."""
    found = to_json(week(_now()), START + 22 * DAY)
    assert list(found) == ["as_of", "red", "yellow", "green"]
    (item,) = found["red"]
    assert list(item) == [
        "account", "name", "health", "label", "at_risk", "change", "why", "action", "owner", "interactions",
    ]  # fmt: skip
    assert (item["account"], item["health"], item["at_risk"], item["change"]) == ("paysend", 35, True, None)


def test_a_quiet_week_is_known() -> None:
    """Nothing red and nothing new: one line will do."""
    seen = card(priya_book().facts(23), START + 22 * DAY)
    assert week([seen]).is_quiet
    assert not week([replace(seen, changed=True)]).is_quiet


# --- for any accounts ---

ACCOUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=5, unique=True).flatmap(
    lambda numbers: st.tuples(*(books(key=f"acct-{number}") for number in numbers))
)


@given(ACCOUNTS, st.data())
def test_every_account_is_in_exactly_one_bucket_and_the_order_is_stable(
    team: tuple[Book, ...], data: st.DataObject
) -> None:
    """None is lost, none is twice, and the order does not depend on the order they came in."""
    cards = [card(book.facts(120), START + 100 * DAY) for book in team]
    found = week(cards)
    assert sorted(c.account for c in found.cards) == sorted(book.account.key for book in team)
    assert week(data.draw(st.permutations(cards))) == found
    assert len({urgency(c) for c in cards}) == len(cards)


@given(books(), st.floats(0, 150))
def test_a_card_is_in_the_bucket_of_its_facts(book: Book, day: float) -> None:
    """Silence of five days or a broken promise is red, whatever else; what is said rests on notes of the account."""
    facts = book.facts(day)
    deal, seen = read_deal(facts), card(facts)
    assert seen.bucket is bucket_of(deal)
    assert (seen.bucket is Bucket.RED) == (seen.silence >= 5 or seen.owes)
    assert seen.why
    assert seen.action
    assert set(seen.interactions) <= {note.key for note in deal.notes} | {step.interaction for step in book.steps}
