"""Who sees what: members, guests, strangers, private channels, other organisations; mentions, messages and the home."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scenarios.conftest import REP, Slack

SECRET_WORDS = "They fear the liability clause"
ASKED = [
    ("/recall", "acme-01: what do they fear?"),
    ("/timeline", "acme-01"),
    ("/digest", ""),
    ("/next", "acme-01"),
    ("/pipeline", ""),
]


def keep_secret(slack: Slack, channel: str = "G0001") -> None:
    """A note captured in a private channel."""
    slack.desk.log(REP, "acme-01", SECRET_WORDS, source_key=f"k{channel}", visibility=channel)


@pytest.mark.parametrize(
    "who",
    [
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"team_id": "T0OTHER"},
        {"is_stranger": True},
        {"deleted": True},
    ],
    ids=["guest", "single-channel guest", "another organisation", "stranger", "deactivated"],
)
def test_who_is_no_full_member_gets_one_polite_sentence(slack: Slack, who: dict[str, object]) -> None:
    """Guests and people of other organisations are refused by every command, and nothing else is said or posted."""
    slack.stub.people["U0REP"] = who
    commands = [*ASKED, ("/brief", "acme-01"), ("/account", "list"), ("/handoff", "acme-01 <@U0ANA0001>")]
    for name, text in commands:
        slack.command(name, text)
    said = slack.stub.wait_for("respond", len(commands))
    assert all("full members" in json.dumps(answer) for answer in said)
    assert "billing" not in json.dumps(slack.stub.calls)
    assert slack.stub.of("chat.postMessage") == []


@pytest.mark.parametrize(("name", "text"), ASKED)
def test_a_private_channels_words_go_to_its_members_alone(slack: Slack, name: str, text: str) -> None:
    """Asked elsewhere, a member is answered with them and another is not."""
    keep_secret(slack)
    slack.command(name, text)
    assert "liability" not in json.dumps(slack.stub.wait_for("respond"))


def test_a_member_is_answered_anywhere_privately(slack: Slack) -> None:
    """Membership is Slack's: in the private channel, the rep recalls its notes from elsewhere, for themselves."""
    keep_secret(slack)
    slack.stub.members["G0001"] = ["U0REP"]
    slack.command("/timeline", "acme-01")
    assert "liability" in json.dumps(slack.stub.wait_for("respond"))
    slack.command("/brief", "acme-01")
    slack.stub.wait_for("chat.postMessage", 2)
    assert "liability" not in json.dumps(slack.stub.of("chat.postMessage")), "a public channel reads along"


@pytest.mark.parametrize("method", ["users.info", "users.conversations", "conversations.info"])
def test_when_slack_does_not_say_nothing_is_shown(slack: Slack, method: str) -> None:
    """Each question to Slack that fails closes, never opens."""
    keep_secret(slack)
    slack.stub.members["G0001"] = ["U0REP"]
    slack.stub.refuse[method] = "internal_error"
    slack.command("/timeline", "acme-01")
    said = json.dumps(slack.stub.wait_for("respond"))
    assert ("liability" in said) is (method == "conversations.info"), "who may see was not asked of the channel"
    slack.command("/brief", "acme-01")
    if method == "users.conversations":
        slack.stub.wait_for("chat.postMessage", 2)
    else:
        slack.stub.wait_for("respond", 2)
        assert slack.stub.of("chat.postMessage") == []
    assert "liability" not in json.dumps(slack.stub.of("chat.postMessage"))


def test_nothing_is_posted_where_another_organisation_reads_along(slack: Slack) -> None:
    """Briefs, shared answers and mentions stay private there."""
    slack.stub.channels["C0001"] = {"is_ext_shared": True}
    slack.command("/brief", "acme-01")
    assert "quarterly billing" in json.dumps(slack.stub.wait_for("respond"))
    slack.action("share_digest", "week")
    slack.stub.wait_for("respond", 2)
    slack.mention("acme-01: what about billing?")
    slack.stub.wait_for("chat.postEphemeral")
    assert slack.stub.of("chat.postMessage") == []


def test_a_shared_answer_holds_what_everybody_there_may_see(slack: Slack) -> None:
    """The button finds the answer anew for the channel, and posts it in a thread."""
    keep_secret(slack)
    slack.stub.members["G0001"] = ["U0REP"]
    slack.command("/recall", "acme-01: what pricing objections came up?")
    answer = slack.stub.wait_for("respond")[0]
    share = next(b for b in answer["blocks"] if b["type"] == "actions")["elements"][0]
    assert "pricing" not in share["value"]
    slack.action(share["action_id"], share["value"])
    posted = slack.stub.wait_for("chat.postMessage", 2)
    assert posted[1]["thread_ts"] == "1700000000.000001"
    assert "quarterly billing" in json.dumps(posted)
    assert "liability" not in json.dumps(posted)


def test_a_mention_is_answered_in_its_thread_and_followed_up_without_a_name(slack: Slack) -> None:
    """The thread remembers its account."""
    slack.mention("acme-01: what pricing objections came up?")
    first = slack.stub.wait_for("chat.postMessage")[0]
    assert first["thread_ts"] == "1700000300.000001"
    assert "quarterly billing" in json.dumps(first)
    slack.mention("and who said so?", event_id="Ev2", ts="1700000400.000001", thread_ts="1700000300.000001")
    second = slack.stub.wait_for("chat.postMessage", 2)[1]
    assert second["thread_ts"] == "1700000300.000001"
    assert "Acme Corp" in json.dumps(second)


