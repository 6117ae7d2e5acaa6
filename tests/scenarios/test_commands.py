"""Slash commands: a signed payload in, the reply out."""

import json

import pytest

from tests.scenarios.conftest import REP, Slack


def test_a_note_is_kept_before_the_answer_and_the_receipt_says_what_was_understood(slack: Slack) -> None:
    """`/log` answers in its acknowledgement with the account and the signals, and the note is on the timeline."""
    answer = slack.command("/log", "Acme Corp: Dana is worried about data migration. I'll send a plan by Friday.")
    assert answer.status == 200
    said = json.dumps(json.loads(answer.body), ensure_ascii=False)
    assert "Acme Corp" in said
    assert "migration" in said
    assert json.loads(answer.body)["response_type"] == "ephemeral"
    assert len(slack.desk.timeline(REP, "acme-01")) == 2


def test_the_same_delivery_twice_is_one_note(slack: Slack) -> None:
    """A retried command carries the same trigger: it is answered again and kept once."""
    for _ in range(3):
        answer = slack.command("/log", "Acme Corp: they liked the demo", trigger="9.9.same")
    assert "Already logged" in answer.body
    assert len(slack.desk.timeline(REP, "acme-01")) == 2


def test_an_unknown_name_is_not_guessed_and_can_be_made(slack: Slack) -> None:
    """An unknown account is said, with the way to make it; with a plus it is made and the note kept."""
    assert "No account or person called" in slack.command("/log", "Initech: first call").body
    assert "Initech" in slack.command("/log", "+Initech: first call", trigger="2").body
    assert len(slack.desk.timeline(REP, "Initech")) == 1


@pytest.mark.parametrize("name", ["/log", "/brief", "/recall", "/timeline"])
def test_a_bare_command_teaches(slack: Slack, name: str) -> None:
    """Each command without words answers with an example."""
    answer = slack.command(name, "")
    said = answer.body or json.dumps(slack.stub.wait_for("respond")[0])
    assert "for example" in said


def test_a_brief_is_a_thread_reply_under_its_own_parent(slack: Slack) -> None:
    """`/brief` is acknowledged at once, posts a parent, and answers in its thread with quotes and note ids."""
    assert slack.command("/brief", "Dana Reed").status == 200
    parent, reply = slack.stub.wait_for("chat.postMessage", 2)[:2]
    assert "thread_ts" not in parent
    assert reply["thread_ts"] == "1700000000.000001"
    assert "int-204" in json.dumps(reply)


def test_recall_answers_privately_with_the_note_that_proves_it(slack: Slack) -> None:
    """`/recall` answers the asker only, and the first source's note is in it."""
    slack.command("/recall", "acme-01: What pricing objections came up on this account?")
    said = slack.stub.wait_for("respond")[0]
    assert said["response_type"] == "ephemeral"
    assert "quarterly billing" in json.dumps(said)


def test_timeline_lists_the_notes(slack: Slack) -> None:
    """`/timeline` shows the words of each note."""
    slack.command("/timeline", "Acme Corp")
    assert "quarterly billing" in json.dumps(slack.stub.wait_for("respond")[0])


def test_a_channel_the_app_is_not_in_names_the_one_fix(slack: Slack) -> None:
    """When Slack refuses the post, the asker is told privately to invite the app."""
    slack.stub.refuse["chat.postMessage"] = "not_in_channel"
    slack.command("/brief", "acme-01")
    assert "/invite @Rapport" in json.dumps(slack.stub.wait_for("respond")[0])


def test_words_from_a_private_channel_stay_in_it(slack: Slack) -> None:
    """A note captured in a private channel is answered there, and nowhere else."""
    slack.desk.log(REP, "acme-01", "They fear the liability clause", source_key="k", visibility="G0001")
    slack.command("/timeline", "acme-01")
    slack.command("/timeline", "acme-01", channel_id="G0001", channel_name="privategroup")
    outside, inside = slack.stub.wait_for("respond", 2)
    assert "liability" in json.dumps(outside) + json.dumps(inside)
    assert sum("liability" in json.dumps(said) for said in (outside, inside)) == 1
