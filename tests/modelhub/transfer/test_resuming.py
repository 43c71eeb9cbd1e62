"""A file is gone on with where it stopped, now or later, if the server proves what the rest belongs to."""

import json
import os
from pathlib import Path

import pytest

from modelhub.errors import Conflict, Interrupted, Unreachable
from modelhub.jobs import Cancel, Progress, drain
from modelhub.transfer import Located, Pace, fetch
from tests.modelhub.transfer.conftest import CONTENT, OTHER, SHA256, Desk, weights
from tests.servers.faults import cut, ignored_range, shut, slow

STOPPED = 100_000


@pytest.fixture
def stopped(desk: Desk) -> Desk:
    """A file of which a third came before its process gave up."""
    stop_after(desk, STOPPED)
    return desk


def stop_after(desk: Desk, count: int, **about: object) -> None:
    desk.storage.faults += [cut(count), shut]
    with pytest.raises(Unreachable):
        desk.fetch(desk.wanted(**about), pace=Pace(attempts=1))
    desk.storage.faults.clear()
    desk.storage.requests.clear()


def test_what_came_is_kept_beside_the_place(stopped: Desk) -> None:
    assert stopped.names() == ["kip.safetensors.part", "kip.safetensors.part.json"]
    assert (stopped.folder / "kip.safetensors.part").read_bytes() == CONTENT[:STOPPED]


def test_only_the_rest_is_asked_for(stopped: Desk) -> None:
    assert stopped.fetch().fetched == len(CONTENT) - STOPPED
    assert stopped.storage.ranges() == [f"bytes={STOPPED}-"]
    assert stopped.target.read_bytes() == CONTENT
    assert stopped.names() == ["kip.safetensors"]


def test_the_journal_holds_no_signature_and_no_owner(desk: Desk) -> None:
    stop_after(desk, STOPPED, locate=lambda: Located(desk.url + "?X-Amz-Signature=secret"))
    text = (desk.folder / "kip.safetensors.part.json").read_text()
    assert "secret" not in text
    told = json.loads(text)
    assert (told["flushed"], told["host"], told["validator"], told["owner"]) == (STOPPED, "127.0.0.1", '"one"', None)


@pytest.mark.parametrize("about", [{"etag": '"one"'}, {"etag": "", "modified": "Sun, 22 Nov 2026 10:00:00 GMT"}])
def test_without_a_digest_the_validator_must_hold(about: dict[str, str], desk: Desk) -> None:
    desk.offer(**about)
    stop_after(desk, STOPPED, sha256=None)
    desk.fetch(desk.wanted(sha256=None))
    (asked,) = desk.storage.requests
    assert asked.headers["Range"] == f"bytes={STOPPED}-"
    assert asked.headers["If-Range"] in about.values()
    assert desk.target.read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ["", 'W/"one"'], ids=["none", "weak"])
def test_without_any_proof_it_begins_again(etag: str, desk: Desk) -> None:
    desk.offer(etag=etag)
    stop_after(desk, STOPPED, sha256=None)
    desk.fetch(desk.wanted(sha256=None))
    assert desk.storage.ranges() == [None]
    assert desk.target.read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ["", 'W/"one"'], ids=["none", "weak"])
def test_a_digest_is_proof_enough(etag: str, desk: Desk) -> None:
    desk.offer(etag=etag)
    stop_after(desk, STOPPED)
    desk.fetch()
    assert desk.storage.ranges() == [f"bytes={STOPPED}-"]
    assert desk.target.read_bytes() == CONTENT


def test_another_tag_of_the_same_pinned_bytes_goes_on(stopped: Desk) -> None:
    stopped.offer(etag='"elsewhere"')
    assert stopped.fetch().fetched == len(CONTENT) - STOPPED


def test_another_file_of_no_pinned_bytes_begins_again(desk: Desk) -> None:
    stop_after(desk, STOPPED, sha256=None)
    desk.offer(OTHER, etag='"two"')
    messages, received = desk.told(desk.wanted(sha256=None))
    assert messages == ["kip.safetensors: 127.0.0.1 sends it from its beginning again"]
    assert (desk.target.read_bytes(), received.fetched) == (OTHER, len(OTHER))


