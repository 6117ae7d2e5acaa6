"""Measures the figures that Rapport promises, and prints them. Nothing is kept: each measures in a folder of its own.

    python -m bench                             all of them
    python -m bench --only recall --full        recall among 100,000 notes too
    python -m bench --only recall --notes 5000  recall among as many as named

Both sides of a ratio are measured in the same run and take turns, so that a busy machine slows both alike.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bench import samples
from storage import Memory, StorageConfig, open_memory, passages
from storage.embedder import Embedder, Matrix, Vector
from storage.embedder_fastembed import BUNDLED, BUNDLED_FOLDER, FastembedEmbedder

if TYPE_CHECKING:
    from fastembed import TextEmbedding
    from slack_bolt import App

TEAM = "T0001"
SIZES = (1_000, 20_000)
FULL = 100_000
PER_ACCOUNT = 50
DISTINCT = 2_000
STEP = 5_000
WARM_UP, WARM_ROUNDS = 10, 4
PROSPECTS = 40
"""Accounts of a rep: they carry 30 to 50."""
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105 - signs what this process sends to itself


class RememberingEmbedder:
    """Passes on to an embedder, and embeds the same passages once: a big store is then filled in minutes."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[tuple[str, ...], Matrix] = {}

    @property
    def signature(self) -> str:
        """As the embedder's own."""
        return self._embedder.signature

    @property
    def dims(self) -> int:
        """As the embedder's own."""
        return self._embedder.dims

    def question(self, text: str) -> Vector:
        """Always embedded."""
        return self._embedder.question(text)

    def notes(self, notes: Sequence[Sequence[str]]) -> list[Matrix]:
        """Embedded when they are new."""
        new = list({tuple(note): None for note in notes if tuple(note) not in self._known})
        self._known.update(zip(new, self._embedder.notes(new), strict=True))
        return [self._known[tuple(note)] for note in notes]

    def close(self) -> None:
        """Let go of the embedder."""
        self._embedder.close()


# ---------------------------------------------------------------------------------------------- import


def bulk_import(count: int, rounds: int) -> None:
    """Notes a second: imported and indexed, against the same notes only embedded."""
    print(f"Bulk import of {count:,} notes over 250 accounts, notes/s (median of {rounds})")
    texts = samples.notes(count)
    split = [passages.split(text) for text in texts]
    embedder = FastembedEmbedder()
    bare = _bare()
    plain, ours, whole = [], [], []
    for _ in range(rounds):
        plain.append(count / _seconds(lambda: list(bare.embed(texts))))
        ours.append(count / _seconds(lambda: embedder.notes(split)))
        with _memory() as memory:
            whole.append(count / _seconds(partial(_fill, memory, samples.accounts(texts, 250))))
    print(f"  fastembed alone, its default batch   {median(plain):8.0f}")
    print(f"  our embedder alone, passages too     {median(ours):8.0f}")
    print(f"  imported, embedded and indexed       {median(whole):8.0f}")
    _verdict("of fastembed alone", median(whole) / median(plain), 0.8, at_least=True)
    print(f"  {median(whole) / median(ours):.2f} of our embedder alone\n")


def _bare() -> "TextEmbedding":
    """The bundled model in fastembed as it comes, with all cores; FastembedEmbedder has registered it."""
    from fastembed import TextEmbedding

    folder = str(BUNDLED_FOLDER)
    return TextEmbedding(BUNDLED, specific_model_path=folder, cache_dir=folder, local_files_only=True)


# ---------------------------------------------------------------------------------------------- recall


