"""Many workspaces: tokens encrypted in our own table, read without a network call, renewed ahead of time.

Bolt refuses a plain `authorize` function beside OAuth settings and its own asks auth.test on every request, so ours is
an `Authorize` (read in slack-bolt 1.30, app.py). Bolt also reads SLACK_CLIENT_ID and SLACK_CLIENT_SECRET from the
environment and then serves an installation page that keeps tokens in clear, in files: with both set, give it an
`InstallFlow`.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from logging import Logger
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_bolt import App, BoltContext, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.oauth import OAuthStateStore
from slack_sdk.oauth.installation_store import Bot, InstallationStore
from slack_sdk.oauth.installation_store import Installation as SlackInstallation

from storage.errors import NotSaved, RapportError
from storage.installs import Installation, Installs

log = logging.getLogger("rapport.slack.installs")

Clock = Callable[[], datetime]

INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
GRACE = timedelta(days=30)
"""How long a workspace's data outlives its installation: installing again within it finds everything as it was."""

STATE_LIFE = timedelta(minutes=10)
AHEAD = timedelta(hours=2)
"""A token lives twelve hours; renewed this long before its end, a worker has many tries."""

CACHED = timedelta(seconds=30)
"""Another replica may have ended the installation: for so long its token is still tried, and Slack refuses it."""

SKEW = timedelta(minutes=1)


class BadKey(RapportError):
    """The operator's key is no key, or not the one that was used."""


class Vault:
    """Encrypts tokens. Several comma separated keys: the first encrypts, all decrypt, so that a key can be replaced."""

    def __init__(self, keys: str) -> None:
        try:
            fernets = [Fernet(key.strip()) for key in keys.split(",") if key.strip()]
            self._fernet = MultiFernet(fernets)
        except ValueError:
            # The cause would repeat the key in a traceback.
            raise BadKey(
                "RAPPORT_ENCRYPTION_KEY is not a key: it takes 32 random bytes in url-safe base64, as "
                "`openssl rand -base64 32 | tr '+/' '-_'` prints them."
            ) from None

    def encrypt(self, token: str) -> str:
        """Ciphertext; nothing stays nothing."""
        return self._fernet.encrypt(token.encode()).decode() if token else ""

    def decrypt(self, ciphertext: str) -> str:
        """The token. Raises BadKey when none of the keys fits."""
        try:
            return self._fernet.decrypt(ciphertext.encode()).decode() if ciphertext else ""
        except InvalidToken:
            raise BadKey(
                "A workspace's token was encrypted with another key: add the former key to RAPPORT_ENCRYPTION_KEY "
                "after a comma, or install the app there again."
            ) from None


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs of an installation."""

    token: str = field(repr=False)
    bot_id: str
    bot_user_id: str
    scopes: str


class Tokens:
    """Access by workspace: one query for a miss, none for a hit."""

    def __init__(self, installs: Installs, vault: Vault, now: Clock) -> None:
        self._installs, self._vault, self._now = installs, vault, now
        self._lock = threading.Lock()
        self._cache: dict[tuple[str, str], tuple[Access, datetime]] = {}
        self._generation = 0

    def of(self, team_id: str, enterprise_id: str = "") -> Access | None:
        """A workspace's access; None without an installation, or when no key opens it (which is logged)."""
        key, now = (team_id, enterprise_id), self._now()
        with self._lock:
            generation, held = self._generation, self._cache.get(key)
        if held and now < held[1]:
            return held[0]
        access = self._read(team_id, enterprise_id)
        with self._lock:
            # What was read before a change must not outlive it in the cache.
            if access and generation == self._generation:
                self._cache[key] = (access, now + CACHED)
        return access

    def forget(self) -> None:
        """Read everything anew: an installation was made, changed or ended. That is rare, so all are dropped."""
        with self._lock:
            self._generation += 1
            self._cache.clear()

    def _read(self, team_id: str, enterprise_id: str) -> Access | None:
        found = self._installs.find(team_id, enterprise_id)
        if found is None:
            return None
        try:
            return Access(self._vault.decrypt(found.token), found.bot_id, found.bot_user_id, found.scopes)
        except BadKey as error:
            log.error("workspace %s cannot be served: %s", found.team_id, error)
            return None


