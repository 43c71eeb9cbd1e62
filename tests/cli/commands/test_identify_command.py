"""`modelhub identify` says what leaves the machine, and asks first."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run, Terminal
from tests.servers.civitai import Civitai


def test_a_script_is_told_to_say_yes_and_nothing_is_sent(run: Run, hub: Civitai, kip: Path) -> None:
    run("add", kip)
    ran = run("identify")
    assert (ran.code, hub.requests) == (2, [])
    assert "modelhub identify --yes" in ran.err


def test_somebody_is_asked_and_may_say_no(run: Run, hub: Civitai, kip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("add", kip)
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    ran = run("identify")
    assert (ran.code, hub.requests) == (0, [])
    assert "sha256 digests of 1 models go to Civitai; no file does, and no name" in ran.err
    assert "1 of them are read first" in ran.err


def test_a_dry_run_reads_and_sends_nothing(run: Run, hub: Civitai, kip: Path) -> None:
    run("add", kip)
    assert run("identify", "--dry-run", "--json").json == {
        "ask": [1],
        "read_first": [1],
        "look_up_again": [],
        "resting": 0,
    }
    assert run("identify", "--dry-run", "-q").out == "1\n"
    assert hub.requests == []


def test_what_is_recognised_is_shown_and_found_by_its_trigger_words(run: Run, hub: Civitai, kip: Path) -> None:
    run("add", kip)
    hub.version(hub.model(name="Kip the robot"), files=[hub.file(kip.read_bytes())], trainedWords=["k1p robot"])
    ran = run("identify", "--yes")
    assert ran.code == 0
    assert "Kip the robot v1" in ran.out
    assert "1 recognised" in ran.out
    assert run("search", "k1p", "-q").out == "1\n"
    assert "nothing to ask" in run("identify", "--yes").out
    assert "1 looked up again" in run("identify", "--yes", "--again").out


def test_what_is_unknown_rests(run: Run, hub: Civitai, kip: Path) -> None:
    run("add", kip)
    assert "1 unknown to Civitai" in run("identify", "kip", "--yes").out
    assert "1 models it did not know in the last 30 days" in run("identify", "--yes").out


def test_a_file_that_is_gone_makes_it_partial(run: Run, hub: Civitai, kip: Path, vae: Path) -> None:
    run("add", kip, vae)
    kip.unlink()
    ran = run("identify", "--yes", "--json")
    assert ran.code == 5
    assert ran.json["unknown"] == [2]
    assert [one["code"] for one in ran.json["failed"]] == ["missing-file"]


def test_a_hub_that_refuses_is_an_error_with_its_code(run: Run, hub: Civitai, kip: Path) -> None:
    run("add", kip)
    hub.once("/api/v1", 403, "<html>Just a moment...</html>")
    ran = run("identify", "--yes")
    assert ran.code == 9
    assert "refuses this account or this machine" in ran.err
