"""The suite itself stays on this machine."""

import socket

import pytest

from tests.conftest import LeftTheMachine


def test_no_test_can_open_a_socket_off_this_machine() -> None:
    """A connection elsewhere is refused before a packet leaves."""
    with socket.socket() as outward, pytest.raises(LeftTheMachine):
        outward.connect(("192.0.2.1", 443))


def test_this_machine_can_be_reached() -> None:
    """Stubs on 127.0.0.1 are no network."""
    with socket.create_server(("127.0.0.1", 0)) as here, socket.socket() as inward:
        inward.connect(here.getsockname())
