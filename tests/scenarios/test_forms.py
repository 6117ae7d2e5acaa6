"""Forms: a call from anywhere, a message of any length, what Fix mends, and the receipt where a form was."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt import BoltResponse

from storage import Interaction
from tests.scenarios.conftest import REP, Slack

WORDS = "Acme Corp: Dana is worried about data migration. I'll send a plan by Friday."
LONG = " ".join(f"word{number:04d}" for number in range(900))
DEALS = [{"opportunityId": "opp-a", "name": "Licence", "status": "open"}, {"opportunityId": "opp-b", "status": "open"}]


def chosen(value: str) -> dict[str, Any]:
    """A choice as Slack sends it."""
    return {"selected_option": {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}}


def typed(value: str | None) -> dict[str, Any]:
    """Words as Slack sends them."""
    return {"type": "plain_text_input", "value": value}


def call(**fields: Any) -> dict[str, Any]:
    """The values of a call's form: every block that Slack sends back, filled or not."""
    values = {
        "account": {"type": "external_select", **chosen("acme-01")}, "name": typed(None), "contact": typed(None),
        "kind": {"type": "static_select", **chosen("call")},
        "day": {"type": "datepicker", "selected_date": "2026-05-04"},
        "text": typed("They asked for a pilot."), "seen": {"type": "radio_buttons", **chosen("all")},
        "where": {"type": "conversations_select", "selected_conversation": None},
    } | fields  # fmt: skip
    return {name: {name: value} for name, value in values.items()}


def click(slack: Slack, view: dict[str, Any], action_id: str, value: str = "", **more: Any) -> BoltResponse:
    """A click inside a form, with every key Slack sends: no channel, no response_url, no message."""
    clicked = {"type": "button", "action_id": action_id, "block_id": "b1", "action_ts": "1700000200.000001"}
    payload = {
        "type": "block_actions", "token": "legacy", "api_app_id": "A0001", "is_enterprise_install": False,
        "enterprise": None, "team": {"id": "T0001", "domain": "sales"}, "trigger_id": "1.2.abc",
        "user": {"id": "U0REP", "username": "rep", "name": "rep", "team_id": "T0001"},
        "container": {"type": "view", "view_id": "V1"},
        "view": view | {"id": "V1", "team_id": "T0001", "hash": "h1", "state": {"values": {}}},
        "actions": [clicked | ({"value": value} if value else {}) | more],
    }  # fmt: skip
    return slack.send(urlencode({"payload": json.dumps(payload)}))


def buttons(view: dict[str, Any]) -> dict[str, str]:
    """Action id -> value of every button."""
    rows = [block["elements"] for block in view["blocks"] if block["type"] == "actions"]
    return {element["action_id"]: element["value"] for row in rows for element in row}


def field(view: dict[str, Any], name: str) -> dict[str, Any]:
    """The element of a field."""
    element: dict[str, Any] = next(b["element"] for b in view["blocks"] if b.get("block_id") == name)
    return element


def opened_call(slack: Slack) -> dict[str, Any]:
    """The form of a call."""
    slack.global_shortcut("log_call")
    view: dict[str, Any] = slack.stub.wait_for("views.open")[0]["view"]
    return view


def only_note(slack: Slack, text: str) -> Interaction:
    """The one note with these words."""
    found = [note for note in slack.memory.of("T0001").timeline() if note.text == text]
    assert len(found) == 1
    return found[0]


# --- a call ---


def test_log_a_call_from_anywhere(slack: Slack) -> None:
    """The global shortcut opens the form; the account is found by typing; sent twice it is one note."""
    form = opened_call(slack)
    found = json.loads(slack.options("account", "acm").body)["options"]
    assert [option["value"] for option in found] == ["acme-01"]
    assert json.loads(slack.options("account", "zzz").body)["options"] == []
    assert json.loads(slack.options("account", "").body)["options"] == found, "shown before anything is typed"
    answers = [json.loads(slack.submit(form, call()).body) for _ in range(2)]
    assert [answer["view"]["title"]["text"] for answer in answers] == ["Logged", "Already logged"]
    note = only_note(slack, "They asked for a pilot.")
    assert (note.channel, note.occurred_at.date().isoformat(), note.visibility) == ("call", "2026-05-04", "")


