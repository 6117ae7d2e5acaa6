"""Rapport in the terminal, and the operator's commands: `python -m bot --help`.

Exit codes: 0 done, 1 a clear error in one sentence, 2 wrong usage.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress

from bot import screen, wiring
from bot.desk import Answer, Course, Desk
from bot.desk.base import READ_TOGETHER
from bot.pace import Pace
from bot.pipeline import to_csv
from bot.pipeline import to_json as pipeline_json
from bot.samples import sample_payloads
from bot.scribe import to_json
from bot.settings import Settings
from bot.shell import HELP, Shell
from bot.week import to_json as week_json
from storage import Hit, Interaction, Memory, NextStep, look_into, parse_json
from storage.clean import moment
from storage.errors import BadInput, BadPayload, FolderInUse, RapportError
from storage.ledger import end_of

app = typer.Typer(
    add_completion=True, no_args_is_help=True, pretty_exceptions_enable=False, help="Account memory for sales teams."
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
IMPORT_LIMIT = 256 * 1024 * 1024


@app.command("try")
def try_it() -> None:
    """Open Rapport on sample deals: a short tour, then a prompt with the same commands as in Slack."""
    settings = Settings()
    with wiring.open_desk(settings, settings.rapport_data_dir / "try") as desk:
        viewer = wiring.viewer(settings)
        if not desk.account_names(viewer):
            for payload in sample_payloads(wiring.now().date()):
                desk.import_payload(viewer, payload)
        desk.memory.catch_up()
        shell = Shell(desk, viewer, out)
        out.print("Rapport: account memory for sales teams. Nothing leaves this machine.", style="bold")
        shell.tour()
        out.print(f"\nYour turn.\n{HELP}")
        shell.loop(_typed())


@app.command()
def serve() -> None:
    """Serve Slack: Socket Mode when SLACK_APP_TOKEN is set, else HTTP on PORT at /slack/events."""
    settings = Settings()
    _need_slack(settings)
    # What each call to Claude uses is a line in the log of a server.
    logging.getLogger("rapport.claude").setLevel(logging.INFO)
    from bot.slack.app import serve_http, serve_socket

    with wiring.open_desk(settings) as desk:
        side = wiring.slack_side(settings, desk)
        token = settings.slack_app_token.get_secret_value()
        with wiring.running_worker(desk, side.chores, settings):
            if token and not settings.slack_client_id:
                serve_socket(side.app, token)
            else:
                serve_http(side.app, settings.port)


@app.command("import")
def import_file(file: Path, as_json: AsJson = False) -> None:
    """Import accounts from a JSON FILE: one account, a list, or {"label": "ACCOUNT", "data": …}."""
    text = _read_file(file)
    with _desk() as desk:
        counts = desk.import_payload(wiring.viewer(Settings()), parse_json(text))
        caught_up = _with_progress(desk.memory, quiet=as_json)
        values = asdict(counts) | {"indexed": caught_up}
        _print(values, as_json, lambda: ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in values.items() if n))


@app.command("log")
def log_note(
    who: str,
    text: str,
    channel: Annotated[str, typer.Option(help="call, email, meeting, note, …")] = "note",
    at: Annotated[str, typer.Option(help="When it happened, ISO 8601; now without it.")] = "",
    *,
    create: Annotated[bool, typer.Option(help="Make the account when the name is new.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep a note about WHO (an account or a person)."""
    with _desk() as desk:
        when = moment(at, "--at") if at else None
        receipt = desk.log(wiring.viewer(Settings()), who, text, channel=channel, occurred_at=when, create=create)
        desk.memory.catch_up()
        values = {
            "account": receipt.account.name,
            "interaction": receipt.key,
            "is_new": receipt.is_new,
            "signals": [{"kind": s.kind, "topic": s.topic, "quote": s.quote, "due": s.due} for s in receipt.signals],
            "next_steps": [{"title": s.title, "owner": s.owner, "due": s.due} for s in receipt.next_steps],
        }
        _print(values, as_json, lambda: screen.receipt(receipt))


