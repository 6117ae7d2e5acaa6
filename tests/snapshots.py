"""What Slack is shown, over the sources' own deals at a fixed moment: kept as JSON, so that a change is seen in review.

`python -m tests.snapshots` writes the file anew; `tests/scenarios/test_snapshots.py` holds the views to it.
"""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.desk import Desk, Viewer
from bot.samples import sample_payloads
from bot.scribe_plain import PlainScribe
from bot.slack import views
from bot.slack.views import accounts, digests, home, notes, week
from storage import Preferences, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex

FILE = Path(__file__).parent / "scenarios" / "snapshots.json"
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
REP = Viewer("T0001", "U0REP0001", channel="C0001")


def shown() -> dict[str, Any]:
    """Each view by name."""
    with tempfile.TemporaryDirectory() as folder:
        config = StorageConfig(data_dir=Path(folder), now=lambda: NOW)
        with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as memory:
            desk = Desk(memory, PlainScribe())
            for payload in sample_payloads(NOW.date()):
                memory.of(REP.team).import_payload(payload)
            return _views(desk)


def _views(desk: Desk) -> dict[str, Any]:
    line = "Acme Corp: Dana will not sign before the pilot. I will send the security report by Friday."
    receipt = desk.log_line(REP, line, source_key="s1")
    nothing = desk.recall_line(REP, "Rentokil: what does the canteen serve?")
    plan = desk.plan_digest(REP, "C0001", "weekly monday 9:00 all dates de", "Europe/Berlin")
    step = desk.next_steps(REP).steps[0]
    return {
        "receipt": _masked(notes.receipt(receipt), receipt.key),
        "receipt, confirmed": _masked(notes.receipt(receipt, confirmed=True), receipt.key),
        "retracted": notes.retracted(7, 2),
        "fix form": _masked(notes.fix_modal(receipt, "1"), receipt.key),
        "brief": views.brief(desk.brief(REP, "Priya Sharma")),
        "brief, parent": views.brief_parent(desk.brief(REP, "Priya Sharma")),
        "brief, cold start": views.brief(desk.brief(REP, _empty(desk))),
        "answer": views.answer(desk.recall_line(REP, "Rentokil: what about data migration?"), share="n1"),
        "answer, nothing": views.answer(nothing),
        "timeline": views.timeline(desk.timeline(REP, "Paysend")),
        "ledger": _masked(week.ledger(desk.next_steps(REP)), receipt.key),
        "step, done": _masked(week.settled(desk.settle(REP, step.id), "Done"), receipt.key),
        "reminder": _masked(week.reminder([step]), receipt.key),
        "give form": week.give_form(1),
        "digest": _masked(digests.digest(desk.digest(REP), share=True), receipt.key),
        "digest, German days": _masked(digests.digest(desk.digest(REP, language="de")), receipt.key),
        "digest, planned": digests.planned(plan),
        "digest, list": digests.plans(desk.digest_plans(REP)),
        "digest, form": digests.digest_form("Europe/Berlin", "C0001", plan),
        "reminder form": home.reminder_form(Preferences()),
        "home": _masked(home.home(desk.home(REP)), receipt.key),
        "hand-off": _masked(week.pack(desk.hand_off(REP, "Rentokil", "U0ANA0001")), receipt.key),
        "pipeline": week.pipeline(desk.pipeline(REP)),
        "which": accounts.which("Acme", ("Acme Corp", "Acme Labs"), "n1"),
        "help": accounts.help_(),
        "privacy": accounts.privacy(),
        "greeting": home.greeting(),
        "introduction": home.introduction(),
    }


def _empty(desk: Desk) -> str:
    return desk.create_account(REP, "Newco").name


def _masked(view: Any, key: str) -> Any:
    """The view without what is drawn anew each time."""
    return json.loads(json.dumps(view).replace(key, "note-1"))


def text() -> str:
    """The file's content."""
    return json.dumps(shown(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
