"""Answers that a model words, in Slack: a placeholder, the answer in its place, and by rules first where it is late."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import Respond
from slack_sdk import WebClient

from bot.desk import Desk, Viewer
from bot.samples import ACME
from bot.scribe import Scribe
from bot.scribe_plain import PlainScribe
from bot.slack import views
from bot.slack.app import build_app
from bot.slack.guard import KEPT_SECONDS, Guard
from bot.slack.posting import Posting
from bot.slack.slowly import BUSY, NOT_IN_TIME, STILL_WRITING, ByResponse, InChannel, Slowly
from storage import StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from tests.bot.claude_wire import FAILURES, Wire, error, message
from tests.scenarios.conftest import REP, SECRET, Slack
from tests.scenarios.slack_stub import SlackStub, running_stub

NOTE = "Dana says annual pricing does not work for them, they want quarterly billing."
WORDED = "Quarterly billing is what stands between them and a yes."
QUESTION = "acme-01: what pricing objections came up?"
CONTEXT = "context"


@dataclass
class Model:
    """Claude behind a gate: a question waits until it is opened, and is then answered from the note in it."""

    gate: threading.Event = field(default_factory=threading.Event)
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    fails: bool = False

    def __call__(self, question: dict[str, Any]) -> Any:
        self.asked.release()
        assert self.gate.wait(60)
        if self.fails:
            return error(401, "authentication_error")
        line = {"card": "C1", "why": WORDED, "action": "Call her", "bucket": "", "reason": ""}
        cites = [f"N{n}" for n in range(1, 41)]
        claim = {"text": WORDED, "cites": cites, "quote": "annual pricing"}
        reply = {
            "claims": [claim], "action": "", "action_cites": [], "action_quote": "", "answerable": True,
            "signals": [], "lines": [line],
        }  # fmt: skip
        return message(json.dumps(reply))


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Slow(Slack):
    """A workspace whose answers Claude words."""

    model: Model
    slowly: Slowly
    clock: Clock

    def updates(self, count: int) -> list[dict[str, Any]]:
        """At least that many updates, waited for."""
        return self.stub.wait_for("chat.update", count, 30)

    def end(self) -> None:
        """Let Claude answer, and return when everything is shown."""
        self.model.gate.set()
        self.finished()
        self.slowly.close()


def workspace(tmp_path: Path, patience: float, claude: Scribe | None = None, **settings: Any) -> Iterator[Slow]:
    """The app over a memory that knows Acme Corp, with Claude behind a gate, or another one."""
    model, clock = Model(), Clock()
    with (
        running_stub() as stub,
        open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory,
    ):
        desk = Desk(memory, claude or Wire([model]).scribe(deadline=60), quick=PlainScribe())
        memory.of("T0001").import_payload(ACME)
        desk.log(REP, "acme-01", NOTE)
        guard, slowly = Guard(clock), Slowly(patience, **settings)
        guard.meet("T0001", {"id": "U0REP", "team_id": "T0001", "tz": "Europe/Berlin"})
        app = build_app(
            desk, signing_secret=SECRET, bot_token="xoxb-test-token", api_url=stub.url, guard=guard, slowly=slowly
        )
        made = Slow(app, desk, stub, memory, model, slowly, clock)
        yield made
        made.end()


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Slow]:
    """Nobody waits for Claude for more than a moment."""
    yield from workspace(tmp_path, patience=0.05)


@pytest.fixture
def prompt(tmp_path: Path) -> Iterator[Slow]:
    """Claude answers at once."""
    for made in workspace(tmp_path, patience=60):
        made.model.gate.set()
        yield made


def words(body: dict[str, Any]) -> str:
    """All that a message says."""
    return json.dumps(body, ensure_ascii=False)


def test_in_time_there_is_one_placeholder_and_one_update(prompt: Slow) -> None:
    """The brief takes the placeholder's place in the thread, and nothing by rules is shown before it."""
    prompt.command("/brief", "acme-01")
    prompt.updates(1)
    prompt.end()
    parent, place, *rest = prompt.stub.of("chat.postMessage")
    assert place["text"] == "Reading 2 notes about Acme Corp…"
    (update,) = prompt.stub.of("chat.update")
    assert update["ts"] == "1700000000.000002"
    assert WORDED in words(update)
    assert "Brief: Acme Corp" in parent["text"]
    assert rest == []


