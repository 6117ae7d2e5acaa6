"""Who is answered at once, who is looked up first, and what Slack is asked for it."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.poster import NotPosted
from bot.slack.guard import KEPT_SECONDS, PAGES, Guard, Unsure
from bot.slack.posting import Posting
from tests.scenarios.conftest import REP, Slack
from tests.scenarios.slack_stub import SlackStub, running_stub

PRIVATE = ["G0001", "G0002", "G0003"]
GUEST = {"is_restricted": True}
NEWCOMER = {"user_id": "U0NEW0001"}
HERE = {"team_id": "T0001", "user_id": "U0NEW0001", "channel_id": "C0001", "channel_name": "deals"}


def told(slack: Slack, count: int = 1) -> str:
    """All that was answered through the response URL."""
    return json.dumps(slack.stub.wait_for("respond", count), ensure_ascii=False)


# --- /log, which is answered before Slack can be asked ---


def test_a_newcomers_receipt_waits_until_slack_has_said_who_they_are(slack: Slack) -> None:
    """The note is kept before the acknowledgement, which says nothing of the account; the receipt follows."""
    answer = slack.command("/log", "acme-01: Dana liked the demo", **NEWCOMER)
    assert answer.status == 200
    assert "Acme" not in answer.body
    assert "Acme Corp" in told(slack)
    assert len(slack.desk.timeline(REP, "acme-01")) == 2
    assert "Acme Corp" in slack.command("/log", "acme-01: and the price", trigger="2", **NEWCOMER).body


@pytest.mark.parametrize("text", ["acme-01: spam", "Initech: spam", "Acme: spam", "+Initech: spam"])
def test_a_guest_logs_nothing_and_learns_nothing(slack: Slack, text: str) -> None:
    """Neither the acknowledgement nor what follows says whether a name is known; what was kept is taken back."""
    slack.stub.people["U0NEW0001"] = GUEST
    before = slack.memory.of("T0001").accounts()
    first = slack.command("/log", text, **NEWCOMER)
    assert "full members" in told(slack)
    second = slack.command("/log", text, trigger="2", **NEWCOMER)
    assert "full members" in second.body
    said = first.body + second.body + told(slack)
    assert not any(word in said for word in ("Acme Corp", "No account", "Logged", "could be"))
    assert not any("spam" in note.text for note in slack.memory.of("T0001").timeline())
    assert slack.memory.of("T0001").accounts() == before


def test_a_note_is_not_lost_when_slack_does_not_say_who_logs_it(slack: Slack) -> None:
    """It stays kept, its author is told so, and nothing of the account is shown."""
    slack.stub.refuse["users.info"] = "internal_error"
    slack.command("/log", "acme-01: Dana liked the demo", **NEWCOMER)
    said = told(slack)
    assert "kept" in said
    assert "Acme" not in said
    assert len(slack.desk.timeline(REP, "acme-01")) == 2


# --- forms, which are opened before Slack can be asked ---


def form_asked(slack: Slack, user: str) -> None:
    """The global shortcut of somebody else."""
    payload = {
        "type": "shortcut", "token": "legacy", "action_ts": "1700000100.000001", "callback_id": "log_call",
        "team": {"id": "T0001", "domain": "sales"}, "user": {"id": user, "username": "new", "team_id": "T0001"},
        "is_enterprise_install": False, "enterprise": None, "trigger_id": "1.2.abc",
    }  # fmt: skip
    slack.interact(payload)


def typed(slack: Slack, user: str) -> list[dict[str, Any]]:
    """What the type-ahead of somebody else shows."""
    payload = {
        "type": "block_suggestion", "token": "legacy", "action_id": "account", "block_id": "account", "value": "a",
        "team": {"id": "T0001", "domain": "sales"}, "api_app_id": "A0001", "enterprise": None,
        "user": {"id": user, "name": "new", "team_id": "T0001"}, "is_enterprise_install": False,
        "container": {"type": "view", "view_id": "V1"}, "view": {"id": "V1", "type": "modal"},
    }  # fmt: skip
    options: list[dict[str, Any]] = json.loads(slack.interact(payload).body)["options"]
    return options


def test_a_form_opens_within_the_triggers_time_and_is_filled_for_members_alone(slack: Slack) -> None:
    """A newcomer sees a moment's wait, then the form; a guest the refusal; the type-ahead shows a guest nothing."""
    slack.stub.people["U0GUEST01"] = GUEST
    form_asked(slack, "U0NEW0001")
    assert "One moment" in json.dumps(slack.stub.wait_for("views.open")[0])
    assert slack.stub.wait_for("views.update")[0]["view"]["callback_id"] == "call_view"
    assert [option["value"] for option in typed(slack, "U0NEW0001")] == ["acme-01"]
    form_asked(slack, "U0GUEST01")
    refused = slack.stub.wait_for("views.update", 2)[1]["view"]
    assert "full members" in json.dumps(refused)
    assert "submit" not in refused
    assert typed(slack, "U0GUEST01") == []


