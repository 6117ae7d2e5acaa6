"""Many workspaces by OAuth: the pieces of an installation put together, and the chores that keep them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from slack_sdk import WebClient

from bot.slack.installs import (
    REDIRECT_PATH,
    InstallFlow,
    RapportInstallationStore,
    RapportStateStore,
    Rotation,
    TeamAuthorize,
    Tokens,
    Vault,
    oauth_settings,
    purge_due,
)
from bot.slack.scopes import SCOPES
from storage import Memory


@dataclass(frozen=True)
class Workspaces:
    """What an app for many workspaces stands on."""

    memory: Memory
    flow: InstallFlow
    authorize: TeamAuthorize
    store: RapportInstallationStore
    tokens: Tokens
    rotation: Rotation
    make_client: Callable[[str], WebClient]
    now: Callable[[], datetime]

    def client_of(self, team: str) -> WebClient | None:
        """The client of a workspace; None where the app is no longer installed."""
        access = self.tokens.of(team)
        return self.make_client(access.token) if access else None

    def end(self, team: str) -> None:
        """What ends with an installation at once: its digests. Data goes after the grace."""
        workspace = self.memory.of(team)
        for plan in workspace.digests():
            workspace.end_digest(plan.channel)

    def renew(self) -> None:
        """Renew tokens ahead of their end."""
        self.rotation.rotate_due(self.now())

    def purge(self) -> None:
        """Delete the data of workspaces whose grace is over."""
        for team in purge_due(self.memory.installs, self.now()):
            self.memory.erase(team)
            self.memory.installs.forget(team)


def open_workspaces(
    memory: Memory,
    *,
    client_id: str,
    client_secret: str,
    keys: str,
    api_url: str,
    public_url: str,
    make_client: Callable[[str], WebClient],
    now: Callable[[], datetime],
) -> Workspaces:
    """Put the pieces together. Raises BadKey when the encryption key is none."""
    vault = Vault(keys)
    tokens = Tokens(memory.installs, vault, now)
    store = RapportInstallationStore(memory.installs, vault, tokens, now)
    settings = oauth_settings(
        client_id=client_id,
        client_secret=client_secret,
        scopes=SCOPES,
        state_store=RapportStateStore(memory.installs, now),
        installation_store=store,
        redirect_uri=f"{public_url.rstrip('/')}{REDIRECT_PATH}" if public_url else "",
        api_url=api_url,
    )
    rotation = Rotation(
        memory.installs, vault, tokens, lambda: make_client(""), client_id=client_id, client_secret=client_secret
    )
    flow = InstallFlow(settings, make_client(""))
    return Workspaces(memory, flow, TeamAuthorize(tokens), store, tokens, rotation, make_client, now)