@app.command()
def recall(who: str, question: str, as_json: AsJson = False) -> None:
    """Find what was said about WHO that answers QUESTION."""
    with _desk() as desk:
        answer = desk.recall(wiring.viewer(Settings()), who, question)
        _print(_answer_json(answer), as_json, lambda: screen.answer(answer))


@app.command()
def brief(
    who: str,
    as_of: Annotated[str, typer.Option(help="The brief as of this ISO 8601 date or time.")] = "",
    as_json: AsJson = False,
) -> None:
    """What to know about WHO before the next touch."""
    with _desk() as desk:
        value = desk.brief(wiring.viewer(Settings()), who, _as_of(as_of))
        _print(to_json(value), as_json, lambda: screen.brief(value))


@app.command()
def timeline(who: str, as_json: AsJson = False) -> None:
    """Every note of WHO, newest first."""
    with _desk() as desk:
        notes = desk.timeline(wiring.viewer(Settings()), who)
        _print([_note_json(n) for n in notes], as_json, lambda: screen.timeline(notes))


@app.command("next")
def next_steps(
    who: Annotated[str, typer.Argument(help="An account or a person; without it everyone's.")] = "",
    *,
    add: Annotated[str, typer.Option(help="Add one: 'Acme Corp: send the report by Friday'.")] = "",
    done: Annotated[int, typer.Option(help="The number of one that is done.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Open next steps and promises of both sides, by when they are due."""
    with _desk() as desk:
        viewer = wiring.viewer(Settings())
        if add or done:
            step = desk.add_step(viewer, add) if add else desk.settle(viewer, done)
            _print(_step_json(step), as_json, lambda: screen.step_line(step))
            return
        value = desk.next_steps(viewer, who, everyone=not who)
        _print([_step_json(s) for s in value.steps], as_json, lambda: screen.ledger(value))


@app.command()
def digest(
    as_of: Annotated[str, typer.Option(help="The week as of this ISO 8601 date or time.")] = "",
    since: Annotated[str, typer.Option(help="What changed since then; seven days before without it.")] = "",
    as_json: AsJson = False,
) -> None:
    """The week of every deal: needs attention, follow up, on track; the most urgent first."""
    with _desk() as desk:
        value = desk.digest(
            wiring.viewer(Settings()), as_of=_as_of(as_of), since=moment(since, "--since") if since else None
        )
        _print(week_json(value.week, value.as_of), as_json, lambda: screen.digest(value))


@app.command()
def handoff(
    who: str,
    to: Annotated[str, typer.Argument(help="The new owner.")] = "",
    *,
    undo: Annotated[bool, typer.Option(help="Take the hand-off with this number back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give WHO's account and our open next steps there TO another rep; prints the pack."""
    with _desk() as desk:
        viewer = wiring.viewer(Settings())
        if undo:
            if not who.isdigit():
                raise BadInput("Say the number of the hand-off, for example: handoff 3 --undo")
            taken = desk.undo_hand_off(viewer, int(who))
            _print(asdict(taken), as_json, lambda: f"Taken back: it is {taken.from_rep or 'nobody'}'s again.")
            return
        if not to:
            raise BadInput("Say to whom, for example: handoff 'Acme Corp' ana")
        pack = desk.hand_off(viewer, who, to)
        _print(asdict(pack.handoff) | {"brief": to_json(pack.brief)}, as_json, lambda: screen.pack(pack))


@app.command()
def health(
    who: str,
    history: Annotated[bool, typer.Option("--history", help="The score at each note.")] = False,
    png: Annotated[Path | None, typer.Option(help="Write the history as a picture to this file.")] = None,
    as_of: Annotated[str, typer.Option(help="As of this ISO 8601 date or time.")] = "",
    as_json: AsJson = False,
) -> None:
    """The health of WHO's deal, point by point, or through time."""
    with _desk() as desk:
        viewer = wiring.viewer(Settings())
        value = desk.course(viewer, who, _as_of(as_of))
        if png is not None:
            from bot.picture import picture

            png.write_bytes(picture(value))
        if history or png is not None:
            _print(_course_json(value), as_json, lambda: screen.course(value))
            return
        brief_now = desk.plain_brief(viewer, who, _as_of(as_of))
        _print(to_json(brief_now)["health"], as_json, lambda: screen.health_items(brief_now))


@app.command()
def report(
    owner: Annotated[str, typer.Option(help="One rep's deals only.")] = "",
    since: Annotated[str, typer.Option(help="Closed and piloted since this ISO 8601 date.")] = "",
    until: Annotated[str, typer.Option(help="Closed and piloted until this ISO 8601 date.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="The stages as CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """The pipeline: count and amount by stage, weighted by health; win rate; days from first contact to pilot."""
    with _desk() as desk:
        value = desk.pipeline(
            wiring.viewer(Settings()),
            owner=owner,
            since=moment(since, "--since") if since else None,
            until=_as_of(until),
        )
        if as_csv:
            sys.stdout.write(to_csv(value))
            return
        _print(pipeline_json(value), as_json, lambda: screen.pipeline(value))


@app.command()
def reread(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many notes, and what it would cost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have notes read again that today's reader (rules, or prompt and model) has not read."""
    settings = Settings()
    with _desk() as desk:
        waiting = desk.reread_estimate()
        values: dict[str, Any] = {"reader": desk.scribe.name, "notes": waiting.notes, "cost_usd": waiting.cost}
        if not dry_run:
            pace = wiring.pace(settings, desk)
            values["read"] = sum(_reread_team(desk, team, pace) for team in desk.memory.teams())
        cost = f", about ${waiting.cost} with {settings.rapport_model_read}" if desk.quick else ""
        cost += f" at {settings.rapport_llm_rereads} a minute" if desk.quick else ""
        done = "" if dry_run else f"; {values['read']} read now"
        _print(values, as_json, lambda: f"{waiting.notes} notes to read by {desk.scribe.name}{cost}{done}")


def _reread_team(desk: Desk, team: str, pace: Pace | None) -> int:
    total = 0
    while True:
        most = pace.take(READ_TOGETHER) if pace else READ_TOGETHER
        if not most:
            sleep(1)
            continue
        read = desk.read_pending(team, most)
        total += read.done
        if read.is_away or not read.done:
            return total


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what this installation runs on and whether anything waits; beside a process that serves, too."""
    settings = Settings()
    try:
        with _desk() as desk:
            found = _findings(desk.memory, settings)
    except FolderInUse:
        with look_into(wiring.storage_config(settings)) as memory:
            found = _findings(memory, settings)
            found["notices"] = [*found["notices"], BESIDE]
    _print(found, as_json, lambda: "\n".join(f"{name}: {value}" for name, value in found.items()))


BESIDE = "Another process has this memory open, such as `serve`; this was read beside it."


def _findings(memory: Memory, settings: Settings) -> dict[str, Any]:
    return memory.status() | {
        "slack": "socket" if settings.slack_app_token.get_secret_value() else "http",
        "slack_token": bool(settings.slack_bot_token.get_secret_value()),
        "slack_trouble": wiring.slack_health(settings),
        "reader": wiring.reader(settings),
        "claude_this_month_usd": str(memory.usage.this_month()),
        "claude_by_day": [
            f"{page.day} {page.team_id} {page.model}: {page.calls} calls, {page.input_tokens} tokens in, "
            f"{page.output_tokens} out, about ${page.cost}"
            for page in memory.usage.pages(14)
        ],
        "notices": list(memory.notices),
    }


def main() -> None:
    """Run a command; a RapportError is one sentence on standard error and exit code 1."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except RapportError as error:
        err.print(str(error), soft_wrap=True, markup=False)
        sys.exit(1)
    except ValidationError as error:
        # What was given is not said: it may be a key.
        wrong = [f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False)]
        err.print(f"A setting cannot be read. {'; '.join(wrong)}.", soft_wrap=True, markup=False)
        sys.exit(1)


def _desk() -> Any:
    return wiring.open_desk(Settings())


def _need_slack(settings: Settings) -> None:
    if settings.slack_client_id:
        _need_oauth(settings)
        return
    missing = [] if settings.slack_bot_token.get_secret_value() else ["SLACK_BOT_TOKEN"]
    if not settings.slack_app_token.get_secret_value() and not settings.slack_signing_secret.get_secret_value():
        missing.append("SLACK_SIGNING_SECRET (or SLACK_APP_TOKEN for Socket Mode)")
    if missing:
        raise RapportError(f"To serve Slack, set {' and '.join(missing)}; see .env.example.")


def _need_oauth(settings: Settings) -> None:
    wanted = {
        "SLACK_CLIENT_SECRET": settings.slack_client_secret,
        "RAPPORT_ENCRYPTION_KEY": settings.rapport_encryption_key,
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret,
    }
    missing = [name for name, value in wanted.items() if not value.get_secret_value()]
    if missing:
        raise RapportError(f"To install in many workspaces, set {', '.join(missing)} as well; see .env.example.")


def _typed() -> Iterator[str]:
    while True:
        try:
            yield out.input("[bold]rapport>[/] ") if sys.stdin.isatty() else input()
        except (EOFError, KeyboardInterrupt):
            return


def _read_file(file: Path) -> str:
    try:
        if file.stat().st_size > IMPORT_LIMIT:
            raise BadPayload(f"{file.name} is larger than {IMPORT_LIMIT // 1024 // 1024} MB; split it.")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadPayload(f"{file.name} is not UTF-8 text (byte {error.start}).") from error
    except OSError as error:
        raise BadPayload(f"{file.name} cannot be read: {error.strerror}.") from error


def _with_progress(memory: Memory, *, quiet: bool) -> int:
    if quiet:
        return memory.catch_up().indexed
    with Progress(console=err, transient=True) as bar:
        task = bar.add_task("Indexing", total=None)
        return memory.catch_up(lambda done, total: bar.update(task, completed=done, total=total)).indexed


def _as_of(text: str) -> datetime | None:
    if not text:
        return None
    at = moment(text, "the date")
    return end_of(at.date()) if len(text.strip()) <= len("2026-01-01") else at


def _print(values: Any, as_json: bool, words: Callable[[], Any]) -> None:
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False, indent=2, default=_plain))
    else:
        out.print(words(), soft_wrap=True, markup=False)


def _plain(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {
        "account": answer.account,
        "interaction": answer.found.hits[0].interaction if answer.found.hits else None,
        "objection": answer.objection,
        "next_step": answer.next_step,
        "abstained": answer.found.abstained,
        "hits": [_hit_json(h) for h in answer.found.hits],
        "nearest": [_hit_json(h) for h in answer.found.nearest],
        "notice": answer.found.notice,
    }


def _hit_json(hit: Hit) -> dict[str, Any]:
    return {
        "interaction": hit.interaction,
        "account": hit.account,
        "score": hit.score,
        "quote": hit.quote,
        "text": hit.text,
        "at": hit.occurred_at,
        "rep": hit.rep,
        "contact": hit.contact,
        "channel": hit.channel,
        "permalink": hit.permalink,
    }


def _step_json(step: NextStep) -> dict[str, Any]:
    return {
        "number": step.id,
        "account": step.account_key,
        "title": step.title,
        "side": step.side,
        "owner": step.owner,
        "due": step.due,
        "done": step.done_at,
        "interaction": step.interaction,
    }


def _course_json(value: Course) -> dict[str, Any]:
    moments = [
        {"interaction": m.interaction, "at": m.at, "score": m.health.score, "label": m.health.label}
        for m in (*value.moments, value.now)
    ]
    return {"account": value.account.key, "history": moments, "concerns": [c.text for c in value.concerns]}


def _note_json(note: Interaction) -> dict[str, Any]:
    return {
        "interaction": note.key,
        "account": note.account,
        "text": note.text,
        "at": note.occurred_at,
        "rep": note.rep,
        "channel": note.channel,
        "contact": note.contact,
        "outcome": note.outcome,
        "opportunity": note.opportunity,
        "permalink": note.permalink,
    }


if __name__ == "__main__":
    main()
