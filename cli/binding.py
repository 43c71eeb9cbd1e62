"""Makes a Typer command of a function that takes a `Session`: the options common to all are added here.

A parameter that is a dataclass is a group of options: its fields become options, and the function gets the whole. Its
`section` is the heading under which help shows them.
"""

import copy
import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from cli.options import DECLARED, Options
from cli.render import Output
from cli.session import Session

__all__ = ["bound", "rooted", "session_of"]


def bound(command: Callable[..., None]) -> Callable[..., None]:
    """`command(session, ...)` as Typer takes it: with the common options, from which its session is made.

    They may also be given before the command's name; what stands behind it wins.
    """

    def session(context: typer.Context, options: Options) -> Session:
        outer = context.find_root().obj
        found = session_of(options.over(outer) if isinstance(outer, Options) else options)
        return replace(found, given=_given(context))

    return _declared(command, session)


def rooted(callback: Callable[..., None]) -> Callable[..., None]:
    """`callback(options, ...)` as Typer takes it: the options before the command's name, kept for the command."""

    def options(context: typer.Context, options: Options) -> Options:
        context.obj = options
        return options

    return _declared(callback, options)


def session_of(options: Options) -> Session:
    """The session of this process: the only place that looks at its environment."""
    return Session(options, os.environ, Path.cwd(), Output.of(options, os.environ))


def _given(context: typer.Context) -> frozenset[str]:
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")


def _declared(function: Callable[..., None], first: Callable[[typer.Context, Options], object]) -> Callable[..., None]:
    """`function` with the common options added to its signature, and its first argument made from them."""

    @functools.wraps(function)
    def run(context: typer.Context, **values: Any) -> None:
        options = Options(**{name: values.pop(name) for name in DECLARED})
        grouped = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        function(first(context, options), **values, **grouped)

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    groups: dict[str, Any] = {each.name: each.annotation for each in own if is_dataclass(each.annotation)}
    parameters = [_parameter("context", typer.Context), *_spread(own, groups), *_common()]
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    )
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _spread(own: list[inspect.Parameter], groups: Mapping[str, Any]) -> Iterator[inspect.Parameter]:
    """The function's parameters, each group replaced by its fields."""
    for each in own:
        if each.name not in groups:
            yield each
            continue
        declared = get_type_hints(groups[each.name], include_extras=True)
        for field in fields(groups[each.name]):
            default = inspect.Parameter.empty if field.default is MISSING else field.default
            yield _parameter(field.name, _in_section(declared[field.name], groups[each.name]), default)


def _in_section(declared: Any, group: Any) -> Any:
    """The option, shown under its group's heading where the group has one."""
    kind, option, *_ = get_args(declared)
    shown = copy.copy(option)
    shown.rich_help_panel = getattr(group, "section", None)
    return Annotated[kind, shown]


def _common() -> list[inspect.Parameter]:
    defaults = Options()
    return [_parameter(name, declared, getattr(defaults, name)) for name, declared in DECLARED.items()]


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
