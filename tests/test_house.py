"""Promises of the repository: what it holds, what it does not say, and what no test can do."""

import ast
import os
import re
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SETTINGS, Blocked

ROOT = Path(__file__).parents[1]
MADE = {".git", ".venv", "__pycache__", "build", "dist", "data", ".rapport"}
SOURCES = ["bot", "storage"]


def _files(*tops: str, suffix: str = "") -> Iterator[Path]:
    """Files of the repository; caches and what is made are left out."""
    for folder, names, files in os.walk(ROOT):
        inside = Path(folder).relative_to(ROOT)
        names[:] = [
            name for name in names if name not in MADE and not name.endswith("_cache") and name != ".hypothesis"
        ]
        if not tops or inside.parts[:1] in [(top,) for top in tops]:
            # In a worktree .git is a file.
            yield from (Path(folder, name) for name in files if name.endswith(suffix) and name not in MADE)


def _where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


# --- what no test can do ---


def test_no_test_reaches_another_machine() -> None:
    """A connection to, a datagram for, or a look-up of another machine is refused by the guard itself."""
    with socket.socket() as stream, pytest.raises(Blocked):
        stream.connect(("192.0.2.1", 80))
    with socket.socket() as stream, pytest.raises(Blocked):
        stream.connect_ex(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as datagram, pytest.raises(Blocked):
        datagram.sendto(b"hello", ("192.0.2.1", 53))
    with pytest.raises(Blocked):
        socket.create_connection(("example.com", 443))


def test_this_machine_can_be_reached() -> None:
    """Stubs listen on loopback, and a pair of Unix sockets works."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        client.sendall(b"hello")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(5) == b"hello"
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"x")
        assert other.recv(1) == b"x"


def test_no_settings_come_from_the_shell() -> None:
    """Whatever is exported where the tests run, they see none of Rapport's settings."""
    assert [name for name in os.environ if name.startswith(SETTINGS)] == []


# --- what the repository holds ---


@pytest.mark.parametrize(
    "name",
    [
        ".ci/run", ".env.example", "CHANGELOG.md", "Dockerfile", "LICENSE", "Makefile", "README.md",
        "manifest.yml", "pyproject.toml", "requirements.lock", "requirements-dev.lock", "storage/model/NOTICE",
    ],
)  # fmt: skip
def test_what_a_stranger_looks_for_is_there(name: str) -> None:
    """The files a reader, an operator or a packager expects are where they expect them, and not empty."""
    assert (ROOT / name).stat().st_size > 0


def test_the_ci_entry_can_be_run() -> None:
    """.ci/run is a program."""
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_licence_is_the_one_that_is_named() -> None:
    """LICENSE holds the full text of what pyproject.toml names."""
    text = (ROOT / "LICENSE").read_text()
    assert _project()["license"] == "Apache-2.0"
    assert all(words in text for words in ("Version 2.0, January 2004", "TERMS AND CONDITIONS", "END OF TERMS"))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_by_hash_and_names_no_index(name: str) -> None:
    """Every requirement is one exact version with hashes; where it comes from is the installer's affair."""
    text = (ROOT / name).read_text()
    assert not re.search(r"://|^-|file:", text, re.M)
    for requirement in text.replace("\\\n", " ").splitlines():
        if requirement and not requirement.startswith("#"):
            assert re.match(r"[a-z0-9-]+==[\w.]+ .*--hash=sha256:[0-9a-f]{64}", requirement), requirement[:60]


def test_the_lock_holds_what_is_declared() -> None:
    """A dependency added to pyproject.toml without `make lock` is found here, not at a user's."""
    declared = [re.split(r"[\[<>=]", line)[0] for line in _project()["dependencies"]]
    development = [re.split(r"[\[<>=]", line)[0] for line in _project()["optional-dependencies"]["dev"]]
    locked, with_tools = ((ROOT / name).read_text() for name in ("requirements.lock", "requirements-dev.lock"))
    assert [name for name in declared if f"\n{name}==" not in f"\n{locked}"] == []
    assert [name for name in declared + development if f"\n{name}==" not in f"\n{with_tools}"] == []


def test_both_locks_agree() -> None:
    """What is tested is what is shipped: the second lock only adds to the first."""
    runtime, development = (
        set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.M))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime <= development


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


# --- what the code does not do ---


def test_no_path_of_a_machine() -> None:
    """No file names a folder that exists on one machine only."""
    machine = re.compile(rb"(?<![\w.])/(?:tmp|work|root|home/\w+|Users/\w+)/")
    found = [
        _where(path, number)
        for path in _files()
        if path.suffix != ".onnx"
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if machine.search(line)
    ]
    assert found == []


def test_only_settings_reads_the_environment() -> None:
    """Configuration has one door, bot/settings.py."""
    readers = {
        _where(path, node.lineno)
        for path in _files(*SOURCES, suffix=".py")
        if path != ROOT / "bot/settings.py"
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert readers == set()


def test_only_the_wiring_reads_the_wall_clock() -> None:
    """Time comes in as an argument; what measures a duration uses the monotonic clock and is free to."""
    clocks = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}
    allowed = {ROOT / "bot/wiring.py", ROOT / "storage/opening.py"}
    readers = {
        _where(path, node.lineno)
        for path in _files(*SOURCES, suffix=".py")
        if path not in allowed
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in clocks
    }
    assert readers == set()


def test_every_test_says_what_it_promises() -> None:
    """Each test has a docstring: read one after the other they are the list of what Rapport promises."""
    silent = {
        _where(path, node.lineno)
        for path in _files("tests", suffix=".py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    }
    assert silent == set()
