"""The manifest is what the code registers, both ways."""

from pathlib import Path
from typing import Any

import yaml

from tests.scenarios.conftest import Slack

MANIFEST: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "manifest.yml").read_text(encoding="utf-8"))


def test_every_command_and_shortcut_of_the_manifest_is_answered(slack: Slack) -> None:
    """Each command and shortcut in the manifest finds its listener."""
    for command in MANIFEST["features"]["slash_commands"]:
        assert slack.command(command["command"], "acme-01: x", trigger=command["command"]).status == 200
        assert command["should_escape"] is True
    for shortcut in MANIFEST["features"]["shortcuts"]:
        assert slack.shortcut(shortcut["callback_id"], "Acme Corp").status == 200


def test_every_listener_is_in_the_manifest(slack: Slack) -> None:
    """The code registers no more listeners than the manifest and the one form call for."""
    declared = len(MANIFEST["features"]["slash_commands"]) + len(MANIFEST["features"]["shortcuts"])
    assert len(slack.app._listeners) == declared + 1


def test_a_command_that_is_not_in_the_manifest_finds_nobody(slack: Slack) -> None:
    """An unknown command is not swallowed."""
    assert slack.command("/unheard", "x").status == 404
