"""The receipt under a note: right, fix, undo, retract, and what was asked before it could be kept."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.desk import Viewer
from bot.slack.views import receipt
from storage import Interaction
from tests.scenarios.conftest import REP, Slack

WORDS = "Acme Corp: Dana is worried about data migration. I'll send a plan by Friday."


def logged(slack: Slack, text: str = WORDS) -> tuple[dict[str, Any], Interaction]:
    """The receipt of a note, and the note."""
    answer = json.loads(slack.command("/log", text).body)
    return answer, slack.desk.timeline(REP, "acme-01")[0]


def buttons(message: dict[str, Any]) -> dict[str, str]:
    """Action id -> value of every button."""
    rows = [block["elements"] for block in message["blocks"] if block["type"] == "actions"]
    return {element["action_id"]: element["value"] for row in rows for element in row}


def test_a_receipt_has_its_buttons_and_their_values_are_ids(slack: Slack) -> None:
    """Right, fix, undo and retract; whoever reads their values learns two numbers: the note and its revision."""
    answer, note = logged(slack)
    assert buttons(answer) == dict.fromkeys(("note_right", "note_fix", "note_undo", "note_retract"), f"{note.id}:1")


def test_what_became_a_next_step_is_shown_once_with_its_day(slack: Slack) -> None:
    """The objection by its name, the promise with its date, each in one line."""
    text = json.dumps(logged(slack)[0], ensure_ascii=False)
    assert "Objection · data migration" in text
    assert text.count("end a plan by Friday") == 1
    assert "We promised" in text
    assert "(due " in text


def test_right_confirms_what_was_understood(slack: Slack) -> None:
    """The signals carry the name of who confirmed them, and the receipt loses the button."""
    _, note = logged(slack)
    slack.action("note_right", str(note.id))
    replaced = slack.stub.wait_for("respond")[0]
    assert replaced["replace_original"] is True
    assert "note_right" not in buttons(replaced)
    assert {s.confirmed_by for s in slack.memory.of("T0001").signals(note.id)} == {"U0REP"}


def test_a_retracted_note_leaves_recall_and_health_at_once_and_comes_back(slack: Slack) -> None:
    """Out of the brief and the timeline with the click; restored with another."""
    _, note = logged(slack)
    slack.action("note_retract", str(note.id))
    gone = slack.stub.wait_for("respond")[0]
    assert len(slack.desk.timeline(REP, "acme-01")) == 1
    assert "migration" not in str(slack.desk.brief(REP, "acme-01"))
    slack.action("note_restore", buttons(gone)["note_restore"])
    slack.stub.wait_for("respond", 2)
    assert len(slack.desk.timeline(REP, "acme-01")) == 2
    assert "migration" in str(slack.desk.brief(REP, "acme-01"))


def test_fix_opens_at_once_and_what_is_saved_is_read_anew(slack: Slack) -> None:
    """A loading form, then the words; saved, the note says something else and the former words stay in its history."""
    _, note = logged(slack)
    slack.action("note_fix", str(note.id))
    assert "One moment" in json.dumps(slack.stub.wait_for("views.open")[0])
    form = slack.stub.wait_for("views.update")[0]["view"]
    assert form["blocks"][0]["element"]["initial_value"] == note.text
    assert "migration" not in form["private_metadata"]
    answer = slack.submit(
        form, {"text": {"text": {"type": "plain_text_input", "value": "Dana is fine with everything."}}}
    )
    assert json.loads(answer.body)["response_action"] == "update"
    assert slack.memory.of("T0001").note(note.id).text == "Dana is fine with everything."
    assert slack.memory.of("T0001").history(note.id)[0].text == note.text


def test_an_emptied_fix_is_refused_with_the_words_still_there(slack: Slack) -> None:
    """An empty note is said in the form; nothing changes."""
    _, note = logged(slack)
    slack.action("note_fix", str(note.id))
    form = slack.stub.wait_for("views.update")[0]["view"]
    answer = slack.submit(form, {"text": {"text": {"type": "plain_text_input", "value": None}}})
    assert json.loads(answer.body)["response_action"] == "errors"
    assert slack.memory.of("T0001").note(note.id).text == note.text


def test_undo_is_for_who_logged_it(slack: Slack) -> None:
    """The rep's own undo takes the note back; a colleague's is refused."""
    _, note = logged(slack)
    slack.action("note_undo", str(note.id))
    slack.stub.wait_for("respond")
    assert len(slack.desk.timeline(REP, "acme-01")) == 1
    colleague = Viewer("T0001", "U0OTHER")
    theirs = slack.desk.log(colleague, "acme-01", "They liked the demo.", source_key="k2")
    slack.action("note_undo", str(theirs.interaction_id))
    refused = slack.stub.wait_for("respond", 2)[1]
    assert "Only who logged" in json.dumps(refused)
    assert refused["replace_original"] is False, "the receipt stays"
    assert len(slack.desk.timeline(REP, "acme-01")) == 2


def test_undo_of_a_correction_brings_the_words_back(slack: Slack) -> None:
    """First the correction is undone, then the note."""
    _, note = logged(slack)
    slack.desk.correct(REP, note.id, "Dana is fine with everything.")
    slack.action("note_undo", f"{note.id}:2")
    assert "migration" in json.dumps(slack.stub.wait_for("respond")[0])
    assert slack.memory.of("T0001").note(note.id).text == note.text


def test_undo_works_for_ten_minutes(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven minutes later it is refused, and retract is named."""
    _, note = logged(slack)
    later = slack.memory.now + timedelta(minutes=11)
    monkeypatch.setattr(type(slack.memory), "now", property(lambda _: later))
    slack.action("note_undo", f"{note.id}:1")
    assert "ten minutes" in json.dumps(slack.stub.wait_for("respond")[0])
    assert len(slack.desk.timeline(REP, "acme-01")) == 2