class TeamAuthorize(Authorize):
    """For Bolt's `authorize=`: whose token answers a request. No network; an expired token is renewed elsewhere."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Bolt ships it without types
        self._tokens = tokens

    def __call__(
        self,
        *,
        context: BoltContext,  # noqa: ARG002 - the shape is Bolt's
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,  # noqa: ARG002 - as above
        actor_team_id: str | None = None,  # noqa: ARG002 - as above
        actor_user_id: str | None = None,  # noqa: ARG002 - as above
    ) -> AuthorizeResult | None:
        """None for a workspace we are not installed in: Bolt then asks the user to install the app."""
        access = self._tokens.of(team_id or "", enterprise_id or "")
        if access is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            user_id=user_id,
            bot_token=access.token,
            bot_id=access.bot_id,
            bot_user_id=access.bot_user_id,
            bot_scopes=access.scopes,
        )


class RapportInstallationStore(InstallationStore):
    """Our table as slack_sdk sees it: one installation a workspace, and no user's token, since none is asked for."""

    def __init__(self, installs: Installs, vault: Vault, tokens: Tokens, now: Clock) -> None:
        self._installs, self._vault, self._tokens, self._now = installs, vault, tokens, now

    @property
    def logger(self) -> Logger:
        """Ours."""
        return log

    def save(self, installation: SlackInstallation) -> None:
        """Keep an installation, its tokens encrypted. Raises NotSaved, or RapportError for one without a bot."""
        if not installation.bot_token:
            raise RapportError("Slack installed the app without its bot. Check the bot scopes of the app.")
        self._installs.save(_encrypted(installation, self._vault, self._now()))
        self._tokens.forget()

    def save_bot(self, bot: Bot) -> None:
        """Keep a bot's part: for us it is the whole, but for who installed it."""
        self.save(SlackInstallation(user_id="", **bot.to_dict_for_copying()))

    def find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """The bot of a workspace, or of its organisation. Raises BadKey."""
        found = self.find_installation(
            enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
        )
        return found.to_bot() if found else None

    def find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,  # noqa: ARG002 - the shape is slack_sdk's
        is_enterprise_install: bool | None = False,
    ) -> SlackInstallation | None:
        """The installation of a workspace, or of its organisation. Raises BadKey."""
        team = "" if is_enterprise_install else team_id or ""
        found = self._installs.find(team, enterprise_id or "")
        return _decrypted(found, self._vault) if found else None

    def delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """End the installation: its tokens are emptied at once, its data after the grace."""
        self.end(team_id or enterprise_id or "")

    def delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """As `delete_bot`; of a single user we keep no token, so there is nothing to delete."""
        if user_id is None:
            self.delete_bot(enterprise_id=enterprise_id, team_id=team_id)

    def delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """As `delete_bot`."""
        self.delete_bot(enterprise_id=enterprise_id, team_id=team_id)

    def end(self, team_id: str, since: datetime | None = None) -> bool:
        """End an installation that was made no later than `since`; True when it had not ended before."""
        try:
            return self._installs.end(team_id, self._now(), since)
        finally:
            self._tokens.forget()


class RapportStateStore(OAuthStateStore):
    """States of begun installations in our table, so that any replica can finish what another began."""

    def __init__(self, installs: Installs, now: Clock) -> None:
        self._installs, self._now = installs, now

    @property
    def logger(self) -> Logger:
        """Ours."""
        return log

    def issue(self, *_args: Any, **_kwargs: Any) -> str:
        """A new state, good once and for ten minutes."""
        state = secrets.token_urlsafe(32)
        self._installs.issue_state(state, self._now() + STATE_LIFE)
        return state

    def consume(self, state: str) -> bool:
        """Whether the state was ours, is unused and not too old."""
        return self._installs.consume_state(state, self._now())


