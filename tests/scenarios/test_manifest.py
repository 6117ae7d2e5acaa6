"""The manifest is what the code registers, both ways."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from slack_bolt import App

from bot.slack import app as slack_app
from bot.slack.workspaces import open_workspaces
from tests.scenarios.conftest import Slack

MANIFEST: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "manifest.yml").read_text(encoding="utf-8"))
HEARD = ("command", "message_shortcut", "global_shortcut", "event")


@pytest.fixture
def registered(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """What the code registers, by Bolt's own name of the listener."""
    found: dict[str, set[str]] = {name: set() for name in HEARD}

    class Recording(App):
        """Bolt's app that writes down what is registered."""

    def recording(kind: str) -> Any:
        def register(self: App, name: Any, *args: Any, **more: Any) -> Any:
            found[kind].add(name if isinstance(name, str) else str(name["type"]))
            return getattr(App, kind)(self, name, *args, **more)

        return register

    for kind in HEARD:
        setattr(Recording, kind, recording(kind))
    monkeypatch.setattr(slack_app, "App", Recording)
    many = open_workspaces(
        slack.memory,
        client_id="1.2",
        client_secret="s",
        keys=Fernet.generate_key().decode(),
        api_url=slack.stub.url,
        public_url="",
        make_client=slack_app.make_client,
        now=lambda: slack.memory.now,
    )
    slack_app.build_app(slack.desk, signing_secret="x", api_url=slack.stub.url, many=many)
    return found


def test_the_manifest_declares_what_the_code_registers(registered: dict[str, set[str]]) -> None:
    """Commands, shortcuts and events: nothing is declared that nobody hears, and nothing is heard undeclared."""
    features, events = MANIFEST["features"], MANIFEST["settings"].get("event_subscriptions", {}).get("bot_events", [])
    shortcuts = {(s["type"], s["callback_id"]) for s in features["shortcuts"]}
    assert registered["command"] == {command["command"] for command in features["slash_commands"]}
    assert registered["message_shortcut"] == {callback for kind, callback in shortcuts if kind == "message"}
    assert registered["global_shortcut"] == {callback for kind, callback in shortcuts if kind == "global"}
    assert registered["event"] == {event.split(".")[0] for event in events}


def test_every_command_escapes_people_and_channels() -> None:
    """Typed names of people and channels come as ids."""
    assert all(command["should_escape"] is True for command in MANIFEST["features"]["slash_commands"])


def test_a_command_that_is_not_in_the_manifest_finds_nobody(slack: Slack) -> None:
    """An unknown command is not swallowed."""
    assert slack.command("/unheard", "x").status == 404
