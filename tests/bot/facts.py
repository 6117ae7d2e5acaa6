"""Facts for tests, built from the real records, as the storage would hand them out. No doubles."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from storage import Account, Contact, Facts, Interaction, Kind, NextStep, Opportunity, Side, Signal, Topic

DAY = timedelta(days=1)
START = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


class Book:
    """Writes an account down note by note; `facts()` is what the storage would say about it."""

    def __init__(self, key: str, name: str, person: str = "", role: str = "", owner: str = "rep-1") -> None:
        self.account = Account(1, key, name, owner=owner)
        self.contact = Contact(1, f"{key}-c1", 1, person, role) if person else None
        self.notes: list[Interaction] = []
        self.signals: list[Signal] = []
        self.steps: list[NextStep] = []
        self.deals: tuple[Opportunity, ...] = ()

    def note(self, day: float, text: str, *said: Signal, channel: str = "call", **fields: Any) -> str:
        """A note on a day after START with its signals; a quote that is not in the text is a mistake of the test."""
        number = len(self.notes) + 1
        key = f"{self.account.key}-n{number}"
        at = START + day * DAY
        made: dict[str, Any] = {"rep": "rep-1", "contact": self.contact.name if self.contact else ""}
        self.notes.append(
            Interaction(
                id=number, key=key, team_id="T1", account_id=1, account=self.account.name, account_key=self.account.key,
                text=text, channel=channel, occurred_at=at, **(made | fields),
            )
        )  # fmt: skip
        for signal in said:
            assert signal.quote in text
            placed = replace(signal, interaction_id=number, interaction=key, at=at, id=len(self.signals) + 1)
            self.signals.append(placed)
        return key

    def step(self, title: str, *, note: str = "", quote: str = "", made: float = 0, **fields: Any) -> NextStep:
        """A step or promise as a record, written down on a day after START."""
        found = next((n for n in self.notes if n.key == note), None)
        step = NextStep(
            id=len(self.steps) + 1, key=f"step-{len(self.steps) + 1}", account_id=1, account=self.account.name,
            account_key=self.account.key, title=title, interaction=note, quote=quote,
            interaction_id=found.id if found else None, created_at=found.occurred_at if found else START + made * DAY,
            **fields,
        )  # fmt: skip
        self.steps.append(step)
        return step

    def facts(self, day: float) -> Facts:
        """All of it as of a day after START."""
        return Facts(
            account=self.account,
            as_of=START + day * DAY,
            contacts=(self.contact,) if self.contact else (),
            opportunities=self.deals,
            interactions=tuple(self.notes),
            signals=tuple(self.signals),
            next_steps=tuple(self.steps),
        )

    def person(self, day: float) -> Facts:
        """The same, asked for by the person's name."""
        return replace(self.facts(day), contact=self.contact)


def said(kind: Kind, quote: str, topic: Topic = Topic.OTHER, **fields: Any) -> Signal:
    """A signal that is not yet in a note."""
    return Signal(kind=kind, topic=topic, quote=quote, **fields)


def priya_book() -> Book:
    """The first worked example: four notes, seven days apart, the last on day 21."""
    book = Book("rentokil", "Rentokil", "Priya Sharma", "VP Sales")
    book.note(
        0,
        "First call with Priya. Budget is frozen until Q3.",
        said(Kind.BUDGET_BLOCKED, "Budget is frozen until Q3", Topic.BUDGET, due=date(2026, 7, 1)),
    )
    book.note(
        7,
        "Priya is worried about how long onboarding takes.",
        said(Kind.OBJECTION, "worried about how long onboarding takes", Topic.ONBOARDING),
    )
    book.note(
        14,
        "Showed the ROI calculator, she loved it. She asked for a pilot.",
        said(Kind.TOLD, "Showed the ROI calculator", Topic.PRICING),
        said(Kind.POSITIVE_REACTION, "she loved it"),
        said(Kind.PILOT_REQUESTED, "She asked for a pilot"),
    )
    book.note(
        21,
        "Pilot agreed. She is concerned about data migration from the old CRM.",
        said(Kind.PILOT_AGREED, "Pilot agreed"),
        said(Kind.OBJECTION, "concerned about data migration from the old CRM", Topic.MIGRATION),
    )
    return book