def test_the_form_shows_the_deals_and_people_of_the_account_that_was_chosen(slack: Slack) -> None:
    """What was typed stays, since its fields keep their names; the note goes to that deal and person."""
    people = [{"contactId": "c-8", "name": "Sam Hill"}]
    slack.memory.of("T0001").import_payload(
        {"accountId": "n-1", "name": "Northwind", "CONTACT": people, "OPPORTUNITY": DEALS}
    )
    form = opened_call(slack)
    assert [b["block_id"] for b in form["blocks"]].count("deal") == 0
    click(slack, form, "account", **chosen("n-1"))
    update = slack.stub.wait_for("views.update")[0]
    assert update["hash"] == "h1", "never over a newer form"
    fuller = update["view"]
    assert {b["block_id"] for b in form["blocks"]} < {b["block_id"] for b in fuller["blocks"]}
    deal = next(o["value"] for o in field(fuller, "deal")["options"] if o["text"]["text"] == "Licence")
    person = field(fuller, "person")["options"][0]["value"]
    slack.submit(fuller, call(account=chosen("n-1"), deal=chosen(deal), person=chosen(person)))
    note = only_note(slack, "They asked for a pilot.")
    assert (note.opportunity, note.contact, note.account_key) == ("opp-a", "Sam Hill", "n-1")


def test_a_deal_of_another_account_is_refused(slack: Slack) -> None:
    """The account changed after the deal was chosen: nothing is guessed and nothing is kept."""
    slack.memory.of("T0001").import_payload({"accountId": "n-1", "name": "Northwind", "OPPORTUNITY": DEALS})
    other = slack.memory.of("T0001").opportunities(slack.memory.of("T0001").who("n-1").account.id)[0].id
    answer = json.loads(slack.submit(opened_call(slack), call(deal=chosen(str(other)))).body)
    assert "another account" in answer["errors"]["text"]
    assert len(slack.desk.timeline(REP, "acme-01")) == 1


def test_a_call_for_the_members_of_a_private_channel(slack: Slack) -> None:
    """Nobody outside recalls it; its receipt's buttons work where it stands."""
    seen = {"seen": chosen("here"), "where": {"type": "conversations_select", "selected_conversation": "G0001"}}
    answer = json.loads(slack.submit(opened_call(slack), call(**seen)).body)
    note = only_note(slack, "They asked for a pilot.")
    assert note.visibility == "G0001"
    assert "pilot" not in str(slack.desk.timeline(REP, "acme-01"))
    click(slack, answer["view"], "note_retract", buttons(answer["view"])["note_retract"])
    gone = slack.stub.wait_for("views.update")[0]["view"]
    assert "note_restore" in buttons(gone)
    click(slack, gone, "note_restore", buttons(gone)["note_restore"])
    assert "note_retract" in buttons(slack.stub.wait_for("views.update", 2)[1]["view"])


@pytest.mark.parametrize(
    ("fields", "block", "says"),
    [
        ({"account": {"selected_option": None}}, "name", "Choose an account"),
        ({"name": typed("Initech")}, "name", "not both"),
        ({"text": typed(None)}, "text", "empty"),
        ({"day": {"type": "datepicker", "selected_date": "2999-01-01"}}, "day", "still to come"),
        ({"seen": chosen("here")}, "where", "private channel"),
    ],
)
def test_what_is_missing_in_a_call_is_said_at_its_field(
    slack: Slack, fields: dict[str, Any], block: str, says: str
) -> None:
    """The form stays open with the words in it, and nothing is kept."""
    answer = json.loads(slack.submit(opened_call(slack), call(**fields)).body)
    assert answer["response_action"] == "errors"
    assert says in answer["errors"][block]
    assert len(slack.memory.of("T0001").timeline()) == 1


def test_a_new_account_and_a_new_person_are_made_by_the_form(slack: Slack) -> None:
    """Whoever logs the first call of an account owns it."""
    fields = {"account": {"selected_option": None}, "name": typed("Initech"), "contact": typed("Bill Lumbergh")}
    slack.submit(opened_call(slack), call(**fields))
    account = slack.memory.of("T0001").who("Bill Lumbergh").account
    assert (account.name, account.owner) == ("Initech", "U0REP")


# --- a message ---


def test_a_message_longer_than_a_form_is_kept_whole(slack: Slack) -> None:
    """The form holds the beginning, the rest waits here: the note has every word, and none of them is in the form's
    metadata."""
    slack.shortcut("log_message", LONG)
    view = slack.stub.wait_for("views.open")[0]["view"]
    head = field(view, "text")["initial_value"]
    assert len(head) <= 3000 < len(LONG)
    assert "word" not in view["private_metadata"]
    slack.submission(view, account="acme-01", text=f"Mended: {head}")
    assert only_note(slack, f"Mended: {LONG}").external


