"""The receipt under a note: right, fix, undo, retract, and what was asked before it could be kept."""

import json
from typing import Any

import pytest

from bot.desk import Viewer
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
    """Right, fix, undo and retract; whoever reads their values learns a number."""
    answer, note = logged(slack)
    assert buttons(answer) == {a: str(note.id) for a in ("note_right", "note_fix", "note_undo", "note_retract")}


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
    assert "Only who logged" in json.dumps(slack.stub.wait_for("respond", 2)[1])
    assert len(slack.desk.timeline(REP, "acme-01")) == 2


def test_several_open_deals_are_asked_about(slack: Slack) -> None:
    """With two deals open a button for each; the click puts the note into that deal."""
    deals = [{"opportunityId": "opp-a", "status": "open"}, {"opportunityId": "opp-b", "status": "open"}]
    data = {"accountId": "acme-01", "name": "Acme Corp", "OPPORTUNITY": deals}
    slack.memory.of("T0001").import_payload({"label": "ACCOUNT", "data": data})
    answer, note = logged(slack)
    asked = {a: v for a, v in buttons(answer).items() if a.startswith("note_deal")}
    assert f"{note.id}:opp-b" in asked.values()
    action = next(a for a, v in asked.items() if v.endswith("opp-b"))
    slack.action(action, asked[action])
    slack.stub.wait_for("respond")
    assert slack.memory.of("T0001").note(note.id).opportunity == "opp-b"


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
    asked = json.loads(slack.command("/log", "North: x", trigger="t1", user_id="U0OTHER").body)
    slack.action("choose_0", buttons(asked)["choose_0"])
    assert "too old" in json.dumps(slack.stub.wait_for("respond")[0])


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
    slack.memory.of("T0001").create_account("Initech")
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
    merged = slack.stub.wait_for("respond", 3)[2]
    assert len(slack.desk.timeline(REP, "acme-01")) == 2
    assert len(slack.desk.timeline(REP, "Initrode")) == 2, "the name of the merged account finds the other"
    slack.action("undo_merge", buttons(merged)["undo_merge"])
    slack.stub.wait_for("respond", 4)
    assert [len(slack.desk.timeline(REP, name)) for name in ("acme-01", "Initrode")] == [1, 1]
    slack.command("/account", "list")
    assert "Initrode" in json.dumps(slack.stub.wait_for("respond", 5)[4])


def test_log_a_call_from_anywhere(slack: Slack) -> None:
    """The global shortcut opens the form; the account is found by typing; sent twice it is one note."""
    slack.global_shortcut("log_call")
    form = slack.stub.wait_for("views.open")[0]["view"]
    found = json.loads(slack.options("account", "acm").body)["options"]
    assert [option["value"] for option in found] == ["acme-01"]
    values = {
        "account": {"account": {"type": "external_select", "selected_option": found[0]}},
        "name": {"name": {"type": "plain_text_input", "value": None}},
        "kind": {"kind": {"type": "static_select", "selected_option": {"value": "call"}}},
        "day": {"day": {"type": "datepicker", "selected_date": "2026-05-04"}},
        "text": {"text": {"type": "plain_text_input", "value": "They asked for a pilot."}},
    }
    answers = [json.loads(slack.submit(form, values).body) for _ in range(2)]
    assert [answer["view"]["title"]["text"] for answer in answers] == ["Logged", "Already logged"]
    note = slack.desk.timeline(REP, "acme-01")[-1]
    assert (note.text, note.channel, note.occurred_at.date().isoformat()) == (
        "They asked for a pilot.",
        "call",
        "2026-05-04",
    )
