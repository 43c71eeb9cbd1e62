"""Two who want one file: one fetches, the other waits and finds it."""

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modelhub.errors import Interrupted
from modelhub.jobs import Cancel, Done, Notice, drain
from modelhub.processes import started
from modelhub.transfer import Clock, Received, fetch
from modelhub.transfer._claiming import Claim
from tests.modelhub.transfer.conftest import CONTENT, Desk
from tests.servers.faults import slow


def test_the_second_waits_and_finds_the_file(desk: Desk) -> None:
    desk.storage.always = slow(1_000_000, piece=20_000)
    came: list[Received] = []
    first = threading.Thread(target=lambda: came.append(drain(fetch(desk.wanted(), network=desk.network))))
    first.start()
    while not desk.storage.requests:
        time.sleep(0.01)
    events = list(fetch(desk.wanted(), network=desk.network))
    first.join()
    assert [event.message for event in events if isinstance(event, Notice)] == [
        "kip.safetensors: another process is fetching it; waiting"
    ]
    (second,) = (event.result for event in events if isinstance(event, Done))
    assert (came[0].fetched, second.fetched) == (len(CONTENT), 0)
    assert len(desk.storage.requests) == 1
    assert desk.names() == ["kip.safetensors"]


def test_who_waits_can_be_cancelled(desk: Desk) -> None:
    claim, cancel = Claim(desk.target), Cancel()
    assert list(claim.take(Clock(), None)) == []
    job = fetch(desk.wanted(), network=desk.network, cancel=cancel)
    assert isinstance(next(job), Notice)
    cancel.set()
    with pytest.raises(Interrupted):
        next(job)
    claim.release()


def test_a_claim_leaves_nothing_behind(desk: Desk) -> None:
    claim = Claim(desk.target)
    drain_claim(claim)
    assert desk.names() == [".locks"]
    claim.release()
    claim.release()
    assert desk.names() == []


def test_files_of_one_folder_do_not_wait_for_one_another(desk: Desk) -> None:
    first, second = Claim(desk.target), Claim(desk.target.with_name("other.safetensors"))
    drain_claim(first)
    drain_claim(second)
    first.release()
    second.release()
    assert desk.names() == []


@pytest.mark.parametrize(
    ("machine", "since", "age", "waits"),
    [
        (platform.node(), None, 0, True),
        (platform.node(), "1.00", 0, False),
        (platform.node(), None, 3600, False),
        ("another", "1.00", 0, True),
        ("another", "1.00", 3600, False),
    ],
    ids=["lives", "is dead", "sleeps", "elsewhere", "elsewhere, silent"],
)
def test_where_locks_are_none_the_owner_in_the_journal_counts(
    machine: str, since: str | None, age: float, waits: bool, desk: Desk
) -> None:
    with other_process() as pid:
        owner = {"pid": pid, "since": since or started(pid), "machine": machine}
        told = {"key": "kip", "sha256": None, "size": None, "owner": owner, "beat": time.time() - age}
        desk.folder.mkdir()
        (desk.folder / "kip.safetensors.part.json").write_text(json.dumps(told))
        claim = Claim(desk.target)
        assert (next(claim.take(Clock(), None), None) is not None) == waits
        claim.release()


@contextmanager
def other_process() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid


def drain_claim(claim: Claim) -> None:
    assert list(claim.take(Clock(), None)) == []


def test_a_folder_that_may_not_be_written_says_so(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match="no lock can be had") as told:
        desk.fetch(desk.wanted(target=tmp_path / "file" / "kip.safetensors"))
    assert told.type.__name__ == "ModelHubError"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208
