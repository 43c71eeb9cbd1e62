"""Flags -> recipe: what is said by hand, over a file, over a preset."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.flags.entries import entries_of, nested, over
from cli.flags.training.recipe import RecipeFlags
from modelhub.errors import BadValue
from trainers.spelling import command_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelhub.catalog import Catalog
    from trainers.presets import Preset
    from trainers.recipe import Recipe

__all__ = ["repeated", "wanted"]

_ANYBODYS = {"data", "dataset", "images", "img", "pictures", "train"}
"""Names of folders that say nothing of what is in them."""


def wanted(
    catalog: "Catalog", method: str, origin: RecipeFlags, groups: Sequence[object]
) -> "tuple[Recipe, Preset | None]":
    """Flags over --set over the recipe (or the file to repeat) over the preset, which is given too."""
    from trainers.recipe import parse_recipe, read_fields

    flags = [pair for group in (origin, *groups) for pair in entries_of(group).items()]
    above = over(nested(origin.changed().items()), nested(flags))
    like = repeated(origin, catalog)
    said = _retold(like, catalog) if like else read_fields(origin.recipe) if origin.recipe else {}
    fields = over(over({"method": method}, said), above)
    if fields["method"] != method:
        raise BadValue(
            f"the recipe is of a {fields['method']}, not of a {method}",
            mend=f"modelhub train {command_of(fields['method'])} ...",
        )
    _check_told(fields, method)
    preset = _preset(catalog, method, origin, fields["base"]) if origin.preset or not said else None
    if preset:
        fields = over(dict(preset.entries), fields)
    fields.setdefault("name", _word_of(fields) or _name_of(fields["dataset"]))
    recipe = parse_recipe(fields, str(origin.recipe or origin.repeat or "the recipe"))
    return (_beside(recipe, catalog) if like and not origin.name else recipe), preset


def repeated(origin: RecipeFlags, catalog: "Catalog") -> Path | None:
    """The file that --from names, by its path or as the catalog knows it."""
    if origin.repeat is None:
        return None
    return origin.repeat if origin.repeat.is_file() else catalog.resolve(str(origin.repeat)).path


def _retold(like: Path, catalog: "Catalog") -> "dict[str, Any]":
    from trainers.running.repeating import retold

    return retold(like, catalog)


def _beside(recipe: "Recipe", catalog: "Catalog") -> "Recipe":
    """By the first name that is free: what is repeated stands beside what it repeats."""
    from trainers.running.results import renamed

    return renamed(recipe, catalog)


def _check_told(fields: "Mapping[str, Any]", method: str) -> None:
    """Raises `BadValue` naming the flag that is missing."""
    dataset = fields.get("dataset", {})
    images = dataset.get("images") or dataset.get("subsets")
    for flag, value in (("base", fields.get("base")), ("images", images)):
        if not value:
            command = f"modelhub train {command_of(method)}"
            raise BadValue(f"--{flag} is missing", mend=f"{command} --base REF --images DIR")


def _preset(catalog: "Catalog", method: str, origin: RecipeFlags, base: object) -> "Preset | None":
    """What is begun with: the preset that is named, or the method's usual one for the base's family."""
    from trainers.presets import preset_for, read_preset

    if origin.preset is None:
        return preset_for(method, catalog.resolve(str(base)).facts.family)
    found = read_preset(origin.preset)
    if found.method != method:
        command = command_of(found.method)
        raise BadValue(f"{found.name} is a preset of {command}", mend=f"modelhub train {command} ...")
    return found


def _word_of(fields: "Mapping[str, Any]") -> str:
    """The new word of a textual inversion, since other tools call an embedding by its file's name."""
    options: Mapping[str, Any] = fields.get("options", {})
    return str(options.get("token", "")) if fields["method"] == "textual_inversion" else ""


def _name_of(dataset: "Mapping[str, Any]") -> str:
    """That of the folder, or of the first one, as far as it tells: ``mira`` of `sets/mira/train` and of `10_mira`."""
    first = Path(dataset.get("images") or dataset["subsets"][0]["images"]).resolve()
    telling = [name for name in (first.stem, *(one.name for one in first.parents)) if name.lower() not in _ANYBODYS]
    return re.sub(r"^\d+_(?=.)", "", telling[0]) or first.stem