def test_a_long_message_is_never_cut_silently(slack: Slack) -> None:
    """When its rest is no longer there the form says so and keeps nothing."""
    slack.shortcut("log_message", LONG)
    view = slack.stub.wait_for("views.open")[0]["view"]
    answer = json.loads(slack.renewed().submission(view, account="acme-01", text="head").body)
    assert "too long" in answer["errors"]["text"]
    assert len(slack.desk.timeline(REP, "acme-01")) == 1


# --- fix ---


def fixing(slack: Slack, text: str = WORDS) -> tuple[dict[str, Any], Interaction]:
    """The form behind Fix, and the note."""
    answer = json.loads(slack.command("/log", text).body)
    note = next(n for n in slack.memory.of("T0001").timeline() if n.channel == "note" and n.rep == "U0REP")
    slack.action("note_fix", buttons(answer)["note_fix"])
    form: dict[str, Any] = slack.stub.wait_for("views.update")[0]["view"]
    return form, note


def kept(form: dict[str, Any], without: str = "") -> dict[str, Any]:
    """The boxes as Slack sends them back, those whose text holds `without` no longer ticked."""
    boxes = [(b["block_id"], b["element"]["options"]) for b in form["blocks"] if b.get("block_id", "")[:5] == "keep_"]
    return {
        name: {"keep": {"type": "checkboxes", "selected_options": [o for o in options if not _has(o, without)]}}
        for name, options in boxes
    }


def _has(option: dict[str, Any], words: str) -> bool:
    return bool(words) and words in option["text"]["text"]


def said_of(slack: Slack, note: Interaction) -> set[str]:
    """The kinds that were understood of a note."""
    return {signal.kind.value for signal in slack.memory.of("T0001").signals(note.id)}


def test_what_is_unticked_is_gone_and_stays_gone(slack: Slack) -> None:
    """The promise leaves the ledger with its signal, no later reading brings it back, and undo does."""
    form, note = fixing(slack)
    assert "commitment_by_us" in said_of(slack, note)
    answer = slack.submit(form, {"text": {"text": typed(note.text)}, **kept(form, without="We promised")})
    assert json.loads(answer.body)["view"]["title"]["text"] == "Corrected"
    assert said_of(slack, note) == {"objection"}
    assert "plan" not in str(slack.desk.next_steps(REP, "acme-01").steps)
    slack.desk.correct(REP, note.id, f"{note.text} They liked it.")
    assert "commitment_by_us" not in said_of(slack, note), "read again, and still refused"
    slack.desk.undo(REP, note.id)
    slack.desk.restore(REP, note.id, slack.desk.retract(REP, note.id))
    assert "commitment_by_us" not in said_of(slack, note)


def test_undo_of_a_fix_brings_back_what_was_unticked(slack: Slack) -> None:
    """Words and signals are as they were."""
    form, note = fixing(slack)
    before = said_of(slack, note)
    slack.submit(form, {"text": {"text": typed(note.text)}, **kept(form, without="We promised")})
    slack.desk.undo(REP, note.id)
    assert said_of(slack, note) == before


def test_a_fix_that_changes_nothing_is_no_new_version(slack: Slack) -> None:
    """Saved as it was, the note keeps its revision, and its confirmed signals stay confirmed."""
    form, note = fixing(slack)
    slack.desk.confirm(REP, note.id)
    slack.submit(form, {"text": {"text": typed(note.text)}, **kept(form)})
    assert slack.memory.of("T0001").note(note.id).revision == note.revision
    assert {s.confirmed_by for s in slack.memory.of("T0001").signals(note.id)} == {"U0REP"}


def test_the_receipt_in_the_channel_is_renewed_by_the_fix(slack: Slack) -> None:
    """The message that the form came from says what the note says now, with buttons of the new revision."""
    form, note = fixing(slack)
    slack.submit(form, {"text": {"text": typed("Dana is worried about security.")}, **kept(form)})
    renewed = slack.stub.wait_for("respond")[0]
    assert renewed["replace_original"] is True
    assert "security" in json.dumps(renewed)
    assert buttons(renewed)["note_retract"] == f"{note.id}:2"


