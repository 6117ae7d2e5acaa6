"""Promises of reading facts as a deal: the last word wins, silence counts from them, promises are followed up."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bot.deal import Standing, cut, is_theirs, read_deal
from storage import Contact, Kind, Opportunity, Side, State, Topic
from tests.bot.facts import DAY, START, Book, books, cold, james, priya, said, shuffled


def test_an_objection_is_open_until_its_topic_is_resolved() -> None:
    """Resolved later is resolved, raised again after that is open again."""
    book = Book("a", "A")
    book.note(0, "Too expensive.", said(Kind.OBJECTION, "Too expensive", Topic.PRICING))
    assert [i.topic for i in read_deal(book.facts(1)).open_objections] == [Topic.PRICING]
    book.note(2, "Price is fine now.", said(Kind.OBJECTION_RESOLVED, "Price is fine now", Topic.PRICING))
    assert read_deal(book.facts(3)).open_objections == ()
    assert [i.topic for i in read_deal(book.facts(3)).resolved_objections] == [Topic.PRICING]
    book.note(4, "Price again.", said(Kind.OBJECTION, "Price again", Topic.PRICING))
    assert [i.last.quote for i in read_deal(book.facts(5)).open_objections] == ["Price again"]


def test_within_a_note_the_later_sentence_wins() -> None:
    """ "Worried about price, then we settled it" is settled; the other way round it is open."""
    raised = said(Kind.OBJECTION, "worried about price", Topic.PRICING)
    settled = said(Kind.OBJECTION_RESOLVED, "settled it", Topic.PRICING)
    for signals, is_open in (((raised, settled), False), ((settled, raised), True)):
        book = Book("a", "A")
        book.note(0, "worried about price, settled it", *signals)
        assert bool(read_deal(book.facts(1)).open_objections) is is_open


def test_another_topic_resolves_nothing() -> None:
    """A resolved security question leaves the pricing objection open."""
    book = Book("a", "A")
    book.note(0, "Too expensive.", said(Kind.OBJECTION, "Too expensive", Topic.PRICING))
    book.note(1, "Security is fine.", said(Kind.OBJECTION_RESOLVED, "Security is fine", Topic.SECURITY))
    assert len(read_deal(book.facts(2)).open_objections) == 1


def test_an_objection_without_a_topic_is_matched_by_its_words() -> None:
    """A resolution without a topic settles the objection it shares words with; else the last one."""
    book = Book("a", "A")
    book.note(0, "Hates the colour scheme.", said(Kind.OBJECTION, "Hates the colour scheme"))
    book.note(1, "Wants a Portuguese interface.", said(Kind.OBJECTION, "Wants a Portuguese interface"))
    book.note(2, "The colours are fine.", said(Kind.OBJECTION_RESOLVED, "The colours are fine"))
    assert [i.last.quote for i in read_deal(book.facts(3)).open_objections] == ["Wants a Portuguese interface"]
    book.note(2.5, "That is off the table.", said(Kind.OBJECTION_RESOLVED, "That is off the table"))
    assert read_deal(book.facts(3)).open_objections == ()


def test_a_confirmed_budget_settles_the_objection_to_the_budget() -> None:
    """Nobody writes "the budget objection is resolved" after writing that the budget is there."""
    book = Book("a", "A")
    book.note(0, "No money for this.", said(Kind.OBJECTION, "No money for this", Topic.BUDGET))
    book.note(1, "Budget approved!", said(Kind.BUDGET_CONFIRMED, "Budget approved", Topic.BUDGET))
    assert read_deal(book.facts(2)).open_objections == ()


def test_a_competitor_is_open_until_answered() -> None:
    """An answer on the same point, or on none in particular, answers; one on another point does not."""
    book = Book("a", "A")
    book.note(0, "Rival is cheaper.", said(Kind.COMPETITOR, "Rival is cheaper", Topic.PRICING))
    book.note(1, "Beat them on support.", said(Kind.COMPETITOR_RESOLVED, "Beat them on support", Topic.SUPPORT))
    assert len(read_deal(book.facts(2)).unanswered) == 1
    book.note(2, "Rival is out.", said(Kind.COMPETITOR_RESOLVED, "Rival is out"))
    assert read_deal(book.facts(3)).unanswered == ()


def test_what_waits_for_confirmation_does_not_count() -> None:
    """A pilot in a forwarded mail is no pilot until a rep says so."""
    book = Book("a", "A")
    book.note(0, "We agree to a pilot", said(Kind.PILOT_AGREED, "agree to a pilot", pending=True), external=True)
    assert read_deal(book.facts(1)).pilot is None


def test_a_retracted_note_is_gone() -> None:
    """Neither the note nor what was read in it is part of the deal."""
    book = Book("a", "A")
    book.note(0, "Too expensive.", said(Kind.OBJECTION, "Too expensive", Topic.PRICING))
    book.notes[0] = replace(book.notes[0], state=State.RETRACTED)
    deal = read_deal(book.facts(1))
    assert (deal.notes, deal.objections, deal.silence) == ((), (), None)


def test_the_budget_and_the_pilot_are_the_last_word() -> None:
    """Frozen and then confirmed is confirmed; a pilot agreed stays agreed when it is asked for again."""
    book = Book("a", "A")
    book.note(0, "frozen", said(Kind.BUDGET_BLOCKED, "frozen", Topic.BUDGET))
    book.note(1, "pilot agreed, budget there", said(Kind.PILOT_AGREED, "pilot agreed"))
    book.note(2, "budget is there", said(Kind.BUDGET_CONFIRMED, "budget is there"), said(Kind.PILOT_REQUESTED, "is"))
    deal = read_deal(book.facts(3))
    assert deal.budget is not None
    assert deal.budget.kind is Kind.BUDGET_CONFIRMED
    assert deal.pilot is not None
    assert deal.pilot.kind is Kind.PILOT_AGREED


# --- silence ---


def test_james_is_silent_for_seven_days() -> None:
    """The report went out seven days ago. He was last heard before that, but until then he waited for us."""
    deal = read_deal(james())
    assert deal.silence is not None
    assert deal.silence.days == 7
    assert deal.last_contact is not None
    assert deal.last_contact.key == "paysend-n4"
    assert deal.last_word is not None
    assert deal.last_word.key == "paysend-n3"


def test_chasing_does_not_hide_a_silence() -> None:
    """What we send after the first unanswered message does not start the clock again, nor does noting their silence."""
    book = Book("a", "A")
    book.note(0, "Good talk.")
    book.note(3, "Sent the deck.", said(Kind.TOLD, "Sent the deck"), channel="email")
    book.note(8, "Sent it once more.", said(Kind.TOLD, "Sent it once more"), channel="email")
    book.note(
        12,
        "No answer. Price is still too high for him.",
        said(Kind.NO_RESPONSE, "No answer"),
        said(Kind.OBJECTION, "Price is still too high", Topic.PRICING),
    )
    silence = read_deal(book.facts(20)).silence
    assert silence is not None
    assert (silence.days, silence.note.key) == (17, "a-n2")


def test_an_answer_ends_a_silence_even_in_a_note_that_tells_of_waiting() -> None:
    """ "No reply for a week, then he called and wants a pilot" is a word from him."""
    book = Book("a", "A")
    waiting = said(Kind.NO_RESPONSE, "No reply for a week")
    book.note(0, "No reply for a week, then he wants a pilot", waiting, said(Kind.PILOT_REQUESTED, "wants a pilot"))
    assert is_theirs(book.notes[0], book.signals)


def test_a_talk_has_two_sides_and_their_own_words_are_theirs() -> None:
    """The same words are ours in a mail, and a contact with them in a call or when they wrote them."""
    shown = said(Kind.TOLD, "Walked through the deck")
    book = Book("a", "A")
    book.note(0, "Walked through the deck", shown, channel="email")
    book.note(1, "Walked through the deck", shown, channel="Call")
    book.note(2, "Walked through the deck", shown, channel="email", external=True)
    theirs = [is_theirs(note, [s for s in book.signals if s.interaction == note.key]) for note in book.notes]
    assert theirs == [False, True, True]


def test_a_note_nothing_was_read_in_counts_as_their_word() -> None:
    """Where nothing tells otherwise, a note is taken for a contact."""
    book = Book("a", "A")
    book.note(0, "Coffee with Dana.", channel="note")
    assert is_theirs(book.notes[0], [])


def test_silence_by_agreement_is_not_silence() -> None:
    """ "Call me after the board on 1 June": the clock starts that day."""
    book = Book("a", "A")
    pause = said(Kind.PAUSE_AGREED, "Call me on 1 June", due=date(2026, 6, 1))
    book.note(0, "Call me on 1 June", pause)
    days = []
    for day in (10, 28, 35):  # 14 May, 1 June, 8 June
        silence = read_deal(book.facts(day)).silence
        assert silence is not None
        days.append(silence.days)
    assert days == [0, 0, 7]


def test_days_are_counted_by_the_calendar() -> None:
    """A call late on Monday is one day ago on Tuesday morning."""
    book = Book("a", "A")
    book.note(0.5, "Late call.")
    silence = read_deal(book.facts(1)).silence
    assert silence is not None
    assert silence.days == 1


# --- promises ---


def test_a_promise_is_open_then_overdue_then_kept() -> None:
    """Past its day it is overdue; ticked off it is kept; dropped it is gone."""
    book = Book("a", "A")
    note = book.note(0, "We will send the proposal by 8 May.")
    step = book.step("Send the proposal", note=note, quote="send the proposal", is_promise=True, due=date(2026, 5, 8))
    assert [p.standing for p in read_deal(book.facts(4)).promises] == [Standing.OPEN]
    assert [p.standing for p in read_deal(book.facts(5)).broken] == [Standing.OVERDUE]
    book.steps = [replace(step, done_at=START + 6 * DAY)]
    assert [p.standing for p in read_deal(book.facts(7)).promises] == [Standing.KEPT]
    assert [p.standing for p in read_deal(book.facts(5)).promises] == [Standing.OVERDUE]
    book.steps = [replace(step, dropped_at=START + 6 * DAY)]
    assert read_deal(book.facts(7)).promises == ()


def test_a_later_note_shows_a_promise_kept() -> None:
    """ "Sent the security report" keeps "we will send the security report" without anybody ticking it off."""
    book = Book("a", "A")
    promise = said(Kind.COMMITMENT_BY_US, "We will send the security report", Topic.SECURITY, due=date(2026, 5, 6))
    book.note(0, "We will send the security report", promise)
    deck = said(Kind.COMMITMENT_BY_US, "We will share the ROI deck", due=date(2026, 5, 30))
    book.note(1, "We will share the ROI deck", deck)
    book.note(2, "Sent the security report", said(Kind.TOLD, "Sent the security report", Topic.SECURITY))
    standings = {p.step.title: p.standing for p in read_deal(book.facts(9)).promises}
    assert standings == {
        "We will send the security report": Standing.KEPT,
        "We will share the ROI deck": Standing.OPEN,
    }


def test_one_delivery_keeps_one_promise() -> None:
    """Of two promises on security, the report that was sent keeps the one about the report."""
    book = Book("a", "A")
    book.note(
        0,
        "We will send the pen test report and fill in their questionnaire",
        said(Kind.COMMITMENT_BY_US, "send the pen test report", Topic.SECURITY),
        said(Kind.COMMITMENT_BY_US, "fill in their questionnaire", Topic.SECURITY),
    )
    book.note(1, "Sent the pen test report", said(Kind.COMMITMENT_DONE, "Sent the pen test report", Topic.SECURITY))
    standings = {p.step.title: p.standing for p in read_deal(book.facts(2)).promises}
    assert standings["send the pen test report"] is Standing.KEPT
    assert standings["fill in their questionnaire"] is Standing.OPEN


def test_their_promises_are_kept_by_them() -> None:
    """What we deliver does not keep what they promised."""
    book = Book("a", "A", "Dana Reed")
    book.note(
        0, "She will send the data sample", said(Kind.COMMITMENT_BY_THEM, "will send the data sample", Topic.MIGRATION)
    )
    book.note(1, "Sent our data plan", said(Kind.COMMITMENT_DONE, "Sent our data plan", Topic.MIGRATION))
    (promise,) = read_deal(book.facts(2)).promises
    assert (promise.step.side, promise.step.owner, promise.standing) == (Side.THEIRS, "Dana Reed", Standing.OPEN)


def test_a_record_and_its_signal_are_one_step() -> None:
    """What the ledger holds of a note is not read from the note once more; the ledger's state counts."""
    book = Book("a", "A")
    note = book.note(0, "Demo on 12 May", said(Kind.NEXT_STEP, "Demo on 12 May", due=date(2026, 5, 12)))
    assert len(read_deal(book.facts(1)).next_steps) == 1
    book.step("Demo", note=note, quote="Demo on 12 May", due=date(2026, 5, 12), done_at=START + DAY)
    assert read_deal(book.facts(2)).next_steps == ()