def test_a_server_that_knows_no_conditions_gives_itself_away(desk: Desk) -> None:
    stop_after(desk, STOPPED, sha256=None)
    desk.offer(OTHER, etag='"two"')

    def unconditional(exchange: object) -> None:
        del exchange.asked.headers["If-Range"]  # type: ignore[attr-defined]
        exchange.send(*exchange.right())  # type: ignore[attr-defined]

    desk.storage.faults.append(unconditional)
    messages, _ = desk.told(desk.wanted(sha256=None))
    assert "has another file there now" in messages[0]
    assert desk.target.read_bytes() == OTHER


def test_other_bytes_under_the_old_name_are_found_by_the_digest(desk: Desk) -> None:
    desk.offer(OTHER)
    stop_after(desk, STOPPED)
    desk.offer(CONTENT)
    messages, received = desk.told()
    assert "sha256" in messages[0]
    assert (desk.target.read_bytes(), received.fetched) == (CONTENT, 2 * len(CONTENT) - STOPPED)


def test_an_ignored_range_is_no_glue(stopped: Desk) -> None:
    stopped.storage.faults.append(ignored_range)
    messages, received = stopped.told()
    assert (len(messages), received.fetched) == (1, len(CONTENT))
    assert stopped.target.read_bytes() == CONTENT


@pytest.mark.parametrize("known", [True, False], ids=["promised", "unpromised"])
def test_a_part_that_was_whole_is_only_proved(known: bool, desk: Desk) -> None:
    promised = {} if known else {"sha256": None, "size": None}
    stop_after(desk, STOPPED, **promised)
    complete(desk)
    received = desk.fetch(desk.wanted(**promised))
    assert (received.fetched, received.sha256) == (0, SHA256)
    assert desk.storage.ranges() == ([] if known else [f"bytes={len(CONTENT)}-"])


def complete(desk: Desk) -> None:
    """As if the process had been killed just before the end."""
    part, journal = (desk.folder / f"kip.safetensors.part{more}" for more in ("", ".json"))
    part.write_bytes(CONTENT)
    journal.write_text(json.dumps(json.loads(journal.read_text()) | {"flushed": len(CONTENT)}))


