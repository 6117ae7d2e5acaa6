"""The README's commands as real processes, on the bundled model."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.samples import ACME

ROOT = Path(__file__).parents[2]
KEYS = (
    "account person health last_contact objections budget tone competitors promises next_steps told recommended_action "
    "recommendation"
).split()


def _run(folder: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=ROOT,
        env={"RAPPORT_DATA_DIR": str(folder), "PATH": "", "COLUMNS": "200"},
        input=typed,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=90,
        check=False,
    )


def test_a_try_out_runs_to_its_end_without_anybody_typing(tmp_path: Path) -> None:
    """The tour shows Priya's 70 and int-204, and typed commands are answered; exit code 0."""
    ran = _run(tmp_path, "try", typed="/log +Initech: They want a discount.\n/brief Initech\n/nonsense\n")
    assert ran.returncode == 0, ran.stderr
    for words in (
        "70 · Hot",
        "int-204",
        "Nothing on record",
        "Logged on Initech",
        "They want a discount",
        "don't know",
    ):
        assert words in ran.stdout


def test_the_operators_commands(tmp_path: Path) -> None:
    """Import, log, recall, brief, timeline and doctor, as JSON, over one data folder."""
    file = tmp_path / "acme.json"
    file.write_text(json.dumps({"label": "ACCOUNT", "data": ACME}), encoding="utf-8")
    data = tmp_path / "data"
    imported = json.loads(_run(data, "import", str(file), "--json").stdout)
    assert [imported[k] for k in ("accounts", "contacts", "opportunities", "interactions", "next_steps")] == [1] * 5
    assert imported["indexed"] == 1
    logged = json.loads(_run(data, "log", "Dana Reed", "She loved the demo", "--channel", "call", "--json").stdout)
    assert logged["account"] == "Acme Corp"
    question = "What pricing objections came up on this account?"
    recalled = json.loads(_run(data, "recall", "acme-01", question, "--json").stdout)
    assert (recalled["account"], recalled["interaction"]) == ("Acme Corp", "int-204")
    assert recalled["next_step"] == "Send quarterly-billing proposal"
    assert list(json.loads(_run(data, "brief", "acme-01", "--json").stdout)) == KEYS
    assert len(json.loads(_run(data, "timeline", "acme-01", "--json").stdout)) == 2
    assert json.loads(_run(data, "doctor", "--json").stdout)["pending"] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("brief", "Nobody"), 1, "No account or person called 'Nobody' yet."),
        (("log", "Acme", ""), 1, "No account"),
        (("import", "bad.json"), 1, "line 1, column 14"),
        (("import", "missing.json"), 1, "cannot be read"),
        (("serve",), 1, "SLACK_BOT_TOKEN"),
        (("brief",), 2, "Usage"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_code(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    """A clear error is exit code 1, wrong usage 2; no traceback either way."""
    (tmp_path / "bad.json").write_text('{"accountId" oops}', encoding="utf-8")
    ran = _run(tmp_path / "data", *(str(tmp_path / w) if w.endswith(".json") else w for w in words))
    assert ran.returncode == code, ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
