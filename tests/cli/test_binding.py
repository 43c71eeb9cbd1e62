"""A command is a function of a session; the options common to all are added to it."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import pytest
import typer

from cli.app import _bound_group
from cli.binding import bound
from cli.options import DECLARED, Options
from cli.session import Session

SEEN: list[tuple[Options, str]] = []


def command(session: Session, word: Annotated[str, typer.Argument()] = "none") -> None:
    """Say a word."""
    SEEN.append((session.options, word))


def test_every_option_is_declared_once() -> None:
    assert [field.name for field in fields(Options)] == list(DECLARED)


def test_inner_options_win_over_outer_ones() -> None:
    inner, outer = Options(home=Path("a"), verbose=1), Options(home=Path("b"), json=True, verbose=2)
    assert inner.over(outer) == Options(home=Path("a"), json=True, verbose=1)


def test_a_bound_command_gets_its_arguments_and_a_session() -> None:
    app = typer.Typer()
    app.command()(bound(command))
    app(["hello", "--json", "-vv", "--home", "x"], standalone_mode=False)
    assert SEEN.pop() == (Options(home=Path("x"), json=True, verbose=2), "hello")


def test_a_group_of_commands_is_bound_as_one() -> None:
    group = typer.Typer()
    group.command("one")(command)
    group.command("two")(command)
    _bound_group(group)(["two", "hello", "-q"], standalone_mode=False)
    assert SEEN.pop() == (Options(quiet=True), "hello")


def test_a_session_decides_settings_from_its_own_environment(tmp_path: Path) -> None:
    from cli.render import Output

    output = Output.of(Options(), {})
    session = Session(Options(), {"MODELHUB_HOME": str(tmp_path)}, Path("/"), output, tmp_path / "user.toml")
    assert session.workspace.root == tmp_path
    assert session.settings(device="cpu").device == "cpu"
    flagged = Session(Options(home=tmp_path / "f"), {"MODELHUB_HOME": "x"}, Path("/"), output, tmp_path / "user.toml")
    assert flagged.workspace.root == tmp_path / "f"


def test_a_session_opens_only_what_is_there(tmp_path: Path) -> None:
    from cli.render import Output
    from modelhub.errors import NoWorkspace

    session = Session(Options(home=tmp_path / "new"), {}, tmp_path, Output.of(Options(), {}))
    with pytest.raises(NoWorkspace):
        session.open_catalog()
    with session.create_catalog() as catalog:
        assert catalog.count() == 0
    session.open_catalog().close()


@dataclass(frozen=True)
class Paint:
    colour: Annotated[str, typer.Option()] = "red"
    coats: Annotated[int, typer.Option("--coats", "-c")] = 1


def test_a_group_of_options_comes_as_one_argument() -> None:
    seen: list[tuple[str, Paint]] = []

    def paint(session: Session, what: Annotated[str, typer.Argument()], paint: Paint) -> None:
        seen.append((what, paint))

    app = typer.Typer()
    app.command()(bound(paint))
    app(["wall", "--colour", "blue", "-c", "2"], standalone_mode=False)

    assert seen == [("wall", Paint("blue", 2))]