def test_the_same_event_is_answered_once_and_a_retry_is_no_reason_to_drop_it(slack: Slack) -> None:
    """Duplicates are known by their id; a first delivery that carries a retry header is answered."""
    slack.mention("acme-01: billing?", retry=True)
    slack.stub.wait_for("chat.postMessage")
    assert [slack.mention("acme-01: billing?").status for _ in range(3)] == [200] * 3
    slack.mention("acme-01: pricing?", event_id="Ev2")
    assert len(slack.stub.wait_for("chat.postMessage", 2)) == 2


def test_direct_messages_are_questions(slack: Slack) -> None:
    """A question is answered where it was asked; the app's own words, edits and joins are not questions."""
    slack.message("from the app", bot_id="B0BOT0001", event_id="Ev0")
    slack.message("edited", subtype="message_changed", event_id="Ev1")
    slack.message("acme-01: what pricing objections came up?", event_id="Ev2")
    said = slack.stub.wait_for("chat.postMessage")
    assert len(said) == 1
    assert said[0]["channel"] == "D0001"
    assert "quarterly billing" in json.dumps(said)


def test_the_home_shows_deals_steps_and_notes_and_teaches_when_there_is_nothing(slack: Slack) -> None:
    """My deals by urgency with what I owe; without an account, the first command."""
    slack.desk.add_step(REP, "acme-01: send the report today")
    slack.event("app_home_opened", tab="home", channel="D0001")
    view = slack.stub.wait_for("views.publish")[0]["view"]
    text = json.dumps(view)
    assert len(view["blocks"]) <= 100
    assert all(words in text for words in ("Acme Corp", "send the report", "Log a call", "quarterly billing"))
    slack.memory.erase("T0001")
    slack.event("app_home_opened", tab="home", channel="D0001", event_id="Ev2")
    assert "No accounts yet" in json.dumps(slack.stub.wait_for("views.publish", 2)[1])


def test_the_messages_tab_greets_once(slack: Slack) -> None:
    """The first opening teaches; the second says nothing."""
    for number in range(3):
        slack.event("app_home_opened", tab="messages", channel="D0001", event_id=f"Ev{number}")
    slack.event("app_home_opened", tab="home", channel="D0001", event_id="Ev9")
    slack.stub.wait_for("views.publish")
    assert len(slack.stub.of("chat.postMessage")) == 1


def test_a_guests_mention_gets_the_refusal_privately(slack: Slack) -> None:
    """Nothing is posted in the channel."""
    slack.stub.people["U0REP"] = {"is_restricted": True}
    slack.mention("acme-01: what pricing objections came up?")
    assert "full members" in json.dumps(slack.stub.wait_for("chat.postEphemeral"))
    assert slack.stub.of("chat.postMessage") == []


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sets(st.sampled_from(["G0001", "G0002", "G0003"])), st.sampled_from(["C0001", "G0001", "G0002"]))
def test_no_payload_ever_holds_what_its_readers_may_not_see(slack: Slack, member_of: set[str], asked_in: str) -> None:
    """For every membership and place: private answers hold the asker's channels at most, posts the place's at most."""
    for channel in ("G0001", "G0002", "G0003"):
        slack.desk.log(
            REP, "acme-01", f"secret-of-{channel} about pricing", source_key=f"p{channel}", visibility=channel
        )
        slack.stub.members[channel] = ["U0ASK0001"] if channel in member_of else []
    slack.stub.calls.clear()
    fresh = slack.renewed()
    name = "privategroup" if asked_in.startswith("G") else "deals"
    for command, text in (("/timeline", "acme-01"), ("/brief", "acme-01"), ("/recall", "acme-01: pricing?")):
        fresh.command(command, text, channel_id=asked_in, channel_name=name, user_id="U0ASK0001")
    fresh.finished()
    assert len(slack.stub.of("respond")) >= 1
    assert len(slack.stub.of("chat.postMessage")) >= 2
    private, posted = json.dumps(slack.stub.of("respond")), json.dumps(slack.stub.of("chat.postMessage"))
    for channel in ("G0001", "G0002", "G0003"):
        assert f"secret-of-{channel}" not in private or channel in member_of | {asked_in}
        assert f"secret-of-{channel}" not in posted or channel == asked_in


def test_no_words_and_no_token_in_any_log(slack: Slack, caplog: pytest.LogCaptureFixture) -> None:
    """At the lowest level, through every surface, through failures and a wrong signature."""
    caplog.set_level(0)
    logging.getLogger().setLevel(0)
    slack.command("/log", f"acme-01: {SECRET_WORDS}")
    for name, text in (*ASKED, ("/brief", "acme-01"), ("/handoff", "acme-01 <@U0ANA0001>")):
        slack.command(name, text)
    slack.mention(f"acme-01: {SECRET_WORDS}?")
    slack.message(f"acme-01: {SECRET_WORDS}?", event_id="Ev2")
    slack.event("app_home_opened", tab="home", channel="D0001", event_id="Ev3")
    slack.shortcut("log_message", SECRET_WORDS)
    slack.stub.refuse["chat.postMessage"] = "fatal_error"
    slack.command("/brief", "acme-01")
    slack.send(f"text={SECRET_WORDS}", secret="0" * 32)
    slack.finished()
    assert slack.stub.of("views.publish")
    assert len(slack.stub.of("respond")) >= 6
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith(("asyncio", "urllib3")))
    assert "liability" not in ours
    assert "xoxb" not in ours
