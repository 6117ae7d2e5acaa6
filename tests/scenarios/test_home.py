"""App Home's buttons and forms, the first words, and what threads remember."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from slack_bolt import BoltResponse
from slack_sdk import WebClient

from bot.samples import sample_payloads
from bot.scribe_plain import PlainScribe
from bot.slack import events
from bot.slack.guard import Guard
from bot.slack.owed import EVENT, Owed
from bot.slack.slowly import Slowly
from bot.slack.threads import Threads
from bot.slack.views import home
from storage import Preferences
from tests.scenarios.conftest import REP, Slack
from tests.scenarios.limits import broken

ROOT = "1700000300.000001"


def opened(slack: Slack, number: int = 1, user: str = "U0REP") -> dict[str, Any]:
    """The home tab after it was opened."""
    slack.event("app_home_opened", tab="home", channel="D0001", user=user, event_id=f"EvHome{number}")
    view: dict[str, Any] = slack.stub.wait_for("views.publish", number)[number - 1]["view"]
    return view


def click(slack: Slack, action_id: str, value: str, user: str = "U0REP") -> BoltResponse:
    """A click on the home tab, as Slack sends it: there is neither a channel nor a response URL."""
    view = {"id": "V0HOME", "team_id": "T0001", "type": "home", "blocks": [], "private_metadata": "", "hash": "h"}
    return slack.interact({
        "type": "block_actions", "token": "legacy", "api_app_id": "A0001", "is_enterprise_install": False,
        "enterprise": None, "team": {"id": "T0001", "domain": "sales"}, "trigger_id": "1.2.abc",
        "user": {"id": user, "username": "rep", "name": "rep", "team_id": "T0001"},
        "container": {"type": "view", "view_id": "V0HOME"}, "view": view | {"state": {"values": {}}},
        "actions": [{
            "type": "button", "action_id": action_id, "block_id": "b1", "value": value,
            "action_ts": "1700000200.000001",
        }],
    })  # fmt: skip


def buttons(view: dict[str, Any]) -> dict[str, str]:
    """Action id -> value of every button, the last of a kind."""
    found = [e for block in view["blocks"] for e in (*block.get("elements", ()), block.get("accessory", {}))]
    return {e["action_id"]: e["value"] for e in found if e.get("type") == "button"}


# --- the home ---


def test_a_step_done_on_the_home_is_gone_from_it_and_can_be_opened_again(slack: Slack) -> None:
    """The home itself answers the click: it is published anew, with the way back, and nothing else is said."""
    step = slack.desk.add_step(REP, "acme-01: send the report today")
    assert buttons(opened(slack))["home_done"] == str(step.id)
    assert click(slack, "home_done", str(step.id)).status == 200
    after = slack.stub.wait_for("views.publish", 2)[1]["view"]
    assert "home_done" not in buttons(after)
    assert slack.desk.next_steps(REP).steps == ()
    click(slack, "home_reopen", buttons(after)["home_reopen"])
    slack.stub.wait_for("views.publish", 3)
    assert [s.id for s in slack.desk.next_steps(REP).steps] == [step.id]
    assert slack.stub.of("respond") == slack.stub.of("chat.postMessage") == []


def test_a_step_that_is_not_there_is_said_on_the_home(slack: Slack) -> None:
    """A click on something gone ends in a sentence, not in silence."""
    click(slack, "home_done", "4711")
    assert "no such next step" in json.dumps(slack.stub.wait_for("views.publish")[0])


def test_the_most_urgent_deal_is_first_with_its_score(slack: Slack) -> None:
    """James's silent deal stands above Priya's, each with score and label."""
    for payload in sample_payloads(slack.memory.now.date()):
        slack.memory.of("T0001").import_payload(payload)
    text = json.dumps(opened(slack), ensure_ascii=False)
    assert text.index("Paysend") < text.index("Rentokil")
    assert "70 " in text
    assert "35 " in text


def test_a_members_home_is_taken_from_them_when_they_become_a_guest(slack: Slack) -> None:
    """Slack shows the last home for ever: a guest's is replaced by the refusal, also after a click."""
    assert "Acme Corp" in json.dumps(opened(slack, user="U0NEW0001"))
    slack.stub.people["U0NEW0001"] = {"is_restricted": True}
    fresh = slack.renewed()
    views = [opened(fresh, 2, "U0NEW0001")]
    click(fresh, "home_done", "1", "U0NEW0001")
    views.append(slack.stub.wait_for("views.publish", 3)[2]["view"])
    for view in views:
        assert "full members" in json.dumps(view)
        assert "Acme" not in json.dumps(view)


