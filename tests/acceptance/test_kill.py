"""Real processes killed at random moments: what was acknowledged is there, once."""

import random
import subprocess
import sys
import time
from pathlib import Path

from storage import StorageConfig, open_memory
from storage.embedder import HashEmbedder

ROOT = Path(__file__).parents[2]
KILLS = 20
WRITER = """
import sys, threading
from pathlib import Path
from storage import NewNote, StorageConfig, open_memory
from storage.embedder import HashEmbedder

with open_memory(StorageConfig(data_dir=Path(sys.argv[1])), embedder=HashEmbedder()) as memory:
    team = memory.of("T0001")
    acme = team.create_account("Acme Corp").id
    threading.Thread(target=lambda: [memory.catch_up() for _ in iter(int, 1)], daemon=True).start()
    number = int(sys.argv[2])
    while True:
        team.log(acme, NewNote(f"note number {number}", "rep-1", source_key=f"k{number}"))
        print(number, flush=True)
        number += 1
"""


def test_an_acknowledged_note_survives_a_killed_process_and_is_there_once(tmp_path: Path) -> None:
    """Twenty kills at random moments while notes are logged and indexed: none lost, none doubled, the index in step."""
    acknowledged = -1
    rng = random.Random(7)
    for _ in range(KILLS):
        # The last number is sent again: its acknowledgement may have been lost with the process.
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(max(acknowledged, 0))]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(rng.uniform(0, 0.25))
            process.kill()
            lines = [first, *process.stdout.readlines()]
        acknowledged = max([acknowledged, *(int(line) for line in lines if line.endswith("\n"))])
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder()) as memory:
        team = memory.of("T0001")
        kept = [note.text for note in team.timeline(team.who("Acme Corp").account.id)]
        memory.catch_up()
        assert len(kept) == len(set(kept))
        assert {f"note number {n}" for n in range(acknowledged + 1)} <= set(kept)
        found = team.recall(f"note number {acknowledged}", account="acme-corp", limit=100, abstain=False)
        assert found.hits
        assert memory.status()["pending"] == 0