@pytest.mark.parametrize("action", ["note_right", "note_undo", "note_retract", "note_restore"])
def test_a_button_of_an_older_revision_does_nothing_but_show_the_note(slack: Slack, action: str) -> None:
    """Somebody corrected the note meanwhile: the receipt says so and becomes today's."""
    _, note = logged(slack)
    slack.desk.correct(Viewer("T0001", "U0OTHER"), note.id, "Dana is fine with everything.")
    slack.action(action, f"{note.id}:1")
    said = slack.stub.wait_for("respond")[0]
    assert said["replace_original"] is True
    assert "changed since" in json.dumps(said)
    assert buttons(said)["note_fix"] == f"{note.id}:2"
    assert slack.memory.of("T0001").note(note.id).text == "Dana is fine with everything."
    assert all(not s.confirmed_by for s in slack.memory.of("T0001").signals(note.id))


def test_a_button_of_a_note_that_was_retracted_offers_to_restore_it(slack: Slack) -> None:
    """What is gone cannot be confirmed; the receipt shows the way back."""
    _, note = logged(slack)
    slack.desk.retract(REP, note.id)
    slack.action("note_right", f"{note.id}:1")
    assert buttons(slack.stub.wait_for("respond")[0]) == {"note_restore": f"{note.id}:2"}


def test_several_open_deals_are_asked_about(slack: Slack) -> None:
    """With two deals open a button for each; the click puts the note into that deal."""
    deals = [{"opportunityId": "opp-a", "status": "open"}, {"opportunityId": "opp-b", "status": "open"}]
    data = {"accountId": "acme-01", "name": "Acme Corp", "OPPORTUNITY": deals}
    slack.memory.of("T0001").import_payload({"label": "ACCOUNT", "data": data})
    answer, note = logged(slack)
    asked = {a: v for a, v in buttons(answer).items() if a.startswith("note_deal")}
    ids = {deal.key: deal.id for deal in slack.memory.of("T0001").opportunities(note.account_id)}
    action = next(a for a, v in asked.items() if v == f"{note.id}:1:{ids['opp-b']}")
    slack.action(action, asked[action])
    said = slack.stub.wait_for("respond")[0]
    assert "deal opp-b" in json.dumps(said)
    assert "note_deal_0" not in buttons(said)
    assert slack.memory.of("T0001").note(note.id).opportunity == "opp-b"
    again = json.loads(slack.command("/log", "Acme Corp: and a second thing", trigger="t2").body)
    assert "deal opp-b" in json.dumps(again), "remembered in this channel"
    elsewhere = json.loads(slack.command("/log", "Acme Corp: a third", trigger="t3", channel_id="C0002").body)
    assert "Which one is it?" in json.dumps(elsewhere)