def test_late_words_take_the_place_of_the_brief_by_rules(late: Slow) -> None:
    """The placeholder, the plain brief, the better one: one message, two updates, each said for what it is."""
    late.command("/brief", "acme-01")
    assert STILL_WRITING in words(late.updates(1)[0])
    late.end()
    plain, better = late.stub.of("chat.update")
    assert plain["ts"] == better["ts"]
    assert WORDED not in words(plain)
    assert "Annual pricing" in words(plain)
    assert WORDED in words(better)
    assert STILL_WRITING not in words(better)
    assert len(late.stub.of("chat.postMessage")) == 2


def test_no_listener_waits_for_claude(late: Slow) -> None:
    """Every thread of the listeners is free while the model is still being waited for."""
    for number in range(5):
        late.command("/brief", "acme-01", trigger=f"1.2.{number}")
    late.finished()
    assert not late.model.gate.is_set()
    late.updates(5)
    assert not [body for body in late.stub.of("chat.update") if WORDED in words(body)]


def test_a_note_that_was_retracted_meanwhile_does_not_come_back(late: Slow) -> None:
    """Neither in the model's words nor in those by rules: the second update is the brief as it is by then."""
    receipt = late.desk.log(REP, "acme-01", "Dana fears that the merger with Initrode ends their budget.")
    late.command("/brief", "acme-01")
    assert "Initrode" in words(late.updates(1)[0])
    late.desk.retract(REP, receipt.interaction_id)
    late.end()
    last = words(late.stub.of("chat.update")[-1])
    assert len(late.stub.of("chat.update")) == 2
    assert "Initrode" not in last
    assert WORDED not in last
    assert "Something changed here" in last


def test_words_about_an_account_that_was_given_on_are_not_shown(late: Slow) -> None:
    """It changed hands while they were being written: the brief by rules, of the new state, stands."""
    late.command("/brief", "acme-01")
    late.updates(1)
    late.desk.hand_off(REP, "acme-01", "U0NEWOWNER")
    late.end()
    assert WORDED not in words(late.stub.of("chat.update")[-1])


def test_another_reading_meanwhile_does_not_cost_the_words(late: Slow) -> None:
    """The worker has a note read anew: the same words say the same, so the sentences stay."""
    late.command("/brief", "acme-01")
    late.updates(1)
    late.model.gate.set()
    late.desk.read_pending("T0001")
    late.end()
    assert WORDED in words(late.stub.of("chat.update")[-1])


def test_nothing_more_is_shown_where_others_read_along_by_then(late: Slow) -> None:
    """The channel was shared with another organisation: the late words are not shown, and what stands is left alone."""
    late.command("/brief", "acme-01")
    late.updates(1)
    late.stub.channels["C0001"] = {"is_ext_shared": True}
    late.clock.at += KEPT_SECONDS + 1
    late.end()
    assert len(late.stub.of("chat.update")) == 1


def test_a_late_failure_is_said_in_the_brief(late: Slow) -> None:
    """Claude turns out to be away: the brief by rules says so in place of announcing more."""
    late.model.fails = True
    late.command("/brief", "acme-01")
    late.updates(1)
    late.end()
    last = words(late.stub.of("chat.update")[-1])
    assert "Written without Claude: it refused the key" in last
    assert STILL_WRITING not in last


def test_what_one_person_alone_sees_is_replaced_within_the_five_uses(late: Slow) -> None:
    """/recall answers through its response_url: a placeholder, then twice in its place."""
    late.command("/recall", QUESTION)
    late.stub.wait_for("respond", 2, 30)
    late.end()
    place, plain, better = late.stub.of("respond")
    assert place["text"] == "Reading 2 notes about Acme Corp…"
    assert (plain["replace_original"], better["replace_original"]) == (True, True)
    assert {body["response_type"] for body in (place, plain, better)} == {"ephemeral"}
    assert WORDED not in words(plain)
    assert WORDED in words(better)


