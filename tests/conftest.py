"""No test reads the developer's environment, and none reaches beyond this machine."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

SETTINGS = ("RAPPORT_", "SLACK_", "ANTHROPIC_", "DATABASE_URL", "QDRANT_")
"""What Rapport's settings begin with. Set in a shell, they would change what a test means."""

HERE = {"127.0.0.1", "::1", "localhost"}


class Blocked(RuntimeError):
    """A test tried to reach another machine."""


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_the_shell() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.upper().startswith(SETTINGS)]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_other_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _looking_up_only_here(socket.getaddrinfo))
        yield


def _guarded(original: Any) -> Any:
    def guarded(self: socket.socket, *args: Any) -> Any:
        address = args[-1]
        if self.family != getattr(socket, "AF_UNIX", None) and str(address[0]) not in HERE:
            raise Blocked(f"a test tried to reach {address}")
        return original(self, *args)

    return guarded


def _looking_up_only_here(original: Any) -> Any:
    def guarded(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and name not in HERE | {"0.0.0.0", "::"}:  # noqa: S104 - the wildcard is for listening
            raise Blocked(f"a test tried to look up {name}")
        return original(host, *args, **options)

    return guarded