@pytest.mark.parametrize("extra", [b"\0" * 50_000, b""], ids=["more", "less"])
def test_only_what_is_sure_is_believed(extra: bytes, stopped: Desk) -> None:
    part = stopped.folder / "kip.safetensors.part"
    part.write_bytes(CONTENT[:STOPPED] + extra if extra else CONTENT[: STOPPED // 2])
    stopped.fetch()
    assert stopped.storage.ranges() == [f"bytes={STOPPED if extra else STOPPED // 2}-"]
    assert stopped.target.read_bytes() == CONTENT


@pytest.mark.parametrize("text", ["", "{", '{"schema": 2}', "[]", '{"key": "kip", "sha256": null, "size": null}'])
def test_a_journal_that_means_nothing_begins_again(text: str, stopped: Desk) -> None:
    (stopped.folder / "kip.safetensors.part.json").write_text(text)
    assert stopped.fetch().fetched == len(CONTENT)
    assert stopped.target.read_bytes() == CONTENT


@pytest.mark.parametrize("about", [{"key": "other"}, {"size": None}, {"sha256": None, "size": None}])
def test_a_part_of_another_file_is_not_gone_on_with(about: dict[str, object], stopped: Desk) -> None:
    stopped.fetch(stopped.wanted(**about))
    assert stopped.storage.ranges() == [None]
    assert stopped.target.read_bytes() == CONTENT


def test_what_is_there_is_not_fetched(desk: Desk) -> None:
    desk.fetch()
    desk.storage.requests.clear()
    again = desk.fetch()
    assert (again.fetched, again.sha256, desk.storage.requests) == (0, SHA256, [])


@pytest.mark.parametrize("content", [OTHER, b"short"])
def test_what_is_there_and_is_another_file_stays(content: bytes, desk: Desk) -> None:
    desk.folder.mkdir()
    desk.target.write_bytes(content)
    with pytest.raises(Conflict, match="is another file"):
        desk.fetch()
    assert desk.target.read_bytes() == content


def test_a_kill_between_naming_and_tidying_leaves_one_file(desk: Desk) -> None:
    stop_after(desk, STOPPED)
    complete(desk)
    os.link(desk.folder / "kip.safetensors.part", desk.target)
    assert desk.fetch().fetched == 0
    assert desk.names() == ["kip.safetensors"]


def test_a_file_that_appears_meanwhile_is_not_replaced(desk: Desk) -> None:
    def appearing() -> Located:
        desk.target.write_bytes(b"mine")
        return Located(desk.url)

    with pytest.raises(Conflict, match="appeared meanwhile"):
        desk.fetch(desk.wanted(locate=appearing))
    assert desk.target.read_bytes() == b"mine"


@pytest.mark.parametrize("how", ["close", "cancel"])
def test_a_stop_keeps_what_came(how: str, desk: Desk) -> None:
    desk.storage.always = slow(2_000_000, piece=10_000)
    cancel = Cancel()
    job = fetch(desk.wanted(), network=desk.network, cancel=cancel)
    for event in job:
        if isinstance(event, Progress) and event.done:
            break
    if how == "close":
        job.close()  # type: ignore[attr-defined]
    else:
        cancel.set()
        with pytest.raises(Interrupted):
            drain(job)
    desk.storage.always = None
    assert 0 < desk.fetch().fetched < len(CONTENT)
    assert desk.target.read_bytes() == CONTENT


def test_a_long_name_still_has_a_part(desk: Desk, tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 120 + ".safetensors")
    stop_after(desk, STOPPED, target=target)
    assert desk.fetch(desk.wanted(target=target)).fetched == len(CONTENT) - STOPPED
    assert target.read_bytes() == CONTENT


def test_an_empty_file_is_a_file(desk: Desk) -> None:
    desk.offer(b"")
    assert desk.fetch(desk.wanted(sha256=None, size=0, weights=False)).size == 0
    assert desk.names() == ["kip.safetensors"]


def test_a_rate_is_kept(desk: Desk) -> None:
    desk.fetch(pace=Pace(bytes_per_second=100_000))
    assert sum(desk.sleeps.slept) == pytest.approx(2.0, abs=0.2), "the first second's worth comes at once"


def test_a_large_file_comes_over_several_connections(desk: Desk) -> None:
    content = weights(2_000_000)
    desk.offer(content)
    pace = Pace(ranges=3, large=800_000)
    desk.fetch(desk.wanted(sha256=None, size=len(content)), pace)
    assert desk.target.read_bytes() == content
    assert len(desk.storage.requests) == 1 + 20


def test_several_connections_leave_no_gap_when_one_fails(desk: Desk) -> None:
    content = weights(2_000_000)
    desk.offer(content)
    desk.storage.faults += [*[slow(4_000_000)] * 4, cut(10_000), *[slow(4_000_000)] * 3, cut(50_000)]
    pace = Pace(ranges=3, large=800_000)
    received = desk.fetch(desk.wanted(sha256=None, size=len(content)), pace)
    assert desk.target.read_bytes() == content
    assert received.fetched < 2 * len(content)
    assert desk.names() == ["kip.safetensors"]


def test_a_server_without_ranges_gets_one_connection(desk: Desk) -> None:
    desk.storage.always = ignored_range
    desk.fetch(pace=Pace(ranges=3, large=100_000))
    assert len(desk.storage.requests) == 1
    assert desk.target.read_bytes() == CONTENT


def test_pieces_of_which_nothing_tells_that_they_belong_together_are_not_joined(desk: Desk) -> None:
    desk.offer(etag="")
    desk.fetch(desk.wanted(sha256=None), pace=Pace(ranges=3, large=100_000))
    assert desk.storage.ranges() == [f"bytes=0-{len(CONTENT) - 1}"]
    assert desk.target.read_bytes() == CONTENT