def test_a_note_retracted_meanwhile_is_not_in_an_answer(late: Slow) -> None:
    """The plain answer is found anew, and a claim from the note is left out of the better one."""
    receipt = late.desk.log(REP, "acme-01", "Annual pricing is out since the merger with Initrode.")
    late.command("/recall", QUESTION)
    late.stub.wait_for("respond", 2, 30)
    late.desk.retract(REP, receipt.interaction_id)
    late.end()
    assert "Initrode" not in words(late.stub.of("respond")[-1])


@pytest.mark.parametrize("kind", ["mention", "message"])
def test_a_question_in_a_channel_or_a_direct_message_is_answered_slowly_too(late: Slow, kind: str) -> None:
    """The same three steps; the question is kept until the first answer stands."""
    getattr(late, kind)(QUESTION)
    late.updates(1)
    late.end()
    plain, better = late.stub.of("chat.update")
    assert len(late.stub.of("chat.postMessage")) == 1
    assert STILL_WRITING in words(plain)
    assert WORDED in words(better)
    assert late.memory.inbox.unanswered() == ()


def test_where_nothing_can_be_replaced_there_is_one_answer(late: Slow) -> None:
    """Among strangers the asker alone is answered: by rules after the wait, and no more after it."""
    late.mention(QUESTION, is_ext_shared_channel=True)
    told, answer = late.stub.wait_for("chat.postEphemeral", 2, 30)
    late.end()
    assert "I answer you alone" in words(told)
    assert NOT_IN_TIME in words(answer)
    assert len(late.stub.of("chat.postEphemeral")) == 2
    assert late.stub.of("chat.update") == []


def test_a_digest_is_worded_slowly_and_shared(late: Slow) -> None:
    """/digest to the asker alone, then into the channel: each by rules first, then in the model's words."""
    late.command("/digest", "")
    late.stub.wait_for("respond", 2, 30)
    late.action("share_digest", "week")
    late.updates(1)
    late.end()
    place, plain, *rest = late.stub.of("respond")
    assert place["text"] == "Reading the week of 1 deal…"
    assert STILL_WRITING in words(plain)
    assert any(WORDED in words(body) for body in rest)
    assert WORDED in words(late.stub.of("chat.update")[-1])


def test_a_digest_that_claude_did_not_word_says_so_in_one_quiet_line(prompt: Slow) -> None:
    """The cards' own words, and a context line under them; no word of an error."""
    prompt.model.fails = True
    prompt.command("/digest", "")
    prompt.end()
    blocks = prompt.stub.of("respond")[-1]["blocks"]
    (line,) = [block["elements"][0]["text"] for block in blocks if block["type"] == CONTEXT]
    assert line == "Written without Claude: it refused the key: check ANTHROPIC\u200b_API\u200b_KEY."
    assert "went wrong" not in words(prompt.stub.of("respond")[-1])


def test_a_digest_on_schedule_says_so_too(prompt: Slow) -> None:
    """Posted in time with the cards' own words, and the same quiet line."""
    prompt.model.fails = True
    plan = prompt.desk.plan_digest(REP, "C0001", "weekly monday 9:00 all", "UTC")
    client = WebClient(token="xoxb-test", base_url=prompt.stub.url)
    assert Posting(prompt.desk, lambda _team: client).digest(plan, prompt.memory.now)
    (posted,) = prompt.stub.of("chat.postMessage")
    assert "Written without Claude: it refused the key" in words(posted)
    assert "went wrong" not in words(posted)


def test_an_answer_that_claude_did_not_word_says_so_in_one_quiet_line(prompt: Slow) -> None:
    """The notes that were found, with the reason in a context line."""
    prompt.model.fails = True
    prompt.command("/recall", QUESTION)
    prompt.end()
    last = prompt.stub.of("respond")[-1]
    lines = [block["elements"][0]["text"] for block in last["blocks"] if block["type"] == CONTEXT]
    assert [line for line in lines if line.startswith("Written without Claude: it refused the key")] == lines
    assert "quarterly billing" in words(last)


