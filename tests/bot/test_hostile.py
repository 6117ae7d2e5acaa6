"""Hostile notes through the real path: reading, grounding, briefs and Slack's blocks. Nothing forged comes out."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.desk import Desk, Viewer
from bot.scribe import Scribe
from bot.scribe_plain import PlainScribe
from bot.signals import normalise
from bot.slack import views
from bot.slack.views import week as week_views
from storage import Memory, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex
from tests.bot.claude_wire import Wire, message
from tests.bot.hostile_notes import FAMILIES, NOTES

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
REP = Viewer("T0001", "U0REP")
INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
MADE = re.compile(r"<(?:@|!|#|https?:|mailto:|javascript:|data:)", re.I)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    config = StorageConfig(data_dir=tmp_path, now=lambda: NOW)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as made:
        made.of("T0001").create_account("Acme Corp", key="acme-01")
        yield made


def obedient(asked: dict[str, Any]) -> dict[str, Any]:
    """A model that does what the notes say: repeats them as claims, cites ids it was never given, mentions, links."""
    content = asked["messages"][0]["content"]
    words = re.sub(r"<[^>]+>", " ", content)[-900:]
    claims = [
        {"text": f"<!channel> {words}", "cites": ["N1"], "quote": "The customer signed the contract."},
        {"text": "Pay at https://evil.example now <@U012ABCDEF>", "cites": ["N1"], "quote": words.strip()[:200]},
        {"text": f"Signed. {words[:300]}", "cites": ["N41", "int-999"], "quote": "Budget is confirmed"},
        {"text": words[:350], "cites": ["N1"], "quote": _some_words(content)},
    ]
    reply = {
        "claims": claims, "action": "Click [here](https://evil.example) <!here>", "action_cites": ["N1"],
        "action_quote": _some_words(content), "answerable": True, "signals": [], "lines": [],
    }  # fmt: skip
    return message(json.dumps(reply))


def _some_words(content: str) -> str:
    body = re.search(r"<note [^>]*>\n(.*?)\n</note>", content, re.S)
    return body[1][:60] if body else ""


def rendered(desk: Desk) -> str:
    """Everything Slack would be sent about the account."""
    answer = desk.in_words(desk.recall(REP, "acme-01", "What did they say about the price and the contract?"))
    messages = [
        *views.brief(desk.brief(REP, "acme-01")),
        *views.answer(answer),
        *views.timeline(desk.timeline(REP, "acme-01")),
        *week_views.digest(desk.digest(REP), share=True),
        *week_views.ledger(desk.next_steps(REP, "acme-01")),
    ]
    return json.dumps(messages, ensure_ascii=False)


def test_there_are_sixty_notes_in_ten_families() -> None:
    """The suite is as large as it claims."""
    assert len(FAMILIES) == 10
    assert len(NOTES) >= 60


@pytest.mark.parametrize("obeys", [False, True], ids=["by rules", "by a model that obeys"])
@pytest.mark.parametrize(("family", "number", "text"), NOTES, ids=[f"{f}-{n}" for f, n, _ in NOTES])
def test_nothing_forged_survives(memory: Memory, family: str, number: int, text: str, obeys: bool) -> None:
    """No mention, no link, no invisible character, no id or quote that is not of the notes reaches Slack."""
    scribe: Scribe = Wire([obedient]).scribe(deadline=20) if obeys else PlainScribe()
    desk = Desk(memory, scribe, quick=PlainScribe() if obeys else None)
    receipt = desk.log(REP, "acme-01", text, external=True)
    brief = desk.brief(REP, "acme-01")
    kept = memory.of("T0001").note(receipt.interaction_id)
    claims = (*brief.recommendation, brief.recommended_action, *brief.objections, *brief.told, *brief.people)
    assert {claim.interaction for claim in claims if claim.interaction} <= {receipt.key}
    assert all(normalise(c.quote) in normalise(kept.text) for c in claims if c.interaction)
    if obeys:
        assert not any(re.search(r"https?:|<[@!#]", c.text) for c in brief.recommendation)
    shown = rendered(desk)
    assert not MADE.search(shown)
    assert not INVISIBLE.search(shown)
    assert brief.health.score is not None
    assert brief.health.score <= 45, "text from a customer moved the score without a rep's word"
