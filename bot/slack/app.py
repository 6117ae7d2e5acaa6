"""The Bolt app: who is asked for, one error handler, and the two ways of serving."""

import logging
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler

from bot.desk import Desk
from bot.slack import actions, events, shortcuts, week
from bot.slack.commands import Commands
from bot.slack.guard import Guard
from bot.slack.pending import Pending

log = logging.getLogger("rapport.slack")

PATH = "/slack/events"
_TALKATIVE = ("slack_bolt", "slack_sdk", "slack_bolt.RequestVerification", "slack_bolt.App")


def build_app(desk: Desk, *, signing_secret: str, bot_token: str, api_url: str = "https://slack.com/api/") -> App:
    """The app with all listeners registered. No network is used here, nor on the way to an acknowledgement."""
    quiet_libraries()
    client = WebClient(
        token=bot_token,
        base_url=api_url,
        retry_handlers=[ConnectionErrorRetryHandler(), RateLimitErrorRetryHandler(max_retry_count=3)],
    )
    app = App(
        signing_secret=signing_secret,
        client=client,
        authorize=_authorize(bot_token),
        token_verification_enabled=False,
    )
    guard = Guard()
    known = Commands(desk, guard, Pending())
    known.register(app)
    actions.register(app, desk, guard, known)
    shortcuts.register(app, desk, guard)
    week.register(app, desk, guard)
    events.register(app, desk, guard)
    return app


def quiet_libraries() -> None:
    """Cap the libraries' loggers whatever the level: at INFO and DEBUG they write whole request bodies."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL if name.endswith("Verification") else logging.WARNING)


def serve_socket(app: App, app_token: str) -> None:
    """Serve in Socket Mode until ended."""
    handler = SocketModeHandler(app, app_token)
    handler.start()  # type: ignore[no-untyped-call] # Bolt ships this one method without types


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


def _authorize(bot_token: str) -> Callable[..., AuthorizeResult]:
    def authorize(enterprise_id: str | None, team_id: str | None, logger: logging.Logger) -> AuthorizeResult:  # noqa: ARG001 - Bolt passes arguments by name
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token=bot_token, bot_id="B0", bot_user_id="U0"
        )

    return authorize
