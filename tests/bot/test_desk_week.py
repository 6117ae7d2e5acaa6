"""The desk over many deals: ledger, digest, hand-off, pipeline, health through time."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from bot.desk import Desk, Viewer
from bot.picture import alt_text, picture
from bot.pipeline import to_csv
from bot.pipeline import to_json as pipeline_json
from bot.samples import sample_payloads
from bot.scribe_plain import PlainScribe
from bot.week import to_json
from storage import Side, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.errors import BadInput, NotFound, UnknownAccount
from storage.index import MemoryIndex

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
REP = Viewer("T0001", "U0REP")
OPERATOR = Viewer("T0001", "me", None)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk that knows Acme, Priya and James."""
    config = StorageConfig(data_dir=tmp_path, now=lambda: NOW)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        for payload in sample_payloads(NOW.date()):
            memory.of("T0001").import_payload(payload)
        yield Desk(memory, PlainScribe())


def test_james_is_red_above_priya_and_every_account_is_in_one_bucket(desk: Desk) -> None:
    """The third source's digest, as programs get it."""
    said = to_json(desk.digest(OPERATOR).week, NOW)
    assert [item["name"] for item in said["red"]] == ["Paysend"]
    names = [item["name"] for bucket in ("red", "yellow", "green") for item in said[bucket]]
    assert sorted(names) == ["Acme Corp", "Paysend", "Rentokil"]
    assert names.index("Paysend") < names.index("Rentokil")
    james = said["red"][0]
    assert (james["health"], james["label"], james["at_risk"], james["change"]) == (35, "Warming up", True, -10)
    assert set(james) == {
        "account", "name", "health", "label", "at_risk", "change", "why", "action", "owner", "interactions",
    }  # fmt: skip


def test_a_digest_as_of_a_past_day_knows_nothing_later(desk: Desk) -> None:
    """Three weeks ago Priya's pilot was not agreed on."""
    before = desk.digest(OPERATOR, as_of=NOW - timedelta(days=20)).week
    rentokil = next(card for card in before.cards if card.name == "Rentokil")
    assert rentokil.health.score is not None
    assert rentokil.health.score < 40


def test_a_step_by_hand_is_ours_or_theirs_with_its_day(desk: Desk) -> None:
    """Who owes is read from the words, the day from the phrase; without words it is taught."""
    ours = desk.add_step(REP, "Acme Corp: send the security report by 19 June")
    theirs = desk.add_step(REP, "Acme Corp: they send the signed DPA in 2 weeks")
    assert (ours.side, ours.owner, ours.due) == (Side.OURS, "U0REP", date(2026, 6, 19))
    assert (theirs.side, theirs.owner, theirs.due) == (Side.THEIRS, "", date(2026, 6, 29))
    with pytest.raises(BadInput, match="for example"):
        desk.add_step(REP, "Acme Corp:")


def test_the_ledger_is_by_urgency_and_mine_by_default(desk: Desk) -> None:
    """Overdue, within a week, later, without a date; a colleague's steps are not mine."""
    for words in ("ring on 1 June 2026", "mail by 18 June", "visit by 30 July", "think about it"):
        desk.add_step(REP, f"Acme Corp: {words}")
    desk.add_step(Viewer("T0001", "U0OTHER"), "Acme Corp: theirs by 18 June")
    mine = desk.next_steps(REP)
    assert [len(g) for g in (mine.overdue, mine.soon, mine.later, mine.undated)] == [1, 1, 1, 1]
    assert "theirs by 18 June" in [s.title for s in desk.next_steps(REP, "Acme Corp").steps]
    done = desk.settle(REP, mine.overdue[0].id)
    assert done.done_at == NOW
    assert done.id not in [s.id for s in desk.next_steps(REP).steps]


def test_a_step_of_another_workspace_cannot_be_touched(desk: Desk) -> None:
    """Ids are no keys to other people's promises."""
    step = desk.add_step(REP, "Acme Corp: ring")
    with pytest.raises(NotFound):
        desk.settle(Viewer("T0002", "U0REP"), step.id)


def test_a_hand_off_is_a_pack_and_is_undone_but_for_what_moved_on(desk: Desk) -> None:
    """Steps of ours move and return; one that was given on since stays where it is."""
    kept, moved_on = desk.add_step(REP, "Acme Corp: ring"), desk.add_step(REP, "Acme Corp: mail")
    pack = desk.hand_off(REP, "Acme Corp", "U0ANA")
    assert {kept.id, moved_on.id} <= {step.id for step in pack.steps}
    assert len(pack.actions) <= 3
    assert all(claim.interaction or claim.text for claim in pack.actions)
    desk.reassign(REP, moved_on.id, "U0BEN")
    desk.undo_hand_off(REP, pack.handoff.id)
    team = desk.memory.of("T0001")
    assert [team.next_step(s.id).owner for s in (kept, moved_on)] == ["U0REP", "U0BEN"]
    with pytest.raises(NotFound):
        desk.undo_hand_off(REP, pack.handoff.id)
    with pytest.raises(UnknownAccount):
        desk.hand_off(REP, "Nobody Inc", "U0ANA")


def test_the_pipeline_counts_weighs_and_closes(desk: Desk) -> None:
    """Open amounts by stage times health; what was won and lost in a period; days from first contact to pilot."""
    team = desk.memory.of("T0001")
    closed = [
        {"opportunityId": "w1", "amountUsd": 1000, "status": "won", "closedAt": "2026-05-10T00:00:00Z"},
        {"opportunityId": "w2", "amountUsd": 500.5, "status": "won", "closedAt": "2026-01-10T00:00:00Z"},
        {"opportunityId": "l1", "amountUsd": 300, "status": "lost", "closedAt": "2026-05-20T00:00:00Z"},
    ]
    team.import_payload({"accountId": "old", "name": "=Old", "stage": "=cmd()", "owner": "ana", "OPPORTUNITY": closed})
    whole = desk.pipeline(OPERATOR)
    assert (whole.won, whole.lost, whole.won_amount, whole.win_rate) == (2, 1, Decimal("1500.5"), 2 / 3)
    assert (whole.days_to_pilot, whole.pilots) == (21, 1)
    pilot = next(row for row in whole.rows if row.stage == "pilot")
    assert (pilot.amount, pilot.weighted) == (Decimal(36000), Decimal("25200.00"))
    may = desk.pipeline(OPERATOR, since=datetime(2026, 5, 1, tzinfo=UTC), until=datetime(2026, 5, 31, tzinfo=UTC))
    assert (may.won, may.lost, may.win_rate) == (1, 1, 0.5)
    assert desk.pipeline(OPERATOR, owner="ana").rows == ()
    rows = list(csv.reader(io.StringIO(to_csv(whole))))
    assert rows[0] == ["stage", "owner", "currency", "deals", "amount", "weighted"]
    assert not any(cell.startswith("=") for row in rows for cell in row)
    json.dumps(pipeline_json(whole))


def test_a_score_through_time_is_a_picture_and_words(desk: Desk) -> None:
    """Replayed at each note, with the reason of each; the picture has its size and the words have its scores."""
    course = desk.course(OPERATOR, "Rentokil")
    assert [m.health.score for m in course.moments] == [30, 25, 45, 70]
    image = Image.open(io.BytesIO(picture(course)))
    assert (image.format, image.size) == ("PNG", (880, 420))
    assert all(str(m.health.score) in alt_text(course) for m in course.moments)
    desk.memory.of("T0001").create_account("Empty")
    assert "no notes yet" in alt_text(desk.course(OPERATOR, "Empty"))
    assert picture(desk.course(OPERATOR, "Empty")).startswith(b"\x89PNG")
