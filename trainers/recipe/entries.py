"""Every entry that a recipe may have, with what it is for: read off the tables themselves."""

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from trainers.recipe.methods import DEFAULTS, METHODS
from trainers.recipe.recipe import Recipe
from trainers.recipe.section import Section

__all__ = ["Entry", "entries"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a recipe."""

    name: str
    """Dotted, as `--set` takes it."""
    default: object
    """None where it must be given, or where something else decides."""
    choices: tuple[str, ...]
    """All that it takes, where they are few."""
    meaning: str


def entries(method: str) -> tuple[Entry, ...]:
    """All entries of a recipe of this method, in the order in which a recipe is written."""
    found = tuple(_below(Recipe, method, ""))
    return tuple(sorted(found, key=lambda entry: "." in entry.name))


def _below(section: type[Section], method: str, above: str) -> Iterator[Entry]:
    meanings = _meanings(section)
    for name, field in section.model_fields.items():
        inner = METHODS[method] if section is Recipe and name == "options" else _section_of(field.annotation)
        if inner:
            yield from _below(inner, method, f"{above}{name}.")
            continue
        default = DEFAULTS.get(method, {}).get(name) if section is Recipe else None
        yield Entry(
            f"{above}{name}", _default(field) if default is None else default, _choices(field.annotation),
            meanings.get(name, ""),
        )  # fmt: skip


def _section_of(annotation: Any) -> type[Section] | None:
    """The table that an entry is, also where it may be left out."""
    among = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return next((one for one in among if inspect.isclass(one) and issubclass(one, Section)), None)


def _default(field: FieldInfo) -> object:
    return None if field.default is PydanticUndefined else field.default


def _choices(annotation: Any) -> tuple[str, ...]:
    among = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return tuple(str(value) for one in among if get_origin(one) is Literal for value in get_args(one))


@cache
def _meanings(section: type[Section]) -> Mapping[str, str]:
    """Field -> the docstring that follows it."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(section))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            text = after.value.value if isinstance(after.value, ast.Constant) else ""
            found[field.target.id] = " ".join(str(text).split()).replace("`", "")
    return found