def james_book() -> Book:
    """The second worked example: four notes, the security report sent on day 14, asked about on day 21."""
    book = Book("paysend", "Paysend", "James Okafor", "CTO")
    book.note(
        0,
        "James has doubts about API reliability. Asked for our security report.",
        said(Kind.OBJECTION, "doubts about API reliability", Topic.RELIABILITY),
    )
    book.note(
        5,
        "Walked James through the uptime record, API reliability is resolved for him.",
        said(Kind.OBJECTION_RESOLVED, "API reliability is resolved for him", Topic.RELIABILITY),
    )
    book.note(
        10,
        "James says a competitor quoted a lower price.",
        said(Kind.COMPETITOR, "a competitor quoted a lower price", Topic.PRICING),
    )
    book.note(
        14,
        "Sent the security report.",
        said(Kind.TOLD, "Sent the security report", Topic.SECURITY),
        channel="email",
    )
    return book


def priya() -> Facts:
    """Priya the day after her fourth note."""
    return priya_book().person(22)


def james() -> Facts:
    """James seven days after the security report."""
    return james_book().person(21)


def cold() -> Facts:
    """An account that nobody has spoken to."""
    return Book("newco", "Newco").facts(0)


# ------------------------------------------------------------------------------------------------- random accounts

_TALK = ("call", "meeting", "email", "note")


@st.composite
def books(draw: st.DrawFn, least: int = 0, key: str = "acct") -> Book:
    """Accounts of up to ten notes with any signals, steps and promises, all within 120 days of START."""
    book = Book(key, key.title(), draw(st.sampled_from(["", "Dana Reed"])))
    days = sorted(draw(st.lists(st.floats(0, 120, width=16), min_size=least, max_size=10)))
    for day in days:
        signals = draw(st.lists(signals_said(), max_size=4))
        text = " ".join(s.quote for s in signals) or "We spoke."
        book.note(day, text, *signals, channel=draw(st.sampled_from(_TALK)))
    for number in range(draw(st.integers(0, 3))):
        _draw_step(draw, book, number)
    return book


def signals_said() -> st.SearchStrategy[Signal]:
    """Any signal; the quote tells kind and topic, so that quotes of unlike things differ."""
    return st.builds(
        _said,
        st.sampled_from(list(Kind)),
        st.sampled_from([Topic.PRICING, Topic.MIGRATION, Topic.BUDGET, Topic.OTHER]),
        st.sampled_from(["alpha", "beta"]),
        st.one_of(st.none(), st.dates(START.date(), START.date() + 150 * DAY)),
        party=st.sampled_from([None, Side.OURS, Side.THEIRS]),
        pending=st.booleans(),
    )


def _said(kind: Kind, topic: Topic, word: str, due: date | None, **fields: Any) -> Signal:
    return said(kind, f"{kind.value} on {topic.value} {word}", topic, due=due, **fields)


def _draw_step(draw: st.DrawFn, book: Book, number: int) -> None:
    note = draw(st.sampled_from(["", *(n.key for n in book.notes)]))
    done = draw(st.one_of(st.none(), st.floats(0, 120, width=16)))
    book.step(
        f"step {number}",
        note=note,
        quote=f"words of step {number}" if note else "",
        side=draw(st.sampled_from(list(Side))),
        due=draw(st.one_of(st.none(), st.dates(START.date(), START.date() + 150 * DAY))),
        is_promise=draw(st.booleans()),
        done_at=None if done is None else START + done * DAY,
        topic=draw(st.sampled_from([Topic.PRICING, Topic.OTHER])),
    )


def shuffled(facts: Facts, order: Sequence[int]) -> Facts:
    """The same facts handed over in another order; `order` is drawn."""

    def mixed(things: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(thing for _, thing in sorted(zip(order, things, strict=False), key=lambda pair: pair[0]))

    return replace(
        facts,
        interactions=mixed(facts.interactions),
        signals=mixed(facts.signals),
        next_steps=mixed(facts.next_steps),
    )
