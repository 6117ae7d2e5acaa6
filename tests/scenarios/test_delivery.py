"""Deliveries: signatures, late failures, and what never reaches a log."""

import json
import logging
import time
from urllib.parse import urlencode

import pytest

from storage import Memory
from tests.scenarios.conftest import Slack

SECRET_WORDS = "the merger with Initrode is secret"


def test_a_wrong_signature_is_refused_and_its_body_is_in_no_log(slack: Slack, caplog: pytest.LogCaptureFixture) -> None:
    """401, and neither the words nor the token of the delivery are logged at any level."""
    caplog.set_level(logging.INFO)
    body = urlencode({"command": "/log", "text": f"Acme Corp: {SECRET_WORDS}", "team_id": "T0001"})
    assert slack.send(body, secret="another secret").status == 401
    assert SECRET_WORDS not in caplog.text
    assert "Initrode" not in caplog.text


def test_work_that_fails_late_is_still_acknowledged(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to Slack is 200 at once; the person gets a reference number and none of the error's words."""

    def fail(*_: object) -> None:
        raise RuntimeError(SECRET_WORDS)

    monkeypatch.setattr(type(slack.desk), "brief", fail)
    began = time.perf_counter()
    assert slack.command("/brief", "acme-01").status == 200
    assert time.perf_counter() - began < 1.0
    said = json.dumps(slack.stub.wait_for("respond")[0])
    assert "Reference" in said
    assert SECRET_WORDS not in said


def test_a_note_that_cannot_be_kept_is_said_at_once(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the memory fails inside the acknowledgement, the answer is still 200 and says that it went wrong."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(SECRET_WORDS)

    monkeypatch.setattr(Memory, "of", fail)
    answer = slack.command("/log", "Acme Corp: hello there")
    assert answer.status == 200
    assert "went wrong" in answer.body
    assert SECRET_WORDS not in answer.body


def test_no_words_and_no_token_are_logged(slack: Slack, caplog: pytest.LogCaptureFixture) -> None:
    """Logging a note and asking for it leaves neither its words nor the bot's token in the logs, even at DEBUG."""
    caplog.set_level(logging.DEBUG, logger="rapport")
    slack.command("/log", f"Acme Corp: {SECRET_WORDS}")
    slack.command("/recall", "acme-01: is there a merger?")
    slack.stub.wait_for("respond")
    assert "Initrode" not in caplog.text
    assert "xoxb-test-token" not in caplog.text
