"""Answers that are owed when a process ends: the next one gives them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.slack import commands
from bot.slack.commands import Commands
from bot.slack.guard import Guard
from bot.slack.owed import COMMAND, Owed
from bot.slack.pending import Pending
from bot.slack.slowly import Slowly
from storage.errors import NotSaved
from tests.scenarios.conftest import Slack

ASKED = (
    ("/brief", "acme-01"),
    ("/recall", "acme-01: what pricing objections came up?"),
    ("/timeline", "acme-01"),
)
NOW = timedelta(0)


def next_process(slack: Slack) -> Owed:
    """What the next process does with what is left."""
    known = Commands(slack.desk, Guard(), Pending(), Slowly())
    return Owed(slack.memory.inbox, {COMMAND: known.give})


def all_said(slack: Slack) -> str:
    """Everything that Slack was sent."""
    return json.dumps(slack.stub.of("respond") + slack.stub.of("chat.postMessage"))


@pytest.mark.parametrize(("name", "text"), ASKED)
def test_a_command_survives_a_crash_after_its_acknowledgement(
    slack: Slack, name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledged and never answered, it is answered by the next process, where it was asked, and once."""

    def crash(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as crashing:
        crashing.setattr(commands.Commands, "_answer", crash)
        fresh = slack.renewed()
        assert fresh.command(name, text).status == 200
        fresh.finished()
    client = WebClient(token="xoxb-test", base_url=slack.stub.url)
    after = next_process(slack)
    assert after.again(lambda _team: client) == 0, "it may still be under way"
    assert after.again(lambda _team: client, NOW) == 1
    assert "quarterly billing" in all_said(slack)
    assert after.again(lambda _team: client, NOW) == 0


@pytest.mark.parametrize(("name", "text"), [*ASKED, ("/brief", "Initech"), ("/recall", "")])
def test_an_answered_command_is_not_kept(slack: Slack, name: str, text: str) -> None:
    """Neither its words nor the address of its answer stay, also when the answer was a sentence of what is wrong."""
    slack.command(name, text)
    slack.finished()
    assert slack.memory.inbox.unanswered(NOW) == ()
    assert all_said(slack) != "[]"


def test_a_question_is_acknowledged_and_answered_though_it_cannot_be_kept(
    slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full takes the safety away, not the answer."""

    def full(*_: Any) -> bool:
        raise NotSaved("the disk is full")

    monkeypatch.setattr("storage.inbox.Inbox.take", full)
    assert slack.command("/brief", "acme-01").status == 200
    slack.finished()
    assert "quarterly billing" in all_said(slack)


def test_a_workspace_that_is_gone_is_owed_nothing(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the app has no token any more the question is let go."""
    monkeypatch.setattr(commands.Commands, "_answer", lambda *_: None)
    fresh = slack.renewed()
    fresh.command("/timeline", "acme-01")
    fresh.finished()
    assert next_process(slack).again(lambda _team: None, NOW) == 0
    assert slack.memory.inbox.unanswered(NOW) == ()


def test_an_answer_that_cannot_be_given_does_not_hold_up_the_next(
    slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an answer's address is dead the other one is given all the same."""
    with monkeypatch.context() as crashing:
        crashing.setattr(commands.Commands, "_answer", lambda *_: None)
        fresh = slack.renewed()
        fresh.command("/timeline", "acme-01", trigger="t1", response_url="http://127.0.0.1:9/gone")
        fresh.command("/timeline", "acme-01", trigger="t2")
        fresh.finished()
    client = WebClient(token="xoxb-test", base_url=slack.stub.url)
    assert next_process(slack).again(lambda _team: client, NOW) == 1
    assert "quarterly billing" in all_said(slack)
