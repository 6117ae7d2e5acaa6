"""The README's commands as real processes, on the bundled model."""

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from bot.samples import ACME
from storage import NewNote, StorageConfig, open_memory
from tests.bot.claude_wire import KEY, Json, message, send, serving

ROOT = Path(__file__).parents[2]
KEYS = (
    "account person health last_contact objections budget tone competitors promises next_steps told recommended_action "
    "recommendation"
).split()


def _run(folder: Path, *words: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=ROOT,
        env={"RAPPORT_DATA_DIR": str(folder), "PATH": "", "COLUMNS": "200", **more},
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


def test_doctor_looks_beside_the_process_that_serves(tmp_path: Path) -> None:
    """It tells what is on record and what waits, and says so; whoever would write is refused, and nothing changes."""
    with open_memory(StorageConfig(data_dir=tmp_path)) as memory:
        team = memory.of("local")
        account = team.create_account("Acme Corp").id
        team.log(account, NewNote("Wants quarterly billing.", rep="U1"))
        beside = _run(tmp_path, "doctor", "--json")
        refused = _run(tmp_path, "log", "Acme Corp", "They want a discount.")
        memory.catch_up()
        later = json.loads(_run(tmp_path, "doctor", "--json").stdout)
        assert len(team.timeline(account)) == 1
    assert beside.returncode == 0, beside.stderr
    found = json.loads(beside.stdout)
    assert [found[name] for name in ("workspaces", "accounts", "notes", "pending")] == [1, 1, 1, 1]
    assert "read beside it" in found["notices"][-1]
    assert (later["pending"], later["index"]) == (0, "open in another process")
    assert (refused.returncode, "in use" in refused.stderr) == (1, True)


def test_what_claude_would_cost_is_said_then_spent_and_written_down(tmp_path: Path) -> None:
    """A dry run asks nothing; `reread` asks once a note; `doctor` has the day; beyond the budget rules answer."""
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler, body: Json) -> None:
        asked.append(body["model"])
        send(handler, message(json.dumps({"signals": []})))

    for text in ("They want a discount", "They want a pilot", "No word from them"):
        _run(tmp_path, "log", "Acme Corp", text, "--create")
    with serving(answer) as url:
        key = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url}
        dry = json.loads(_run(tmp_path, "reread", "--dry-run", "--json", **key).stdout)
        assert (dry["notes"], asked) == (3, [])
        assert 0 < float(dry["cost_usd"]) < 0.1
        done = json.loads(_run(tmp_path, "reread", "--json", **key).stdout)
        assert (done["read"], asked) == (3, ["claude-haiku-5-5"] * 3)
        told = json.loads(_run(tmp_path, "doctor", "--json", **key).stdout)
        (day,) = told["claude_by_day"]
        assert "local claude-haiku-5-5: 3 calls, 3600 tokens in, 360 out, about $" in day
        assert float(told["claude_this_month_usd"]) > 0
        spent = _run(tmp_path, "brief", "Acme Corp", RAPPORT_LLM_BUDGET="0.0001", **key)
        assert "Written without Claude: this month's budget for it is used up." in spent.stdout
        digest = _run(tmp_path, "digest", RAPPORT_LLM_BUDGET="0.0001", **key)
        assert "Written without Claude: this month's budget for it is used up." in digest.stdout
        assert len(asked) == 3
    assert KEY not in "".join([str(told), spent.stdout, spent.stderr, digest.stderr])


def test_a_setting_that_cannot_be_read_is_named_and_not_repeated(tmp_path: Path) -> None:
    """One sentence with its name, exit code 1, and nothing of the value."""
    ran = _run(tmp_path, "doctor", RAPPORT_LLM_SECONDS="forty-two")
    assert ran.returncode == 1
    assert "RAPPORT_LLM_SECONDS" in ran.stderr
    assert "forty-two" not in ran.stderr
    assert "Traceback" not in ran.stderr
