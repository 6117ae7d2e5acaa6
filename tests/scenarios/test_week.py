"""The week in Slack: the ledger, reminders, hand-offs, the pipeline."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.samples import sample_payloads
from bot.scribe_plain import PlainScribe
from bot.slack.posting import Posting
from storage import StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from tests.scenarios.conftest import REP, Slack
from tests.scenarios.slack_stub import running_stub


@pytest.fixture
def busy(slack: Slack) -> Slack:
    """A workspace with the sources' three deals."""
    for payload in sample_payloads(slack.memory.now.date()):
        slack.memory.of("T0001").import_payload(payload)
    return slack


def said(slack: Slack, count: int = 1) -> str:
    """What the asker was told, all of it."""
    return json.dumps(slack.stub.wait_for("respond", count), ensure_ascii=False)


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


def test_a_step_is_given_to_a_colleague(slack: Slack) -> None:
    """The menu opens a form; the chosen colleague owns the step; the form carries its number only."""
    step = slack.desk.add_step(REP, "Acme Corp: send the security report")
    option = {"text": {"type": "plain_text", "text": "Give to a colleague"}, "value": f"give:{step.id}"}
    slack.action("step_menu", selected_option=option)
    slack.stub.wait_for("views.open")
    form = (slack.stub.of("views.update") or slack.stub.of("views.open"))[-1]["view"]
    if form.get("callback_id") != "give_view":
        form = slack.stub.wait_for("views.update")[0]["view"]
    assert form["private_metadata"] == str(step.id)
    answer = slack.submit(form, {"who": {"who": {"type": "users_select", "selected_user": "U0BEN0001"}}})
    assert json.loads(answer.body)["response_action"] == "update"
    assert slack.memory.of("T0001").next_step(step.id).owner == "U0BEN0001"


def test_a_channels_steps_are_its_accounts(slack: Slack) -> None:
    """`/next here` lists the linked account's; without one it says how to link."""
    slack.desk.add_step(Viewer("T0001", "U0OTHER"), "Acme Corp: send the security report")
    slack.command("/next", "here")
    assert "stands for no account" in said(slack)
    slack.command("/account", "link Acme Corp")
    slack.stub.wait_for("respond", 2)
    slack.command("/next", "here")
    assert "security report" in said(slack, 3)


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


def posting(slack: Slack) -> Posting:
    """What Slack is sent by the clock, through the stub."""
    return Posting(slack.desk, lambda _team: WebClient(token="xoxb-test", base_url=slack.stub.url))


def test_a_reminder_is_one_message_a_day_in_the_owners_morning(tmp_path: Path) -> None:
    """Two steps due are one message; at night none; the same day none again; also on the day the clocks change."""
    clock = [datetime(2026, 3, 29, 4, 30, tzinfo=UTC)]  # 6:30 in Berlin, the morning the clocks went forward
    config = StorageConfig(data_dir=tmp_path, now=lambda: clock[0])
    with running_stub() as stub, open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        desk = Desk(memory, PlainScribe())
        rep = Viewer("T0001", "U0REP0001", tz="Europe/Berlin")
        memory.of("T0001").create_account("Acme Corp")
        desk.add_step(rep, "Acme Corp: send the report today")
        desk.add_step(rep, "Acme Corp: call Dana today")
        due = Posting(desk, lambda _team: WebClient(token="xoxb-test", base_url=stub.url))
        assert due.remind() == 0
        clock[0] = datetime(2026, 3, 29, 6, 5, tzinfo=UTC)  # 8:05 in Berlin; it would be 7:05 had they not changed
        assert [due.remind(), due.remind()] == [1, 0]
        sent = stub.of("chat.postMessage")
        assert len(sent) == 1
        assert sent[0]["channel"] == "U0REP0001"
        assert json.dumps(sent).count("Acme Corp") >= 2
        clock[0] = datetime(2026, 3, 30, 6, 5, tzinfo=UTC)
        assert due.remind() == 1


def test_nobody_is_reminded_of_what_they_may_not_see(slack: Slack) -> None:
    """A promise from a private channel's note is not told in a direct message."""
    rep = Viewer("T0001", "U0REP0001", frozenset({"G0001"}))
    slack.desk.log(rep, "Acme Corp", "I will send Dana the liability draft today.", source_key="k", visibility="G0001")
    assert any("liability" in s.title for s in slack.desk.next_steps(rep, "Acme Corp").steps)
    posting(slack).remind()
    assert "liability" not in json.dumps(slack.stub.of("chat.postMessage"))


def test_the_health_picture_is_uploaded_under_the_brief_with_words_for_who_cannot_see_it(busy: Slack) -> None:
    """The button under a brief uploads a PNG by today's file API, in the thread, with the scores as alt text."""
    busy.action("health_picture", "rentokil")
    done = busy.stub.wait_for("files.completeUploadExternal")[0]
    asked = busy.stub.of("files.getUploadURLExternal")[0]
    assert asked["filename"] == "health.png"
    assert "now 70, Hot" in asked["alt_txt"]
    assert done["channel_id"] == "C0001"
    assert done["thread_ts"] == "1700000190.000001"


def test_where_nothing_is_posted_the_picture_is_told_in_words(busy: Slack) -> None:
    """In a channel shared with another organisation the asker alone gets the scores."""
    busy.stub.channels["C0001"] = {"is_ext_shared": True}
    busy.action("health_picture", "rentokil")
    assert "now 70, Hot" in said(busy)
    assert busy.stub.of("files.getUploadURLExternal") == []
