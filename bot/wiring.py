"""Builds the memory, the desk and the Slack app from settings; nothing at import. The clock is read here only."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from bot.claude import Claude
from bot.desk import Desk, Viewer
from bot.pace import Pace
from bot.scribe import workspace
from bot.scribe_claude import ClaudeScribe, Jobs
from bot.scribe_plain import PlainScribe
from bot.settings import Settings
from bot.worker import Worker
from storage import Memory, StorageConfig, open_memory

if TYPE_CHECKING:
    from slack_bolt import App
    from slack_sdk import WebClient

log = logging.getLogger("rapport.wiring")


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
    config = replace(storage_config(settings, data_dir), now=clock, ring=bell.set)
    with open_memory(config) as memory:
        plain = PlainScribe()
        key = settings.anthropic_api_key.get_secret_value()
        if not key:
            yield Desk(memory, plain, bell)
            return
        with claude(settings, memory, key) as wire:
            yield Desk(memory, ClaudeScribe(wire, plain, jobs(settings)), bell, plain)


def storage_config(settings: Settings, data_dir: Path | None = None) -> StorageConfig:
    """Where the memory lives and what it runs on."""
    return StorageConfig(
        data_dir=data_dir or settings.rapport_data_dir,
        database_url=settings.database_url.get_secret_value(),
        qdrant_url=settings.qdrant_url,
        qdrant_api_key=settings.qdrant_api_key.get_secret_value(),
        embedding_model=settings.rapport_embedding_model,
        now=now,
    )


def reader(settings: Settings) -> str:
    """Who reads notes: the rules, or the model that is configured."""
    key = settings.anthropic_api_key.get_secret_value()
    return jobs(settings).read.signature if key else PlainScribe().name


@contextmanager
def claude(settings: Settings, memory: Memory, key: str) -> Iterator[Claude]:
    """The wire to Claude, within the month's budget, with its use written down."""
    budget = settings.rapport_llm_budget
    wire = Claude(
        key,
        base_url=settings.anthropic_base_url,
        deadline=settings.rapport_llm_seconds,
        at_a_time=settings.rapport_llm_at_a_time,
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
    words = {"model": settings.rapport_model_words, "effort": effort}
    most, read_most = settings.rapport_llm_tokens_words, settings.rapport_llm_tokens_read
    return Jobs(
        read=replace(made.read, model=settings.rapport_model_read, effort=effort, max_tokens=read_most),
        brief=replace(made.brief, **words, max_tokens=most),
        digest=replace(made.digest, **words, max_tokens=settings.rapport_llm_tokens_digest),
        answer=replace(made.answer, **words, max_tokens=most),
    )


def pace(settings: Settings, desk: Desk) -> Pace | None:
    """How fast notes are read in the background; None for rules, which take no time."""
    return Pace(settings.rapport_llm_rereads) if desk.quick is not None else None


@contextmanager
def running_worker(
    desk: Desk, chores: Sequence[Callable[[], object]] = (), settings: Settings | None = None
) -> Iterator[Worker]:
    """The worker on a thread of its own, stopped and joined on leaving. A model reads at the configured pace."""
    worker = Worker(desk, chores=chores, pace=pace(settings, desk) if settings else None)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


@dataclass(frozen=True)
class SlackSide:
    """The Bolt app, and what Slack is sent by the clock."""

    app: "App"
    chores: list[Callable[[], object]]


def slack_side(settings: Settings, desk: Desk) -> SlackSide:
    """The app with its listeners, for one workspace by token or for many by OAuth, and its chores."""
    from bot.poster import Poster
    from bot.slack.app import build_app, make_client
    from bot.slack.posting import Posting
    from bot.slack.slowly import Slowly
    from bot.slack.workspaces import open_workspaces

    client_for = partial(make_client, api_url=settings.slack_api_url)
    secret, slowly = settings.slack_signing_secret.get_secret_value(), Slowly(settings.rapport_llm_patience)
    if not settings.slack_client_id:
        client = client_for(settings.slack_bot_token.get_secret_value())
        posting = Posting(desk, lambda _team: client, slowly)
        app = build_app(
            desk,
            signing_secret=secret,
            bot_token=settings.slack_bot_token.get_secret_value(),
            api_url=settings.slack_api_url,
            bot=_bot(client),
            slowly=slowly,
        )
        return SlackSide(
            app, [Poster(desk.memory.schedules, posting.digest, now).tick, posting.remind, posting.answer_again]
        )
    many = open_workspaces(
        desk.memory,
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret.get_secret_value(),
        keys=settings.rapport_encryption_key.get_secret_value(),
        api_url=settings.slack_api_url,
        public_url=settings.rapport_public_url,
        make_client=client_for,
        now=now,
    )
    posting = Posting(desk, many.client_of, slowly)
    app = build_app(desk, signing_secret=secret, api_url=settings.slack_api_url, many=many, slowly=slowly)
    tick = Poster(desk.memory.schedules, posting.digest, now).tick
    return SlackSide(app, [many.renew, many.purge, tick, posting.remind, posting.answer_again])


def _bot(client: "WebClient") -> tuple[str, str]:
    """The bot's own ids, asked for once at the start; without an answer the app goes on and asks nobody again."""
    from slack_sdk.errors import SlackClientError

    try:
        said = client.auth_test()
    except (SlackClientError, OSError) as error:
        log.warning("Slack did not say who the bot is (%s): see `python -m bot doctor`", type(error).__name__)
        return "B0", "U0"
    return str(said["bot_id"]), str(said["user_id"])


def slack_health(settings: Settings) -> str:
    """What is wrong with the token, in one sentence; "" when nothing is, or when there is none."""
    token = settings.slack_bot_token.get_secret_value()
    if not token:
        return ""
    from slack_sdk.errors import SlackApiError, SlackClientError

    from bot.slack.app import make_client
    from bot.slack.scopes import check_scopes, granted_scopes

    try:
        return check_scopes(granted_scopes(make_client(token, settings.slack_api_url)))
    except SlackApiError as error:
        return f"Slack refuses the token ({error.response.get('error')}): copy it again from the app's settings."
    except (SlackClientError, OSError):
        return "Slack cannot be reached from here."
