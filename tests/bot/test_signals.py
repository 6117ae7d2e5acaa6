"""What is read in a note by rules, and what code makes of it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.samples import ACME, JAMES, PRIYA
from bot.signals import Reading, Sighting, is_grounded, merge, next_steps_of, to_signals
from bot.signals_rules import read_by_rules
from storage import Kind, Side, Topic

AT = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
K, T = Kind, Topic


def _read(text: str) -> set[tuple[Kind, Topic]]:
    return {(s.kind, s.topic) for s in read_by_rules(text).sightings}


def test_the_sources_own_notes_are_read_right() -> None:
    """Acme, Priya and James say exactly what the sources say they say."""
    assert _read(ACME["INTERACTION"][0]["summary"]) == {(K.OBJECTION, T.PRICING)}
    assert [_read(text) for _, _, text in PRIYA] == [
        {(K.BUDGET_BLOCKED, T.BUDGET)},
        {(K.OBJECTION, T.ONBOARDING)},
        {(K.POSITIVE_REACTION, T.OTHER), (K.PILOT_REQUESTED, T.OTHER)},
        {(K.PILOT_AGREED, T.MIGRATION), (K.OBJECTION, T.MIGRATION)},
    ]
    assert [_read(text) for _, _, text in JAMES] == [
        {(K.OBJECTION, T.RELIABILITY)},
        {(K.OBJECTION_RESOLVED, T.RELIABILITY)},
        {(K.COMPETITOR, T.PRICING)},
        {(K.COMMITMENT_DONE, T.SECURITY)},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Pricing is not a concern for them.",
        "no competitor involved",
        "The pilot light in their lobby went out.",
        "We waited for the security guard at the door.",
        "Nice chat about the weather.",
        "She has no worries about migration.",
        "As far as he's concerned we can start.",
        "They don't want to lose the slot, so we start early.",
        "We looked at the dashboards together.",
        "Salesforce is where they keep their contacts.",
        "No reaction to the colour change in the app store.",
        "Money is tight in football these days, he joked.",
        "The board game evening was fun.",
    ],
)
def test_what_is_denied_or_means_something_else_is_not_read(text: str) -> None:
    """A negation or another sense of a word makes no objection, competitor, pilot or budget."""
    telling = {K.OBJECTION, K.COMPETITOR, K.PILOT_AGREED, K.PILOT_REQUESTED, K.BUDGET_BLOCKED, K.BUDGET_CONFIRMED}
    assert not telling & {kind for kind, _ in _read(text)}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I'll send the proposal tomorrow", K.COMMITMENT_BY_US),
        ("she'll intro us to procurement", K.COMMITMENT_BY_THEM),
        ("no reply to my last two emails", K.NO_RESPONSE),
        ("budget approved by the CFO", K.BUDGET_CONFIRMED),
        ("they gave us a verbal yes", K.VERBAL_COMMITMENT),
        ("asked us to call them after the board on 1 December", K.PAUSE_AGREED),
        ("they dropped Okta last week", K.COMPETITOR_RESOLVED),
        ("also talking to Zendesk", K.COMPETITOR),
        ("needs sign-off from the CFO", K.AUTHORITY),
        ("demo booked for 3 July", K.NEXT_STEP),
        ("He won't let customer records leave the country", K.OBJECTION),
        ("the figure is well above what she had in mind", K.OBJECTION),
        ("Nadia kept coming back to who trains the night shift", K.OBJECTION),
        ("their buyer sees no point in a second system", K.OBJECTION),
        ("lukewarm about signing before summer", K.OBJECTION),
        ("she says that closes it for her", K.OBJECTION_RESOLVED),
        ("not heard a word since the demo", K.NO_RESPONSE),
        ("Kestrel were in yesterday with a free year", K.COMPETITOR),
        ("he mentioned a cheaper bid", K.COMPETITOR),
        ("looked at ClaimCloud before us", K.COMPETITOR),
        ("all spending is frozen till the merger closes", K.BUDGET_BLOCKED),
        ("40k are earmarked for it", K.BUDGET_CONFIRMED),
        ("said I'd send the numbers on Monday", K.COMMITMENT_BY_US),
        ("told Hanne she gets the template by Friday", K.COMMITMENT_BY_US),
        ("Ilse sends us the headcount by the 12th", K.COMMITMENT_BY_THEM),
        ("security form returned yesterday", K.COMMITMENT_DONE),
        ("anything over 50k lands with the owner", K.AUTHORITY),
        ("wants to try it in one depot first", K.PILOT_REQUESTED),
        ("agreed to test it in two branches", K.PILOT_AGREED),
        ("Rashid said to ring back after the 16th", K.PAUSE_AGREED),
    ],
)
def test_informal_sentences_are_read(text: str, kind: Kind) -> None:
    """One sentence of each further kind, as reps write it."""
    assert kind in {k for k, _ in _read(text)}


@given(st.text(max_size=400))
def test_reading_never_fails_and_quotes_are_verbatim(text: str) -> None:
    """Whatever the text, every quote is a part of it."""
    for sighting in read_by_rules(text).sightings:
        assert sighting.quote in text


@pytest.mark.parametrize("piece", ["a", " ", "(", "will ", "no ", "budget ", "moving ", "Acme ", "told her ", "spend "])
def test_a_note_of_forty_thousand_characters_is_read(piece: str) -> None:
    """The longest note of one repeated piece comes back: no pattern runs away (the suite has its own time limit)."""
    assert read_by_rules((piece * 40_000)[:40_000]).read_as


def test_a_quote_that_is_not_in_the_note_is_dropped() -> None:
    """A reader cannot make words up; case, quotes and dashes may differ."""
    made_up = Sighting(K.OBJECTION, T.PRICING, "they hate the price")
    real = Sighting(K.OBJECTION, T.PRICING, "Dana’s team – too expensive")
    text = "dana's team - Too expensive, she said"
    kept = to_signals(Reading((made_up, real), "x"), text=text, occurred_at=AT, tz=ZONE)
    assert [s.quote for s in kept] == [real.quote]
    assert not is_grounded("short", "a short note about things")


def test_good_news_in_a_customers_own_text_waits_for_a_reps_word() -> None:
    """A pilot in forwarded text is pending; an objection there counts at once."""
    reading = read_by_rules("We agreed to a pilot. We are worried about security.")
    by_kind = {
        s.kind: s
        for s in to_signals(
            reading, text="We agreed to a pilot. We are worried about security.", occurred_at=AT, tz=ZONE, external=True
        )
    }
    assert by_kind[K.PILOT_AGREED].pending
    assert not by_kind[K.OBJECTION].pending


def test_a_promise_becomes_a_step_with_its_day_and_side() -> None:
    """Ours and theirs, titled by what is to be done."""
    text = "I'll send the security report by Friday. She will share the redlines next week."
    steps = next_steps_of(to_signals(read_by_rules(text), text=text, occurred_at=AT, tz=ZONE))
    assert [(s.side, s.due, s.is_promise) for s in steps] == [
        (Side.OURS, date(2026, 6, 19), True),
        (Side.THEIRS, date(2026, 6, 26), True),
    ]
    assert steps[0].title == "Send the security report by Friday"


def test_a_models_reading_wins_where_both_saw_the_same() -> None:
    """The union of both readings, without the same sighting twice."""
    rules = Reading(
        (Sighting(K.OBJECTION, T.OTHER, "too expensive for them"), Sighting(K.TOLD, T.OTHER, "demoed")), "r"
    )
    model = Reading((Sighting(K.OBJECTION, T.PRICING, "too expensive"),), "m")
    assert {(s.kind, s.topic) for s in merge(rules, model).sightings} == {(K.OBJECTION, T.PRICING), (K.TOLD, T.OTHER)}


def test_a_model_cannot_approve_a_frozen_budget() -> None:
    """Injected or mistaken: the words that say it is frozen do not say that it is there."""
    rules = read_by_rules("Priya says the budget is frozen until Q3.")
    model = Reading((Sighting(K.BUDGET_CONFIRMED, T.BUDGET, "the budget is frozen"),), "m")
    assert {s.kind for s in merge(rules, model).sightings} == {K.BUDGET_BLOCKED}
