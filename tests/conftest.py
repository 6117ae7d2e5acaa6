"""For every test: no socket leaves this machine, and no setting of this machine comes in."""

import os
import socket
from typing import Any

import pytest

LOCAL = ("127.0.0.1", "::1", "localhost")


class LeftTheMachine(AssertionError):
    """A test tried to reach something off 127.0.0.1."""


@pytest.fixture(autouse=True)
def stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection but to this machine."""
    true_connect = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOCAL:
            raise LeftTheMachine(f"a test tried to reach {address[0]}")
        true_connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own tokens and keys change no test."""
    for name in list(os.environ):
        if name.startswith(("SLACK_", "ANTHROPIC_", "RAPPORT_", "QDRANT_")) or name in ("DATABASE_URL", "PORT"):
            monkeypatch.delenv(name)
