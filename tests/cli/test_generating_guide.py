"""docs/generating.md is run, line by line, on a small webui folder; it draws in fewer steps than the page does."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from inference import samplers
from inference.control import preprocessors
from inference.grid.axes import AXES
from inference.schedules import SCHEDULES
from tests.cli.conftest import Run
from tests.cli.guides import assert_named_commands_exist, assert_shown, commands_of
from tests.cli.webui_folder import write_webui

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "generating.md").read_text(encoding="utf-8")
COMPATIBILITY = (DOCS / "compatibility.md").read_text(encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home with a webui folder in it."""
    monkeypatch.delenv("MODELHUB_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MODELHUB_DEVICE", "cpu")
    write_webui(tmp_path / "webui")
    return tmp_path


def test_every_command_of_the_guide_prints_what_the_guide_shows(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line, shown in commands_of(_quickly(GUIDE)):
        words = shlex.split(line.replace("~", str(home)))
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
        elif words[0] == "modelhub":
            ran = run(*words[1:], *_less(words))
            assert ran.code == 0, f"{line}: {ran.err}"
            assert shown or not ran.out, line
            assert_shown(line, ran.out.replace(str(home), "~"), shown)
        else:
            subprocess.run(words, check=True)


def test_every_command_named_in_the_text_exists_with_its_options(run: Run) -> None:
    assert_named_commands_exist(GUIDE, run)


@pytest.mark.parametrize("page", [GUIDE, COMPATIBILITY], ids=["guide", "compatibility"])
def test_every_flag_named_in_the_text_exists(page: str, run: Run) -> None:
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    helps = " ".join(run(command, "--help").out for command in ("generate", "upscale", "gallery", "merge"))
    named = {flag for span in re.findall(r"`([^`]*)`", prose) for flag in re.findall(r"(?<![\w-])--[a-z_-]+", span)}
    assert named
    assert [flag for flag in named if flag not in helps and flag not in _OF_LINES] == []


_STEPS = "2"
_SAYS_STEPS = {"--steps", "--from"}
"""What says how many steps there are."""


def _quickly(text: str) -> str:
    """Numbers of steps of pictures, and what is told of them."""
    return re.sub(r"(?<=--steps )[48]\b|(?<=--hires-steps )4|(?<=Steps: )20", _STEPS, text)


def _less(words: list[str]) -> list[str]:
    return ["--steps", _STEPS] if words[1] == "generate" and not _SAYS_STEPS & set(words) else []


_OF_LINES = ("--prompt", "--cfg_scale", "--styles", "--restore_faces", "--do_not_save")
"""What lines of a file of prompts say."""


def test_the_page_on_compatibility_names_all_there_is() -> None:
    names = [*samplers.known(), *SCHEDULES, *preprocessors.known(), *(axis.name for axis in AXES)]
    assert [name for name in names if name not in COMPATIBILITY] == []


@pytest.mark.parametrize("page", [GUIDE, COMPATIBILITY], ids=["guide", "compatibility"])
def test_every_file_that_the_pages_link_to_is_there(page: str) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", page) if "://" not in target]
    assert targets
    assert [target for target in targets if not (DOCS / target).exists()] == []
