"""A training that a person stops, or the machine, goes on where it was."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.app import main
from modelhub.catalog import Catalog
from tests.cli.training.asked import SHORT
from tests.hands.killing import awaited, begun_child, run_child


def asked(images: Path, *more: str) -> list[str]:
    return ["train", "lora", "--base", "tiny", "--images", str(images), *SHORT, *more]


def has_taken(catalog: Catalog, steps: int) -> Callable[[], bool]:
    losses = catalog.workspace.runs / "0001-kip-set" / "losses.jsonl"
    return lambda: losses.is_file() and losses.read_bytes().count(b"\n") >= steps


def resumed(run: int, capsys: pytest.CaptureFixture[str]) -> list[int]:
    """Resume here, and say which steps were still taken."""
    assert main(["train", "resume", str(run), "--device", "cpu", "--jsonl"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "done"
    return [event["step"] for event in events if event["event"] == "step"]


def test_ctrl_c_keeps_what_was_learnt_and_says_how_to_go_on(
    base: int, images: Path, catalog: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "told.jsonl"
    steps_enough = ["--steps", "80", "--save-every", "50"]  # not to end before the signal
    child = begun_child(asked(images, *steps_enough, "--jsonl"), out=told)
    assert awaited(child, has_taken(catalog, 3)) is None
    os.kill(child, signal.SIGINT)
    _, status = os.waitpid(child, 0)

    run = catalog.last_run("train")
    assert os.waitstatus_to_exitcode(status) == 130
    assert run is not None
    assert "Traceback" not in told.read_text()
    last = json.loads(told.read_text().splitlines()[-1])
    assert last == {
        "event": "error",
        "code": "interrupted",
        "message": f"stopped; run {run.id} keeps what was learnt",
        "mend": f"modelhub train resume {run.id}",
        "retryable": True,
    }
    assert run.state == "interrupted"
    steps = resumed(run.id, capsys)
    assert steps[0] >= 3
    assert steps[-1] == 80


def test_a_killed_process_loses_no_more_than_what_came_after_its_last_state(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not run_child(
        asked(images, "--steps", "30", "--save-every", "2"), kill_after=0, kill_when=has_taken(catalog, 4)
    )[0]

    steps = resumed(1, capsys)

    assert steps[0] >= 3
    assert steps[-1] == 30
    run = catalog.run(1)
    assert run.state == "done"
    losses = catalog.workspace.runs / "0001-kip-set" / "losses.jsonl"
    assert [json.loads(line)["step"] for line in losses.read_text().splitlines()] == list(range(1, 31))


def test_an_unknown_run_is_not_resumed(catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "resume", "7"]) == 3
    assert "no run 7" in capsys.readouterr().err
