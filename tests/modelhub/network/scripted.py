"""A machine on loopback whose every answer is written down byte by byte, and that remembers what it was asked."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from modelhub.network import Answer
from modelhub.tokens import Grant, Secret

__all__ = ["GRANT", "TOKEN", "Asked", "Machine", "answer", "machine", "read", "redirect", "reset"]

TOKEN = "sentinel-token-0001"
GRANT = Grant(Secret(TOKEN), ("127.0.0.1",))

Answers = Mapping[str, bytes | list[bytes] | Callable[[socket.socket], None]]
"""By path: the bytes of an answer, several to be given in turn, or what to do with the connection."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass
class Machine:
    """Where it listens, and what came."""

    port: int
    answers: Answers
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    raw: bytearray = field(default_factory=bytearray)
    """All bytes that anybody sent."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(body: bytes = b"", *, status: int = 200, length: int | None = None, **headers: str) -> bytes:
    """A whole answer; `length` is what it promises, where it is not what it keeps."""
    lines = {"Content-Length": str(len(body) if length is None else length)}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status} x\r\n{head}\r\n".encode("latin-1") + body


def redirect(target: str, *, status: int = 302) -> bytes:
    return answer(status=status, Location=target)


def reset(peer: socket.socket) -> None:
    """Tear the connection down."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def read(opened: Answer, at_once: int = 1 << 16) -> bytes:
    """The whole of it, at most `at_once` bytes a time."""
    held, view = bytearray(), memoryview(bytearray(at_once))
    with opened:
        while count := opened.readinto(view):
            held += view[:count]
    return bytes(held)


@contextmanager
def machine(answers: Answers, *, tls: ssl.SSLContext | None = None) -> Iterator[Machine]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = Machine(listening.getsockname()[1], answers)
        threading.Thread(target=_accept, args=(listening, found, tls), daemon=True).start()
        try:
            yield found
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, found: Machine, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            found.connections += 1
            threading.Thread(target=_serve, args=(connection, found, tls), daemon=True).start()


def _serve(connection: socket.socket, found: Machine, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError, ValueError), tls.wrap_socket(connection, server_side=True) if tls else connection as peer:
        while (asked := _request(peer, found)) is not None:
            found.asked.append(asked)
            scripted = found.answers.get(asked.path.partition("?")[0], answer(b"no such path", status=404))
            if callable(scripted):
                scripted(peer)
                return
            said = scripted if isinstance(scripted, bytes) else scripted.pop(0) if scripted[1:] else scripted[0]
            peer.sendall(said)
            if b"Connection: close" in said:
                return


def _request(peer: socket.socket, found: Machine) -> Asked | None:
    held = b""
    while b"\r\n\r\n" not in held:
        if not (got := peer.recv(1 << 16)):
            found.raw += held
            return None
        held += got
    head, _, body = held.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += peer.recv(1 << 16)
    found.raw += head + body
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, body)