def test_no_model_is_waited_for(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home is made from facts alone: whoever words digests and briefs is not asked."""

    def worded(*_: Any) -> Any:
        raise AssertionError("a model was asked")

    monkeypatch.setattr(PlainScribe, "digest", worded)
    monkeypatch.setattr(PlainScribe, "brief", worded)
    assert "Acme Corp" in json.dumps(opened(slack))


def test_a_private_channels_note_is_on_its_members_home_alone(slack: Slack) -> None:
    """Latest notes, reasons and steps are those that the viewer may see."""
    slack.desk.log(REP, "acme-01", "They fear the liability clause", source_key="k", visibility="G0001")
    slack.stub.members["G0001"] = ["U0REP"]
    assert "liability" in json.dumps(opened(slack))
    assert "liability" not in json.dumps(opened(slack, 2, "U0NEW0001"))


def test_log_a_call_opens_the_same_form(slack: Slack) -> None:
    """The home's button is the global shortcut's form."""
    view = opened(slack)
    click(slack, "home_log_call", buttons(view)["home_log_call"])
    assert slack.stub.wait_for("views.open")[0]["view"]["callback_id"] == "call_view"


# --- the form of reminders ---


def reminder_form(slack: Slack, state: str, quiet: tuple[str, str]) -> dict[str, Any]:
    """The form, filled and sent."""
    click(slack, "open_reminder_form", "home")
    form = slack.stub.wait_for("views.open")[-1]["view"]
    chosen = {"state": state, "quiet_from": quiet[0], "quiet_to": quiet[1]}
    values = {key: {key: {"type": "static_select", "selected_option": {"value": v}}} for key, v in chosen.items()}
    answer: dict[str, Any] = json.loads(slack.submit(form, values).body)
    return answer


def test_quiet_hours_are_set_on_the_home(slack: Slack) -> None:
    """The form keeps the hours and whether there are reminders; the same hour twice is said at its field."""
    assert "not between 17:00 and 9:00" in json.dumps(reminder_form(slack, "on", ("17", "9")))
    assert slack.memory.of("T0001").preferences("U0REP") == Preferences(True, 17, 9)
    assert "No reminders" in json.dumps(reminder_form(slack, "off", ("17", "9")))
    assert slack.memory.of("T0001").preferences("U0REP") == Preferences(False, 17, 9)
    assert "quiet_to" in reminder_form(slack, "on", ("9", "9"))["errors"]


# --- mentions, joins, first words ---


def test_an_ambiguous_name_in_a_mention_is_asked_not_guessed(slack: Slack) -> None:
    """The candidates are named, and nothing is found for any of them."""
    slack.memory.of("T0001").import_payload(
        [{"accountId": "n-1", "name": "Northwind Trading"}, {"accountId": "n-2", "name": "Northwind Energy"}]
    )
    slack.mention("Northwind: what about the price?")
    asked = json.dumps(slack.stub.wait_for("chat.postEphemeral"))
    assert "Northwind Energy" in asked
    assert "Say which one" in asked
    assert slack.stub.of("chat.postMessage") == []


def test_a_follow_up_that_names_another_account_is_about_that_one(slack: Slack) -> None:
    """The thread's account stands in where no name is said, not where one is."""
    for payload in sample_payloads(slack.memory.now.date()):
        slack.memory.of("T0001").import_payload(payload)
    asked = (
        ("acme-01: what pricing objections came up?", "int-204"),
        ("and what did Priya say about data migration?", "Rentokil"),
        ("anything else on data migration there?", "Rentokil"),
    )
    for number, (text, expected) in enumerate(asked, 1):
        place = {"ts": f"1700000{2 + number}00.000001"} | ({"thread_ts": ROOT} if number > 1 else {})
        slack.mention(text, event_id=f"Ev{number}", **place)
        said = slack.stub.wait_for("chat.postMessage", number)[-1]
        assert said["thread_ts"] == ROOT
        assert expected in json.dumps(said)
        assert ("int-204" in json.dumps(said)) is (number == 1)


def test_apps_that_mention_are_not_answered(slack: Slack) -> None:
    """Two bots do not talk to each other."""
    slack.mention("acme-01: billing?", bot_id="B0OTHER01", user="U0BOT0002")
    slack.mention("acme-01: billing?", event_id="Ev2")
    assert len(slack.stub.wait_for("chat.postMessage")) == 1


def test_who_brings_the_app_into_a_channel_is_told_alone(slack: Slack) -> None:
    """Joining is said to the inviter only; other people's joining is nobody's business."""
    slack.event("member_joined_channel", channel="C0001", channel_type="C", team="T0001", inviter="U0NEW0001")
    slack.event("member_joined_channel", channel="C0001", channel_type="C", team="T0001", user="U0BOT0001",
                inviter="U0NEW0001", event_id="Ev2")  # fmt: skip
    said = slack.stub.wait_for("chat.postEphemeral")
    assert [(body["user"], body["channel"]) for body in said] == [("U0NEW0001", "C0001")]
    assert "/account link" in json.dumps(said)
    assert slack.stub.of("chat.postMessage") == []


def test_a_private_answer_to_a_question_in_a_thread_is_in_that_thread(slack: Slack) -> None:
    """Where nothing may be posted the answer is for the asker alone, beside the question."""
    slack.stub.channels["C0001"] = {"is_ext_shared": True}
    slack.mention("acme-01: what about billing?", ts="1700000400.1", thread_ts=ROOT)
    said = slack.stub.wait_for("chat.postEphemeral", 2)
    assert {body["thread_ts"] for body in said} == {ROOT}
    slack.mention("acme-01: what about billing?", event_id="Ev2")
    assert all("thread_ts" not in body for body in slack.stub.wait_for("chat.postEphemeral", 4)[2:])


# --- a process that ends between the acknowledgement and the answer ---


@pytest.mark.parametrize("kind", ["mention", "message"])
def test_a_question_survives_a_crash_after_its_acknowledgement(
    slack: Slack, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Acknowledged and never answered, it is answered by the next process, and once."""

    def crash(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as crashing:
        crashing.setattr(events.Answers, "_answer_mention", crash)
        crashing.setattr(events.Answers, "_answer_message", crash)
        assert getattr(slack, kind)("acme-01: what pricing objections came up?").status == 200
        assert getattr(slack, kind)("acme-01: what pricing objections came up?").status == 200, "a duplicate"
        wait_until(lambda: bool(slack.memory.inbox.unanswered(timedelta(0))))
    client = WebClient(token="xoxb-test", base_url=slack.stub.url)
    answers = events.Answers(slack.desk, Guard(), Threads(), Slowly())
    after = Owed(slack.memory.inbox, {EVENT: answers.give})
    assert after.again(lambda _team: client) == 0, "it may still be under way"
    assert after.again(lambda _team: client, timedelta(0)) == 1
    assert after.again(lambda _team: client, timedelta(0)) == 0
    assert "quarterly billing" in json.dumps(slack.stub.of("chat.postMessage"))
    assert len(slack.stub.of("chat.postMessage")) == 1


def test_an_answered_question_is_not_kept(slack: Slack) -> None:
    """Its words leave the inbox with the answer, also when the answer was a refusal."""
    slack.mention("acme-01: what pricing objections came up?")
    slack.stub.wait_for("chat.postMessage")
    slack.mention("acme-01: what pricing objections came up?", user="U0NEW0001", event_id="Ev2")
    slack.stub.wait_for("chat.postMessage", 2)
    time.sleep(0.3)  # the row is marked just after the message is sent
    assert slack.memory.inbox.unanswered(timedelta(0)) == ()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what happens beside the acknowledgement."""
    for _ in range(200):
        if holds():
            return
        time.sleep(0.02)
    pytest.fail("it did not happen in four seconds")


def test_what_the_home_shows_fits_slack(slack: Slack) -> None:
    """With steps, notes, digests and one just done; and its form and first words."""
    for number in range(40):
        slack.desk.add_step(REP, f"acme-01: {'send the report ' * 40}{number}")
        slack.desk.log(REP, "acme-01", "&<>*" * 200, source_key=str(number))
        slack.desk.plan_digest(REP, f"C{number:06}", "weekly monday 9:00", "UTC")
    settled = slack.desk.settle(REP, slack.desk.next_steps(REP).steps[0].id)
    assert broken("home", home.home(slack.desk.home(REP), settled)) == []
    assert broken("modal", home.reminder_form(Preferences(True, 19, 8))) == []
    assert broken("message", home.introduction()) + broken("message", home.greeting()) == []
