"""Views within Slack's limits, whatever the content: long names, emoji, right-to-left, markup, nothing, two hundred."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.desk import Answer, Digest, Ledger, Receipt
from bot.desk.home import Home
from bot.health import NO_HISTORY, Confidence, Health, Momentum
from bot.scribe import Brief, Claim, Pledge
from bot.slack import views
from bot.slack.views import accounts, digests, home, notes, week
from bot.week import Bucket, Card, Week
from storage import Account, Contact, Found, Hit, Interaction, Kind, NextStep, Opportunity, Signal, Topic
from tests.scenarios.limits import broken

NASTY = (
    "<!channel> <@U0123456> <https://evil.example|click> <#C1|x>", "*bold* _it_ ~s~ `c` ```x```", "😀" * 300, "א" * 400,
    "x" * 3000, "a\u202eb\u200bc", "&lt;!here&gt;", "\n\n\n", "", " ", "'\"\\`$(rm)`", "line\nline\n" * 40,
)  # fmt: skip
words = st.one_of(st.sampled_from(NASTY), st.text(max_size=300))
DAY = date(2026, 6, 1)
AT = datetime(2026, 6, 1, tzinfo=UTC)
claims = st.builds(
    Claim, text=words, interaction=words, quote=words, at=st.just(DAY), status=st.sampled_from(["", "open", "resolved"])
)
pledges = st.builds(Pledge, text=words, interaction=words, quote=words, at=st.just(DAY), owner=words)
many = st.lists(claims, max_size=200).map(tuple)
healths = st.builds(
    Health, score=st.integers(0, 100), label=st.just("Hot"), momentum=st.sampled_from(Momentum), at_risk=st.booleans(),
    risk=words, confidence=st.sampled_from(Confidence), items=st.just(()), rubric=st.just("v1"),
)  # fmt: skip
briefs = st.builds(
    Brief, account=words, person=words, at=st.just(DAY), health=healths, recommended_action=claims, objections=many,
    budget=many, told=many, promises=st.lists(pledges, max_size=60).map(tuple), recommendation=many, notice=words,
)  # fmt: skip
hits = st.builds(
    Hit, interaction=words, score=st.just(0.5), text=words, quote=words, account=words, account_key=words, rep=words,
    channel=words, occurred_at=st.just(AT), contact=words,
)  # fmt: skip
steps = st.builds(
    NextStep, id=st.integers(1, 10**9), key=words, account_id=st.just(1), account=words, title=words, owner=words,
    due=st.sampled_from([None, DAY]), interaction=words,
)  # fmt: skip
cards = st.builds(
    Card, account=words, name=words, bucket=st.sampled_from(Bucket), health=st.one_of(healths, st.just(NO_HISTORY)),
    change=st.sampled_from([None, -5, 25]), changed=st.booleans(), why=words, action=words, owner=words,
    interactions=st.lists(words, max_size=5).map(tuple),
)  # fmt: skip
interactions = st.builds(
    Interaction, id=st.just(1), key=words, team_id=st.just("T1"), account_id=st.just(1), account=words,
    account_key=words,
    text=words, rep=words, channel=words, occurred_at=st.just(AT),
)  # fmt: skip
signals = st.builds(
    Signal, kind=st.sampled_from(Kind), topic=st.sampled_from(Topic), quote=words, pending=st.booleans(),
    id=st.integers(1, 10**9),
)  # fmt: skip
deals = st.lists(
    st.builds(Opportunity, id=st.integers(1, 10**9), key=words.filter(bool), account_id=st.just(1), name=words),
    max_size=120, unique_by=lambda deal: deal.id,
).map(tuple)  # fmt: skip
people = st.lists(
    st.builds(Contact, id=st.integers(1, 10**9), key=words, account_id=st.just(1), name=words), max_size=120
)
receipts = st.builds(
    Receipt, account=st.builds(Account, id=st.just(1), key=words, name=words), key=words, at=st.just(AT),
    is_new=st.booleans(), rep=words, signals=st.lists(signals, max_size=220).map(tuple), deals=deals,
    retracted=st.booleans(), opportunity=words,
    next_steps=st.lists(steps, max_size=30).map(tuple),
    open_opportunities=st.lists(words.filter(bool), max_size=30, unique=True).map(tuple),
    interaction_id=st.just(7), text=words,
)  # fmt: skip
MADE = re.compile(r"<(?!(?:@[UW][A-Z0-9]{6,20}|#C0001)>)[@!#a-z]", re.I)


def read_by_slack(part: Any) -> Iterator[str]:
    """The texts that Slack looks for mentions and links in: all but plain ones."""
    if isinstance(part, dict):
        if part.get("type") == "mrkdwn" or "blocks" in part:
            yield str(part["text"])
        part = [value for value in part.values() if isinstance(value, dict | list)]
    if isinstance(part, list):
        for each in part:
            yield from read_by_slack(each)


def fits(*messages: views.Message) -> None:
    """Each message is within every limit, and holds no mention or link that is not ours."""
    for message in messages:
        assert broken("message", message) == []
        assert not any(MADE.search(text) for text in read_by_slack(message))


@settings(max_examples=60, deadline=None)
@given(briefs)
def test_a_brief_fits(value: Brief) -> None:
    """Two hundred objections are several messages, each of which Slack takes."""
    fits(*views.brief(value), views.brief_parent(value))


@settings(max_examples=60, deadline=None)
@given(st.lists(hits, max_size=40).map(tuple), words, words)
def test_an_answer_fits(found: tuple[Hit, ...], who: str, question: str) -> None:
    """Found, nearest and nothing."""
    groups = (("Objections", found),) if found else ()
    fits(*views.answer(Answer(who, question, Found(question, found), groups), share="n1"))
    fits(*views.answer(Answer(who, question, Found(question, (), True, found[:3]))))


@settings(max_examples=60, deadline=None)
@given(receipts)
def test_a_receipt_and_its_forms_fit(value: Receipt) -> None:
    """Buttons, deals, and the form that mends it."""
    fits(notes.receipt(value), notes.receipt(value, confirmed=True, notice=value.text), notes.retracted(7))
    assert broken("modal", notes.fix_modal(value, "{}")) == []
    assert broken("modal", notes.in_modal("Logged", notes.receipt(value), "{}")) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(cards, max_size=60), st.booleans())
def test_a_digest_fits(value: list[Card], share: bool) -> None:
    """Sixty deals with the longest names."""
    buckets = {b: tuple(c for c in value if c.bucket is b) for b in Bucket}
    made = Week(buckets[Bucket.RED], buckets[Bucket.YELLOW], buckets[Bucket.GREEN])
    told = digests.digest(Digest(made, AT, AT), share=share)
    fits(*told)
    assert not share or len(told) <= digests.ANSWERS
    named = [row[0]["text"] for m in told for b in m["blocks"] if b["type"] == "table" for row in b["rows"][1:]]
    assert share or len(named) in (0, len(value))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(steps, max_size=80).map(tuple),
    st.lists(cards, max_size=40).map(tuple),
    st.lists(interactions, max_size=5).map(tuple),
)
def test_the_ledger_reminders_and_the_home_fit(
    some: tuple[NextStep, ...], deals: tuple[Card, ...], latest: tuple[Interaction, ...]
) -> None:
    """Eighty next steps with their menus, and a home of at most a hundred blocks."""
    value = Ledger("you", DAY, overdue=some[:40], undated=some[40:])
    fits(*week.ledger(value), *week.reminder(some))
    assert broken("home", home.home(Home(deals, True, value, latest, len(deals)))) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(interactions, max_size=60), words, st.lists(words, max_size=30), words)
def test_timelines_choices_and_sentences_fit(
    some: list[Interaction], asked: str, candidates: list[str], said: str
) -> None:
    """The rest of what is said."""
    fits(*views.timeline(some), views.sentence(said), *accounts.listing([(asked, said)]))
    if candidates:
        fits(accounts.which(asked, candidates, "n1"))


@settings(max_examples=60, deadline=None)
@given(words, st.lists(st.tuples(words.filter(bool), words), max_size=120), words, deals, people)
def test_the_forms_fit(text: str, names: list[tuple[str, str]], guess: str, some: Any, staff: Any) -> None:
    """A message of any length is prefilled as far as a form goes; options are cut, never empty."""
    assert broken("modal", views.log_modal(text * 3, names, guess, "{}")) == []
    assert broken("modal", notes.call_modal(DAY)) == []
    account = next(iter(notes.account_options(names)), None)
    assert broken("modal", notes.call_modal(DAY, account=account, deals=some, people=staff)) == []


def test_what_is_fixed_fits() -> None:
    """Help, privacy, settings, the greeting and the empty home."""
    fits(accounts.help_(), accounts.privacy(), accounts.settings("UTC", None, "rules/1"), home.greeting())
    empty = Home((), False, Ledger("you", DAY), (), 0)
    assert broken("home", home.home(empty)) == []


@pytest.mark.parametrize(
    "view",
    [
        {
            "text": "x",
            "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001, "verbatim": True}}],
        },
        {"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]},
        {"text": "", "blocks": []},
        {"text": "x", "blocks": [{"type": "actions", "elements": []}]},
        {"text": "x", "blocks": [{"type": "divider"}] * 51},
    ],
)
def test_the_checker_sees_what_slack_would_refuse(view: dict[str, object]) -> None:
    """A checker that lets everything pass would prove nothing."""
    assert broken("message", view)


def test_a_card_that_changed_is_shown_in_full() -> None:
    """What is new comes in full, what is not in one line."""
    changed = Card("a", "Acme", Bucket.YELLOW, NO_HISTORY, None, True, "why", "act", "", ())
    same = replace(changed, account="b", name="Beta", changed=False)
    said = json.dumps(digests.digest(Digest(Week(yellow=(changed, same)), AT, AT)))
    assert "→ act" in said.encode().decode("unicode_escape") or "act" in said
    assert said.count("why") == 1
