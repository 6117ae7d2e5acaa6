"""The tour of `make try` as the README shows it. Run as a program it writes it there."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
_BLOCK = re.compile(r"(<!-- transcript -->\n```\n).*?(```\n)", re.S)
_DAY = re.compile(r"\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*(?: \d{4})?")


def tour() -> str:
    """What the program prints, up to its prompt."""
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [sys.executable, "-m", "bot", "try"],
            cwd=README.parent,
            env={"RAPPORT_DATA_DIR": folder, "PATH": "", "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=True,
        )
    told = ran.stdout.split("\nYour turn.")[0]
    return "\n".join(line.rstrip() for line in told.strip().splitlines()) + "\n"


def shown() -> str:
    """What the README shows."""
    found = _BLOCK.search(README.read_text(encoding="utf-8"))
    assert found, "the README has no transcript"
    return found[0].split("```\n", 1)[1].removesuffix("```\n")


def without_days(text: str) -> str:
    """The text with every day taken out: the samples are dated by the day they are shown on."""
    return _DAY.sub("DAY", text)


if __name__ == "__main__":
    told = tour()
    README.write_text(
        _BLOCK.sub(lambda block: block[1] + told + block[2], README.read_text(encoding="utf-8")), encoding="utf-8"
    )
