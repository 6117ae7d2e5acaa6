"""A worker of its own for the kill test: posts what is due to a file, by a clock that runs fast."""

import os
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.poster import Poster
from storage import DigestPlan
from storage.database import Database
from storage.ground import Ground
from storage.schedules import Schedules


def main(folder: Path, began: float, minute: float) -> None:
    """Tick until killed. A minute of the digests' time lasts `minute` seconds."""

    def now() -> datetime:
        return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=(time.time() - began) / minute)

    def post(plan: DigestPlan, slot: datetime) -> str:
        time.sleep(random.random() * 0.02)
        line = f"{plan.channel} {slot.isoformat()}\n".encode()
        file = os.open(folder / "posted", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, line)
        os.close(file)
        time.sleep(random.random() * 0.02)
        return "1.1"

    poster = Poster(Schedules(Ground(Database(folder / "test.db"), now)), post, now)
    (folder / f"up-{os.getpid()}").touch()
    while True:
        poster.tick()
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
