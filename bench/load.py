"""Commands at a steady rate against a real `serve` over HTTP, with nothing beside them or while it indexes an import.

The load is open: a command is sent when its time has come, whether the ones before it are answered or not.
"""

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

from slack_sdk.signature import SignatureVerifier

from bench import samples
from storage import StorageConfig, open_memory

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105 - signs what this process sends to the one it started
TEAM, REP = "T0001", "U0REP0001"
ROOT = Path(__file__).parents[1]
ACCOUNTS = 100
ASKED = ("/timeline", "/recall", "/brief")


@dataclass(frozen=True, slots=True)
class Load:
    """Milliseconds until each command was acknowledged, and until its answer came; `lost` were never acknowledged."""

    acknowledged: list[float]
    answered: list[float]
    lost: int


def run(rate: float, seconds: float, pending: int = 0) -> Load:
    """So many commands a second for so long: three of five keep a note, the others ask.

    `pending` notes have been imported and are indexed by the server meanwhile.
    """
    with tempfile.TemporaryDirectory() as folder, _slack() as slack, _serving(Path(folder), slack.url, pending) as port:
        # Who is met gets the receipt with the acknowledgement.
        _send(port, slack.url, "/rapport", "help", "first")
        time.sleep(1.0)
        slack.answers.clear()
        total = int(rate * seconds)
        random.seed(7)
        sent: dict[str, float] = {}
        with ThreadPoolExecutor(64) as senders:
            begun = time.perf_counter()
            held = []
            for number in range(total):
                due = begun + number / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                held.append(senders.submit(_one, port, slack.url, number, sent))
            found = [future.result() for future in held]
        time.sleep(3.0)
        answered = [1e3 * (at - sent[n]) for n, at in slack.answers.items() if n in sent]
    taken = [1e3 * each for each in found if each is not None]
    return Load(taken, answered, total - len(taken))


def _one(port: int, url: str, number: int, sent: dict[str, float]) -> float | None:
    account = samples.key_of(random.randrange(ACCOUNTS))
    name = "/log" if number % 5 < 3 else ASKED[number % 3]
    text = f"{account}: {samples.notes(1, number)[0]}" if name == "/log" else account
    text = f"{account}: {samples.QUESTIONS[number % len(samples.QUESTIONS)]}" if name == "/recall" else text
    sent[str(number)] = started = time.perf_counter()
    try:
        return _send(port, url, name, text, str(number)) - started
    except OSError:
        return None


def _send(port: int, url: str, name: str, text: str, number: str) -> float:
    """Send a command; gives when it was acknowledged. Raises OSError when it was not."""
    body = urlencode({
        "token": "legacy", "team_id": TEAM, "team_domain": "sales", "channel_id": "C0001", "channel_name": "deals",
        "user_id": REP, "user_name": "rep", "api_app_id": "A0001", "is_enterprise_install": "false",
        "command": name, "text": text, "trigger_id": f"t{number}", "response_url": f"{url}respond?n={number}",
    })  # fmt: skip
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body) or "",
    }
    with urlopen(Request(f"http://127.0.0.1:{port}/slack/events", body.encode(), headers), timeout=10) as answer:
        answer.read()
    return time.perf_counter()


@contextmanager
def _serving(folder: Path, slack: str, pending: int) -> Iterator[int]:
    """A server over accounts of twenty notes each."""
    with open_memory(StorageConfig(data_dir=folder)) as memory:
        memory.of(TEAM).import_payload(samples.accounts(samples.notes(20 * ACCOUNTS), ACCOUNTS))
        memory.catch_up()
        if pending:
            memory.of(TEAM).import_payload(samples.accounts(samples.notes(pending, 1), ACCOUNTS, first=ACCOUNTS))
    environment = {"PATH": os.environ["PATH"], "RAPPORT_DATA_DIR": str(folder), "SLACK_API_URL": slack}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    settings = {"SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": SECRET, "PORT": str(port)}
    argv = [sys.executable, "-m", "bot", "serve"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(argv, cwd=ROOT, env=environment | settings, stdout=quiet, stderr=quiet)  # noqa: S603 - our own
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except URLError as error:
            if hasattr(error, "code"):
                return
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


class _Slack:
    """Where answers go: `answers` holds when the first of each command came."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, float] = {}
        self.lock = Lock()


@contextmanager
def _slack() -> Iterator[_Slack]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            now = time.perf_counter()
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            number = parse_qs(urlsplit(self.path).query).get("n", [""])[0]
            with slack.lock:
                slack.answers.setdefault(number, now)
            said = json.dumps(_answer(urlsplit(self.path).path.rpartition("/")[2])).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        slack = _Slack(f"http://127.0.0.1:{server.server_port}/api/")
        Thread(target=server.serve_forever, daemon=True).start()
        yield slack
        server.shutdown()


def _answer(method: str) -> dict[str, Any]:
    user = {"id": REP, "team_id": TEAM, "tz": "Europe/Berlin", "is_restricted": False}
    return {
        "ok": True, "user": user, "ts": "1700000000.000001", "channel": {"id": "C0001", "is_channel": True},
        "channels": [], "members": [REP] if method == "conversations.members" else [user], "user_id": "U0BOT0001",
        "bot_id": "B0001", "team_id": TEAM, "team": TEAM, "response_metadata": {"next_cursor": ""},
    } | ({"channel": "C0001"} if method.startswith("chat.") else {})  # fmt: skip
