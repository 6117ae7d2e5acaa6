"""Digests in Slack: asked for, shared, scheduled by words and by the form, posted with their table, and missed."""

import json
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.poster import NotPosted, Poster
from bot.samples import sample_payloads
from bot.slack.posting import Posting
from bot.slack.views import digests
from storage import DigestPlan
from storage.errors import UnknownAccount
from tests.scenarios.conftest import REP, Slack
from tests.scenarios.limits import broken

TEAM = "T0001"


@pytest.fixture
def busy(slack: Slack) -> Slack:
    """A workspace with the sources' three deals."""
    for payload in sample_payloads(slack.memory.now.date()):
        slack.memory.of(TEAM).import_payload(payload)
    return slack


def said(slack: Slack, count: int = 1) -> str:
    """What the asker was told, all of it."""
    return json.dumps(slack.stub.wait_for("respond", count), ensure_ascii=False)


def posting(slack: Slack) -> Posting:
    """What Slack is sent by the clock, through the stub."""
    return Posting(slack.desk, lambda _team: WebClient(token="xoxb-test", base_url=slack.stub.url))


def plan_for(slack: Slack, **more: Any) -> DigestPlan:
    """A digest of all deals in C0001, due now."""
    values: dict[str, Any] = {"accounts": "all", "made_by": "U0REP", "next_at": slack.memory.now} | more
    return slack.memory.of(TEAM).set_digest("C0001", "0 9 * * 1", "UTC", **values)


# --- asked for ---


def test_the_digest_puts_james_above_priya_and_is_for_the_asker_alone(busy: Slack) -> None:
    """`/digest` answers privately, red first, each deal once with its action and its notes."""
    assert busy.command("/digest", "").status == 200
    text = said(busy)
    assert text.index("Needs attention now") < text.index("Paysend") < text.index("Rentokil")
    assert "james-4" in text
    busy.finished()
    assert busy.stub.of("respond")[0]["response_type"] == "ephemeral"
    assert busy.stub.of("chat.postMessage") == []


def test_a_shared_digest_leaves_out_what_a_private_channel_knows(busy: Slack) -> None:
    """The share button computes the week anew with what everybody in the channel may see."""
    busy.desk.log(REP, "Rentokil", "They fear the liability clause", source_key="k", visibility="G0001")
    busy.action("share_digest", "week")
    shared = json.dumps(busy.stub.wait_for("chat.postMessage"), ensure_ascii=False)
    assert "Paysend" in shared
    assert "liability" not in shared


# --- scheduled ---


def test_a_digest_is_scheduled_in_the_askers_zone_listed_and_ended(busy: Slack) -> None:
    """`/digest here` takes days, hour and the asker's own zone; list shows it; off ends it."""
    busy.command("/digest", "here weekly monday 9:00")
    assert "every Monday at 9:00 (Europe/Berlin), with all deals" in said(busy)
    plan = busy.memory.of(TEAM).digests()[0]
    assert (plan.channel, plan.cron, plan.tz, plan.made_by) == ("C0001", "0 9 * * 1", "Europe/Berlin", "U0REP")
    busy.command("/digest", "list")
    assert "<#C0001>" in said(busy, 2)
    busy.command("/digest", "off")
    said(busy, 3)
    assert busy.memory.of(TEAM).digests() == ()


@pytest.mark.parametrize("typed", ["dates de", "dates in German", "dates deutsch"])
def test_the_language_of_days_is_chosen_with_the_schedule(busy: Slack, typed: str) -> None:
    """A code or a name will do, the schedule says it, and the digest's days are in it."""
    busy.command("/digest", f"here weekly monday 9:00 {typed}")
    assert "with all deals, dates in German" in said(busy)
    plan = busy.memory.of(TEAM).digests()[0]
    assert (plan.language, plan.cron) == ("de", "0 9 * * 1")
    value = busy.desk.digest(REP, language="de", as_of=busy.memory.now.replace(month=5, day=4))
    assert "4. Mai" in digests.digest(value)[0]["text"]


