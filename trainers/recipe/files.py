"""Recipes as TOML files, those of older versions too."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from modelhub.errors import BadValue, MissingFile
from trainers.recipe.dataset import PLACES
from trainers.recipe.methods import METHODS
from trainers.recipe.recipe import SCHEMA, Recipe
from trainers.spelling import command_of

__all__ = ["current", "parse_recipe", "read_fields", "read_recipe", "write_recipe"]

_TABLES = (
    "dataset", "options", "optimizer", "noise", "loss", "prior", "compute", "validation", "preview", "save",
    "export", "log",
)  # fmt: skip
_MOVED = {
    "schedule": "optimizer.schedule",
    "warmup": "optimizer.warmup",
    "weight_decay": "optimizer.weight_decay",
    "max_grad_norm": "optimizer.max_grad_norm",
    "min_snr_gamma": "loss.min_snr_gamma",
    "noise_offset": "noise.offset",
    "save_every": "save.every",
    "dataset.flip": "dataset.augment.flip",
    "dataset.caption_dropout": "dataset.captions.dropout",
}
"""Where the entries of schema 1 stand in schema 2."""


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file; raises `MissingFile`, or `BadValue` naming the entry that is wrong."""
    return parse_recipe(read_fields(path), str(path))


def read_fields(path: Path) -> dict[str, Any]:
    """The entries of a TOML file, not yet checked; paths in it are meant from where it lies."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such recipe") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadValue(f"{path}: {error}") from None
    return _from_where_it_lies(current(fields, str(path)), path.parent)


def current(fields: dict[str, Any], where: str) -> dict[str, Any]:
    """Entries as they stand now, of those that any version wrote; `where` is what an error calls their origin."""
    fields = dict(fields)
    schema = fields.pop("schema", SCHEMA)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise BadValue(f"{where} was written by a newer ModelHub", mend="pip install -U modelhub-suite")
    for table in _TABLES:
        if not isinstance(fields.get(table, {}), dict):
            raise BadValue(f"{where}: {table}: it must be a table", mend=f"write its entries below [{table}]")
    return _upgraded(fields) if schema == 1 else fields


def parse_recipe(fields: dict[str, Any], where: str) -> Recipe:
    """A recipe from named entries; `where` is what an error calls their origin."""
    try:
        return Recipe.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        entry = ".".join(str(part) for part in first["loc"])
        raise BadValue(f"{where}: {_said(entry, first)}", mend=_lookup(entry, first, fields)) from None


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write a recipe as TOML, every entry with its value, beside what it makes."""
    path.write_text(tomlkit.dumps(recipe.payload()), encoding="utf-8")


def _said(entry: str, wrong: ErrorDetails) -> str:
    message = "there is no such entry" if wrong["type"] == "extra_forbidden" else wrong["msg"]
    message = message.removeprefix("Value error, ")
    return f"{entry}: {message}" if entry else message


def _lookup(entry: str, wrong: ErrorDetails, fields: Mapping[str, Any]) -> str:
    """The command that tells what may stand there, or anywhere where entries do not fit together."""
    named = entry.rpartition(".")[0] if wrong["type"] == "extra_forbidden" else entry
    listed = re.split(r"\.\d+", named)[0]
    method = str(fields.get("method", "lora"))
    flag = f"--method {command_of(method)}" if method in METHODS and method != "lora" else ""
    return " ".join(filter(None, ("modelhub train entries", listed, flag)))


def _upgraded(fields: dict[str, Any]) -> dict[str, Any]:
    """Entries of schema 1 as schema 2 has them."""
    fields = {"steps": 1000, **fields, "validation": {"share": 0.0}}
    for old, new in _MOVED.items():
        *above, last = old.split(".")
        table = fields
        for name in above:
            table = table.get(name, {})
        if last in table:
            _put(fields, new, table.pop(last))
    return fields


def _put(fields: dict[str, Any], where: str, value: Any) -> None:
    *above, last = where.split(".")
    for name in above:
        fields = fields.setdefault(name, {})
    fields[last] = value


def _from_where_it_lies(fields: dict[str, Any], folder: Path) -> dict[str, Any]:
    dataset = fields.get("dataset", {})
    subsets = dataset.get("subsets", [])
    for table in (dataset, fields.get("prior", {}), *(subsets if isinstance(subsets, list) else ())):
        for name in PLACES:
            if isinstance(table, dict) and isinstance(path := table.get(name), str) and path:
                table[name] = folder / path
    return fields