def test_the_type_ahead_shows_nothing_to_somebody_not_met(slack: Slack) -> None:
    """The first letter finds nobody met; Slack is asked meanwhile, and the next letter is answered."""
    assert typed(slack, "U0NEW0001") == []
    slack.stub.wait_for("users.conversations")
    assert [option["value"] for option in typed(slack, "U0NEW0001")] == ["acme-01"]


# --- who reads along ---


@pytest.mark.parametrize("broken", ["", "users.list", "conversations.members"])
def test_nothing_is_posted_where_a_guest_reads_along(slack: Slack, broken: str) -> None:
    """A guest in the channel, or Slack not saying who is in it: brief, shared answer and mention stay private."""
    slack.stub.people["U0GUEST01"] = GUEST
    slack.stub.members["C0001"] = ["U0REP"] if broken else ["U0REP", "U0GUEST01"]
    if broken:
        slack.stub.refuse[broken] = "internal_error"
    slack.command("/brief", "acme-01")
    assert "quarterly billing" in told(slack)
    slack.action("share_digest", "week")
    told(slack, 2)
    slack.mention("acme-01: what about billing?")
    slack.stub.wait_for("chat.postEphemeral")
    assert slack.stub.of("chat.postMessage") == []


def test_a_guest_in_another_channel_disturbs_nobody(slack: Slack) -> None:
    """Only the channel's own members count, and a guest who was deactivated reads nothing."""
    slack.stub.people |= {"U0GUEST01": GUEST, "U0GONE001": {"is_restricted": True, "deleted": True}}
    slack.stub.members |= {"C0001": ["U0REP", "U0GONE001"], "C0002": ["U0GUEST01"]}
    slack.command("/brief", "acme-01")
    slack.stub.wait_for("chat.postMessage", 2)


def test_a_message_of_a_few_peoples_conversation_stays_theirs(slack: Slack) -> None:
    """Slack names such a conversation mpdm-…: what is captured there is not for the whole workspace."""
    payload = {
        "type": "message_action", "token": "legacy", "action_ts": "1700000100.000001", "callback_id": "log_message",
        "team": {"id": "T0001", "domain": "sales"}, "user": {"id": "U0REP", "name": "rep", "team_id": "T0001"},
        "channel": {"id": "C0MPIM001", "name": "mpdm-ana--bo-1"}, "is_enterprise_install": False, "enterprise": None,
        "trigger_id": "1.2.abc", "response_url": slack.stub.url + "respond", "message_ts": "1700000050.000100",
        "message": {
            "type": "message", "user": "U0CUST", "ts": "1700000050.000100", "team": "T0001", "blocks": [],
            "text": "Acme Corp fears the liability clause", "client_msg_id": "c1",
        },
    }  # fmt: skip
    slack.interact(payload)
    view = slack.stub.wait_for("views.open")[0]["view"]
    slack.submission(view, account="acme-01", text="Acme Corp fears the liability clause")
    assert "liability" not in str(slack.desk.timeline(REP, "acme-01"))
    inside = Viewer("T0001", "U0REP", frozenset({"C0MPIM001"}))
    assert "liability" in str(slack.desk.timeline(inside, "acme-01"))


# --- what Slack is asked ---


@pytest.fixture
def asked() -> Any:
    """A guard with a clock of our own, over a stub."""
    clock = [0.0]
    with running_stub() as stub:
        client = WebClient(token="xoxb-test", base_url=stub.url)
        yield Guard(lambda: clock[0]), client, stub, clock


def test_only_what_the_scopes_allow_is_asked_for(asked: Any) -> None:
    """Conversations of a few people take a scope the app does not have: Slack would refuse the whole question."""
    guard, client, stub, _ = asked
    guard.viewer(HERE, client)
    assert [body["types"] for body in stub.of("users.conversations")] == ["private_channel"]


def test_slack_is_asked_once_in_five_minutes_and_then_again(asked: Any) -> None:
    """Membership is remembered for minutes: somebody who left a channel no longer sees its notes after them."""
    guard, client, stub, clock = asked
    stub.members["G0001"] = ["U0NEW0001"]
    for _ in range(3):
        assert guard.viewer(HERE, client).audience == {"G0001"}
    assert (len(stub.of("users.info")), len(stub.of("users.conversations"))) == (1, 1)
    stub.members["G0001"] = []
    clock[0] = KEPT_SECONDS + 1
    assert guard.viewer(HERE, client).audience == frozenset()


def test_what_slack_did_not_say_is_not_remembered(asked: Any) -> None:
    """A failure closes for now, not for five minutes."""
    guard, client, stub, _ = asked
    stub.refuse["users.info"] = "internal_error"
    with pytest.raises(Unsure):
        guard.viewer(HERE, client)
    stub.refuse.clear()
    assert guard.viewer(HERE, client).user == "U0NEW0001"


