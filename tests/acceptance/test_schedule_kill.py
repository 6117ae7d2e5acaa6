"""Two workers over one database, killed at random: no slot is posted twice, and none is lost in silence."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from storage.database import Database
from storage.ground import AnyRow, Ground, digest, digest_run
from storage.migrate import upgrade
from storage.schedules import STANDS_FOR, ScheduleVerbs

CHANNELS, SLOTS, MINUTE = 20, 10, 0.8
BEGAN = datetime(2026, 6, 1, tzinfo=UTC)
SETTLED = {"posted", "unknown", "failed", "skipped"}
"""A minute of the workers' clock lasts this many seconds, or as long as they take to start on a crowded machine: else
they would be killed before they had begun, and the clock would be what is tested."""
PATIENCE = 12
"""Minutes after the last slot in which all must be settled; a lease takes two of them."""

Slot = tuple[str, datetime]


def test_two_hundred_slots_survive_workers_that_are_killed(tmp_path: Path) -> None:
    """Each of 200 slots is posted once, shown as unknown, or on record in a later one of its channel."""
    db = Database(tmp_path / "test.db")
    upgrade(db)
    team = ScheduleVerbs(Ground(db, lambda: BEGAN), "T1", None)
    for number in range(CHANNELS):
        first = BEGAN + timedelta(minutes=1)
        team.set_digest(f"C{number}", "* * * * *", "UTC", accounts="all", made_by="U1", next_at=first)
    kills = _kill_workers(tmp_path, db, max(MINUTE, _seconds_to_start(tmp_path)))
    runs = _runs(db)
    db.close()
    taken = Counter((tmp_path / "posted").read_text().splitlines())
    assert kills >= 8
    assert max(taken.values()) == 1, "a slot was posted twice"
    assert _wanted() - _on_record(runs) == set(), "slots were lost in silence"
    posted = {_line(run) for run in runs if run.state == "posted"}
    assert posted <= set(taken), "a slot counts as posted that Slack has not got"
    assert {_line(run) for run in runs if _line(run) in taken and run.state in ("skipped", "failed")} == set()
    assert len(posted & {f"{channel} {slot.isoformat()}" for channel, slot in _wanted()}) > CHANNELS * SLOTS / 2


def _seconds_to_start(folder: Path) -> float:
    """How long two workers take to start side by side, for which nothing is due yet."""
    began = time.monotonic()
    workers = [_start(folder, time.time() + 3600, MINUTE) for _ in range(2)]
    try:
        while not all((folder / f"up-{worker.pid}").exists() for worker in workers):
            assert time.monotonic() < began + 60, "the workers do not start"
            time.sleep(0.01)
        return time.monotonic() - began
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _kill_workers(folder: Path, db: Database, minute: float) -> int:
    """Run two workers for all slots, killing one of them every minute or so, then let them settle what is left."""
    began = time.time() + minute
    workers = [_start(folder, began, minute), _start(folder, began, minute)]
    kills = 0
    end = began + minute * SLOTS
    try:
        while time.time() < end:
            time.sleep(minute * random.uniform(0.4, 1.5))
            place = random.randrange(2)
            workers[place].kill()
            workers[place].wait()
            workers[place] = _start(folder, began, minute)
            kills += 1
        while _wanted() - _on_record(_runs(db)) and time.time() < end + PATIENCE * minute:
            time.sleep(0.2)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return kills


def _start(folder: Path, began: float, minute: float) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "tests.acceptance.posting_process", str(folder), str(began), str(minute)]
    return subprocess.Popen(argv, cwd=Path(__file__).parents[2])


def _wanted() -> set[Slot]:
    """Every slot of every channel."""
    return {(f"C{c}", BEGAN + timedelta(minutes=m)) for c in range(CHANNELS) for m in range(1, SLOTS + 1)}


def _runs(db: Database) -> list[AnyRow]:
    columns = digest.c.channel, digest_run.c.slot, digest_run.c.state, digest_run.c.reason
    with db.read() as connection:
        query = select(*columns).join(digest, digest.c.id == digest_run.c.digest_id)
        return list(connection.execute(query).all())


def _on_record(runs: list[AnyRow]) -> set[Slot]:
    """Slots that are settled, and those that a settled one stands for."""
    return {slot for run in runs if run.state in SETTLED for slot in _covered(run)}


def _covered(run: AnyRow) -> Iterator[Slot]:
    """A slot a minute: the slot itself, and the missed ones before it."""
    missed = [part.split()[2] for part in run.reason.split("; ") if part.startswith(STANDS_FOR)]
    for back in range(int(missed[0]) + 1 if missed else 1):
        yield run.channel, run.slot - timedelta(minutes=back)


def _line(run: AnyRow) -> str:
    """As `posting_process` writes it."""
    return f"{run.channel} {run.slot.isoformat()}"
