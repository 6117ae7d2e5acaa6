"""Slack's side of Socket Mode on 127.0.0.1: a WebSocket (RFC 6455) that sends envelopes and keeps the answers."""

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass
class SocketStub:
    """One connection at a time; `send` delivers an envelope, `acknowledged` holds the answers by envelope id."""

    url: str = ""
    acknowledged: dict[str, Any] = field(default_factory=dict)
    connections: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    _peer: socket.socket | None = None

    def send(self, envelope: dict[str, Any]) -> None:
        """Deliver an envelope over the open connection."""
        assert self._peer is not None
        self._peer.sendall(_frame(json.dumps(envelope).encode()))

    def cut(self) -> None:
        """End the connection without a word."""
        assert self._peer is not None
        self._peer.shutdown(socket.SHUT_RDWR)

    def wait_for(self, envelope_id: str, seconds: float = 15.0) -> Any:
        """The payload that an envelope was acknowledged with."""
        with self.changed:
            assert self.changed.wait_for(lambda: envelope_id in self.acknowledged, seconds), "no acknowledgement"
            return self.acknowledged[envelope_id]

    def wait_for_connection(self, number: int, seconds: float = 30.0) -> None:
        """Until the app has connected that often."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.connections >= number, seconds), "the app did not connect"

    def serve(self, peer: socket.socket) -> None:
        """Talk to one client until it goes."""
        key = _handshake(peer)
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        peer.sendall(f"{head}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        self._peer = peer
        self.send(
            {
                "type": "hello",
                "num_connections": 1,
                "debug_info": {"host": "stub"},
                "connection_info": {"app_id": "A0001"},
            }
        )
        with self.changed:
            self.connections += 1
            self.changed.notify_all()
        while (message := _read(peer)) is not None:
            kind, body = message
            if kind == 9:
                peer.sendall(_frame(body, 10))
            elif kind == 1:
                answer = json.loads(body)
                with self.changed:
                    self.acknowledged[answer["envelope_id"]] = answer.get("payload")
                    self.changed.notify_all()


@contextmanager
def running_socket() -> Iterator[SocketStub]:
    """A stub that takes connections until left."""
    stub = SocketStub()
    with socket.create_server(("127.0.0.1", 0)) as server:
        stub.url = f"ws://127.0.0.1:{server.getsockname()[1]}/link"

        def take() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                    threading.Thread(target=_quietly, args=(stub, peer), daemon=True).start()
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield stub


def _quietly(stub: SocketStub, peer: socket.socket) -> None:
    with peer:
        try:
            stub.serve(peer)
        except OSError:
            return


def _handshake(peer: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head:
        more = peer.recv(4096)
        if not more:
            raise OSError("gone")
        head += more
    lines = head.decode().split("\r\n")
    return next(line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("sec-websocket-key"))


def _frame(body: bytes, kind: int = 1) -> bytes:
    size = len(body)
    length = struct.pack("!B", size) if size < 126 else struct.pack("!BH", 126, size)
    return bytes([0x80 | kind]) + (length if size < 65536 else struct.pack("!BQ", 127, size)) + body


def _read(peer: socket.socket) -> tuple[int, bytes] | None:
    head = _exactly(peer, 2)
    if head is None:
        return None
    kind, size = head[0] & 0x0F, head[1] & 0x7F
    if size > 125:
        more = _exactly(peer, 2 if size == 126 else 8)
        if more is None:
            return None
        size = int.from_bytes(more)
    mask = _exactly(peer, 4) if head[1] & 0x80 else b"\0\0\0\0"
    body = _exactly(peer, size)
    if mask is None or body is None or kind == 8:
        return None
    return kind, bytes(byte ^ mask[n % 4] for n, byte in enumerate(body))


def _exactly(peer: socket.socket, count: int) -> bytes | None:
    held = b""
    while len(held) < count:
        more = peer.recv(count - len(held))
        if not more:
            return None
        held += more
    return held
