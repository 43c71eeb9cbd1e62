"""`dedupe` reports first, links when told to, and can be undone."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Terminal


@pytest.fixture
def copy(run: Run, kip: Path, tmp_path: Path) -> Path:
    path = tmp_path / "copy" / "kip.safetensors"
    path.parent.mkdir()
    shutil.copyfile(kip, path)
    run("add", kip, path)
    return path


def test_dedupe_reports_and_changes_nothing(run: Run, kip: Path, copy: Path) -> None:
    told = run("dedupe").out
    assert "are held more than once; hard links would save" in told
    assert f"keep  {kip}" in told
    assert f"copy  {copy}" in told
    assert run("dedupe", "--hardlink", "--dry-run").out == told
    assert kip.stat().st_nlink == 1


def test_dedupe_links_and_undoes(run: Run, kip: Path, copy: Path) -> None:
    linked = run("dedupe", "--hardlink", "-y", "--json").json
    assert (linked["linked"], linked["saved"]) == ([str(copy)], kip.stat().st_size)
    assert kip.stat().st_nlink == 2
    assert run("dedupe").out == "no two files have equal bytes\n"
    assert f"has its own bytes again: {copy}" in run("dedupe", "--undo", linked["journal"]).out
    assert kip.stat().st_nlink == 1
    again = run("dedupe", "--undo", linked["journal"])
    assert (again.code, "no longer linked" in again.out) == (1, True)


def test_dedupe_asks_before_it_links(run: Run, kip: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("dedupe", "--hardlink").code == 2
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    run("dedupe", "--hardlink")
    assert kip.stat().st_nlink == 1
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert "to undo it: modelhub dedupe --undo" in run("dedupe", "--hardlink").out
    assert kip.stat().st_nlink == 2


def test_dedupe_refuses_both_at_once(run: Run, kip: Path, copy: Path) -> None:
    assert run("dedupe", "--hardlink", "--undo", "x").code == 2
