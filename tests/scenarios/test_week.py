"""The week in Slack: digests, the ledger, hand-offs, the pipeline."""

import json

import pytest

from bot.samples import sample_payloads
from tests.scenarios.conftest import REP, Slack


@pytest.fixture
def busy(slack: Slack) -> Slack:
    """A workspace with the sources' three deals."""
    for payload in sample_payloads(slack.memory.now.date()):
        slack.memory.of("T0001").import_payload(payload)
    return slack


def said(slack: Slack, count: int = 1) -> str:
    """What the asker was told, all of it."""
    return json.dumps(slack.stub.wait_for("respond", count), ensure_ascii=False)


def test_the_digest_puts_james_above_priya_and_is_for_the_asker_alone(busy: Slack) -> None:
    """`/digest` answers privately, red first, each deal once with its action and its notes."""
    assert busy.command("/digest", "").status == 200
    text = said(busy)
    assert text.index("Needs attention now") < text.index("Paysend") < text.index("Rentokil")
    assert "james-4" in text
    assert busy.stub.wait_for("respond")[0]["response_type"] == "ephemeral"
    assert busy.stub.of("chat.postMessage") == []


def test_a_shared_digest_leaves_out_what_a_private_channel_knows(busy: Slack) -> None:
    """The share button computes the week anew with what everybody in the channel may see."""
    busy.desk.log(REP, "Rentokil", "They fear the liability clause", source_key="k", visibility="G0001")
    busy.action("share_digest", "week")
    shared = json.dumps(busy.stub.wait_for("chat.postMessage"), ensure_ascii=False)
    assert "Paysend" in shared
    assert "liability" not in shared


def test_a_next_step_is_added_listed_done_and_opened_again(slack: Slack) -> None:
    """`/next add` keeps a promise with its day; the menu marks it done; a button takes that back."""
    slack.command("/next", "add Acme Corp: send the security report by 3 December")
    assert "security report" in said(slack)
    step = next(s for s in slack.desk.next_steps(REP).steps if "security" in s.title)
    assert step.due is not None
    slack.action(
        "step_menu", selected_option={"text": {"type": "plain_text", "text": "Done"}, "value": f"done:{step.id}"}
    )
    assert "Done" in said(slack, 2)
    assert step.id not in [s.id for s in slack.desk.next_steps(REP).steps]
    slack.action("step_reopen", str(step.id))
    slack.stub.wait_for("respond", 3)
    assert step.id in [s.id for s in slack.desk.next_steps(REP).steps]


def test_a_step_put_off_keeps_its_due_day(slack: Slack) -> None:
    """Snoozing moves the reminder, never the promise."""
    step = slack.desk.add_step(REP, "Acme Corp: call Dana today")
    assert step.id in [s.id for s in slack.desk.due_reminders(REP)]
    slack.action(
        "step_menu", selected_option={"text": {"type": "plain_text", "text": "x"}, "value": f"snooze-7:{step.id}"}
    )
    slack.stub.wait_for("respond")
    assert slack.desk.due_reminders(REP) == ()
    assert slack.memory.of("T0001").next_step(step.id).due == step.due


def test_a_hand_off_moves_the_steps_tells_the_new_owner_and_is_taken_back(slack: Slack) -> None:
    """`/handoff` gives the pack, moves ours, writes to the new owner; the button undoes it."""
    step = slack.desk.add_step(REP, "Acme Corp: send the security report")
    slack.command("/handoff", "Acme Corp <@U0ANA0001|ana>")
    assert "Next three actions" in said(slack)
    assert slack.stub.wait_for("chat.postMessage")[0]["channel"] == "U0ANA0001"
    team = slack.memory.of("T0001")
    assert (team.who("Acme Corp").account.owner, team.next_step(step.id).owner) == ("U0ANA0001", "U0ANA0001")
    slack.action("handoff_undo", "1")
    assert "Taken back" in said(slack, 2)
    assert (team.who("Acme Corp").account.owner, team.next_step(step.id).owner) == ("", "U0REP")


def test_the_new_owner_is_not_told_what_they_may_not_see(slack: Slack) -> None:
    """The direct message to the new owner holds nothing of a private channel."""
    slack.desk.log(REP, "Acme Corp", "Dana fears the liability clause", source_key="k", visibility="G0001")
    slack.command("/handoff", "Acme Corp <@U0ANA0001>", channel_id="G0001", channel_name="privategroup")
    assert "liability" in said(slack)
    assert "liability" not in json.dumps(slack.stub.wait_for("chat.postMessage", 2))


def test_the_pipeline_is_by_stage_and_weighted(busy: Slack) -> None:
    """`/pipeline` shows amounts by stage and what health makes of them."""
    busy.command("/pipeline", "")
    text = said(busy)
    assert "negotiation" in text
    assert "25,200.00" in text


@pytest.mark.parametrize(("name", "text"), [("/handoff", ""), ("/handoff", "Acme Corp"), ("/next", "add Acme Corp:")])
def test_half_a_command_is_taught(slack: Slack, name: str, text: str) -> None:
    """Each command with half its words answers with an example."""
    slack.command(name, text)
    assert "for example" in said(slack)
