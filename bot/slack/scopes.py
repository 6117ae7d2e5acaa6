"""What the app asks a workspace for, why, and whether it was granted."""

from collections.abc import Iterable

from slack_sdk import WebClient

REASONS = {
    "commands": "the slash commands and the shortcuts",
    "chat:write": "answers, digests and reminders, where the app was invited",
    "app_mentions:read": "questions to @Rapport in a channel; it reads no other message there",
    "im:history": "questions in the direct messages with the app",
    "im:write": "opens the direct message a reminder goes to",
    "users:read": "names and time zones, and who is a guest",
    "channels:read": "whether a public channel is shared with another organisation, and who is in it",
    "groups:read": "the same for the private channels it was invited to, so that their notes stay with their members",
    "files:write": "the health picture",
    "assistant:write": "the messages tab as an agent's, with questions to begin with",
}
"""Each bot scope with its reason. A test holds them equal to manifest.yml, which is not shipped with the package."""

SCOPES = tuple(REASONS)


def granted_scopes(client: WebClient) -> frozenset[str]:
    """What the client's token may do, as Slack says it beside auth.test. Raises SlackApiError."""
    headers = {name.lower(): value for name, value in client.auth_test().headers.items()}
    return frozenset(scope.strip() for scope in str(headers.get("x-oauth-scopes", "")).split(",") if scope.strip())


def check_scopes(granted: Iterable[str]) -> str:
    """What to do when scopes are missing, in one sentence; "" when none is."""
    held = frozenset(granted)
    missing = [scope for scope in SCOPES if scope not in held]
    return f"Reinstall the app in Slack: it is missing {', '.join(missing)}." if missing else ""
