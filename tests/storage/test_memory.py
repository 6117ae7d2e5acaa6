"""Promises of the data folder: one process, no half schema, and nothing left behind."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from storage import Memory, NewNote, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.errors import BadInput, FolderInUse, SchemaTooNew
from storage.index import MemoryIndex

ROOT = Path(__file__).parents[2]


def opened(folder: Path) -> Memory:
    return open_memory(StorageConfig(data_dir=folder), embedder=HashEmbedder(), index=MemoryIndex())


def test_a_second_process_is_told_that_the_folder_is_in_use(tmp_path: Path) -> None:
    """Two processes never write one folder; once the first lets go, the next may open it."""
    code = (
        "import sys; from pathlib import Path; from tests.storage.test_memory import opened\n"
        "from storage.errors import FolderInUse\n"
        "try: opened(Path(sys.argv[1])).close()\n"
        "except FolderInUse: sys.exit(7)"
    )
    argv = [sys.executable, "-c", code, str(tmp_path)]
    with opened(tmp_path):
        assert subprocess.run(argv, cwd=ROOT, check=False).returncode == 7
        with pytest.raises(FolderInUse):
            opened(tmp_path)
    assert subprocess.run(argv, cwd=ROOT, check=False).returncode == 0


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A database of a newer Rapport is not touched, and the folder is let go."""
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "rapport.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    for _ in range(2):
        with pytest.raises(SchemaTooNew, match="9999"):
            opened(tmp_path)


def test_a_migration_that_dies_leaves_no_half_schema(tmp_path: Path) -> None:
    """Killed in the midst of the first migration, the next start finds an empty database and a whole one after."""
    code = (
        "import os, sys; from pathlib import Path; from sqlalchemy import event\n"
        "from storage.database import Database; from storage.migrate import upgrade\n"
        "db = Database(Path(sys.argv[1]) / 'rapport.db')\n"
        "die = lambda *a: os._exit(9) if 'CREATE TABLE interaction' in a[2] else None\n"
        "event.listen(db.engine, 'before_cursor_execute', die); upgrade(db)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False).returncode == 9
    with sqlite3.connect(tmp_path / "rapport.db") as db:
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    db.close()
    with opened(tmp_path) as memory:
        memory.of("T1").create_account("Acme Corp")


def test_what_was_logged_is_there_after_reopening(tmp_path: Path) -> None:
    """Notes outlive the process, and a memory index that does not is filled again."""
    with opened(tmp_path) as memory:
        account = memory.of("T1").create_account("Acme Corp").id
        memory.of("T1").log(account, NewNote("Wants a pilot.", rep="U1"))
        memory.catch_up()
    with opened(tmp_path) as memory:
        assert memory.status()["notes"] == 1
        assert memory.catch_up().indexed == 1


def test_erasing_a_workspace_leaves_no_word_of_it(tmp_path: Path) -> None:
    """After an erasure no file of the folder holds a word of it, and the other workspaces are whole."""
    with opened(tmp_path) as memory:
        for team, word in (("T1", "Xylophone"), ("T2", "Marimba")):
            account = memory.of(team).create_account(f"{word} Corp").id
            note = memory.of(team).log(account, NewNote(f"{word} wanted.", rep="U1", contact=f"{word} Reed"))
            memory.of(team).correct(note.id, f"{word} wanted at once.", "U1")
            memory.of(team).add_next_step(account, f"Send a {word}")
        memory.catch_up()
        (tmp_path / "rapport.db.before-0000").write_text("Xylophone")
        memory.erase("T1")
        held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert b"xylophone" not in held.lower()
        assert b"Marimba" in held
        assert memory.teams() == ("T2",)
        assert memory.of("T1").timeline() == ()
        assert len(memory.of("T2").timeline()) == 1


def test_a_workspace_has_an_id(tmp_path: Path) -> None:
    """Without a workspace there is no door."""
    with opened(tmp_path) as memory, pytest.raises(BadInput):
        memory.of("")