# --- people, tone, concerns ---


def test_people_are_listed_with_their_last_word() -> None:
    """First names are matched to the contact, and what we told somebody is not their word."""
    book = Book("a", "A", "Dana Reed", "VP Eng")
    book.note(
        0, "Dana worries about uptime", said(Kind.OBJECTION, "worries about uptime", Topic.RELIABILITY, who="Dana")
    )
    book.note(1, "Marc likes it. Showed Marc the deck", said(Kind.POSITIVE_REACTION, "likes it", who="Marc"))
    people = {p.name: (p.role, p.signal.quote if p.signal else "") for p in read_deal(book.facts(2)).people}
    assert people == {"Dana Reed": ("VP Eng", ""), "Marc": ("", "likes it")}


def test_a_name_two_contacts_share_is_left_as_written() -> None:
    """Never a guess between two Danas."""
    book = Book("a", "A")
    book.note(0, "Dana likes it", said(Kind.POSITIVE_REACTION, "likes it", who="Dana"))
    contacts = (Contact(1, "c1", 1, "Dana Reed"), Contact(2, "c2", 1, "Dana Fox"))
    assert [p.name for p in read_deal(replace(book.facts(1), contacts=contacts)).people] == ["Dana"]


def test_the_tone_is_that_of_the_last_notes() -> None:
    """Warm, cautious or mixed by what outweighs; quiet when they fell silent; nothing when nothing was felt."""
    book = Book("a", "A")
    book.note(0, "We spoke.")
    assert read_deal(book.facts(0)).tone is None
    book.note(1, "She loves it", said(Kind.POSITIVE_REACTION, "loves it"))
    book.note(2, "but price", said(Kind.OBJECTION, "price", Topic.PRICING))
    assert _tone(book, 3) == "mixed"
    book.note(3, "and terms", said(Kind.OBJECTION, "terms", Topic.LEGAL))
    assert _tone(book, 4) == "cautious"
    assert _tone(book, 9) == "quiet"