def test_every_page_is_read_and_a_list_without_end_closes(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest on the second page is found; where there are more pages than are read nothing is posted."""
    guard, client, stub, clock = asked
    stub.people["U0GUEST01"] = GUEST
    stub.members["C0001"] = ["U0REP", "U0GUEST01"]
    viewer = Viewer("T0001", "U0REP", channel="C0001")
    monkeypatch.setattr(stub, "_answer", paged(stub, 2))
    assert guard.everyone_in("C0001", viewer, client) is None
    stub.members["C0001"] = ["U0REP"]
    clock[0] += KEPT_SECONDS + 1
    assert guard.everyone_in("C0001", viewer, client) is not None
    monkeypatch.setattr(stub, "_answer", paged(stub, PAGES + 1))
    clock[0] += KEPT_SECONDS + 1
    assert guard.everyone_in("C0001", viewer, client) is None


def paged(stub: SlackStub, pages: int) -> Callable[..., dict[str, Any]]:
    """The stub's answers with a member's list spread over pages: all but the last are empty."""
    whole = type(stub)._answer

    def answer(method: str, body: dict[str, Any], number: int) -> dict[str, Any]:
        said = whole(stub, method, body, number)
        page = int(body.get("cursor") or 1)
        if method == "conversations.members" and page < pages:
            return {"members": [], "response_metadata": {"next_cursor": str(page + 1)}}
        return said

    return answer


# --- what is sent without being asked ---


def posting(slack: Slack) -> Posting:
    """What the clock sends, through the stub."""
    return Posting(slack.desk, lambda _team: WebClient(token="xoxb-test", base_url=slack.stub.url))


def test_no_digest_is_posted_where_a_guest_reads_along(slack: Slack) -> None:
    """The slot fails and says why."""
    plan = slack.memory.of("T0001").set_digest(
        "C0001", "0 9 * * 1", "UTC", accounts="all", made_by="U0REP", next_at=slack.memory.now
    )
    slack.stub.people["U0GUEST01"] = GUEST
    slack.stub.members["C0001"] = ["U0REP", "U0GUEST01"]
    with pytest.raises(NotPosted, match="guests"):
        posting(slack).digest(plan, slack.memory.now)
    assert slack.stub.of("chat.postMessage") == []


def test_a_guest_is_neither_reminded_nor_handed_a_brief(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps and accounts may be a guest's by name; what is on record is not told to them."""
    monkeypatch.setattr(Desk, "local_hour", lambda *_: 9)
    slack.stub.people["U0GUEST01"] = GUEST
    slack.desk.add_step(Viewer("T0001", "U0GUEST01"), "acme-01: send the report today")
    assert posting(slack).remind() == 0
    slack.command("/handoff", "acme-01 <@U0GUEST01>")
    assert "Acme Corp" in told(slack)
    assert slack.stub.of("chat.postMessage") == []


def test_who_may_see_more_than_the_channel_is_told_so_alone(slack: Slack) -> None:
    """The thread holds what everybody there may see; its asker hears privately that there is more, not what."""
    slack.desk.log(REP, "acme-01", "They fear the liability clause", source_key="k", visibility="G0001")
    slack.stub.members["G0001"] = ["U0REP"]
    slack.command("/brief", "acme-01")
    assert "1 more note" in told(slack)
    assert "liability" not in json.dumps(slack.stub.calls)
    slack.command("/brief", "acme-01", user_id="U0NEW0001")
    slack.stub.wait_for("chat.postMessage", 4)
    assert len(slack.stub.of("respond")) == 1


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sets(st.sampled_from(PRIVATE)),
    st.sampled_from(["C0001", *PRIVATE]),
    st.sampled_from(["", "users.conversations", "conversations.info", "users.info"]),
)
def test_events_and_the_home_never_hold_what_their_readers_may_not_see(
    slack: Slack, member_of: set[str], place: str, broken: str
) -> None:
    """For every membership, place and silence of Slack's: posts hold the place's notes, the rest the reader's."""
    for channel in PRIVATE:
        slack.desk.log(REP, "acme-01", f"secret-of-{channel} about pricing", source_key=channel, visibility=channel)
        slack.stub.members[channel] = ["U0NEW0001"] if channel in member_of else []
    slack.stub.calls.clear()
    slack.stub.refuse = {broken: "internal_error"} if broken else {}
    fresh, one = slack.renewed(), uuid4().hex
    fresh.mention("acme-01: pricing?", user="U0NEW0001", channel=place, event_id=f"a{one}")
    fresh.message("acme-01: pricing?", user="U0NEW0001", event_id=f"b{one}")
    fresh.event("app_home_opened", tab="home", user="U0NEW0001", channel="D0001", event_id=f"c{one}")
    fresh.finished()
    slack.stub.refuse = {}
    assert len(slack.stub.of("views.publish")) == 1
    assert len(slack.stub.of("chat.postMessage")) + len(slack.stub.of("chat.postEphemeral")) >= 2
    mine = set() if broken in ("users.conversations", "users.info") else member_of
    posted = set() if broken in ("conversations.info", "users.info") else {place}
    for method, body in list(slack.stub.calls):
        may = posted if method == "chat.postMessage" and body["channel"] == place else mine
        shown = json.dumps(body)
        assert [channel for channel in PRIVATE if f"secret-of-{channel}" in shown and channel not in may] == []
        assert broken != "users.info" or "Acme" not in shown