def test_two_accounts_of_a_name_are_asked_about_once_and_remembered(slack: Slack) -> None:
    """The buttons carry a number, not the words; the choice logs the note, and the next time nobody is asked."""
    team = slack.memory.of("T0001")
    team.import_payload(
        [{"accountId": "n-1", "name": "Northwind Trading"}, {"accountId": "n-2", "name": "Northwind Energy"}]
    )
    asked = json.loads(slack.command("/log", "Northwind: they want a discount", trigger="t1").body)
    values = buttons(asked)
    assert len(values) == 2
    assert "discount" not in json.dumps(list(values.values()))
    slack.action("choose_1", values["choose_1"])
    slack.stub.wait_for("respond")
    counts = [len(slack.desk.timeline(REP, key)) for key in ("n-1", "n-2")]
    assert sorted(counts) == [0, 1]
    again = slack.command("/log", "Northwind: and a longer term", trigger="t2").body
    assert "Logged on" in again
    assert sorted(len(slack.desk.timeline(REP, key)) for key in ("n-1", "n-2")) == [0, 2]


def test_a_choice_is_the_askers_own(slack: Slack) -> None:
    """Somebody else's click on the question gets nothing."""
    slack.memory.of("T0001").import_payload(
        [{"accountId": "n-1", "name": "North A"}, {"accountId": "n-2", "name": "North B"}]
    )
    slack.command("/timeline", "North", user_id="U0OTHER")
    asked = slack.stub.wait_for("respond")[0]
    slack.action("choose_0", buttons(asked)["choose_0"])
    assert "too old" in json.dumps(slack.stub.wait_for("respond", 2)[1])


def test_one_of_two_people_of_an_account_is_who_was_chosen(slack: Slack) -> None:
    """The note is that person's, and since the account alone does not tell, the next time it is asked again."""
    people = [{"contactId": "c-8", "name": "Sam Hill"}, {"contactId": "c-9", "name": "Sam Poole"}]
    slack.memory.of("T0001").import_payload({"accountId": "n-1", "name": "Northwind", "CONTACT": people})
    asked = json.loads(slack.command("/log", "Sam: wants a demo", trigger="t1").body)
    labels = {e["text"]["text"]: e for b in asked["blocks"] if b["type"] == "actions" for e in b["elements"]}
    chosen = labels["Sam Poole (Northwind)"]
    slack.action(chosen["action_id"], chosen["value"])
    slack.stub.wait_for("respond")
    assert [n.contact for n in slack.desk.timeline(REP, "n-1")] == ["Sam Poole"]
    assert "Which one?" in slack.command("/log", "Sam: and a price", trigger="t2").body


def test_a_question_without_a_colon_is_asked_about_and_carried_out(slack: Slack) -> None:
    """`/recall Northwind what did they say?` waits for the choice, then answers."""
    team = slack.memory.of("T0001")
    team.import_payload(
        [{"accountId": "n-1", "name": "Northwind East"}, {"accountId": "n-2", "name": "Northwind West"}]
    )
    slack.desk.log(REP, "n-2", "They want to pay every quarter.", source_key="k")
    slack.command("/recall", "Northwind how do they want to pay?")
    asked = slack.stub.wait_for("respond")[0]
    labels = {e["text"]["text"]: e for b in asked["blocks"] if b["type"] == "actions" for e in b["elements"]}
    chosen = labels["Northwind West"]
    slack.action(chosen["action_id"], chosen["value"])
    assert "every quarter" in json.dumps(slack.stub.wait_for("respond", 2)[1])


def test_a_note_logged_by_somebody_else_names_them(slack: Slack) -> None:
    """The same message captured twice is one note, and who was first is said; taken back, it can be restored."""
    first = slack.desk.log(Viewer("T0001", "U0OTHER01"), "acme-01", "They want a pilot.", source_key="msg:C0001:1.0")
    second = slack.desk.log(REP, "acme-01", "They want a pilot.", source_key="msg:C0001:1.0")
    assert (second.is_new, second.interaction_id) == (False, first.interaction_id)
    slack.desk.retract(REP, first.interaction_id)
    third = slack.desk.log(REP, "acme-01", "They want a pilot.", source_key="msg:C0001:1.0")
    said = receipt(third)
    assert "Already logged on *Acme Corp* by <@U0OTHER01>" in said["text"]
    assert "taken back" in said["text"]
    assert buttons(said) == {"note_restore": f"{first.interaction_id}:2"}


@pytest.mark.parametrize("name", ["/account", "/rapport"])
def test_a_bare_command_teaches(slack: Slack, name: str) -> None:
    """Without words each says how it is used."""
    slack.command(name, "")
    assert "/account" in json.dumps(slack.stub.wait_for("respond")[0])