def _tone(book: Book, day: float) -> str:
    tone = read_deal(book.facts(day)).tone
    return tone.word if tone else ""


def test_a_concern_that_comes_back_is_counted_by_notes_and_people() -> None:
    """Migration: raised three times since 4 May by two people, never resolved."""
    book = Book("a", "A")
    for day, who in ((0, "Dana"), (7, "Marc"), (14, "Dana")):
        book.note(day, "migration", said(Kind.OBJECTION, "migration", Topic.MIGRATION, who=who))
    (concern,) = read_deal(book.facts(15)).concerns
    assert (concern.times, concern.since, concern.people) == (3, START.date(), ("Dana", "Marc"))
    assert concern.issue.is_open


def test_a_concern_without_a_topic_is_counted_by_its_meaning() -> None:
    """Three notes put it in other words; facts name the thread, and it is one concern by two people."""
    book = Book("a", "A")
    for day, who, words in ((0, "Dana", "we watch staff"), (3, "Dana", "sensors track us"), (7, "Marc", "tracking")):
        signal = said(Kind.OBJECTION, words, Topic.OTHER, who=who)
        book.note(day, words, replace(signal, thread="we watch staff"))
    book.note(9, "dislikes the colours", said(Kind.OBJECTION, "dislikes the colours", Topic.OTHER))
    (concern,) = read_deal(book.facts(15)).concerns
    assert (concern.times, concern.people) == (3, ("Dana", "Marc"))