def oauth_settings(
    *,
    client_id: str,
    client_secret: str,
    scopes: Sequence[str],
    state_store: RapportStateStore,
    installation_store: RapportInstallationStore,
    redirect_uri: str = "",
    api_url: str = "https://slack.com/api/",
) -> OAuthSettings:
    """The settings of the installation pages. Slack's consent page is taken from where its Web API is."""
    return OAuthSettings(
        client_id=client_id,
        client_secret=client_secret,
        scopes=list(scopes),
        user_scopes=[],
        redirect_uri=redirect_uri or None,
        install_path=INSTALL_PATH,
        redirect_uri_path=REDIRECT_PATH,
        authorization_url=f"{api_url.rstrip('/').removesuffix('/api')}/oauth/v2/authorize",
        installation_store=installation_store,
        installation_store_bot_only=True,
        state_store=state_store,
        state_expiration_seconds=int(STATE_LIFE.total_seconds()),
    )


class InstallFlow(OAuthFlow):
    """Bolt's flow, with failures that end in its page and not in a traceback. For `App(oauth_flow=...)`."""

    def __init__(self, settings: OAuthSettings, client: WebClient) -> None:
        quiet = logging.getLogger("slack_bolt.OAuthFlow")
        quiet.setLevel(logging.CRITICAL)  # it writes Slack's one-time code and the state
        super().__init__(client=client, logger=quiet, settings=settings)

    def run_installation(self, code: str) -> SlackInstallation | None:
        """The code's installation; None when Slack refuses the code or cannot be reached."""
        try:
            made = super().run_installation(code)
        except (OSError, SlackClientError) as error:
            log.warning("an installation was not finished: %s", _why(error))
            return None
        if made is None:
            log.warning("an installation was not finished: Slack refused the code or the client secret")
        return made

    def store_installation(self, request: BoltRequest, installation: SlackInstallation) -> None:
        """Keep it. What cannot be kept is a page that says so."""
        try:
            super().store_installation(request, installation)
        except RapportError as error:
            log.error("an installation was not kept: %s", error)
            raise BoltError(str(error)) from None


class Rotation:
    """Renews tokens ahead of time. The worker calls `rotate_due` each round; a token that fails waits for the next."""

    def __init__(
        self,
        installs: Installs,
        vault: Vault,
        tokens: Tokens,
        make_client: Callable[[], WebClient],
        *,
        client_id: str,
        client_secret: str,
    ) -> None:
        self._installs, self._vault, self._tokens, self._make_client = installs, vault, tokens, make_client
        self._client_id, self._client_secret = client_id, client_secret
        self._unsaved: dict[str, tuple[str, str, datetime]] = {}

    def rotate_due(self, now: datetime) -> tuple[str, ...]:
        """Renew what expires within two hours; returns the workspaces that were renewed here."""
        due = [row for row in self._installs.expiring(now + AHEAD) if row.refresh_token]
        done = tuple(row.team_id for row in due if self._rotate(row, now))
        if due:
            # Also when another replica was first: its token is in the table now.
            self._tokens.forget()
        return done

    def _rotate(self, row: Installation, now: datetime) -> bool:
        # The old pair is gone at Slack: a new one that could not be saved is all there is, so it is kept and tried.
        pair = self._unsaved.pop(row.refresh_token, None) or self._renewed(row, now)
        if pair is None:
            return False
        try:
            return self._installs.rotate(row.team_id, row.refresh_token, *pair)
        except NotSaved as error:
            self._unsaved[row.refresh_token] = pair
            log.error("the renewed token of %s waits to be saved: %s", row.team_id, error)
            return False

    def _renewed(self, row: Installation, now: datetime) -> tuple[str, str, datetime] | None:
        try:
            answer = self._make_client().oauth_v2_access(
                client_id=self._client_id,
                client_secret=self._client_secret,
                grant_type="refresh_token",
                refresh_token=self._vault.decrypt(row.refresh_token),
            )
            expires = now + timedelta(seconds=int(answer["expires_in"]))
            return self._vault.encrypt(answer["access_token"]), self._vault.encrypt(answer["refresh_token"]), expires
        except BadKey as error:
            log.error("the token of %s was not renewed: %s", row.team_id, error)
        except (OSError, SlackClientError, KeyError, TypeError, ValueError) as error:
            log.warning("the token of %s was not renewed (%s); it is tried again", row.team_id, _why(error))
        return None


