"""Questions in JSON: what is asked again, after how long, and what is no answer."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest

from modelhub.errors import Unreachable
from modelhub.network import Network
from tests.modelhub.network.scripted import answer, machine, reset

NOW = 1_800_000_000.0
GOOD = answer(b'{"a": 1}', Content_Type="application/json; charset=utf-8")


@dataclass
class Waiting:
    """A clock that only sleeping moves."""

    now: float = NOW
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.fixture
def network(waiting: Waiting) -> Iterator[Network]:
    calm = {"sleep": waiting.sleep, "clock": lambda: waiting.now, "chance": lambda: 0.0}
    with Network(allow=["127.0.0.1"], **calm) as opened:  # type: ignore[arg-type]
        yield opened


def test_a_question_and_its_answer(network: Network) -> None:
    with machine({"/x": GOOD}) as hub:
        reply = network.json(f"{hub.url}/x", method="POST", params={"q": "é"}, body=["a"], headers={"X-Own": "1"})
    assert (reply.status, reply.content, reply.headers["content-type"][:16]) == (200, {"a": 1}, "application/json")
    asked = hub.asked[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/x?q=%C3%A9", b'["a"]')
    assert (asked.headers["content-type"], asked.headers["x-own"]) == ("application/json", "1")


def test_what_fails_is_asked_again_later_and_later(network: Network, waiting: Waiting) -> None:
    failures = [answer(b"<html>", status=status) for status in (500, 503, 408, 429, 502)]
    with machine({"/x": [*failures, GOOD]}) as hub:
        assert network.json(f"{hub.url}/x").content == {"a": 1}
    assert waiting.slept == [1, 2, 4, 8, 16]


def test_broken_connections_are_asked_again(network: Network, waiting: Waiting) -> None:
    def breaks(peer: socket.socket) -> None:
        hub.answers = {"/x": GOOD}
        reset(peer)

    with machine({"/x": breaks}) as hub:
        assert network.json(f"{hub.url}/x").content == {"a": 1}
    assert waiting.slept == [1]


def test_what_keeps_failing_is_unreachable(network: Network, waiting: Waiting) -> None:
    with machine({"/x": answer(b"", status=503)}) as hub, pytest.raises(Unreachable, match="status 503"):
        network.json(f"{hub.url}/x?token=1")
    assert len(hub.asked) == 6
    assert max(waiting.slept) <= 30


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": formatdate(NOW + 20, usegmt=True)}, 20),
        ({"Retry_After": formatdate(NOW - 20, usegmt=True)}, 0),
        ({"Retry_After": "soon"}, 1),
        ({"RateLimit": '"api";r=0;t=33'}, 33),
    ],
)
def test_who_asks_for_a_pause_gets_it(
    network: Network, waiting: Waiting, headers: dict[str, str], seconds: float
) -> None:
    with machine({"/x": [answer(b"", status=429, **headers), GOOD]}) as hub:
        network.json(f"{hub.url}/x")
    assert waiting.slept == [seconds]


def test_who_asks_for_an_hour_is_not_waited_for(network: Network, waiting: Waiting) -> None:
    with (
        machine({"/x": answer(b"", status=429, Retry_After="3600")}) as hub,
        pytest.raises(Unreachable, match="slower") as caught,
    ):
        network.json(f"{hub.url}/x")
    assert caught.value.mend == "try again in 3600 s"
    assert waiting.slept == []


def test_a_429_can_be_left_to_the_caller(network: Network, waiting: Waiting) -> None:
    with machine({"/x": answer(b'{"error": "use cursors"}', status=429)}) as hub:
        assert network.json(f"{hub.url}/x", retry_429=False).content == {"error": "use cursors"}
    assert waiting.slept == []


def test_nobody_there_is_told_at_once(network: Network, waiting: Waiting) -> None:
    with pytest.raises(Unreachable, match="refuses"):
        network.json("http://127.0.0.1:1/x")
    assert waiting.slept == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_an_answer(network: Network, status: int) -> None:
    with machine({"/j": answer(b'{"error": "no"}', status=status), "/h": answer(b"<p>\x1bno", status=status)}) as hub:
        assert network.json(f"{hub.url}/j").content == {"error": "no"}
        page = network.json(f"{hub.url}/h")
    assert (page.status, page.content, page.text) == (status, None, "<p> no")


@pytest.mark.parametrize(
    "wrong",
    [
        answer(b"<html>checking your browser</html>", Content_Type="text/html"),
        answer(b'{"a": 1}', Content_Type="text/html"),
        answer(b'{"a": 1', Content_Type="application/json"),
        answer(b"[" * 200_000, Content_Type="application/json"),
        answer(b"", Content_Type="application/json"),
    ],
)
def test_an_answer_that_is_no_json_is_none(network: Network, waiting: Waiting, wrong: bytes) -> None:
    with machine({"/x": wrong}) as hub, pytest.raises(Unreachable, match="answered with"):
        network.json(f"{hub.url}/x")
    assert waiting.slept == []


def test_an_answer_without_end_has_one(network: Network) -> None:
    def endless(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 x\r\nContent-Type: application/json\r\n\r\n")
        while True:
            peer.sendall(bytes(1 << 20))

    with machine({"/x": endless}) as hub, pytest.raises(Unreachable, match="more than 64 MB"):
        network.json(f"{hub.url}/x")


def test_no_content_is_an_answer(network: Network) -> None:
    with machine({"/x": b"HTTP/1.1 204 x\r\n\r\n"}) as hub:
        assert network.json(f"{hub.url}/x").content is None