def recall(sizes: Iterable[int], questions: int) -> None:
    """Milliseconds per question in one account, against embedding the same question, taking turns."""
    print(f"Recall in one account of {PER_ACCOUNT} notes, question embedded, ms (median of {questions})")
    texts = samples.notes(DISTINCT)
    embedder = FastembedEmbedder()
    with _memory(RememberingEmbedder(embedder)) as memory:
        filled = 0
        for size in sizes:
            filled = _grow(memory, texts, filled, size)
            accounts = max(1, filled // PER_ACCOUNT)
            # First those that nobody has asked about since the process began, then a rep's own, day in, day out.
            cold, warm = range(PROSPECTS, accounts), range(min(PROSPECTS, accounts))
            for name, among, most in (
                ("of accounts for the first time", cold, 2.0),
                ("of a rep's accounts in turn", warm, 1.5),
            ):
                if not among:
                    continue
                rounds = WARM_ROUNDS * len(among) if among is warm else WARM_UP
                bare, whole = _turns(memory, embedder, among, questions, rounds)
                print(f"  {filled:7,} notes, asked {name}: {whole:.2f}, embedding alone {bare:.2f}; {_rss()}")
                _verdict("of the question embedding", whole / bare, most)
    print()


def _grow(memory: Memory, texts: Sequence[str], filled: int, size: int) -> int:
    while filled < size:
        step = min(STEP, size - filled)
        chosen = [texts[n % len(texts)] for n in range(filled, filled + step)]
        count = max(1, step // PER_ACCOUNT)
        _fill(memory, samples.accounts(chosen, count, first=filled // PER_ACCOUNT))
        filled += step
    return filled


def _turns(memory: Memory, embedder: Embedder, among: range, questions: int, skip: int) -> tuple[float, float]:
    """Medians over questions in accounts by number, one after the other; the first to `skip` are not counted."""
    team = memory.of(TEAM)
    bare, whole = [], []
    for n in range(questions + skip):
        # Each round asks an account something else.
        question = samples.QUESTIONS[(n + n // len(among)) % len(samples.QUESTIONS)]
        account = samples.key_of(among[n % len(among)])
        bare.append(1e3 * _seconds(partial(embedder.question, question)))
        whole.append(1e3 * _seconds(partial(team.recall, question, account=account, abstain=False)))
    return median(bare[skip:]), median(whole[skip:])


# ---------------------------------------------------------------------------------------------- Slack


def slack(count: int, commands: int) -> None:
    """Milliseconds from a signed `/log` to its answer, through the real app, while an import runs beside it."""
    from bot.desk import Desk
    from bot.scribe_plain import PlainScribe
    from bot.slack.app import build_app
    from bot.slack.guard import Guard

    print(f"Slack: /log from dispatch to answer, ms (median of {commands})")
    with _memory() as memory:
        _fill(memory, samples.accounts(samples.notes(250), 250))
        guard = Guard()
        guard.meet(TEAM, {"id": "U0REP", "team_id": TEAM})
        app = build_app(
            Desk(memory, PlainScribe()),
            signing_secret=SECRET,
            bot_token="xoxb-bench",  # noqa: S106 - as above
            api_url=NOWHERE,
            guard=guard,
        )
        calm = [_dispatch(app, n) for n in range(commands + WARM_UP)][WARM_UP:]
        _print_slack("nothing beside it", calm)
        with _importing(memory, count):
            busy = [_dispatch(app, n) for n in range(len(calm) + WARM_UP, len(calm) + WARM_UP + commands)]
        _print_slack("while an import runs", busy)
    _verdict("ms at the median", median(busy), 100)
    print()


def load(rate: float, seconds: float) -> None:
    """Milliseconds until commands sent to a real server at a steady rate are acknowledged and answered."""
    from bench.load import run

    print(f"Slack: {rate:g} commands a second for {seconds:g} s at a real server, ms")
    for when, pending in (("nothing beside it", 0), ("while it indexes", int(400 * seconds))):
        found = run(rate, seconds, pending)
        _print_slack(f"{when}: acknowledged", found.acknowledged)
        _print_slack(f"{when}: asked, answered", found.answered)
        print(f"  {found.lost} never acknowledged")
        if not pending:
            _verdict("ms at the 99th of a hundred", _late(found.acknowledged, 0.99), 100)
    print()


def _late(found: Sequence[float], share: float) -> float:
    return sorted(found)[min(len(found) - 1, int(share * len(found)))]


def _dispatch(app: "App", number: int) -> float:
    from slack_bolt import BoltRequest
    from slack_sdk.signature import SignatureVerifier

    time.sleep(0.03)  # people do not type back to back
    body = urlencode(
        COMMAND
        | {"text": f"{samples.key_of(number % 250)}: {samples.notes(1, number)[0]}", "trigger_id": f"1.{number}"}
    )
    stamp = str(int(time.time()))
    headers: dict[str, str | Sequence[str]] = {
        "content-type": ["application/x-www-form-urlencoded"],
        "x-slack-request-timestamp": [stamp],
        "x-slack-signature": [SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body) or ""],
    }
    started = time.perf_counter()
    answer = app.dispatch(BoltRequest(body=body, headers=headers))
    seconds = time.perf_counter() - started
    if answer.status != 200 or "Something went wrong" in str(answer.body):
        sys.exit(f"/log was answered with {answer.status}: {answer.body}")
    return 1e3 * seconds


@contextmanager
def _importing(memory: Memory, count: int) -> Iterator[None]:
    """An import on a thread of its own, begun anew when it is done, until the block is left."""
    done = Event()

    def work() -> None:
        seed = 1
        while not done.is_set():
            memory.of(TEAM).import_payload(samples.accounts(samples.notes(count, seed), 250, first=250 * seed))
            while not done.is_set() and memory.catch_up(limit=512).indexed:
                pass
            seed += 1

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _print_slack(when: str, found: Sequence[float]) -> None:
    late = "".join(f", {round(100 * share)} % within {_late(found, share):.1f}" for share in (0.95, 0.99))
    print(f"  {when:36} {median(found):6.1f}{late}, all in {max(found):.1f}")


NOWHERE = "http://127.0.0.1:9/"
COMMAND = {
    "token": "legacy", "team_id": TEAM, "team_domain": "sales", "channel_id": "C0001", "channel_name": "deals",
    "user_id": "U0REP", "user_name": "rep", "command": "/log", "api_app_id": "A0001",
    "is_enterprise_install": "false", "response_url": NOWHERE,
}  # fmt: skip


# ---------------------------------------------------------------------------------------------- shared


@contextmanager
def _memory(embedder: Embedder | None = None) -> Iterator[Memory]:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_memory(StorageConfig(data_dir=Path(folder)), embedder=embedder) as memory,
    ):
        yield memory


def _fill(memory: Memory, accounts: list[samples.Json]) -> None:
    memory.of(TEAM).import_payload({"label": "ACCOUNT", "data": accounts})
    memory.catch_up()


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _verdict(what: str, value: float, bound: float, *, at_least: bool = False) -> None:
    kept = value >= bound if at_least else value <= bound
    print(
        f"  {value:.2f} {what}: promised at {'least' if at_least else 'most'} {bound:g}, {'kept' if kept else 'MISSED'}"
    )


def _rss() -> str:
    """Memory now, and the most so far (which is all that systems other than Linux tell)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
    if sys.platform != "linux":
        return f"memory at most {peak:.0f} MB"
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return f"memory {pages * os.sysconf('SC_PAGE_SIZE') / (1 << 20):.0f} MB, at most {peak:.0f} MB"


def main() -> None:
    """Read the arguments and print what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=["import", "recall", "slack", "load"])
    parser.add_argument("--notes", type=int, help="notes to import, and in the store for recall")
    parser.add_argument("--full", action="store_true", help=f"recall among {FULL:,} notes too (minutes)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the import")
    parser.add_argument("--questions", type=int, default=300, help="questions, and commands to Slack")
    parser.add_argument("--seconds", type=float, default=30, help="of steady load")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    sizes = (args.notes,) if args.notes else SIZES
    if args.only in (None, "import"):
        bulk_import(args.notes or STEP, args.rounds)
    if args.only in (None, "recall"):
        recall((*sizes, FULL) if args.full else sizes, args.questions)
    if args.only in (None, "slack"):
        slack(args.notes or STEP, args.questions)
    if args.only in (None, "load"):
        load(20, args.seconds)


if __name__ == "__main__":
    main()