def register(app: App, store: RapportInstallationStore, on_end: Callable[[str], None]) -> None:
    """Listen for the end of an installation. `on_end` gets the workspace's id, after the acknowledgement.

    Tokens go before it: Slack is told that we know only when they are gone, and otherwise tells us again.
    """

    def end(context: BoltContext, event: dict[str, Any], body: dict[str, Any], next_: Callable[[], Any]) -> None:
        ends = event["type"] == "app_uninstalled" or bool(event.get("tokens", {}).get("bot"))
        if ends:
            team = context.enterprise_id if context.is_enterprise_install else context.team_id
            context["ended"] = team if store.end(team or "", _told_at(body)) else ""
        next_()

    def ended(context: BoltContext) -> None:
        if team := context.get("ended"):
            log.info("workspace %s has removed the app; its data is kept for %d days", team, GRACE.days)
            on_end(team)

    for name in ("app_uninstalled", "tokens_revoked"):
        app.event(name, middleware=[end])(ended)


def purge_due(installs: Installs, now: datetime) -> list[str]:
    """Workspaces whose grace is over, for the worker: `memory.erase` each, then `installs.forget` it."""
    installs.sweep_states(now)
    return [gone.team_id for gone in installs.ended_before(now - GRACE)]


def _told_at(body: dict[str, Any]) -> datetime | None:
    """Until when an installation is meant: an event that comes late must not end the one made after it."""
    told = body.get("event_time")
    return datetime.fromtimestamp(int(told), UTC) + SKEW if told else None


def _encrypted(made: SlackInstallation, vault: Vault, now: datetime) -> Installation:
    expires = made.bot_token_expires_at
    whole = made.is_enterprise_install
    return Installation(
        team_id=(made.enterprise_id if whole else made.team_id) or "",
        installed_at=now,
        app_id=made.app_id or "",
        enterprise_id=made.enterprise_id or "",
        team_name=(made.enterprise_name if whole else made.team_name) or "",
        bot_id=made.bot_id or "",
        bot_user_id=made.bot_user_id or "",
        scopes=",".join(made.bot_scopes or ()),
        token=vault.encrypt(made.bot_token or ""),
        refresh_token=vault.encrypt(made.bot_refresh_token or ""),
        expires_at=datetime.fromtimestamp(expires, UTC) if expires else None,
        installed_by=made.user_id or "",
    )


def _decrypted(row: Installation, vault: Vault) -> SlackInstallation:
    whole = bool(row.enterprise_id) and row.team_id == row.enterprise_id
    return SlackInstallation(
        app_id=row.app_id,
        enterprise_id=row.enterprise_id or None,
        enterprise_name=row.team_name if whole else None,
        team_id=None if whole else row.team_id,
        team_name=None if whole else row.team_name,
        bot_token=vault.decrypt(row.token),
        bot_id=row.bot_id,
        bot_user_id=row.bot_user_id,
        bot_scopes=row.scopes,
        bot_refresh_token=vault.decrypt(row.refresh_token) or None,
        bot_token_expires_at=int(row.expires_at.timestamp()) if row.expires_at else None,
        user_id=row.installed_by,
        is_enterprise_install=whole,
        installed_at=row.installed_at.timestamp(),
    )


def _why(error: Exception) -> str:
    """Slack's word for it, or the error's kind: the rest of an answer may hold what no log should."""
    return str(error.response["error"]) if isinstance(error, SlackApiError) else type(error).__name__
