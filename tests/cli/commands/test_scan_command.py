"""`modelhub scan` and what it prints."""

import os
from pathlib import Path

import pytest

from modelhub.workspace import Workspace
from tests import tables
from tests.cli.conftest import Run


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_scan_tells_what_is_new_and_then_that_nothing_is(run: Run, kip: Path) -> None:
    ran = run("scan", kip.parent)
    assert ran.code == 0
    assert words(ran.out) == [
        ["ID", "NAME", "KIND", "FAMILY", "PATH"],
        ["new", "1", "kip", "lora", "sd1", str(kip)],
        ["1", "new"],
    ]
    assert run("scan").out == "1 unchanged\n"
    assert run("scan", "-q").out == ""


def test_scan_tells_where_a_file_moved(run: Run, kip: Path) -> None:
    run("scan", kip.parent)
    moved = kip.rename(kip.with_stem("kop"))
    assert words(run("scan").out)[1] == ["moved", "1", "kip", "lora", "sd1", str(kip), "->", str(moved)]


def test_scan_tells_what_is_missing(run: Run, kip: Path, vae: Path) -> None:
    run("scan", kip.parent)
    kip.unlink()
    told = words(run("scan").out)
    assert told[1][0] == "missing"
    assert told[1][2] == "kip"
    assert told[2] == ["1", "missing,", "1", "unchanged"]
    assert "missing" in run("ls").out


def test_scan_as_json_holds_everything(run: Run, kip: Path) -> None:
    (kip.parent / "bad.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    ran = run("scan", kip.parent, "--json")
    assert ran.code == 5
    assert [one["name"] for one in ran.json["new"]] == ["kip"]
    assert [(one["path"], one["code"]) for one in ran.json["failed"]] == [
        (str(kip.parent / "bad.safetensors"), "broken-file")
    ]
    assert ran.json["unchanged"] == 0


def test_scan_hashes_when_asked_to(run: Run, kip: Path) -> None:
    assert run("scan", kip.parent, "--hash").out.splitlines()[-1] == "1 new, 1 hashed"
    assert set(run("show", "1", "--json").json["digests"]) == {"sha256", "autov2", "autov3"}
    assert run("scan", "--hash", "--json").json["hashed"] == {"files": 0, "failed": []}


def test_a_dry_run_needs_a_catalog_and_leaves_it_alone(run: Run, kip: Path, workspace: Workspace) -> None:
    assert run("scan", kip.parent, "--dry-run").code == 3
    assert not workspace.catalog.exists()
    run("init")
    assert words(run("scan", kip.parent, "--dry-run").out)[1] == ["new", "-", "-", str(kip)]
    assert run("ls", "-q").out == ""
    assert run("scan").out == "no models found\n"


@pytest.mark.parametrize("flag", ["--hash", "--watch"])
def test_a_dry_run_excludes_what_would_write(run: Run, kip: Path, flag: str) -> None:
    assert run("scan", kip.parent, "--dry-run", flag).code == 2


def test_a_name_that_is_no_text_is_reported_on_any_screen(run: Run, kip: Path) -> None:
    kip.rename(kip.parent / os.fsdecode(b"k\xff.safetensors"))
    for flags in ((), ("--json",), ("--jsonl",)):
        ran = run("scan", kip.parent, *flags)
        assert ran.code == 5
    assert "UTF-8" in run("scan", kip.parent).err


def test_an_unplugged_disk_is_told_and_is_no_failure(run: Run, kip: Path) -> None:
    run("scan", kip.parent)
    kip.unlink()
    kip.parent.rmdir()
    ran = run("scan")
    assert ran.code == 0
    assert f"not looked through: {kip.parent}" in ran.err


def test_what_is_no_folder_is_refused(run: Run, kip: Path) -> None:
    assert run("scan", kip.parent / "none").code == 3
    assert run("scan", kip).code == 2


def test_more_than_fifty_of_a_sort_are_counted(run: Run, tmp_path: Path) -> None:
    for number in range(53):
        tables.write(tmp_path / "many" / f"m{number:02}.safetensors", {"a": (number + 1,)})
    lines = run("scan", tmp_path / "many").out.splitlines()
    assert len(lines) == 53
    assert "and 3 more" in lines[-2]


def test_only_a_scan_of_named_folders_makes_a_workspace(run: Run, workspace: Workspace) -> None:
    assert run("scan").code == 3
    assert not workspace.catalog.exists()


def test_there_must_be_a_folder_to_watch(run: Run) -> None:
    run("init")
    assert run("scan", "--watch").code == 2
