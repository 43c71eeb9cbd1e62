"""The application finds its commands, and shows every error in one place and one manner."""

import errno
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from cli import app, commands
from modelhub.errors import BadValue
from modelhub.registry import members
from tests.cli.conftest import Run

NAMES = [module.__name__.rpartition(".")[2].replace("_", "-") for module in members(commands)]


def modelhub(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """As a real process."""
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environ}, timeout=60)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_and_takes_the_common_options(run: Run, name: str) -> None:
    ran = run(name, "--help")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert len(lines[2].strip()) > 10
    if "Commands:" not in ran.out:
        assert all(option in ran.out for option in ("--home", "--json", "--jsonl", "--quiet", "--no-color"))


def test_a_command_that_is_named_first_loads_no_other() -> None:
    code = "import sys; from cli.app import main; main(['ls', '-h']); print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    assert [name for name in loaded if name.startswith("cli.commands.")] == ["cli.commands.ls"]


def test_help_names_every_command(run: Run) -> None:
    assert set(NAMES) >= {"init", "add", "ls", "show", "rm", "rename", "verify", "doctor"}
    for arguments in ([], ["-h"], ["--help"]):
        ran = run(*arguments)
        assert ran.code == 0
        assert all(f"\n  {name}" in ran.out for name in NAMES)


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").out == "0.1.0\n"


@pytest.mark.parametrize("arguments", [["bogus"], ["ls", "--bogus"], ["rename", "1"], ["ls", "--kind", "tree"]])
def test_what_cannot_be_parsed_is_a_usage_error(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "modelhub: " in ran.err
    as_json = run(*arguments, "--json")
    assert (as_json.code, as_json.json["code"], as_json.err) == (2, "bad-value", "")


def test_an_error_is_one_line_and_what_mends_it(run: Run) -> None:
    ran = run("ls")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines()[0].startswith("modelhub: there is no catalog in ")
    assert ran.err.splitlines()[1:] == ["  try: modelhub init"]


def test_an_error_as_json_has_four_fields(run: Run) -> None:
    ran = run("ls", "--json")
    assert ran.json.keys() == {"code", "message", "mend", "retryable"}
    assert (ran.json["code"], ran.json["mend"], ran.json["retryable"]) == ("no-workspace", "modelhub init", False)


def test_an_error_in_the_event_stream_is_an_event(run: Run) -> None:
    assert run("ls", "--jsonl").json["event"] == "error"


def test_options_may_stand_before_the_command(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path / "elsewhere")
    assert run("--json", "--home", tmp_path / "elsewhere", "ls").json == []
    assert run("--home", tmp_path / "nowhere", "ls", "--home", tmp_path / "elsewhere").code == 0


class Fault:
    """A command that fails as it is told."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, **_: Any) -> None:
        raise self.error


FAULTS = {
    "ours": (BadValue("no such thing", mend="modelhub ls"), 2, "bad-value", "no such thing"),
    "a full disk": (OSError(errno.ENOSPC, "full", "file.bin"), 8, "out-of-resources", "the disk is full"),
    "another disk error": (PermissionError(errno.EACCES, "denied", "file.bin"), 1, "failure", "file.bin"),
    "no memory": (MemoryError(), 8, "out-of-resources", "memory"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "interrupted", "stopped"),
    "a question left": (typer.Abort(), 130, "interrupted", "stopped"),
    "a bug": (ZeroDivisionError("by zero"), 1, "failure", "unexpected ZeroDivisionError: by zero"),
}


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_up(error: BaseException) -> None:
        monkeypatch.setattr(app, "build", lambda _: lambda **_: Fault(error)())

    return set_up


@pytest.mark.parametrize(("error", "exit_code", "code", "message"), FAULTS.values(), ids=FAULTS)
def test_every_fault_has_its_exit_code_and_no_traceback(
    run: Run, failing: Any, error: BaseException, exit_code: int, code: str, message: str
) -> None:
    failing(error)
    ran, as_json = run("x"), run("x", "--json")
    assert (ran.code, as_json.code, as_json.json["code"]) == (exit_code, exit_code, code)
    assert message in ran.err
    assert message in as_json.json["message"]
    assert "Traceback" not in ran.err


def test_ctrl_c_within_a_command_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    application = typer.Typer()

    @application.command()
    def work(_word: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "build", lambda _: application)
    ran = run("x")
    assert (ran.code, ran.err) == (130, "modelhub: stopped\n")


def test_a_bug_shows_its_traceback_when_asked(run: Run, failing: Any) -> None:
    failing(ZeroDivisionError("by zero"))
    assert "Traceback" in run("x", "-vv").err
    assert "-vv" in run("x").err


def test_control_characters_reach_no_terminal(run: Run) -> None:
    assert "\x1b" not in run("ls", "--kind", "\x1b[2J").err


def test_a_process_keeps_its_streams_and_exit_codes_apart(tmp_path: Path) -> None:
    made = modelhub("init", "--json")
    assert (made.returncode, made.stderr) == (0, "next: modelhub add PATH...\n")
    assert json.loads(made.stdout)["home"] == str(tmp_path / "home")
    missing = modelhub("show", "7", "--json")
    assert (missing.returncode, missing.stderr) == (3, "")
    assert json.loads(missing.stdout)["code"] == "unknown-ref"
    assert modelhub("show", "7").stdout == ""
    assert modelhub("nonsense").returncode == 2


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_ends_the_command_in_silence(run: Run, unbuffered: str) -> None:
    run("init")
    command = f"{sys.executable} -m cli ls --json | true; exit ${{PIPESTATUS[0]}}"
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, env=environ)
    assert (ran.returncode, ran.stderr) == (1, "")


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from cli.app import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "diffusers", "transformers", "sqlalchemy", "alembic", "pydantic", "numpy", "PIL"}
    assert not {name.partition(".")[0] for name in ran.stderr.split()} & heavy


def test_help_takes_at_most_forty_times_a_bare_interpreters_start() -> None:
    """In processor time, which other programs do not take part in."""

    def seconds(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    pairs = [(seconds("-m", "cli", "--help"), seconds("-c", "pass")) for _ in range(5)]
    assert min(first for first, _ in pairs) <= 40 * min(second for _, second in pairs)


@pytest.mark.parametrize("group", ["train", "dataset", "prompt"])
def test_a_group_alone_shows_its_help(run: Run, group: str) -> None:
    assert run(group) == run(group, "--help")


def test_what_cannot_be_parsed_names_the_help_of_its_command(run: Run) -> None:
    assert run("train", "lora", "--steps", "many").err.splitlines()[1:] == ["  try: modelhub train lora --help"]
