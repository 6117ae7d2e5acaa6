"""Numbers in digits and in words: what a model may say of an amount, and what it made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.grounding import numbers_known
from bot.numbers import numbers_in, values_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("twenty thousand", {20_000}),
        ("20k a year", {20_000}),
        ("$1.5M", {1_500_000}),
        ("20,000 and 20.000", {20_000}),
        ("half a million", {500_000}),
        ("one and a half million", {1_500_000}),
        ("a dozen seats", {12}),
        ("two dozen", {24}),
        ("two hundred and fifty seats", {250}),
        ("twelve hundred", {1200}),
        ("three thousand four hundred and twenty-one", {3421}),
        ("two weeks", {2, 14}),
        ("three-year contract", {3, 36}),
        ("a fortnight", {14}),
        ("half the team", {50}),
        ("in the third quarter", {3}),
        ("Q3", {3}),
        ("on the twenty-first", {21}),
        ("on 1.7.2026", {1, 7, 2026}),
        ("five to ten users", {5, 10}),
        ("twenty grand", {20_000}),
        ("they doubled it", {2}),
        ("ninety percent", {90}),
        ("２０ seats and ②", {20, 2}),
    ],
)
def test_a_number_is_read_as_its_value(text: str, values: set[int]) -> None:
    """However it is written; halves of what is whole do not matter here."""
    told = {int(value) for number in numbers_in(text) for value in number.values if value == int(value)}
    assert told == values


@pytest.mark.parametrize(
    "text",
    [
        "One of them is not sure, and no one else is.",
        "The first hurdle is money, the second one is time.",
        "Two things stand in the way: onboarding and migration.",
        "A third party does the migration; a third-party review is asked for.",
        "They planned a grand opening in the second half.",
        "Often they attend, and the tenant is happy.",
        "Double-check the contract; she had second thoughts.",
        "It is a matter of trust: a long one.",
    ],
)
def test_what_is_no_amount_is_no_number(text: str) -> None:
    """Pronouns, turns of phrase and words that only look like numbers do not count."""
    assert numbers_in(text) == ()


@pytest.mark.parametrize(
    ("claim", "note"),
    [
        ("They would pay twenty thousand.", "Budget is 20k, said the CFO."),
        ("They would pay 20,000.", "She named twenty thousand as the limit."),
        ("The rollout takes two weeks.", "Rollout in 14 days, at most."),
        ("The rollout takes 14 days.", "They gave us two weeks."),
        ("Nothing moves before the third quarter.", "budget is frozen until Q3"),
        ("A dozen people need a login.", "12 logins to start with"),
        ("About half a million is at stake.", "deal size 500k"),
        ("Half of the team is on board.", "50% of the team like it"),
        ("They want a one-week trial.", "asked for a week to try it"),
        ("It takes six months.", "half a year, she said"),
        ("Hundreds of users wait for it.", "340 users in three offices"),
        ("The price doubled.", "2x the old price"),
        ("She asked for a pilot with one region.", "pilot with a single region"),
        ("One of the two offices is unsure.", "we met two offices"),
        ("The contract runs three years.", "three-year term"),
        ("They start on 1 July.", "start 2026-07-01"),
        ("Three regions want in.", "EMEA, APAC and LATAM: 3 regions"),
        ("Their health insurance is a client, too.", "health insurance"),
    ],
)
def test_an_honest_rewording_is_kept(claim: str, note: str) -> None:
    """The same amount in other words, units or signs is the note's own."""
    assert numbers_known(claim, note)


@pytest.mark.parametrize(
    ("claim", "note"),
    [
        ("They would pay twenty thousand.", "Budget is 2k, said the CFO."),
        ("They would pay 20k.", "20 seats, said the CFO."),
        ("They would pay twenty.", "20,000 is the limit"),
        ("They sign in two weeks.", "They will sign soon."),
        ("They offer half a million.", "They will make an offer."),
        ("A dozen people want it.", "People want it."),
        ("A hundred seats are sold.", "They buy some seats."),
        ("Hundreds of users wait.", "40 users wait"),
        ("Thousands were lost.", "money was lost"),
        ("The price doubled.", "the price went up"),
        ("It is due on 1.7.2031.", "due 1.7.2026"),
        ("They give a ninety percent discount.", "they want a discount"),
        ("They sign in the fourth quarter.", "budget is frozen until Q3"),
        ("They pay nine-hundred-thousand.", "They pay 900."),
        ("They take one week.", "They take their time."),
        ("Twelve hundred people left.", "people left"),
        ("The health is 80 of 100.", "They write: health 80 of 100."),
        ("The score went up by fifty.", "the score went up by fifty"),
    ],
)
def test_an_amount_that_no_note_has_is_found(claim: str, note: str) -> None:
    """In words as in digits, with and without a unit."""
    assert not numbers_known(claim, note)


@given(st.text(st.sampled_from("0123456789.,:/km% aundhlftwoe\u00bd\u0663-"), max_size=60) | st.text(max_size=60))
def test_whatever_the_text_its_own_numbers_are_known(text: str) -> None:
    """Reading never fails, and a text is always a source of itself."""
    assert numbers_known(text, text)
    assert values_of(text) >= {value for number in numbers_in(text) for value in number.values}
