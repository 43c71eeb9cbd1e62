"""What can go wrong with a download, each as what a `Storage` does with one request."""

import gzip
import socket
import struct
import time
from collections.abc import Mapping

from tests.servers.storage import Exchange, Fault

__all__ = [
    "POINTER",
    "chunked",
    "corrupt",
    "cut",
    "gzipped",
    "ignored_range",
    "page",
    "pointer",
    "reset",
    "shut",
    "slow",
    "stall",
    "status",
    "wrong_range",
]

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"
_PIECE = 1 << 16


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"not now") -> Fault:
    return lambda exchange: exchange.send(code, headers or {}, body)


def cut(after: int) -> Fault:
    """The connection ends after so many bytes of the body."""

    def fault(exchange: Exchange) -> None:
        code, headers, body = exchange.right()
        exchange.send(code, headers, body[:after], promised=len(body))

    return fault


def reset(after: int) -> Fault:
    """The connection is torn down after so many bytes of the body."""

    def fault(exchange: Exchange) -> None:
        cut(after)(exchange)
        time.sleep(0.02)  # what was sent is read, or it is thrown away with the connection
        exchange.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return fault


def shut(exchange: Exchange) -> None:
    """The connection ends without an answer."""
    exchange.close()


def stall(after: int) -> Fault:
    """Nothing more comes after so many bytes of the body, until the server ends."""

    def fault(exchange: Exchange) -> None:
        cut(after)(exchange)
        exchange.storage.over.wait(20)

    return fault


def slow(bytes_per_second: float, piece: int = _PIECE) -> Fault:
    def fault(exchange: Exchange) -> None:
        code, headers, body = exchange.right()
        exchange.begin(code, headers)
        for at in range(0, len(body), piece):
            exchange.write(body[at : at + piece])
            if exchange.storage.over.wait(piece / bytes_per_second):
                return

    return fault


def chunked(cut_after: int | None = None) -> Fault:
    """The body comes in chunks, its length untold; it ends in the middle of one where told so."""

    def fault(exchange: Exchange) -> None:
        code, headers, body = exchange.right()
        exchange.begin(
            code, {k: v for k, v in headers.items() if k != "Content-Length"} | {"Transfer-Encoding": "chunked"}
        )
        for at in range(0, len(body), _PIECE):
            piece = body[at : at + _PIECE]
            if cut_after is not None and at + len(piece) > cut_after:
                exchange.write(b"%x\r\n" % len(piece) + piece[: cut_after - at])
                exchange.close()
                return
            exchange.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        exchange.write(b"0\r\n\r\n")

    return fault


def corrupt(at: int) -> Fault:
    """One byte of the file is another one, if it is in the part that was asked for."""

    def fault(exchange: Exchange) -> None:
        code, headers, body = exchange.right()
        start = int(headers.get("Content-Range", "bytes 0-").split()[1].split("-")[0])
        spoilt = bytearray(body)
        if 0 <= at - start < len(body):
            spoilt[at - start] ^= 0xFF
        exchange.send(code, headers, bytes(spoilt))

    return fault


def ignored_range(exchange: Exchange) -> None:
    assert exchange.held
    exchange.send(200, exchange.described(len(exchange.held.content)), exchange.held.content)


def wrong_range(shift: int = 1) -> Fault:
    """Another part than the one that was asked for, honestly labelled."""

    def fault(exchange: Exchange) -> None:
        code, headers, body = exchange.right()
        if code == 206:
            size = len(exchange.held.content) if exchange.held else 0
            start = size - len(body) + shift
            body = body[shift:]
            headers |= {"Content-Range": f"bytes {start}-{size - 1}/{size}", "Content-Length": str(len(body))}
        exchange.send(code, headers, body)

    return fault


def page(exchange: Exchange) -> None:
    """A page to log in, with 200."""
    exchange.send(200, {"Content-Type": "text/html; charset=utf-8"}, b"<!DOCTYPE html><html>Please log in</html>")


def pointer(exchange: Exchange) -> None:
    """What git keeps in place of a large file."""
    exchange.send(200, {"Content-Type": "application/octet-stream"}, POINTER)


def gzipped(exchange: Exchange) -> None:
    """Compressed, though nobody asked for it."""
    _, headers, body = exchange.right()
    packed = gzip.compress(body, 1)
    exchange.send(200, headers | {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}, packed)
