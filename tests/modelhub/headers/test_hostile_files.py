"""No file, however it was built, runs anything, takes the machine, or ends in more than one clear line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from modelhub.headers import read_table
from modelhub.headers.pickles import STRANGERS
from tests import hostile, tables

MOST_SECONDS = 2.0
MOST_MEMORY = 200 << 20
EXECUTING = {
    "reduce.pt": "os.system",
    "stack-global.pt": "os.system",
    "inst.pt": "os.system",
    "obj.pt": "os.system",
    "newobj.pt": "subprocess.Popen",
    "newobj-ex.pt": "subprocess.Popen",
    "nested.pt": "pickle.loads",
    "global-only.pt": "antigravity.fly",
    "a-pickle.safetensors": "os.system",
    "a-checkpoint.safetensors": "os.system",
    "reduce-in-an-archive.ckpt": "os.system",
}
READ = {*EXECUTING, "build.pt", "build-into-a-class.pt", "codecs.pt", "getattr.pt", "extension.pt", "persistent.pt"}
READ |= {"rebuild-with-a-stranger.pt", "a-module-that-is-a-path.pt", "recursive-list.pt", "recursive-dict.ckpt"}
READ |= {"deep-keys.pt", "doubling-keys.pt", "copies-of-a-list.pt", "copies-of-a-text.pt", "a-long-name-often.pt"}
READ |= {"a-long-key-often.pt", "colliding-numbers.pt", "memo.pt", "a-memo-far-away.pt", "a-lying-frame.pt"}
READ |= {"wide-text.pt", "metadata-without-end.pt", "names-that-are-paths.ckpt", "a-tensor-called-metadata.ckpt"}
READ |= {"a-tensor-of-exabytes.ckpt", "safetensors.ckpt", "ansi-and-html.safetensors", "paths.safetensors"}
READ |= {"a-header-of-one-text.safetensors"}
"""What is odd and still well-formed; all else is refused."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("hostile")
    hostile.write_all(where)
    return where


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> dict[str, dict[str, Any]]:
    """What each file came to in a process that may only read."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("only Linux tells a process's peak of memory")
    harmless = tables.write(folder.parent / "harmless.safetensors", tables.tiny_lora())
    report = folder.parent / "report.jsonl"
    command = [sys.executable, "-m", "tests.guarded", str(report), str(harmless)]
    root = Path(__file__).parents[3]
    files = [str(folder / name) for name in hostile.HOSTILE]
    ended = subprocess.run([*command, *files], cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    lines = map(json.loads, report.read_text().splitlines())
    return {line["file"]: line for line in lines}


@pytest.mark.parametrize("call", ["os.system('true')", "import antigravity", "exec('1')", "open('x', 'w')"])
def test_the_guard_catches_what_a_file_could_do(call: str, tmp_path: Path) -> None:
    program = f"import os, sys; from tests.guarded import guard; sys.addaudithook(guard)\n{call}"
    root = Path(__file__).parents[3]
    ended = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr[:10]) == (99, "forbidden:")


def test_nothing_that_a_file_asks_for_is_done(outcomes: dict[str, dict[str, Any]], folder: Path) -> None:
    assert outcomes.keys() == hostile.HOSTILE.keys()
    assert not any((place / hostile.CANARY).exists() for place in (Path.cwd(), folder, Path(__file__).parents[3]))


def test_what_a_pickle_would_call_is_told(outcomes: dict[str, dict[str, Any]]) -> None:
    assert {name: outcomes[name]["strangers"].split()[0] for name in EXECUTING} == EXECUTING


def test_no_file_takes_the_machine(outcomes: dict[str, dict[str, Any]]) -> None:
    slow = {name: one["seconds"] for name, one in outcomes.items() if one["seconds"] > MOST_SECONDS}
    large = {name: one["memory"] >> 20 for name, one in outcomes.items() if one["memory"] > MOST_MEMORY}
    assert (slow, large) == ({}, {})


def test_each_file_ends_in_facts_or_in_one_clear_line(outcomes: dict[str, dict[str, Any]]) -> None:
    assert {name for name, one in outcomes.items() if "kind" in one} == READ
    for name, one in outcomes.items():
        if name not in READ:
            assert one["error"] in ("unsafe-file", "broken-file"), name
            assert name in one["message"], "it says which"
            assert one["message"].isprintable(), "it is one line, and says nothing to the terminal"
            assert len(one["message"]) < 500


def test_adding_a_folder_of_them_names_each_that_was_refused(
    folder: Path, outcomes: dict[str, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [name for name in hostile.HOSTILE if (folder / name).stat().st_size < 50_000]
    for name in names:
        (tmp_path / "all" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "all" / name).hardlink_to(folder / name)
    assert main(["add", str(tmp_path / "all")]) == 5
    told = capsys.readouterr().err
    assert "\x1b" not in told
    refused = [name for name in names if name not in READ and not _is_something_else(name, outcomes[name])]
    assert [name for name in refused if f"{name}:" not in told and f"{name} " not in told] == []
    assert len(refused) > 40


def _is_something_else(name: str, outcome: dict[str, Any]) -> bool:
    """A folder's .pt files that are no model at all are passed over: every program writes such files."""
    return name.endswith(".pt") and outcome["error"] == "unsafe-file"


def test_a_crowd_of_strangers_does_not_hide_one_that_runs_things(tmp_path: Path) -> None:
    names = [b"cm\nn%d\n0" % number for number in range(100)]
    (tmp_path / "a.pt").write_bytes(b"\x80\x02" + b"".join([*names, b"cos\nsystem\n0", b"N."]))
    text = read_table(tmp_path / "a.pt").metadata[STRANGERS]
    assert text.split() == ["os.system", *(f"m.n{number}" for number in range(19))]


def test_a_files_own_name_says_nothing_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a\x1b[2J\x07\nname.ckpt"
    path.write_bytes(hostile.HOSTILE["bomb.ckpt"]())
    assert main(["add", str(path)]) == 6
    told = capsys.readouterr().err.splitlines()
    assert "is compressed" in told[-1]
    assert all(line.isprintable() for line in told)