def test_a_language_nobody_knows_is_said(busy: Slack) -> None:
    """It is no silent English."""
    busy.command("/digest", "here weekly monday 9:00 dates klingonish")
    assert "do not know the language" in said(busy)
    assert busy.memory.of(TEAM).digests() == ()


def open_form(slack: Slack, number: int = 1) -> dict[str, Any]:
    """The form as `/digest settings` opens it in C0001."""
    slack.command("/digest", "settings")
    view: dict[str, Any] = slack.stub.wait_for("views.open", number)[number - 1]["view"]
    return view


def send_form(slack: Slack, form: dict[str, Any], days: list[str], zone: str | None = "America/New_York") -> str:
    """The form, filled and sent; what it answers."""
    values = {
        "channel": {"channel": {"type": "conversations_select", "selected_conversation": "C0001"}},
        "days": {"days": {"type": "checkboxes", "selected_options": [{"value": day} for day in days]}},
        "time": {"time": {"type": "timepicker", "selected_time": "08:30"}},
        "zone": {"digest_zone": {"type": "external_select", "selected_option": zone and {"value": zone}}},
        "deals": {"deals": {"type": "static_select", "selected_option": {"value": "mine"}}},
        "language": {"language": {"type": "static_select", "selected_option": {"value": "fr"}}},
    }
    return json.dumps(json.loads(slack.submit(form, values).body), ensure_ascii=False).replace("\u200b", "")


def test_the_form_has_pickers_for_all_of_it_and_shows_what_holds(slack: Slack) -> None:
    """Days, hour, zone, deals and language; opened again it shows them; without a day it ends the digest."""
    form = open_form(slack)
    assert broken("modal", form) == []
    assert "Europe/Berlin" in json.dumps(form)
    told = send_form(slack, form, ["monday", "thursday"])
    assert "every Monday, Thursday at 8:30 (America/New_York), with your deals, dates in French" in told
    plan = slack.memory.of(TEAM).digests()[0]
    assert (plan.channel, plan.cron, plan.accounts, plan.language) == ("C0001", "30 8 * * 1,4", "mine", "fr")
    held = {block["block_id"]: block["element"] for block in open_form(slack, 2)["blocks"]}
    assert held["channel"]["initial_conversation"] == "C0001"
    assert [day["value"] for day in held["days"]["initial_options"]] == ["monday", "thursday"]
    assert (held["time"]["initial_time"], held["zone"]["initial_option"]["value"]) == ("08:30", "America/New_York")
    assert held["deals"]["initial_option"]["value"] == "mine"
    assert held["language"]["initial_option"]["value"] == "fr"
    assert "No more digests" in send_form(slack, form, [])
    assert slack.memory.of(TEAM).digests() == ()
    assert "no digest" in send_form(slack, form, [])


def test_a_zone_left_empty_is_the_askers_own(slack: Slack) -> None:
    """Whoever clears the picker gets their own day."""
    slack.command("/rapport", "settings")
    said(slack)
    assert "(Europe/Berlin)" in send_form(slack, open_form(slack), ["friday"], None)


def test_zones_are_found_by_what_is_typed(slack: Slack) -> None:
    """A city is enough, spaces or not; at most as many as Slack takes."""
    assert "America/New_York" in slack.options("digest_zone", "new yo").body
    assert "Europe/Berlin" in slack.options("digest_zone", "berl").body
    assert len(json.loads(slack.options("digest_zone", "a").body)["options"]) == 100
    assert json.loads(slack.options("digest_zone", "atlantis").body)["options"] == []


# --- posted ---


def test_a_due_digest_is_posted_in_its_channel(busy: Slack) -> None:
    """What the worker posts is the week as of the slot, red first, in the channel it was scheduled for."""
    assert posting(busy).digest(plan_for(busy), busy.memory.now)
    sent = busy.stub.of("chat.postMessage")[0]
    assert sent["channel"] == "C0001"
    assert "Paysend" in json.dumps(sent)


