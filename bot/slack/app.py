"""The Bolt app: who is asked for, one error handler, and the two ways of serving."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from socketserver import ThreadingMixIn
from threading import Event
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler

from bot.desk import Desk
from bot.slack import actions, digests, events, home, installs, shortcuts, week
from bot.slack.commands import Commands
from bot.slack.guard import Guard
from bot.slack.pending import Pending
from bot.slack.slowly import Slowly
from bot.slack.workspaces import Workspaces
from storage.errors import RapportError

log = logging.getLogger("rapport.slack")

PATH = "/slack/events"
PING_SECONDS, GONE_SECONDS = 2.0, 60.0
WORKERS = 40
SLACK_API = "https://slack.com/api/"
_TALKATIVE = ("slack_bolt", "slack_sdk", "slack_bolt.RequestVerification", "slack_bolt.App")


class SlackGone(RapportError):
    """The connection to Slack was lost and could not be made again."""

    def __init__(self) -> None:
        super().__init__("The connection to Slack was lost for a minute and could not be made again.")


def build_app(
    desk: Desk,
    *,
    signing_secret: str,
    bot_token: str = "",
    api_url: str = SLACK_API,
    bot: tuple[str, str] = ("B0", "U0"),
    many: Workspaces | None = None,
    guard: Guard | None = None,
    slowly: Slowly | None = None,
) -> App:
    """The app with all listeners registered, for the workspace of `bot_token` or for `many`.

    `bot` is the bot's id and its user id. No network is used here, nor on the way to an acknowledgement.
    """
    quiet_libraries()
    if many is None:
        app = App(
            signing_secret=signing_secret,
            client=make_client(bot_token, api_url),
            authorize=_authorize(bot_token, *bot),
            token_verification_enabled=False,
            listener_executor=_workers(),
        )
    else:
        app = App(
            signing_secret=signing_secret,
            client=make_client("", api_url),
            oauth_flow=many.flow,
            listener_executor=_workers(),
            authorize=many.authorize,  # type: ignore[arg-type] # Bolt takes an Authorize, too
        )
        installs.register(app, many.store, many.end)
    guard, slowly = guard or Guard(), slowly or Slowly()
    known = Commands(desk, guard, Pending(), slowly)
    known.register(app)
    actions.register(app, desk, guard, known)
    shortcuts.register(app, desk, guard, slowly)
    week.register(app, desk, guard, slowly)
    digests.register(app, desk, guard, slowly)
    events.register(app, desk, guard, slowly)
    home.register(app, desk, guard)
    return app


def _workers() -> ThreadPoolExecutor:
    """The threads of the listeners. Bolt's own are five: five answers that wait for Slack would hold up every
    acknowledgement."""
    return ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="slack")


def make_client(token: str, api_url: str = SLACK_API) -> WebClient:
    """A client that waits out rate limits and tries again when a connection fails, and never after a server error: a
    message that was taken would be posted twice."""
    waits = [ConnectionErrorRetryHandler(), RateLimitErrorRetryHandler(max_retry_count=3)]
    return WebClient(token=token or None, base_url=api_url, retry_handlers=waits)


def quiet_libraries() -> None:
    """Cap the libraries' loggers whatever the level: at INFO and DEBUG they write whole request bodies."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL if name.endswith("Verification") else logging.WARNING)


def serve_socket(app: App, app_token: str, *, stopped: Event | None = None) -> None:
    """Serve in Socket Mode until ended. Raises SlackGone when the connection stays lost: a supervisor starts anew."""
    handler = SocketModeHandler(app, app_token, ping_interval=PING_SECONDS)
    handler.connect()  # type: ignore[no-untyped-call] # Bolt ships this one method without types
    ended, lost = stopped or Event(), 0.0
    while not ended.wait(PING_SECONDS):
        # A socket can be dead and say that it is connected: the client pings it, and finds out.
        lost = 0.0 if handler.client.is_connected() else lost + PING_SECONDS
        if lost >= GONE_SECONDS:
            raise SlackGone


def serve_http(app: App, port: int, *, host: str = "0.0.0.0") -> None:  # noqa: S104 - a container's port is published
    """Serve HTTP until ended: events, commands and actions at /slack/events."""
    with http_server(app, port, host=host) as server:
        server.serve_forever()


def http_server(app: App, port: int, *, host: str) -> "_Server":
    """The server of `serve_http`, listening and not yet serving."""
    return make_server(host, port, SlackRequestHandler(app, path=PATH), server_class=_Server, handler_class=_Quiet)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's own name
        """Say nothing: an access log of a webhook tells nothing that Slack's own does not."""


def _authorize(bot_token: str, bot_id: str, bot_user_id: str) -> Callable[..., AuthorizeResult]:
    def authorize(enterprise_id: str | None, team_id: str | None, logger: logging.Logger) -> AuthorizeResult:  # noqa: ARG001 - Bolt passes arguments by name
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token=bot_token, bot_id=bot_id, bot_user_id=bot_user_id
        )

    return authorize
