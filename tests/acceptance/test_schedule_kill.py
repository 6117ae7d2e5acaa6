"""Two workers over one database, killed at random: no slot is posted twice, and none is lost in silence."""

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from storage.database import Database
from storage.ground import Ground, digest_run
from storage.migrate import upgrade
from storage.schedules import ScheduleVerbs

CHANNELS, SLOTS, MINUTE = 20, 10, 0.8
BEGAN = datetime(2026, 6, 1, tzinfo=UTC)


def test_two_hundred_slots_survive_workers_that_are_killed(tmp_path: Path) -> None:
    """Each of 200 slots is posted once, shown as unknown, or stands in a later one of its channel."""
    db = Database(tmp_path / "test.db")
    upgrade(db)
    team = ScheduleVerbs(Ground(db, lambda: BEGAN), "T1", None)
    for number in range(CHANNELS):
        first = BEGAN + timedelta(minutes=1)
        team.set_digest(f"C{number}", "* * * * *", "UTC", accounts="all", made_by="U1", next_at=first)
    began = time.time() + 1.0
    kills = _kill_workers(tmp_path, began)
    with db.read() as connection:
        rows = connection.execute(select(digest_run).where(digest_run.c.slot <= BEGAN + timedelta(minutes=SLOTS))).all()
    posted = Counter((tmp_path / "posted").read_text().splitlines())
    assert kills >= 8
    assert max(posted.values()) == 1, "a slot was posted twice"
    assert len(rows) + sum(_stands_for(row.reason) for row in rows) >= CHANNELS * SLOTS
    assert {row.state for row in rows} <= {"posted", "unknown"}
    assert sum(row.state == "posted" for row in rows) > CHANNELS * SLOTS / 2
    db.close()


def _kill_workers(folder: Path, began: float) -> int:
    """Run two workers for all slots and three minutes more, killing one of them every half second or so."""
    workers = [_start(folder, began), _start(folder, began)]
    kills = 0
    try:
        while time.time() < began + MINUTE * (SLOTS - 1):
            time.sleep(random.uniform(0.3, 1.2))
            place = random.randrange(2)
            workers[place].kill()
            workers[place].wait()
            workers[place] = _start(folder, began)
            kills += 1
        time.sleep(max(0.0, began + MINUTE * (SLOTS + 5) - time.time()))
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return kills


def _start(folder: Path, began: float) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "tests.acceptance.posting_process", str(folder), str(began), str(MINUTE)]
    return subprocess.Popen(argv, cwd=Path(__file__).parents[2])


def _stands_for(reason: str) -> int:
    return int(reason.split()[2]) if reason.startswith("stands for") else 0
