"""Whatever a storage does wrong, the file comes whole in the end, or the error says why it does not."""

from dataclasses import replace

import pytest

from modelhub.errors import AccessDenied, BrokenFile, ModelHubError, NotOffered, Unreachable
from modelhub.network import Network
from modelhub.transfer import Located, Pace
from tests.modelhub.transfer.conftest import CONTENT, OTHER, SHA256, Desk
from tests.servers.faults import (
    chunked,
    corrupt,
    cut,
    gzipped,
    ignored_range,
    page,
    pointer,
    reset,
    shut,
    stall,
    status,
    wrong_range,
)
from tests.servers.storage import Fault

PASSING = {
    "cut": [cut(100_000)],
    "cut at once": [cut(0)],
    "cut again and again": [cut(10_000)] * 12,
    "reset": [reset(100_000)],
    "no answer": [shut],
    "chunks that break off": [chunked(100_000)],
    "chunks": [chunked()],
    "range ignored": [cut(100_000), ignored_range],
    "another range": [cut(100_000), wrong_range()],
    "nothing there": [cut(100_000), status(416, {"Content-Range": "bytes */5"}), cut(0)],
    "nothing there, unsaid": [cut(100_000), status(416)],
    "gzip": [gzipped],
    "a page": [page],
    "a page in the middle": [cut(100_000), page],
    "a pointer": [pointer],
    "too many": [status(429)],
    "too many, with a time": [status(429, {"Retry-After": "7"})],
    "overloaded": [status(503, {"Retry-After": "2"}), status(500), status(502), status(408)],
    "expired link": [status(403), cut(100_000), status(400), cut(100_000), status(401)],
    "not there yet": [status(404)],
    "a wrong byte": [corrupt(150_000)],
    "a wrong byte, then a cut": [cut(200_000), corrupt(250_000)],
}


@pytest.mark.parametrize("sha256", [SHA256, None], ids=["promised", "unpromised"])
@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING.keys())
def test_what_passes_is_overcome(faults: list[Fault], sha256: str | None, desk: Desk) -> None:
    if sha256 is None and any("corrupt" in fault.__qualname__ for fault in faults):
        pytest.skip("nobody could know")
    desk.storage.faults += faults
    received = desk.fetch(desk.wanted(sha256=sha256))
    assert desk.target.read_bytes() == CONTENT
    assert (received.sha256, received.size, received.is_verified) == (SHA256, len(CONTENT), sha256 is not None)
    assert desk.names() == ["kip.safetensors"]


def test_a_stall_is_overcome(desk: Desk) -> None:
    desk.storage.faults += [stall(100_000)]
    with Network(allow=("127.0.0.1",), stall_seconds=0.2) as impatient:
        assert replace(desk, network=impatient).fetch().sha256 == SHA256
    assert desk.target.read_bytes() == CONTENT


LASTING: dict[str, tuple[Fault, type[ModelHubError], str]] = {
    "no answer": (shut, Unreachable, "breaks off"),
    "overloaded": (status(503), Unreachable, "status 503"),
    "refused": (status(403), AccessDenied, "does not give out kip.safetensors"),
    "gone": (status(410), NotOffered, "no longer"),
    "not there": (status(404), NotOffered, "no longer"),
    "asks for a day": (status(429, {"Retry-After": "86400"}), Unreachable, "overloaded"),
    "gzip": (gzipped, Unreachable, "compressed"),
    "a page": (page, Unreachable, "a page instead"),
    "a pointer": (pointer, BrokenFile, "promised"),
    "a wrong byte": (corrupt(150_000), BrokenFile, SHA256),
    "teapot": (status(418), Unreachable, "418"),
}


@pytest.mark.parametrize(("fault", "error", "words"), LASTING.values(), ids=LASTING.keys())
def test_what_lasts_is_told(fault: Fault, error: type[ModelHubError], words: str, desk: Desk) -> None:
    desk.storage.always = fault
    with pytest.raises(error, match=words) as told:
        desk.fetch(pace=Pace(attempts=4))
    assert told.value.mend
    assert desk.names() == [], "no litter where nothing came"
    assert len(desk.storage.requests) <= 4


def test_a_pointer_of_no_promised_size_is_no_model(desk: Desk) -> None:
    desk.storage.always = pointer
    with pytest.raises(BrokenFile, match="an LFS pointer came instead of the file"):
        desk.fetch(desk.wanted(sha256=None, size=None))


def test_a_small_file_beside_a_model_may_be_anything_but_a_page(desk: Desk) -> None:
    desk.offer(b'{"error": "none"}', type="application/json")
    desk.fetch(desk.wanted(sha256=None, size=None, weights=False))
    assert desk.target.read_bytes() == b'{"error": "none"}'
    desk.target.unlink()
    desk.storage.always = page
    with pytest.raises(Unreachable, match="a page instead"):
        desk.fetch(desk.wanted(sha256=None, size=None, weights=False))


def test_both_digests_are_told_when_they_differ(desk: Desk) -> None:
    desk.offer(OTHER)
    with pytest.raises(BrokenFile) as told:
        desk.fetch()
    assert SHA256 in told.value.message
    assert len(desk.storage.requests) == 2, "one clean retry"


def test_another_size_than_promised_is_found_before_the_bytes(desk: Desk) -> None:
    desk.offer(CONTENT + b"more")
    with pytest.raises(BrokenFile, match="300,004 bytes of the 300,000 that were promised"):
        desk.fetch()


@pytest.mark.parametrize("content", [CONTENT + b"more", CONTENT[:-4]])
def test_another_size_than_promised_is_found_in_the_bytes(content: bytes, desk: Desk) -> None:
    desk.offer(content)
    desk.storage.always = chunked()
    with pytest.raises(BrokenFile, match="came of the 300,000 that were promised"):
        desk.fetch()


def test_attempts_count_only_without_progress(desk: Desk) -> None:
    desk.storage.faults += [cut(20_000)] * 8
    desk.fetch(pace=Pace(attempts=2))
    assert desk.target.read_bytes() == CONTENT


def test_progress_that_is_lost_again_is_none(desk: Desk) -> None:
    desk.offer(etag="")
    desk.storage.always = cut(100_000)
    with pytest.raises(Unreachable, match="early"):
        desk.fetch(desk.wanted(sha256=None), pace=Pace(attempts=5))
    assert desk.storage.ranges() == [None] * 6


def test_the_server_says_how_long_to_wait(desk: Desk) -> None:
    desk.storage.faults += [status(429, {"Retry-After": "7"})]
    desk.fetch()
    assert sum(desk.sleeps.slept) == pytest.approx(7)


def test_pauses_grow(desk: Desk) -> None:
    desk.storage.faults += [shut] * 5
    messages, _ = desk.told()
    assert len(messages) == 5
    assert 0.5 * 15 <= sum(desk.sleeps.slept) <= 15.5


def test_an_expired_link_is_renewed_and_gone_on_with(desk: Desk) -> None:
    desk.offer(signed=True)
    desk.storage.faults += [cut(100_000), cut(100_000)]

    def locate() -> Located:
        url = desk.storage.sign("kip.safetensors")
        if len(desk.storage.requests) == 1:
            desk.storage.expire()
        return Located(url)

    desk.fetch(desk.wanted(locate=locate))
    assert desk.storage.ranges() == [None, "bytes=100000-", "bytes=100000-", "bytes=200000-"]
    assert desk.target.read_bytes() == CONTENT