def test_a_fix_of_a_note_that_changed_meanwhile_is_refused(slack: Slack) -> None:
    """Whoever saves second is told, and the first one's words stand."""
    form, note = fixing(slack)
    slack.desk.correct(REP, note.id, "Dana is fine.")
    answer = json.loads(slack.submit(form, {"text": {"text": typed("My words.")}, **kept(form)}).body)
    assert "changed since" in answer["errors"]["text"]
    assert slack.memory.of("T0001").note(note.id).text == "Dana is fine."


def test_fix_of_an_older_revision_shows_the_note_instead_of_a_form(slack: Slack) -> None:
    """A stale button opens no form on words that are no longer there."""
    answer = json.loads(slack.command("/log", WORDS).body)
    note = slack.desk.timeline(REP, "acme-01")[0]
    slack.desk.correct(REP, note.id, "Dana is fine.")
    slack.action("note_fix", buttons(answer)["note_fix"])
    view = slack.stub.wait_for("views.update")[0]["view"]
    assert "changed since" in json.dumps(view)
    assert "callback_id" not in view


def test_a_long_note_is_fixed_at_its_beginning_and_kept_whole(slack: Slack) -> None:
    """What the form does not hold stays as it is."""
    form, note = fixing(slack, f"Acme Corp: {LONG}")
    head = field(form, "text")["initial_value"]
    slack.submit(form, {"text": {"text": typed(head.replace("word0000", "start"))}, **kept(form)})
    assert slack.memory.of("T0001").note(note.id).text == LONG.replace("word0000", "start")


def test_the_form_puts_a_note_into_another_deal(slack: Slack) -> None:
    """With several deals open the form has them, today's chosen."""
    data = {"accountId": "acme-01", "name": "Acme Corp", "OPPORTUNITY": DEALS}
    slack.memory.of("T0001").import_payload(data)
    form, note = fixing(slack)
    deal = next(o["value"] for o in field(form, "deal")["options"] if o["text"]["text"] == "Licence")
    slack.submit(form, {"text": {"text": typed(note.text)}, **kept(form), "deal": {"deal": chosen(deal)}})
    assert slack.memory.of("T0001").note(note.id).opportunity == "opp-a"


def test_a_receipt_in_a_form_is_fixed_in_that_form(slack: Slack) -> None:
    """Without a message to replace, Fix fills the form that is open, and saving shows the receipt in it."""
    answer = json.loads(slack.submit(opened_call(slack), call()).body)
    note = only_note(slack, "They asked for a pilot.")
    click(slack, answer["view"], "note_fix", buttons(answer["view"])["note_fix"])
    update = slack.stub.wait_for("views.update")[0]
    assert update["view_id"] == "V1"
    assert len(slack.stub.of("views.open")) == 1, "no second form on top"
    form = update["view"]
    saved = json.loads(slack.submit(form, {"text": {"text": typed("They want a pilot in May.")}, **kept(form)}).body)
    assert buttons(saved["view"])["note_undo"] == f"{note.id}:2"
    assert slack.stub.of("respond") == []


def test_right_counts_what_the_customers_own_words_say(slack: Slack) -> None:
    """A pilot in a forwarded message waits for a rep's word; Right gives it."""
    slack.shortcut("log_message", "We would like to run a pilot with your team next month.")
    view = slack.stub.wait_for("views.open")[0]["view"]
    text = field(view, "text")["initial_value"]
    answer = json.loads(slack.submission(view, account="acme-01", text=text).body)
    note = only_note(slack, text)
    waiting = [s for s in slack.memory.of("T0001").signals(note.id) if s.pending]
    assert waiting
    assert "once you press Right" in json.dumps(answer)
    click(slack, answer["view"], "note_right", buttons(answer["view"])["note_right"])
    slack.stub.wait_for("views.update")
    assert not any(s.pending for s in slack.memory.of("T0001").signals(note.id))


def test_trouble_in_a_form_is_said_in_the_form(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no message to answer beside, the form says it."""
    answer = json.loads(slack.submit(opened_call(slack), call()).body)
    later = slack.memory.now + timedelta(minutes=11)
    monkeypatch.setattr(type(slack.memory), "now", property(lambda _: later))
    click(slack, answer["view"], "note_undo", buttons(answer["view"])["note_undo"])
    assert "ten minutes" in json.dumps(slack.stub.wait_for("views.update")[0])