@pytest.mark.parametrize("name", FAILURES)
def test_whatever_fails_the_command_is_answered_and_the_note_is_kept(tmp_path: Path, name: str) -> None:
    """A note logged and a brief asked for while Claude fails in this way: a receipt, a brief by rules that says so."""
    for made in workspace(tmp_path, patience=60, claude=Wire(list(FAILURES[name])).scribe(deadline=5)):
        assert made.command("/log", "acme-01: They compare us with Corvid.").status == 200
        assert made.command("/brief", "acme-01", trigger="1.2.brief").status == 200
        shown = words(made.updates(1)[0])
        assert "Written without Claude: " in shown
        assert "Corvid" in shown
        made.desk.read_pending("T0001")
        assert made.desk.timeline(REP, "acme-01")[0].text == "They compare us with Corvid."


def test_when_too_much_is_being_written_the_answer_is_by_rules_at_once(tmp_path: Path) -> None:
    """One place to write in, and it is taken: the second brief does not wait for it."""
    for busy in workspace(tmp_path, patience=60, at_a_time=1):
        busy.command("/brief", "acme-01")
        assert busy.model.asked.acquire(timeout=30)
        busy.command("/brief", "acme-01", trigger="1.2.again")
        posted = busy.stub.wait_for("chat.postMessage", 4, 30)
        assert BUSY in words(posted[-1])


def test_a_handed_over_account_is_told_of_slowly(late: Slow) -> None:
    """The pack comes at once; the new owner's direct message is by rules first, and in the model's words then."""
    late.command("/handoff", "acme-01 <@U0NEWOWNER>")
    late.updates(1)
    assert "was handed over" in words(late.stub.wait_for("chat.postMessage", 2)[0])
    late.stub.wait_for("respond")
    late.end()
    assert WORDED in words(late.stub.of("chat.update")[-1])


# --- the places ---


def parts(*texts: str) -> list[views.Message]:
    """An answer in several messages."""
    return [views.sentence(text) for text in texts]


@pytest.fixture
def stub() -> Iterator[SlackStub]:
    """Slack, alone."""
    with running_stub() as made:
        yield made


def test_a_channel_updates_adds_and_deletes(stub: SlackStub) -> None:
    """Three messages become two and then four: none is left over, and none is posted twice."""
    place = InChannel(WebClient(token="xoxb-test", base_url=stub.url), "C0001", "17.1")
    place.show(parts("a", "b", "c"))
    place.show(parts("d", "e"))
    place.show(parts("f", "g", "h", "i"))
    said = [body["text"] for _, body in stub.calls if "text" in body]
    assert said == list("abcdefghi")
    assert len(stub.of("chat.update")) == 4
    assert [body["ts"] for body in stub.of("chat.delete")] == ["1700000000.000003"]


@pytest.mark.parametrize(
    ("plain", "better", "shown"),
    [("a", "b", ".ab"), ("ab", "cd", ".abcd"), ("abc", "de", ".abc"), ("a", "bcd", ".abcd"), ("abcdefg", "h", ".abcd")],
)
def test_a_response_url_is_used_five_times_at_most(stub: SlackStub, plain: str, better: str, shown: str) -> None:
    """A placeholder, an answer, and a better one only where it can be whole."""
    place = ByResponse(Respond(response_url=stub.url + "respond"))
    for answer in (".", plain, better):
        place.show(parts(*answer))
    assert "".join(body["text"] for body in stub.of("respond")) == shown
    assert place.uses <= 5


def test_a_desk_without_a_model_shows_no_placeholder(slack: Slack) -> None:
    """By rules everything is there at once."""
    slack.command("/recall", QUESTION)
    slack.message(QUESTION)
    slack.finished()
    assert not [body for body in slack.stub.of("respond") if "Reading" in body["text"]]
    assert len(slack.stub.of("chat.postMessage")) == 1
    assert slack.stub.of("chat.update") == []


def test_the_operator_asks_in_the_terminal_and_is_told_the_same(late: Slow) -> None:
    """Without Slack there is nothing to replace: the brief waits for the model and says what became of it."""
    late.model.gate.set()
    assert late.desk.brief(Viewer("T0001", "me", None), "acme-01").recommendation[0].text == WORDED
