"""The README cannot rot: its settings table and its transcript are held against the program."""

import re
from pathlib import Path

from pydantic import SecretStr

from bot.settings import Settings
from tests.transcript import shown, tour, without_days

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


def test_the_transcript_is_what_the_program_says() -> None:
    """The README's tour is the program's own, line by line, but for the days it was printed on."""
    assert without_days(shown()) == without_days(tour())
