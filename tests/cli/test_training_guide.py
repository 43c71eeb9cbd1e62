"""docs/training.md is run, line by line, on the starter and its character; it takes fewer steps than the page does."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.guides import assert_named_commands_exist, assert_shown, commands_of
from trainers.presets import presets

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")

_OFTEN = 100
"""Steps of the page for one of the test."""
_LESS = {
    "train evaluate": "--strengths 1 --copies 2 --seeds 1 --steps 2 --prompt mimo",
    "train full": "--draw-class 1 --set validation.pairs=1",
    "train lora --base starter --images ~/pictures/mimo --trigger mimo --steps": "--batch 1 --set validation.pairs=1",
    "train lora --preset": "--batch 1 --set validation.pairs=1",
    "train range": "--steps 8",
    "generate": "--steps 2",
}
"""Commands -> what they are told besides, to be quick."""
_REFUSED = ("modelhub dataset check ~/pictures/raw --base starter",)
"""Lines that end with exit code 2, as the page says."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home with a clone of the product in it."""
    monkeypatch.delenv("MODELHUB_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MODELHUB_DEVICE", "cpu")
    (tmp_path / "ModelHub").symlink_to(ROOT)
    return tmp_path


def test_every_command_of_the_guide_prints_what_the_guide_shows(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line, shown in commands_of(GUIDE):
        words = shlex.split(_quickly(line).replace("~", str(home)))
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
        elif words[0] == "modelhub":
            ran = run(*words[1:], *_less(line))
            assert ran.code == (2 if line in _REFUSED else 0), f"{line}: {ran.err}"
            assert shown or not ran.out, line
            assert_shown(line, ran.out.replace(str(home), "~"), [_quickly(one) for one in shown])
        else:
            told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            assert told.splitlines() == shown, line


def test_every_command_named_in_the_text_exists_with_its_options(run: Run) -> None:
    assert_named_commands_exist(GUIDE, run)


def test_every_flag_named_in_the_text_exists(run: Run) -> None:
    prose = re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL)
    helps = " ".join(run(*command.split(), "--help").out for command in _COMMANDS)
    named = {flag for span in re.findall(r"`([^`]*)`", prose) for flag in re.findall(r"(?<![\w-])--[a-z_-]+", span)}
    assert named
    assert [flag for flag in named if flag not in helps and flag not in _OF_OTHERS] == []


def test_every_preset_named_on_the_page_exists() -> None:
    named = {*re.findall(r"--preset ([\w-]+)", GUIDE), *re.findall(r"^preset ([\w-]+)", GUIDE, re.MULTILINE)}
    assert named
    assert named <= {one.name for one in presets()}


def test_every_file_that_the_page_links_to_is_there() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", GUIDE) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []


_METHODS = ("lora", "textual-inversion", "full", "hypernetwork", "range", "evaluate", "runs")
_LOOKS = ("check", "stats", "caption")
_COMMANDS = ("generate", *(f"train {one}" for one in _METHODS), *(f"dataset {one}" for one in _LOOKS))
_OF_OTHERS = ("--num_processes",)
"""What accelerate is told."""


def _less(line: str) -> list[str]:
    return [word for name, more in _LESS.items() if line.startswith(f"modelhub {name} ") for word in more.split()]


def _quickly(text: str) -> str:
    """Numbers of steps, and what is told of them."""
    return re.sub(r"(?<![\d.,])[13]00(?![\d.])", lambda found: str(int(found[0]) // _OFTEN), text)
