"""Promises of installing by OAuth: through the real app and its pages, with a Slack stub that keeps Slack's rules."""

import base64
import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from wsgiref.util import setup_testing_defaults

import pytest
import yaml
from cryptography.fernet import Fernet
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import event

from bot.slack.app import quiet_libraries
from bot.slack.installs import (
    CACHED,
    GRACE,
    BadKey,
    InstallFlow,
    RapportInstallationStore,
    RapportStateStore,
    Rotation,
    TeamAuthorize,
    Tokens,
    Vault,
    oauth_settings,
    purge_due,
    register,
)
from bot.slack.scopes import REASONS, SCOPES, check_scopes, granted_scopes
from storage import Memory, NewNote, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.errors import NotSaved
from storage.index import MemoryIndex
from storage.installs import Installs

SIGNING = "8f742231b10e8888abcd99yyyzzz85a5"
CLIENT_ID, CLIENT_SECRET = "111.222", "the-client-secret"
KEY = Fernet.generate_key().decode()
HOUR = timedelta(hours=1)
SECRETS = ("xoxb", "xoxe", CLIENT_SECRET, "code-1", KEY)


@dataclass
class OAuthStub:
    """Slack's side: a code and a refresh token are good once, and only with the client's secret."""

    url: str = ""
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    codes: set[str] = field(default_factory=lambda: {"code-1", "code-2"})
    refresh: set[str] = field(default_factory=set)
    team: str = "T0001"
    rotating: bool = False
    made: int = 0
    scopes: str = ",".join(SCOPES)

    def answer(self, method: str, body: dict[str, str], auth: str) -> dict[str, Any]:
        """Keep a call and answer it in Slack's shape."""
        self.calls.append((method, body))
        if method == "auth.test":
            return {
                "ok": True, "url": "https://sales.slack.com/", "team": "Sales", "user": "rapport", "team_id": self.team,
                "user_id": "U0BOT", "bot_id": "B0BOT", "is_enterprise_install": False,
            }  # fmt: skip
        if method != "oauth.v2.access":
            return {"ok": True}
        if auth != "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode():
            return {"ok": False, "error": "bad_client_secret"}
        held, given = (self.refresh, "refresh_token") if "grant_type" in body else (self.codes, "code")
        if body[given] not in held:
            return {"ok": False, "error": f"invalid_{given}"}
        held.remove(body[given])
        return self._access()

    def _access(self) -> dict[str, Any]:
        self.made += 1
        made = {
            "ok": True, "access_token": f"xoxb-secret-{self.made}", "token_type": "bot", "scope": self.scopes,
            "bot_user_id": "U0BOT", "app_id": "A0001", "team": {"name": "Sales", "id": self.team}, "enterprise": None,
            "authed_user": {"id": "U0ADMIN"}, "is_enterprise_install": False,
        }  # fmt: skip
        if not self.rotating:
            return made
        self.refresh.add(f"xoxe-1-refresh-{self.made}")
        return made | {
            "access_token": f"xoxe.xoxb-1-secret-{self.made}", "expires_in": 43200,
            "refresh_token": f"xoxe-1-refresh-{self.made}",
        }  # fmt: skip


@pytest.fixture
def stub() -> Iterator[OAuthStub]:
    made = OAuthStub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            body = {name: values[0] for name, values in parse_qs(raw).items()}
            told = made.answer(self.path.removeprefix("/api/"), body, self.headers.get("Authorization") or "")
            answer = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("X-OAuth-Scopes", made.scopes)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/api/"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@dataclass