def test_many_deals_are_a_table_in_the_digests_thread(busy: Slack) -> None:
    """Each deal has one row there, with its score; what did not change is one line above it."""
    for number in range(200):
        busy.memory.of(TEAM).create_account(f"Company {number:03}", owner="U0OWNER01")
    assert posting(busy).digest(plan_for(busy), busy.memory.now)
    first, *rest = busy.stub.of("chat.postMessage")
    assert "thread_ts" not in first
    assert len({message["thread_ts"] for message in rest}) == 1
    rows = [row for message in rest for block in message["blocks"] if block["type"] == "table" for row in block["rows"]]
    names = [row[0]["text"] for row in rows if row[0]["text"] != "Deal"]
    assert len(names) == len(set(names)) == 203
    assert "35 Warming up" in rows[1][1]["text"]
    assert all(broken("message", message) == [] for message in (first, *rest))


def test_nothing_is_posted_where_another_organisation_reads_along(busy: Slack) -> None:
    """In a channel shared with another organisation the slot fails, and says why."""
    busy.stub.channels["C0001"] = {"is_ext_shared": True, "is_shared": True}
    with pytest.raises(NotPosted, match="another organisation"):
        posting(busy).digest(plan_for(busy), busy.memory.now)
    assert busy.stub.of("chat.postMessage") == []


def test_what_fails_before_anything_is_sent_is_tried_again(busy: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest that cannot be put together is certainly not posted: its slot is not left to a person."""
    plan, work = plan_for(busy), posting(busy)

    def failing(*_: object, **__: object) -> None:
        raise UnknownAccount("Acme Corp")

    monkeypatch.setattr(Desk, "digest", failing)
    poster = Poster(busy.memory.schedules, work.digest, lambda: busy.memory.now)
    assert poster.tick() == 0
    assert [run.state for run in busy.memory.of(TEAM).digest_runs(plan.id)] == ["claimed"]
    monkeypatch.undo()
    later = busy.memory.now + timedelta(minutes=2)
    assert Poster(busy.memory.schedules, work.digest, lambda: later).tick() == 1
    assert len(busy.stub.of("chat.postMessage")) == 1


def test_a_slot_that_was_skipped_is_in_the_list(busy: Slack) -> None:
    """Nobody posted it and nobody can: the list says which and why."""
    plan_for(busy, next_at=busy.memory.now - timedelta(hours=3))
    Poster(busy.memory.schedules, posting(busy).digest, lambda: busy.memory.now).tick()
    busy.command("/digest", "list")
    assert "was skipped: it was missed by more than an hour" in said(busy)


# --- reminders ---


@pytest.mark.parametrize(
    ("typed", "hours", "sent"),
    [("", range(24), range(8, 19)), ("22-6", range(24), range(6, 22)), ("0-12", range(24), range(12, 24))],
)
def test_quiet_hours_are_kept(slack: Slack, typed: str, hours: range, sent: range) -> None:
    """`/rapport reminders 22-6`: nobody is reminded between these hours of their own day."""
    slack.command("/rapport", f"reminders {typed}")
    assert "You are reminded on the day" in said(slack)
    rep = Viewer(TEAM, "U0REP", tz="Europe/Berlin")
    allowed = slack.memory.of(TEAM).preferences(rep.user)
    assert [hour for hour in hours if allowed.allow(hour)] == list(sent)


def test_who_wants_no_reminders_gets_none(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`/rapport reminders off` is kept until it is on again."""
    monkeypatch.setattr(Desk, "local_hour", lambda *_: 9)
    rep = Viewer(TEAM, "U0REP0001")
    slack.desk.add_step(rep, "acme-01: send the report today")
    slack.command("/rapport", "reminders off", user_id=rep.user)
    assert "No reminders" in said(slack)
    assert posting(slack).remind() == 0
    slack.command("/rapport", "reminders on", user_id=rep.user)
    said(slack, 2)
    assert posting(slack).remind() == 1


def test_hours_that_are_none_are_said(slack: Slack) -> None:
    """Twenty-five o'clock, the whole day, and words."""
    for number, typed in enumerate(("25-3", "9-9", "soon"), 1):
        slack.command("/rapport", f"reminders {typed}")
        assert "for example" in json.dumps(slack.stub.wait_for("respond", number)[-1])
