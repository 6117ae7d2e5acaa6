"""Builds the memory, the desk and the Slack app from settings; nothing at import. The clock is read here only."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from bot.claude import Claude
from bot.desk import Desk, Viewer
from bot.scribe import workspace
from bot.scribe_claude import ClaudeScribe, Jobs
from bot.scribe_plain import PlainScribe
from bot.settings import Settings
from bot.worker import Worker
from storage import Memory, StorageConfig, open_memory

if TYPE_CHECKING:
    from slack_bolt import App


def now() -> datetime:
    """The wall clock as aware UTC."""
    return datetime.now(UTC)


def viewer(settings: Settings) -> Viewer:
    """Whoever sits at the terminal: the operator, who sees every note of the workspace."""
    return Viewer(settings.rapport_team, settings.rapport_user, None, settings.rapport_tz)


@contextmanager
def open_desk(settings: Settings, data_dir: Path | None = None, clock: Callable[[], datetime] = now) -> Iterator[Desk]:
    """A desk over the configured memory. Raises what `open_memory` raises."""
    bell = Event()
    config = StorageConfig(
        data_dir=data_dir or settings.rapport_data_dir,
        database_url=settings.database_url.get_secret_value(),
        qdrant_url=settings.qdrant_url,
        qdrant_api_key=settings.qdrant_api_key.get_secret_value(),
        embedding_model=settings.rapport_embedding_model,
        now=clock,
        ring=bell.set,
    )
    with open_memory(config) as memory:
        plain = PlainScribe()
        key = settings.anthropic_api_key.get_secret_value()
        if not key:
            yield Desk(memory, plain, bell)
            return
        with claude(settings, memory, key) as wire:
            yield Desk(memory, ClaudeScribe(wire, plain, jobs(settings)), bell, plain)


@contextmanager
def claude(settings: Settings, memory: Memory, key: str) -> Iterator[Claude]:
    """The wire to Claude, within the month's budget, with its use written down."""
    budget = settings.rapport_llm_budget
    wire = Claude(
        key,
        base_url=settings.anthropic_base_url,
        deadline=settings.rapport_llm_seconds,
        allowed=lambda: not budget or memory.usage.this_month() < budget,
        on_use=lambda use: memory.usage.add(workspace.get(), use.model, use.input_tokens, use.output_tokens, use.cost),
    )
    try:
        yield wire
    finally:
        wire.close()


def jobs(settings: Settings) -> Jobs:
    """The four jobs with the configured models."""
    made, effort = Jobs(), settings.rapport_effort
    return Jobs(
        read=replace(made.read, model=settings.rapport_model_read, effort=effort),
        brief=replace(made.brief, model=settings.rapport_model_words, effort=effort),
        digest=replace(made.digest, model=settings.rapport_model_words, effort=effort),
        answer=replace(made.answer, model=settings.rapport_model_words, effort=effort),
    )


@contextmanager
def running_worker(desk: Desk, chores: Sequence[Callable[[], object]] = ()) -> Iterator[Worker]:
    """The worker on a thread of its own, stopped and joined on leaving."""
    worker = Worker(desk, chores=chores)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def slack_app(settings: Settings, desk: Desk) -> "App":
    """The Bolt app, with its listeners registered."""
    from bot.slack.app import build_app

    return build_app(
        desk,
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        bot_token=settings.slack_bot_token.get_secret_value(),
        api_url=settings.slack_api_url,
    )


def slack_chores(settings: Settings, desk: Desk) -> list[Callable[[], object]]:
    """What Slack is sent by the clock: digests and reminders."""
    from slack_sdk import WebClient

    from bot.poster import Poster
    from bot.slack.posting import Posting

    client = WebClient(token=settings.slack_bot_token.get_secret_value(), base_url=settings.slack_api_url)
    posting = Posting(desk, lambda _team: client)
    return [Poster(desk.memory.schedules, posting.digest, now).tick, posting.remind]