def test_a_deal_is_closed_when_nothing_is_left_to_sell() -> None:
    """Every opportunity won or lost, or the stage says so; one open opportunity keeps it open."""
    book = Book("a", "A")
    book.deals = (Opportunity(1, "o1", 1, status="lost"),)
    assert read_deal(book.facts(0)).closed == "lost"
    book.deals += (Opportunity(2, "o2", 1, status="open"),)
    assert read_deal(book.facts(0)).closed == ""
    staged = replace(Book("a", "A").facts(0), account=replace(book.account, stage="Closed Won"))
    assert read_deal(staged).closed == "won"


def test_an_account_without_notes_is_an_empty_deal() -> None:
    """Nothing is invented where nothing was written."""
    deal = read_deal(cold())
    assert (deal.notes, deal.people, deal.tone, deal.silence, deal.ahead) == ((), (), None, None, ())


# --- as of a moment ---


def test_a_cut_knows_nothing_later() -> None:
    """Notes, signals and ticks after the moment are gone."""
    book = Book("a", "A")
    early = book.note(0, "one", said(Kind.POSITIVE_REACTION, "one"))
    book.note(5, "two", said(Kind.POSITIVE_REACTION, "two"))
    book.step("old", note=early, done_at=START + 4 * DAY)
    book.step("new", made=3)
    facts = cut(book.facts(9), START + 2 * DAY)
    assert [n.text for n in facts.interactions] == ["one"]
    assert [s.quote for s in facts.signals] == ["one"]
    assert [(s.title, s.done_at) for s in facts.next_steps] == [("old", None)]


