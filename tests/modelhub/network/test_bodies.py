"""Bodies come whole, or it is told that they did not."""

import socket
import threading

import pytest

from modelhub.errors import Unreachable
from modelhub.network import Network
from tests.modelhub.network.scripted import answer, machine, read, reset


@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
def test_a_body_comes_whole_by_length_in_chunks_or_to_the_end(network: Network, at_once: int) -> None:
    body = bytes(range(256)) * 20
    pieces = b"".join(
        b"%x;note=1\r\n%s\r\n" % (len(body[at : at + 999]), body[at : at + 999]) for at in range(0, 5120, 999)
    )
    chunked = b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\nTrailer: x\r\n\r\n"
    to_the_end = b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\n" + body
    with machine({"/l": answer(body), "/c": chunked, "/e": to_the_end}) as hub:
        for path in ("/l", "/c", "/e"):
            assert read(network.open(hub.url + path), at_once) == body


@pytest.mark.parametrize(
    "cut",
    [
        answer(b"x" * 999, length=1000),
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n3e7\r\n" + b"x" * 999,
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n3e7\r\n" + b"x" * 999 + b"\r\n",
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n3e7\r\n" + b"x" * 999 + b"\r\nnonsense\r\n",
    ],
)
def test_a_body_that_is_cut_short_gives_what_came_and_then_says_so(network: Network, cut: bytes) -> None:
    with machine({"/x": lambda peer: peer.sendall(cut)}) as hub, network.open(f"{hub.url}/x") as opened:
        view = memoryview(bytearray(1 << 16))
        assert opened.readinto(view) == 999
        for _ in range(2):
            with pytest.raises(Unreachable):
                opened.readinto(view)


def test_a_machine_that_falls_silent_is_left() -> None:
    waiting = threading.Event()

    def silent(peer: socket.socket) -> None:
        peer.sendall(answer(b"half", length=8))
        waiting.wait(5)

    with (
        machine({"/x": silent, "/y": lambda peer: waiting.wait(5)}) as hub,
        Network(allow=["127.0.0.1"], stall_seconds=0.3) as network,
    ):
        with network.open(f"{hub.url}/x") as opened:
            view = memoryview(bytearray(100))
            assert opened.readinto(view) == 4
            with pytest.raises(Unreachable, match="in time"):
                opened.readinto(view)
        with pytest.raises(Unreachable, match="in time"):
            network.open(f"{hub.url}/y")
        waiting.set()


def test_a_reset_is_told_like_any_break(network: Network) -> None:
    with machine({"/x": reset}) as hub, pytest.raises(Unreachable, match="breaks off"):
        network.open(f"{hub.url}/x")


def test_several_threads_share_one_network(network: Network) -> None:
    body, came = bytes(range(256)) * 4000, list[bytes]()
    with machine({"/x": answer(body)}) as hub:
        threads = [threading.Thread(target=lambda: came.append(read(network.open(f"{hub.url}/x")))) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert came == [body] * 8
