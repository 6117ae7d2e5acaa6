"""The manifest is what the code registers, both ways."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from jsonschema import Draft7Validator
from slack_bolt import App

from bot.slack import app as slack_app
from bot.slack.workspaces import open_workspaces
from tests.scenarios.conftest import Slack
from tests.scenarios.manifest_shape import MANIFEST as SHAPE

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


def test_the_manifest_is_one_that_slack_takes() -> None:
    """Every key is known to Slack, what must be there is there, and nothing is too long."""
    found = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in Draft7Validator(SHAPE).iter_errors(MANIFEST)]
    assert found == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("features", "assistant"), {}),
        (("features", "shortcuts", 0, "name"), "n" * 25),
        (("features", "slash_commands", 0, "command"), "log"),
        (("display_information", "name"), ""),
        (("settings", "interactivity", "is_enabled"), "yes"),
    ],
)
def test_a_manifest_that_slack_would_refuse_is_found(path: tuple[Any, ...], value: Any) -> None:
    """A shape that takes everything would prove nothing."""
    wrong = deepcopy(MANIFEST)
    part = wrong
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert not Draft7Validator(SHAPE).is_valid(wrong)


def test_direct_messages_are_an_agents() -> None:
    """The messages tab takes words, and begins with questions that the app understands."""
    features = MANIFEST["features"]
    assert features["app_home"]["messages_tab_enabled"]
    assert not features["app_home"]["messages_tab_read_only_enabled"]
    assert all(":" in prompt["message"] for prompt in features["agent_view"]["suggested_prompts"])
    assert "message.im" in MANIFEST["settings"]["event_subscriptions"]["bot_events"]


def test_every_command_escapes_people_and_channels() -> None:
    """Typed names of people and channels come as ids."""
    assert all(command["should_escape"] is True for command in MANIFEST["features"]["slash_commands"])


def test_a_command_that_is_not_in_the_manifest_finds_nobody(slack: Slack) -> None:
    """An unknown command is not swallowed."""
    assert slack.command("/unheard", "x").status == 404