@given(books(), st.permutations(range(60)))
def test_the_order_facts_come_in_does_not_matter(book: Book, order: list[int]) -> None:
    """A deal is read from time and ids, not from the order of rows."""
    facts = book.facts(120)
    assert read_deal(shuffled(facts, order)) == read_deal(facts)


@given(books())
def test_every_open_issue_was_raised_and_every_proof_exists(book: Book) -> None:
    """Whatever is shown as open, told or said rests on a note of the deal."""
    deal = read_deal(book.facts(120))
    keys = {note.key for note in deal.notes}
    assert all(issue.raised for issue in deal.open_issues)
    shown = [*deal.told, *(issue.last for issue in (*deal.objections, *deal.competitors))]
    assert {signal.interaction for signal in shown} <= keys
    assert {person.note.key for person in deal.people} <= keys


def test_the_worked_examples_read_as_they_are_told() -> None:
    """Priya: budget frozen, two objections open, pilot agreed. James: reliability resolved, a competitor unanswered."""
    deal = read_deal(priya())
    assert [issue.words for issue in deal.open_objections] == ["data migration", "onboarding"]
    assert deal.tone is not None
    assert deal.tone.word == "warm"
    assert [s.quote for s in deal.told] == ["Showed the ROI calculator"]
    deal = read_deal(james())
    assert [issue.words for issue in deal.resolved_objections] == ["API reliability"]
    assert [issue.words for issue in deal.open_issues] == ["competitor pricing"]
