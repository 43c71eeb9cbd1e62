"""Files are compared with what was written down, and an interrupted check goes on where it was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelhub.catalog import Catalog, Check, Verdict
from modelhub.errors import Interrupted
from modelhub.jobs import Cancel, Job, Notice, Progress, drain
from modelhub.upkeep.verify import verify
from modelhub.workspace import Workspace
from tests import tables


def lora(path: Path, fill: int = 0) -> Path:
    return tables.write(path, tables.tiny_lora(), fill=fill)


def verdicts(job: Job[tuple[Check, ...]]) -> list[Verdict]:
    return [check.verdict for check in drain(job)]


@pytest.fixture
def kip(catalog: Catalog, tmp_path: Path) -> Path:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path)
    return path


@pytest.fixture
def three(catalog: Catalog, tmp_path: Path) -> tuple[Path, ...]:
    """Artifacts 1, 2 and 3; a check looks at the newest first."""
    paths = tuple(lora(tmp_path / f"{fill}.safetensors", fill) for fill in (1, 2, 3))
    for path in paths:
        catalog.add(path)
        catalog.sha256(catalog.resolve(str(path)))
    return paths


def interrupt(catalog: Catalog, files: int) -> None:
    """Begin to check all, and stop after so many files."""
    job = verify(catalog)
    for _ in range(files):
        next(job)
    job.close()  # type: ignore[attr-defined]


def test_the_first_check_records_and_the_next_compares(catalog: Catalog, kip: Path) -> None:
    assert verdicts(verify(catalog)) == [Verdict.RECORDED]
    assert verdicts(verify(catalog)) == [Verdict.SAME]
    assert {"sha256", "autov2", "autov3"} <= catalog.artifact(1).digests.keys()


def test_when_a_file_was_compared_is_kept(catalog: Catalog, kip: Path) -> None:
    drain(verify(catalog))
    first = catalog.artifact(1).locations[0].verified_at
    drain(verify(catalog))
    second = catalog.artifact(1).locations[0].verified_at
    assert first
    assert second
    assert first < second


def test_both_copies_are_compared_with_each_other(catalog: Catalog, kip: Path, tmp_path: Path) -> None:
    copy = lora(tmp_path / "copy.safetensors")
    catalog.add(copy)
    copy.write_bytes(copy.read_bytes()[:-1] + b"\x01")
    checks = drain(verify(catalog))
    assert [check.verdict for check in checks] == [Verdict.SAME, Verdict.CHANGED]
    assert "sha256" in checks[1].reason
    assert catalog.artifact(1).locations[1].verified_at is None


def test_another_size_is_told_without_reading(catalog: Catalog, kip: Path) -> None:
    kip.write_bytes(kip.read_bytes()[:100])
    (check,) = drain(verify(catalog))
    assert (check.verdict, check.path) == (Verdict.CHANGED, kip)
    assert "100 bytes" in check.reason
    assert catalog.artifact(1).digests == {}


def test_a_missing_file_is_marked_and_comes_back(catalog: Catalog, kip: Path, tmp_path: Path) -> None:
    away = kip.rename(tmp_path / "away")
    assert verdicts(verify(catalog)) == [Verdict.MISSING]
    assert catalog.artifact(1).locations[0].state == "missing"
    away.rename(kip)
    assert verdicts(verify(catalog)) == [Verdict.RECORDED]
    assert catalog.artifact(1).locations[0].state == "present"


def test_a_missing_file_that_is_added_again_is_present(catalog: Catalog, kip: Path, tmp_path: Path) -> None:
    away = kip.rename(tmp_path / "away")
    drain(verify(catalog))
    away.rename(kip)
    assert catalog.add(kip).locations[0].state == "present"


def test_only_what_is_asked_for_is_checked(catalog: Catalog, three: tuple[Path, ...]) -> None:
    checks = drain(verify(catalog, [catalog.artifact(2)]))
    assert [check.artifact.id for check in checks] == [2]
    assert catalog.last_run("verify") is None


def test_checking_tells_how_far_it_is_and_can_be_cancelled(catalog: Catalog, kip: Path) -> None:
    event = next(verify(catalog))
    assert isinstance(event, Progress)
    assert event.done == event.total
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Interrupted):
        drain(verify(catalog, again=True, cancel=cancel))


def test_an_interrupted_check_goes_on_with_what_is_left(catalog: Catalog, three: tuple[Path, ...]) -> None:
    interrupt(catalog, files=2)
    events = list(verify(catalog))
    notice = events[0]
    assert isinstance(notice, Notice)
    assert "2 of 3 are done" in notice.message
    assert len([event for event in events if isinstance(event, Progress)]) == 1
    assert verdicts(verify(catalog)) == [Verdict.SAME] * 3


def test_what_was_wrong_before_the_interruption_is_told_again(catalog: Catalog, three: tuple[Path, ...]) -> None:
    three[2].write_bytes(three[2].read_bytes()[:-1] + b"\x07")
    interrupt(catalog, files=3)
    assert verdicts(verify(catalog)) == [Verdict.CHANGED]


def test_again_begins_anew(catalog: Catalog, three: tuple[Path, ...]) -> None:
    interrupt(catalog, files=2)
    assert len(verdicts(verify(catalog, again=True))) == 3
    assert len(verdicts(verify(catalog))) == 3


def test_a_check_whose_process_was_killed_goes_on(
    catalog: Catalog, three: tuple[Path, ...], workspace: Workspace
) -> None:
    code = f"""
import os, pathlib, signal
from modelhub.catalog import Catalog
from modelhub.upkeep.verify import verify
from modelhub.workspace import Workspace
job = verify(Catalog.open(Workspace(pathlib.Path({str(workspace.root)!r}))))
next(job)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    with Catalog.open(workspace) as opened:
        assert len(verdicts(verify(opened))) == 2


def test_a_quick_check_looks_at_sizes_and_times_only(catalog: Catalog, three: tuple[Path, ...]) -> None:
    os.utime(three[0], ns=(1, 1))
    three[1].unlink()
    checks = drain(verify(catalog, quick=True))
    assert [check.verdict for check in checks] == [Verdict.SAME, Verdict.MISSING, Verdict.CHANGED]
    assert "modelhub verify 1 compares its bytes" in checks[2].reason
    assert catalog.artifact(3).locations[0].verified_at is None


def test_a_file_with_a_new_time_and_the_same_bytes_is_the_same_from_then_on(
    catalog: Catalog, three: tuple[Path, ...]
) -> None:
    os.utime(three[0], ns=(1, 1))
    drain(verify(catalog))
    assert verdicts(verify(catalog, quick=True)) == [Verdict.SAME] * 3
