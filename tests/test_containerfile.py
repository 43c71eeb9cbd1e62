"""What can be checked of the Containerfile without building it."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
LINES = [line for line in re.sub(r"\\\n\s*", "", TEXT).splitlines() if line and not line.startswith("#")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORDS = ("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "HEALTHCHECK", "RUN", "USER", "VOLUME", "WORKDIR")


def values(word: str) -> list[str]:
    return [line.removeprefix(f"{word} ") for line in LINES if line.startswith(f"{word} ")]


def copied() -> list[str]:
    """From the repository, not from another stage."""
    return [one for line in values("COPY") if not line.startswith("--from") for one in line.split()[:-1]]


def test_every_line_is_an_instruction() -> None:
    assert {line.split()[0] for line in LINES} == set(WORDS)


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_is_there_and_is_given_to_the_builder(path: str) -> None:
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    assert (ROOT / path).exists()
    assert f"!{path}" in ignored


def test_all_that_the_wheel_is_made_of_is_copied() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    named = [PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]]
    assert set(wheel) | set(named) | {"pyproject.toml"} <= set(copied())


def test_the_builder_gets_nothing_that_nobody_copies() -> None:
    lines = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    given = [line[1:] for line in lines if line.startswith("!")]
    assert set(given) == set(copied())
    assert lines[1] == "*"


def test_the_extra_and_the_pinned_torch_exist() -> None:
    arguments = dict(one.partition("=")[::2] for one in values("ARG"))
    assert arguments["EXTRA"] in PROJECT["project"]["optional-dependencies"]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert len([pin for pin in pins if fnmatch(pin, f"{arguments['TORCH']}==*")]) == 1
    assert fnmatch(arguments["PYTHON"], "3.1[1-9]")


def test_it_runs_as_an_ordinary_user_in_a_workspace_that_outlives_it() -> None:
    assert values("USER") == ["modelhub"]
    assert LINES.index("USER modelhub") < LINES.index('ENTRYPOINT ["modelhub"]')
    assert values("VOLUME") == ["/workspace"]
    assert any("MODELHUB_HOME=/workspace" in one for one in values("ENV"))


def test_its_programs_are_ours() -> None:
    health = re.findall(r'"([\w-]+)"', values("HEALTHCHECK")[0])
    assert PROJECT["project"]["scripts"] == {"modelhub": "cli.app:main"}
    assert values("ENTRYPOINT") == ['["modelhub"]']
    assert health[0] == "modelhub"
    assert (ROOT / "cli" / "commands" / f"{health[1]}.py").exists()
