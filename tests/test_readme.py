"""The README cannot rot: its settings table and its transcript are held against the program."""

import re
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from bot.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_settings_table_is_the_settings() -> None:
    """Every setting is in the table with its default and its meaning, and nothing else is."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", README, re.M)
    made = []
    for name, field in Settings.model_fields.items():
        value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else str(field.default)
        made.append((name.upper(), f"`{value}`" if value else "none", field.description))
    assert rows == made


def test_the_env_example_names_every_secret_and_url() -> None:
    """Whoever copies .env.example finds each usual name in it."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        if not name.startswith("rapport_") or name == "rapport_data_dir":
            assert name.upper() in example


def test_the_transcript_is_what_the_program_says(tmp_path: Path) -> None:
    """Each line of the README's transcript is in the output of the command it names, up to the day it is run on."""
    block = README.split("<!-- transcript: python -m bot try -->")[1].split("```")[1]
    ran = subprocess.run(
        [sys.executable, "-m", "bot", "try"],
        cwd=ROOT,
        env={"RAPPORT_DATA_DIR": str(tmp_path), "PATH": "", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    for line in block.strip().splitlines():
        assert line in ran.stdout