def test_a_channel_that_stands_for_an_account_needs_no_name(slack: Slack) -> None:
    """Linked, `/log`, `/recall`, `/brief` and `/timeline` are about the account; a known name still wins."""
    slack.command("/account", "link Acme Corp")
    slack.stub.wait_for("respond")
    slack.command("/log", "they want a longer trial", trigger="t1")
    assert slack.desk.timeline(REP, "acme-01")[0].text == "they want a longer trial"
    slack.command("/timeline", "")
    assert "longer trial" in json.dumps(slack.stub.wait_for("respond", 2)[1])
    slack.memory.of("T0001").import_payload(
        {"accountId": "n-1", "name": "Initech", "CONTACT": [{"name": "Theo Jansen"}]}
    )
    slack.command("/log", "the budget: it is gone", trigger="t3")
    slack.command("/log", "theo said the budget is gone", trigger="t4")
    assert len(slack.desk.timeline(REP, "acme-01")) == 4, "only a known name with a colon is somebody else here"
    slack.command("/log", "Initech: they use spreadsheets", trigger="t2")
    assert slack.desk.timeline(REP, "Initech")[0].text == "they use spreadsheets"
    slack.command("/account", "unlink")
    slack.stub.wait_for("respond", 3)
    slack.command("/timeline", "")
    assert "for example" in json.dumps(slack.stub.wait_for("respond", 4)[3])


def test_accounts_are_made_renamed_merged_and_taken_apart(slack: Slack) -> None:
    """Old names go on finding; a merge moves every note and is undone with a click."""
    for count, text in enumerate(("create Initech", "rename Initech to Initrode"), 1):
        slack.command("/account", text)
        slack.stub.wait_for("respond", count)
    slack.desk.log(REP, "Initech", "They use spreadsheets today.", source_key="k")
    slack.command("/account", "merge Initrode into Acme Corp")
    question = slack.stub.wait_for("respond", 3)[2]
    assert "1 note" in json.dumps(question)
    assert len(slack.desk.timeline(REP, "acme-01")) == 1, "nothing moves before somebody says so"
    slack.action("merge", buttons(question)["merge"])
    merged = slack.stub.wait_for("respond", 4)[3]
    assert len(slack.desk.timeline(REP, "acme-01")) == 2
    assert len(slack.desk.timeline(REP, "Initrode")) == 2, "the name of the merged account finds the other"
    slack.action("undo_merge", buttons(merged)["undo_merge"])
    slack.stub.wait_for("respond", 5)
    assert [len(slack.desk.timeline(REP, name)) for name in ("acme-01", "Initrode")] == [1, 1]
    slack.command("/account", "list")
    assert "Initrode" in json.dumps(slack.stub.wait_for("respond", 6)[5])
    slack.action("undo_merge", buttons(merged)["undo_merge"])
    assert "no such merge" in json.dumps(slack.stub.wait_for("respond", 7)[6])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("merge Acme Corp into Acme Corp", "same account"),
        ("merge Acme Corp", "for example"),
        ("rename Acme Inc", "for example"),
        ("rename Initech to Acme", "No account"),
        ("link Initech", "No account"),
        ("link", "for example"),
        ("create", "for example"),
        ("frobnicate", "for example"),
    ],
)
def test_what_account_cannot_do_is_said(slack: Slack, text: str, says: str) -> None:
    """Each wrong call gets the sentence that helps."""
    slack.command("/account", text)
    assert says.casefold() in json.dumps(slack.stub.wait_for("respond")[0]).casefold()


def test_two_accounts_of_one_name_are_not_made(slack: Slack) -> None:
    """A rename to another account's name says to merge instead."""
    slack.memory.of("T0001").create_account("Initech")
    slack.command("/account", "rename Initech to Acme Corp")
    assert "already an account" in json.dumps(slack.stub.wait_for("respond")[0])


def test_a_linked_channel_is_renamed_without_saying_whom(slack: Slack) -> None:
    """`rename NEW` means the channel's account, also when the new name has a "to" in it."""
    slack.command("/account", "link Acme Corp")
    slack.stub.wait_for("respond")
    slack.command("/account", "rename Path to Growth")
    slack.stub.wait_for("respond", 2)
    assert slack.desk.account_names(REP) == (("acme-01", "Path to Growth"),)
    slack.command("/account", "rename Acme Inc")
    slack.stub.wait_for("respond", 3)
    assert slack.desk.account_names(REP) == (("acme-01", "Acme Inc"),)


@pytest.mark.parametrize(
    ("text", "says"), [("privacy", "private channel"), ("settings", "Europe/Berlin"), ("help", "/log")]
)
def test_rapport_tells_about_itself(slack: Slack, text: str, says: str) -> None:
    """Help, privacy and settings."""
    slack.command("/rapport", text)
    assert says in json.dumps(slack.stub.wait_for("respond")[0])