class Clock:
    """A clock that is set by hand; it begins with now because Bolt computes a token's end from the wall."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at


class Door:
    """One deployment that many workspaces install."""

    def __init__(self, memory: Memory, stub: OAuthStub, clock: Clock, keys: str = KEY) -> None:
        self.memory, self.stub, self.now = memory, stub, clock
        self.installs = Installs(memory._ground)
        self.vault = Vault(keys)
        self.tokens = Tokens(self.installs, self.vault, clock)
        self.store = RapportInstallationStore(self.installs, self.vault, self.tokens, clock)
        self.rotation = Rotation(
            self.installs, self.vault, self.tokens, self.client, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
        )
        self.ended: Queue[str] = Queue()
        self.seen: Queue[dict[str, Any]] = Queue()
        self.app = self._app()
        self.http = SlackRequestHandler(self.app)

    def client(self) -> WebClient:
        return WebClient(base_url=self.stub.url)

    def _app(self) -> App:
        quiet_libraries()
        settings = oauth_settings(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            scopes=SCOPES,
            state_store=RapportStateStore(self.installs, self.now),
            installation_store=self.store,
            redirect_uri="https://rapport.example/slack/oauth_redirect",
            api_url=self.stub.url,
        )
        client = self.client()
        flow = InstallFlow(settings, client)
        app = App(
            signing_secret=SIGNING,
            client=client,
            oauth_flow=flow,
            authorize=TeamAuthorize(self.tokens),  # type: ignore[arg-type] # Bolt takes an Authorize too
        )
        register(app, self.store, self.ended.put)

        @app.command("/brief")
        def brief(ack: Any, client: WebClient, context: Any) -> None:
            ack()
            self.seen.put({"token": client.token, "bot": context.bot_id, "user": context.bot_user_id})

        return app

    def get(self, path: str, cookie: str = "", **query: str) -> tuple[int, dict[str, str], str]:
        """A browser's GET through the WSGI handler that serves in production."""
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ |= {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": urlencode(query), "HTTP_COOKIE": cookie}
        environ["wsgi.input"] = BytesIO()
        told: list[Any] = []
        page = b"".join(self.http(environ, lambda *head: told.extend(head)))  # type: ignore[arg-type] # no write()
        return int(told[0].split()[0]), {name.lower(): value for name, value in told[1]}, page.decode()

    def begin(self) -> tuple[str, str]:
        """Open the installation page: the state it sends along, and the cookie it set."""
        status, headers, page = self.get("/slack/install")
        assert status == 200
        link = re.search(r'href="(http[^"]+)"', page)
        assert link
        url = urlsplit(link[1].replace("&amp;", "&"))
        query = parse_qs(url.query)
        assert f"{url.scheme}://{url.netloc}{url.path}" == self.stub.url.replace("/api/", "/oauth/v2/authorize")
        assert query["client_id"] == [CLIENT_ID]
        assert query["scope"] == [",".join(SCOPES)]
        assert query["redirect_uri"] == ["https://rapport.example/slack/oauth_redirect"]
        assert "user_scope" not in query
        assert all(word in headers["set-cookie"] for word in ("Secure", "HttpOnly"))
        return query["state"][0], headers["set-cookie"].split(";")[0]

    def install(self, code: str = "code-1") -> str:
        """The whole way of an admin; the page at its end."""
        state, cookie = self.begin()
        status, _, page = self.get("/slack/oauth_redirect", cookie, state=state, code=code)
        assert status == 200, page
        return page

    def command(self, team: str = "T0001") -> BoltResponse:
        """A signed slash command, with every key Slack sends."""
        body = {
            "token": "legacy", "team_id": team, "team_domain": "sales", "channel_id": "C0001", "channel_name": "deals",
            "user_id": "U0REP", "user_name": "rep", "command": "/brief", "text": "Acme", "api_app_id": "A0001",
            "is_enterprise_install": "false", "trigger_id": "1.2.abc", "response_url": self.stub.url + "respond",
        }  # fmt: skip
        return self._send(urlencode(body), "application/x-www-form-urlencoded")

    def event(self, told: dict[str, Any], *, team: str = "T0001", at: datetime | None = None) -> BoltResponse:
        """A signed event, with every key Slack sends."""
        stamp = int((at or self.now()).timestamp())
        body: dict[str, Any] = {
            "token": "legacy", "team_id": team, "enterprise_id": None, "context_team_id": team,
            "context_enterprise_id": None, "api_app_id": "A0001", "event": told | {"event_ts": f"{stamp}.000100"},
            "type": "event_callback", "event_id": "Ev0001", "event_time": stamp, "authorizations": [],
            "is_ext_shared_channel": False,
        }  # fmt: skip
        return self._send(json.dumps(body), "application/json")

    def _send(self, body: str, kind: str) -> BoltResponse:
        stamp = str(int(time.time()))
        signature = SignatureVerifier(SIGNING).generate_signature(timestamp=stamp, body=body)
        headers: dict[str, Any] = {
            "content-type": [kind],
            "x-slack-request-timestamp": [stamp],
            "x-slack-signature": [signature],
        }
        return self.app.dispatch(BoltRequest(body=body, headers=headers))

    def used(self) -> dict[str, Any]:
        """What a command's listener was given."""
        assert self.command().status == 200
        return self.seen.get(timeout=5)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as opened:
        yield opened


@pytest.fixture
def door(memory: Memory, stub: OAuthStub) -> Door:
    return Door(memory, stub, Clock())


UNINSTALLED = {"type": "app_uninstalled"}
BOT_REVOKED = {"type": "tokens_revoked", "tokens": {"oauth": ["U0ADMIN"], "bot": ["U0BOT"]}}
USER_REVOKED = {"type": "tokens_revoked", "tokens": {"oauth": ["U0ADMIN"], "bot": []}}


# --- the way in ---


def test_a_workspace_installs_the_app(door: Door, tmp_path: Path) -> None:
    """From the page to the thanks: the row says who and what, and no file of ours holds a token in clear."""
    assert "Thank you!" in door.install()
    (held,) = door.installs.all_active()
    assert (held.team_id, held.team_name, held.app_id) == ("T0001", "Sales", "A0001")
    assert (held.bot_id, held.bot_user_id, held.installed_by) == ("B0BOT", "U0BOT", "U0ADMIN")
    assert held.scopes == ",".join(SCOPES)
    assert door.vault.decrypt(held.token) == "xoxb-secret-1"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(held.token.encode() in path.read_bytes() for path in files)
    assert not any(b"xoxb" in path.read_bytes() for path in files)


def test_a_state_that_is_not_ours_is_refused(door: Door) -> None:
    """Missing, made up, without the cookie, or with another browser's cookie: refused before Slack is asked."""
    state, cookie = door.begin()
    name = cookie.split("=")[0]
    page = "/slack/oauth_redirect"
    assert door.get(page, cookie, code="code-1")[0] == 400
    assert door.get(page, cookie, code="code-1", state="made-up")[0] == 400
    assert door.get(page, f"{name}=made-up", code="code-1", state="made-up")[0] == 401
    assert door.get(page, "", code="code-1", state=state)[0] == 400
    assert door.get(page, f"{name}=other", code="code-1", state=state)[0] == 400
    assert (door.stub.calls, door.installs.all_active()) == ([], ())


def test_a_state_is_taken_once_and_in_time(door: Door) -> None:
    """A replay of a finished installation and a return after ten minutes are refused."""
    state, cookie = door.begin()
    assert door.get("/slack/oauth_redirect", cookie, state=state, code="code-1")[0] == 200
    status, _, page = door.get("/slack/oauth_redirect", cookie, state=state, code="code-2")
    assert (status, "invalid_state" in page) == (401, True)
    state, cookie = door.begin()
    door.now.at += timedelta(minutes=11)
    assert door.get("/slack/oauth_redirect", cookie, state=state, code="code-2")[0] == 401


def test_a_refusal_at_slack_is_a_page(door: Door) -> None:
    """An admin who cancels, and a code that Slack does not take, end in a page and in no installation."""
    assert door.get("/slack/oauth_redirect", error="access_denied")[0] == 200
    state, cookie = door.begin()
    assert door.get("/slack/oauth_redirect", cookie, state=state, code="spent")[0] == 401
    assert door.installs.all_active() == ()


def test_a_slack_that_is_away_is_a_page(door: Door) -> None:
    """When Slack cannot be reached while installing, the admin reads a page and not a traceback."""
    state, cookie = door.begin()
    door.app.client.base_url = "http://127.0.0.1:1/api/"
    assert door.get("/slack/oauth_redirect", cookie, state=state, code="code-1")[0] == 401


def test_an_installation_that_cannot_be_kept_is_a_page(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told to the admin, who must not believe that the app is installed."""

    def full(_made: object) -> None:
        raise NotSaved("the disk is full")

    monkeypatch.setattr(door.installs, "save", full)
    state, cookie = door.begin()
    assert door.get("/slack/oauth_redirect", cookie, state=state, code="code-1")[0] == 500


# --- answering ---


def test_a_request_is_authorized_without_the_network(door: Door) -> None:
    """One query for the first command, none for the next, and never a call to Slack."""
    door.install()
    door.stub.calls.clear()
    queries: list[str] = []
    event.listen(door.memory._ground.db._readers, "before_cursor_execute", lambda *told: queries.append(told[2]))
    assert door.used() == {"token": "xoxb-secret-1", "bot": "B0BOT", "user": "U0BOT"}
    assert len(queries) == 1
    door.used()
    assert (len(queries), door.stub.calls) == (1, [])
    door.now.at += CACHED
    door.used()
    assert (len(queries), door.stub.calls) == (2, [])


def test_a_workspace_that_did_not_install_is_not_served(door: Door) -> None:
    """Another workspace's command reaches no listener and no token."""
    door.install()
    door.command("T0002")
    assert door.seen.empty()
    assert door.tokens.of("T0002") is None


def test_two_workspaces_have_their_own_tokens(door: Door) -> None:
    """Each workspace is answered with its own token."""
    door.install("code-1")
    door.stub.team = "T0002"
    door.install("code-2")
    first, second = door.tokens.of("T0001"), door.tokens.of("T0002")
    assert first is not None
    assert second is not None
    assert (first.token, second.token) == ("xoxb-secret-1", "xoxb-secret-2")


def test_installing_again_is_seen_at_once(door: Door) -> None:
    """The cache does not hold on to the token of an earlier installation."""
    door.install("code-1")
    assert door.used()["token"] == "xoxb-secret-1"
    door.install("code-2")
    assert door.used()["token"] == "xoxb-secret-2"


def test_what_was_read_before_a_change_is_not_kept_after_it(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end while another thread is reading leaves no token in the cache."""
    door.install()
    read = door.installs.find

    def slow(team_id: str, enterprise_id: str = "") -> Any:
        found = read(team_id, enterprise_id)
        door.store.end("T0001")
        return found

    monkeypatch.setattr(door.installs, "find", slow)
    door.tokens.of("T0001")
    monkeypatch.undo()
    assert door.tokens.of("T0001") is None


def test_slack_sdk_finds_what_was_installed(door: Door) -> None:
    """The store speaks slack_sdk's language both ways, without a user's token."""
    door.stub.rotating = True
    door.install()
    bot = door.store.find_bot(enterprise_id=None, team_id="T0001")
    whole = door.store.find_installation(enterprise_id=None, team_id="T0001")
    assert bot is not None
    assert whole is not None
    assert (bot.bot_token, bot.bot_refresh_token) == ("xoxe.xoxb-1-secret-1", "xoxe-1-refresh-1")
    assert (whole.user_id, whole.user_token, whole.team_name) == ("U0ADMIN", None, "Sales")
    door.store.save_bot(bot)
    assert door.store.find_bot(enterprise_id=None, team_id="T0002") is None
    door.store.delete_installation(enterprise_id=None, team_id="T0001", user_id="U0ADMIN")
    assert door.installs.find("T0001")
    door.store.delete_all(enterprise_id=None, team_id="T0001")
    assert door.installs.find("T0001") is None


def test_an_organisation_answers_for_its_workspaces(door: Door) -> None:
    """An installation on a whole organisation is found from each workspace of it, and only of it."""
    door.stub.rotating = True
    door.install()
    whole = door.store.find_installation(enterprise_id=None, team_id="T0001")
    assert whole is not None
    whole.is_enterprise_install, whole.enterprise_id, whole.team_id = True, "E0001", None
    door.store.save(whole)
    found = door.store.find_installation(enterprise_id="E0001", team_id=None, is_enterprise_install=True)
    assert found is not None
    assert (found.is_enterprise_install, found.enterprise_id, found.team_id) == (True, "E0001", None)
    assert door.tokens.of("T0777", "E0001")
    assert door.tokens.of("T0777", "E0002") is None


# --- keys ---


@pytest.mark.parametrize("keys", ["", " , ", "too short", "x" * 44])
def test_a_key_that_is_none_is_said(keys: str) -> None:
    """One sentence names the setting, and the key itself is in no traceback."""
    with pytest.raises(BadKey, match="RAPPORT_ENCRYPTION_KEY is not a key") as caught:
        Vault(keys)
    assert caught.value.__cause__ is None


def test_a_wrong_key_is_said_and_nobody_is_served(
    door: Door, stub: OAuthStub, caplog: pytest.LogCaptureFixture
) -> None:
    """With another key the workspace is not answered, and the log says what to do."""
    door.install()
    other = Door(door.memory, stub, door.now, Fernet.generate_key().decode())
    other.command()
    assert other.seen.empty()
    assert "add the former key" in caplog.text
    with pytest.raises(BadKey, match="encrypted with another key"):
        other.store.find_bot(enterprise_id=None, team_id="T0001")


def test_a_key_can_be_replaced(door: Door, stub: OAuthStub) -> None:
    """A new key before the old one: what was encrypted is read, and what is new is not readable by the old."""
    door.install("code-1")
    both = Door(door.memory, stub, door.now, f"{Fernet.generate_key().decode()}, {KEY}")
    assert both.used()["token"] == "xoxb-secret-1"
    both.install("code-2")
    with pytest.raises(BadKey):
        door.store.find_bot(enterprise_id=None, team_id="T0001")


# --- renewing ---


def test_a_token_is_renewed_ahead_of_time(door: Door) -> None:
    """Two hours before its end and not sooner, and the next request uses the new one."""
    door.stub.rotating = True
    door.install()
    assert door.used()["token"] == "xoxe.xoxb-1-secret-1"
    assert door.rotation.rotate_due(door.now() + 9 * HOUR) == ()
    assert door.rotation.rotate_due(door.now() + 11 * HOUR) == ("T0001",)
    assert door.used()["token"] == "xoxe.xoxb-1-secret-2"
    assert door.rotation.rotate_due(door.now() + 11 * HOUR) == ()
    assert door.stub.refresh == {"xoxe-1-refresh-2"}


def test_an_expired_token_is_not_renewed_by_a_request(door: Door) -> None:
    """A command after the end of the token is still acknowledged, from the table alone."""
    door.stub.rotating = True
    door.install()
    door.stub.calls.clear()
    door.now.at += 13 * HOUR
    assert door.used()["token"] == "xoxe.xoxb-1-secret-1"
    assert door.stub.calls == []


def test_two_replicas_that_renew_at_once_keep_the_newer_token(door: Door, stub: OAuthStub) -> None:
    """Slack takes the refresh token once: the loser changes nothing, and both answer with the new token."""
    stub.rotating = True
    door.install()
    other = Door(door.memory, stub, door.now)
    later = door.now() + 11 * HOUR
    assert other.used()["token"] == "xoxe.xoxb-1-secret-1"
    (stale,) = door.installs.expiring(later + 2 * HOUR)
    assert door.rotation.rotate_due(later) == ("T0001",)
    assert not other.rotation._rotate(stale, later)
    assert other.rotation.rotate_due(later) == ()
    other.now.at += CACHED
    assert (door.used()["token"], other.used()["token"]) == ("xoxe.xoxb-1-secret-2",) * 2


def test_a_renewed_token_that_cannot_be_saved_is_not_lost(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old pair is spent by then: the new one is kept and saved in the next round, without asking Slack again."""
    door.stub.rotating = True
    door.install()

    def busy(*_told: object) -> bool:
        raise NotSaved("the database is busy")

    with monkeypatch.context() as patch:
        patch.setattr(door.installs, "rotate", busy)
        assert door.rotation.rotate_due(door.now() + 11 * HOUR) == ()
    asked = len(door.stub.calls)
    assert door.rotation.rotate_due(door.now() + 11 * HOUR) == ("T0001",)
    assert (len(door.stub.calls), door.used()["token"]) == (asked, "xoxe.xoxb-1-secret-2")


def test_one_workspace_that_fails_does_not_hold_up_another(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """A refresh token Slack refuses is named in the log by workspace, and the next workspace is renewed."""
    door.stub.rotating = True
    door.install("code-1")
    door.stub.team = "T0002"
    door.install("code-2")
    door.stub.refresh.remove("xoxe-1-refresh-1")
    assert door.rotation.rotate_due(door.now() + 11 * HOUR) == ("T0002",)
    assert "the token of T0001 was not renewed (invalid_refresh_token)" in caplog.text


def test_a_slack_that_is_away_is_tried_again(door: Door) -> None:
    """A renewal that cannot reach Slack raises nothing and leaves the pair as it was."""
    door.stub.rotating = True
    door.install()
    away = Rotation(
        door.installs, door.vault, door.tokens, lambda: WebClient(base_url="http://127.0.0.1:1/api/"),
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
    )  # fmt: skip
    assert away.rotate_due(door.now() + 11 * HOUR) == ()
    assert door.rotation.rotate_due(door.now() + 11 * HOUR) == ("T0001",)


# --- the end ---


@pytest.mark.parametrize("told", [UNINSTALLED, BOT_REVOKED], ids=["app_uninstalled", "tokens_revoked"])
def test_an_end_deletes_the_tokens_before_it_is_acknowledged(door: Door, told: dict[str, Any]) -> None:
    """When Slack has our answer the tokens are gone, in the table and in the cache, and whoever listens is told."""
    door.install()
    door.used()
    assert door.event(told).status == 200
    assert (door.installs.all_active(), door.tokens.of("T0001")) == ((), None)
    (gone,) = door.installs.ended_before(door.now() + HOUR)
    assert (gone.token, gone.refresh_token) == ("", "")
    assert door.ended.get(timeout=5) == "T0001"
    door.command()
    assert door.seen.empty()


def test_a_second_word_of_the_same_end_changes_nothing(door: Door) -> None:
    """Slack sends tokens_revoked and app_uninstalled for one removal: the grace begins once, listeners hear it once."""
    door.install()
    began = door.now()
    door.event(BOT_REVOKED)
    assert door.ended.get(timeout=5) == "T0001"
    door.now.at += HOUR
    assert door.event(UNINSTALLED).status == 200
    assert door.installs.ended_before(door.now() + HOUR)[0].ended_at == began
    assert door.ended.empty()


def test_a_user_who_leaves_does_not_end_it(door: Door) -> None:
    """A revoked user token ends nothing: the app works with its bot's token alone."""
    door.install()
    assert door.event(USER_REVOKED).status == 200
    assert door.used()["token"] == "xoxb-secret-1"


def test_an_end_of_another_workspace_is_not_ours(door: Door) -> None:
    """A removal in one workspace leaves the others alone, and one we do not know is acknowledged."""
    door.install()
    assert door.event(UNINSTALLED, team="T0002").status == 200
    assert door.used()["token"] == "xoxb-secret-1"


def test_a_late_end_spares_the_next_installation(door: Door) -> None:
    """Removed and installed again: the removal told late, or twice, does not end the new installation."""
    removed = door.now()
    door.now.at += HOUR
    door.install()
    assert door.event(UNINSTALLED, at=removed).status == 200
    assert door.used()["token"] == "xoxb-secret-1"


def test_an_end_that_cannot_be_written_is_told_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the write Slack gets no 200, and so sends the event again."""
    door.install()

    def busy(*_told: object) -> bool:
        raise NotSaved("the database is busy")

    with monkeypatch.context() as patch:
        patch.setattr(door.installs, "end", busy)
        assert door.event(UNINSTALLED).status >= 500
    assert door.event(UNINSTALLED).status == 200
    assert door.installs.all_active() == ()


def test_data_goes_after_the_grace_and_not_before(door: Door) -> None:
    """Thirty days after the end the workspace is due, is erased, and nothing of it is left; another's stays."""
    door.install()
    for team in ("T0001", "T0002"):
        account = door.memory.of(team).create_account("Acme Corp", key="acme-01")
        door.memory.of(team).log(account.id, NewNote("Wants a pilot.", rep="U1"))
    door.event(UNINSTALLED)
    assert purge_due(door.installs, door.now() + GRACE) == []
    later = door.now() + GRACE + HOUR
    assert purge_due(door.installs, later) == ["T0001"]
    for team in purge_due(door.installs, later):
        door.memory.erase(team)
        door.installs.forget(team)
    assert purge_due(door.installs, later) == []
    assert door.memory.teams() == ("T0002",)


def test_installing_again_within_the_grace_keeps_the_data(door: Door) -> None:
    """Whoever comes back within thirty days is not purged."""
    door.install("code-1")
    door.event(UNINSTALLED)
    door.now.at += 20 * 24 * HOUR
    door.install("code-2")
    assert purge_due(door.installs, door.now() + GRACE + HOUR) == []


# --- what no log says ---


def test_no_token_is_in_any_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG, on every way that works and that fails: no token, no code, no secret, no key."""
    caplog.set_level(logging.DEBUG)
    door.stub.rotating = True
    state, cookie = door.begin()
    door.get("/slack/oauth_redirect", cookie, state=state, code="code-1-spent")
    door.install()
    door.used()
    door.rotation.rotate_due(door.now() + 11 * HOUR)
    door.stub.refresh.clear()
    door.rotation.rotate_due(door.now() + 23 * HOUR)
    door.event(UNINSTALLED)
    assert door.ended.get(timeout=5) == "T0001"
    assert "was not renewed" in caplog.text
    assert [word for word in (*SECRETS, state) if word in caplog.text] == []
    assert not any("xox" in repr(held) for held in (door.installs, door.vault, door.tokens))


# --- scopes ---


def test_the_manifest_asks_for_the_same_scopes() -> None:
    """manifest.yml and the code ask for the same scopes, each with the same reason."""
    text = (Path(__file__).parents[2] / "manifest.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert dict(re.findall(r"^      - ([\w:.]+) # (.+)$", text, re.M)) == REASONS


def test_missing_scopes_are_told_with_what_to_do(door: Door) -> None:
    """What Slack granted is read beside auth.test, and what is missing is one sentence."""
    assert check_scopes(granted_scopes(door.client())) == ""
    door.stub.scopes = ", ".join(scope for scope in SCOPES if scope not in {"groups:read", "im:write"})
    assert check_scopes(granted_scopes(door.client())) == (
        "Reinstall the app in Slack: it is missing im:write, groups:read."
    )
    door.stub.scopes = ""
    assert "commands" in check_scopes(granted_scopes(door.client()))
