"""Promises of the health score: the worked examples, and what holds for every account there can be."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.deal import cut, is_theirs, read_deal
from bot.health import V1, Confidence, Health, Momentum, Rubric, Rule, assess, history, points_of
from storage import Facts, Kind, Side, Signal, Topic
from tests.bot.facts import DAY, START, Book, books, cold, james, james_book, priya, priya_book, said, shuffled

# --- the worked examples ---


def test_priya_is_at_seventy() -> None:
    """70, Hot, improving, medium, at risk: data migration; each row of the rubric as it was worked out."""
    health = assess(priya())
    assert (health.score, health.label, health.momentum) == (70, "Hot", Momentum.IMPROVING)
    assert (health.confidence, health.at_risk, health.risk) == (Confidence.MEDIUM, True, "data migration")
    assert _by_rule(health) == {
        "start": 30, "contact": 20, "pilot": 25, "next step": 10, "positive reaction": 5, "budget blocked": -5,
        "open objection": -15,
    }  # fmt: skip


def test_james_is_at_thirty_five() -> None:
    """35, declining, medium, at risk for his silence over an open competitor."""
    health = assess(james())
    assert (health.score, health.label, health.momentum) == (35, "Warming up", Momentum.DECLINING)
    assert (health.confidence, health.at_risk) == (Confidence.MEDIUM, True)
    assert health.risk == "7 days of silence with competitor pricing open"
    assert _by_rule(health) == {"start": 30, "contact": 20, "objection resolved": 5, "competitor": -10, "silence": -10}


def test_without_a_note_there_is_no_score() -> None:
    """A cold start is not a zero."""
    health = assess(cold())
    assert (health.score, health.label, health.items, health.at_risk) == (None, "", (), False)
    assert (health.momentum, health.confidence) == (Momentum.STEADY, Confidence.LOW)


def test_the_score_is_replayed_at_each_note() -> None:
    """History holds one moment per note, each what `assess` would have said then."""
    moments = history(priya())
    assert [m.health.score for m in moments] == [30, 25, 45, 70]
    assert [m.interaction for m in moments] == [f"rentokil-n{n}" for n in (1, 2, 3, 4)]
    assert moments[-1].health == assess(cut(priya(), moments[-1].at))


def _by_rule(health: Health) -> dict[str, int]:
    rules = dict.fromkeys(item.rule for item in health.items)
    return {rule.value: points_of(health.items, rule) for rule in rules}


# --- row by row ---


def _points(rule: Rule, *signals: Signal, day: float = 1, text: str = "") -> int:
    book = Book("a", "A")
    book.note(0, text or " ".join(s.quote for s in signals), *signals)
    return points_of(assess(book.facts(day)).items, rule)


@pytest.mark.parametrize(
    ("rule", "signal", "points"),
    [
        (Rule.PILOT, said(Kind.PILOT_REQUESTED, "pilot?"), 10),
        (Rule.PILOT, said(Kind.PILOT_AGREED, "pilot!"), 25),
        (Rule.VERBAL, said(Kind.VERBAL_COMMITMENT, "we have a deal"), 30),
        (Rule.BUDGET_CONFIRMED, said(Kind.BUDGET_CONFIRMED, "budget is there", Topic.BUDGET), 15),
        (Rule.BUDGET_BLOCKED, said(Kind.BUDGET_BLOCKED, "frozen", Topic.BUDGET, due=date(2026, 7, 1)), -5),
        (Rule.BUDGET_BLOCKED, said(Kind.BUDGET_BLOCKED, "no budget", Topic.BUDGET), -10),
        (Rule.NEXT_STEP, said(Kind.NEXT_STEP, "demo on Friday", due=date(2026, 5, 8)), 10),
        (Rule.NEXT_STEP, said(Kind.NEXT_STEP, "we will talk"), 5),
        (Rule.NEXT_STEP, said(Kind.PILOT_AGREED, "pilot!"), 10),
        (Rule.POSITIVE, said(Kind.POSITIVE_REACTION, "loved it"), 5),
        (Rule.RESOLVED, said(Kind.OBJECTION_RESOLVED, "price is fine", Topic.PRICING), 5),
        (Rule.OBJECTION, said(Kind.OBJECTION, "too expensive", Topic.PRICING), -10),
        (Rule.COMPETITOR, said(Kind.COMPETITOR, "looking at a rival"), -10),
    ],
)
def test_each_row_gives_its_points(rule: Rule, signal: Signal, points: int) -> None:
    """The table of the rubric, row by row, for something heard yesterday."""
    assert _points(rule, signal) == points


@pytest.mark.parametrize(("days", "points"), [(4, 0), (5, -10), (13, -10), (14, -20), (30, -30), (60, -40), (400, -40)])
def test_silence_weighs_more_the_longer_it_lasts(days: int, points: int) -> None:
    """No word for 5, 14, 30 or 60 days: 10, 20, 30 or 40 points."""
    assert _points(Rule.SILENCE, day=days, text="We spoke.") == points


def test_objections_take_twenty_five_at_most() -> None:
    """Four fresh objections take 10, 10 and 5; the fourth has nothing left to take."""
    book = Book("a", "A")
    topics = (Topic.PRICING, Topic.LEGAL, Topic.SECURITY, Topic.TIMING)
    book.note(0, "no", *(said(Kind.OBJECTION, "no", topic) for topic in topics))
    items = [item.points for item in assess(book.facts(0)).items if item.rule is Rule.OBJECTION]
    assert items == [-10, -10, -5]


def test_an_older_objection_weighs_less() -> None:
    """Two notes later the same objection takes 5 instead of 10."""
    book = Book("a", "A")
    book.note(0, "too expensive", said(Kind.OBJECTION, "too expensive", Topic.PRICING))
    book.note(1, "We spoke.")
    book.note(2, "We spoke.")
    weights = [points_of(assess(book.facts(day)).items, Rule.OBJECTION) for day in (1, 2)]
    assert weights == [-10, -5]


def test_a_blocked_budget_is_not_held_against_the_deal_twice() -> None:
    """One sentence read as a freeze and as an objection takes what the heavier of the two takes."""
    frozen = said(Kind.BUDGET_BLOCKED, "frozen", Topic.BUDGET, due=date(2026, 7, 1))
    items = _items_of(frozen, said(Kind.OBJECTION, "frozen", Topic.BUDGET))
    assert items[Rule.BUDGET_BLOCKED] + items[Rule.OBJECTION] == -10


def _items_of(*signals: Signal) -> dict[Rule, int]:
    return {rule: _points(rule, *signals) for rule in Rule}


def test_a_freeze_that_ran_out_is_not_a_budget() -> None:
    """After the day they named, the points stay off and the reason says that nobody confirmed."""
    book = Book("a", "A")
    book.note(0, "frozen", said(Kind.BUDGET_BLOCKED, "frozen", Topic.BUDGET, due=date(2026, 5, 6)))
    (item,) = [i for i in assess(book.facts(4)).items if i.rule is Rule.BUDGET_BLOCKED]
    assert item.points == -5
    assert "not confirmed since" in item.reason


def test_our_overdue_promises_take_ten_at_most() -> None:
    """Five each, theirs and kept ones nothing."""
    book = Book("a", "A")
    note = book.note(0, "We spoke.")
    for number in range(3):
        book.step(f"promise {number}", note=note, is_promise=True, due=date(2026, 5, 5))
    book.step("theirs", note=note, is_promise=True, due=date(2026, 5, 5), side=Side.THEIRS)
    assert [i.points for i in assess(book.facts(2)).items if i.rule is Rule.OVERDUE] == [-5, -5]


def test_a_step_whose_day_has_passed_is_no_next_step() -> None:
    """A demo planned for last Friday moves nothing on."""
    book = Book("a", "A")
    note = book.note(0, "We spoke.")
    book.step("Demo", note=note, due=date(2026, 5, 6))
    points = [points_of(assess(book.facts(day)).items, Rule.NEXT_STEP) for day in (2, 3)]
    assert points == [10, 0]


def test_a_step_written_by_hand_rests_on_the_note_of_then() -> None:
    """Every item names a note, also one for a step that came from none."""
    book = Book("a", "A")
    book.note(0, "We spoke.")
    book.note(3, "We spoke again.")
    book.step("Demo", made=1, due=date(2026, 5, 20))
    (item,) = [i for i in assess(book.facts(3)).items if i.rule is Rule.NEXT_STEP]
    assert item.interaction == "a-n1"


def test_a_resolved_objection_gives_points_ten_at_most() -> None:
    """Five each, and a topic that was raised again gives none."""
    topics = (Topic.PRICING, Topic.LEGAL, Topic.SECURITY)
    settled = [said(Kind.OBJECTION_RESOLVED, "fine", topic) for topic in topics]
    assert _points(Rule.RESOLVED, *settled) == 10
    assert _points(Rule.RESOLVED, settled[0], said(Kind.OBJECTION, "not fine", Topic.PRICING)) == 0


def test_a_sum_over_a_hundred_is_brought_back_in_the_open() -> None:
    """The clamp is an item like any other, so that the items still add up."""
    book = priya_book()
    book.note(
        21.5,
        "Budget confirmed, we have a deal, migration is fine, onboarding too",
        said(Kind.BUDGET_CONFIRMED, "Budget confirmed", Topic.BUDGET),
        said(Kind.VERBAL_COMMITMENT, "we have a deal"),
        said(Kind.OBJECTION_RESOLVED, "migration is fine", Topic.MIGRATION),
        said(Kind.OBJECTION_RESOLVED, "onboarding too", Topic.ONBOARDING),
    )
    health = assess(book.facts(22))
    assert (health.score, health.label) == (100, "Closing")
    assert points_of(health.items, Rule.CLAMP) == -45


# --- flags ---


@pytest.mark.parametrize(
    ("score", "label"),
    [(0, "Cold"), (20, "Cold"), (21, "Warming up"), (41, "Engaged"), (61, "Hot"), (80, "Hot"), (81, "Closing")],
)
def test_the_number_decides_the_label(score: int, label: str) -> None:
    """Bands of twenty; being at risk is a flag beside the label."""
    assert V1.label(score) == label


def test_at_risk_says_why() -> None:
    """Long silence alone, or silence over something open; never without a reason, never with one and no flag."""
    book = Book("a", "A")
    book.note(0, "We spoke.")
    assert [assess(book.facts(day)).risk for day in (13, 14)] == ["", "14 days of silence"]
    book.note(20, "Still worried about the price", said(Kind.OBJECTION, "worried about the price", Topic.PRICING))
    assert [assess(book.facts(day)).risk for day in (24, 25)] == ["", "5 days of silence with pricing open"]


def test_confidence_follows_how_much_is_remembered() -> None:
    """First call low, after three notes medium, six with two of them fresh high, long forgotten low again."""
    book = Book("a", "A")
    seen = []
    for day in range(6):
        book.note(day, "We spoke.")
        seen.append(assess(book.facts(day)).confidence.value)
    assert seen == ["low", "low", "medium", "medium", "medium", "high"]
    assert assess(book.facts(40)).confidence is Confidence.MEDIUM
    assert assess(book.facts(60)).confidence is Confidence.LOW


def test_a_first_call_is_steady() -> None:
    """Momentum needs a note to compare with."""
    book = Book("a", "A")
    book.note(0, "too expensive", said(Kind.OBJECTION, "too expensive", Topic.PRICING))
    assert assess(book.facts(0)).momentum is Momentum.STEADY


def test_silence_by_agreement_costs_nothing() -> None:
    """They named 1 June; in May nothing is taken off and nothing is at risk."""
    book = james_book()
    book.note(15, "Call me on 1 June", said(Kind.PAUSE_AGREED, "Call me on 1 June", due=date(2026, 6, 1)))
    health = assess(book.facts(25))
    assert points_of(health.items, Rule.SILENCE) == 0
    assert not health.at_risk


def test_a_workspace_may_weigh_otherwise() -> None:
    """Another rubric gives another score, its label and its version; the notes are the same."""
    rubric = replace(V1, version="ours-2", pilot_agreed=40)
    health = assess(priya(), rubric)
    assert (health.score, health.label, health.rubric) == (85, "Closing", "ours-2")


def test_the_heaviest_deduction_comes_first() -> None:
    """By points, then by rule: what to do first follows from this order."""
    assert [item.rule for item in assess(james()).deductions] == [Rule.COMPETITOR, Rule.SILENCE]
    assert [(item.topic, item.points) for item in assess(priya()).deductions] == [
        (Topic.MIGRATION, -10),
        (Topic.ONBOARDING, -5),
        (Topic.BUDGET, -5),
    ]


# --- for every account there can be ---

LATE = 120


def _score(facts: Facts, rubric: Rubric = V1) -> int:
    score = assess(facts, rubric).score
    assert score is not None
    return score


@given(books(), st.floats(0, 200))
def test_the_score_is_in_range_and_the_sum_of_its_items(book: Book, day: float) -> None:
    """0 to 100, equal to the points shown, and labelled by its band."""
    health = assess(book.facts(day))
    if health.score is None:
        assert health.items == ()
    else:
        assert 0 <= health.score <= 100
        assert sum(item.points for item in health.items) == health.score
        assert health.label == V1.label(health.score)


@given(books(), st.floats(0, 200))
def test_every_point_names_a_note_of_then(book: Book, day: float) -> None:
    """No item without a note, none with a note from later, none without points or a reason."""
    facts = book.facts(day)
    known = {note.key for note in facts.interactions if note.occurred_at <= facts.as_of}
    for item in assess(facts).items:
        assert item.interaction in known
        assert item.points
        assert item.reason


@given(books(), st.permutations(range(60)))
def test_the_order_of_rows_changes_nothing(book: Book, order: list[int]) -> None:
    """The same facts in another order are the same facts."""
    facts = book.facts(LATE)
    assert assess(shuffled(facts, order)) == assess(facts)


@given(books(least=1), st.data())
def test_another_open_objection_never_raises(book: Book, data: st.DataObject) -> None:
    """Heard where they spoke and not settled since: where they were silent, any word is also a sign of life."""
    facts = book.facts(LATE)
    deal = read_deal(facts)
    spoken = [n for n in deal.notes if is_theirs(n, [s for s in deal.signals if s.interaction == n.key])]
    assume(spoken)
    note = data.draw(st.sampled_from(spoken))
    topic = data.draw(st.sampled_from([Topic.PRICING, Topic.SECURITY, Topic.BUDGET, Topic.OTHER]))
    more = said(Kind.OBJECTION, "one more objection", topic, interaction=note.key, interaction_id=note.id, id=9_999)
    worse = replace(facts, signals=(*facts.signals, more))
    assume(any(signal.id == more.id for issue in read_deal(worse).open_objections for signal in issue.raised))
    assert _score(worse) <= _score(facts)


@given(books(least=1), st.data())
def test_a_resolution_never_lowers(book: Book, data: st.DataObject) -> None:
    """Of any topic, in any note, of an objection or of a competitor."""
    facts = book.facts(LATE)
    note = data.draw(st.sampled_from(facts.interactions))
    kind = data.draw(st.sampled_from([Kind.OBJECTION_RESOLVED, Kind.COMPETITOR_RESOLVED]))
    topic = data.draw(st.sampled_from([Topic.PRICING, Topic.SECURITY, Topic.BUDGET, Topic.OTHER]))
    more = said(kind, "settled for good", topic, interaction=note.key, interaction_id=note.id, id=9_999)
    assert _score(replace(facts, signals=(*facts.signals, more))) >= _score(facts)


@given(books(least=1), st.integers(0, 200), st.integers(0, 200))
def test_waiting_never_raises(book: Book, wait: int, longer: int) -> None:
    """With nothing new, a later look is never a better one."""
    last = LATE + wait  # after all that was drawn: notes, ticks and pauses
    assert _score(book.facts(last + longer)) <= _score(book.facts(last))


@given(books())
def test_the_past_does_not_change(book: Book) -> None:
    """What was known at a moment is the same, whenever it is computed."""
    facts = book.facts(LATE)
    for moment in (START + 30 * DAY, START + 60 * DAY):
        assert assess(cut(facts, moment)) == assess(replace(facts, as_of=moment))


@given(books())
def test_at_risk_and_its_reason_go_together(book: Book) -> None:
    """No flag without a reason, no reason without a flag."""
    health = assess(book.facts(LATE))
    assert health.at_risk == bool(health.risk)
