"""Finds the commands, runs the one that is asked for, and shows errors: here and nowhere else."""

import copy
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from cli import commands
from cli.binding import bound, rooted
from cli.help import SectionedCommand, phrase
from cli.options import Options
from cli.render import Output
from modelhub import __version__
from modelhub.errors import BadValue, Interrupted, ModelHubError, OutOfResources
from modelhub.registry import members
from modelhub.workspace import disk_error

__all__ = ["build", "main"]

_TITLE = "Catalog of Stable Diffusion models: track them, train them, generate with them."


def build(only: str = "") -> typer.Typer:
    """The application, with a command for every file in `cli.commands`, or with the one that is called `only`."""
    app = typer.Typer(
        name="modelhub",
        help=_TITLE,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(rooted(_root))
    modules = {module.__name__.rpartition(".")[2].replace("_", "-"): module for module in _modules(only)}
    for name, module in modules.items():
        if isinstance(module.command, typer.Typer):
            app.add_typer(_bound_group(module.command), name=name)
        else:
            parsing = {"cls": SectionedCommand, **getattr(module, "PARSING", {})}
            app.command(name, short_help=_listed(module.command, modules), **parsing)(bound(module.command))
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = build(given[0] if given else "")(args=given or ["--help"], prog_name="modelhub", standalone_mode=False)
        sys.stdout.flush()
        if code == Interrupted.exit_code:  # Typer has made this of a KeyboardInterrupt
            raise Interrupted("stopped")
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return _shown(Interrupted("stopped"), given)
    except ModelHubError as error:
        return _shown(error, given)
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # `modelhub train` alone: click's class has no public name here
            print(error)
            return 0
        return _shown(_explained(error, verbose="-vv" in given), given)


def _modules(only: str) -> Iterable[ModuleType]:
    """Importing all commands takes longer than most of them run."""
    wanted = only.replace("-", "_")
    names = {found.name for found in pkgutil.iter_modules(commands.__path__) if not found.name.startswith("_")}
    return [importlib.import_module(f"{commands.__name__}.{wanted}")] if wanted in names else members(commands)


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


def _root(
    _options: Options,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Takes the options before the command's name; `_version` has done its work by now."""


def _bound_group(group: typer.Typer) -> typer.Typer:
    """A copy of `group` whose commands get sessions; the module's own stays as it is."""
    ours = copy.copy(group)
    ours.rich_markup_mode = None
    ours.registered_commands = [copy.copy(command) for command in group.registered_commands]
    names = [command.name or "" for command in ours.registered_commands]
    for command in ours.registered_commands:
        if command.callback:
            command.cls, command.short_help = SectionedCommand, _listed(command.callback, names)
            command.callback = bound(command.callback)
    return ours


def _listed(command: Callable[..., None], names: Iterable[str]) -> str:
    """What a list of commands, on a terminal of 80 columns, says of one."""
    return phrase(command.__doc__ or "", 72 - max(map(len, names)))


def _explained(error: Exception, *, verbose: bool) -> ModelHubError:
    """An error that is not ours, as one line for people."""
    if hasattr(error, "format_message"):  # a usage error: Typer has click's classes within, under no public name
        command = getattr(error, "ctx", None)
        return BadValue(error.format_message(), mend=f"{command.command_path if command else 'modelhub'} --help")
    if isinstance(error, OSError):
        known = disk_error(error, Path(error.filename or "."))
        return known if isinstance(known, ModelHubError) else ModelHubError(str(error))
    if isinstance(error, MemoryError):
        return OutOfResources("the memory is full", mend="close other programs, or ask for less at once")
    if verbose:
        traceback.print_exception(error)
    return ModelHubError(
        f"unexpected {type(error).__name__}: {error}", mend="run it again with -vv, and report the traceback"
    )


def _shown(error: ModelHubError, given: Sequence[str]) -> int:
    """Show an error as the command line asked, even when that could not be parsed."""
    asked = Options(json="--json" in given, jsonl="--jsonl" in given)
    Output.of(asked, os.environ).error(error)
    return error.exit_code
