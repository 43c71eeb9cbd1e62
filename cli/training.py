"""Flags -> recipe -> training -> what is said of it: what the methods' commands have in common."""

import re
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from cli.flags.training.recipe import RecipeFlags, nested
from cli.session import Session
from modelhub.errors import BadValue, Interrupted, MissingPackage
from modelhub.jobs import Notice
from modelhub.kinds import Artifact

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from modelhub.catalog import Catalog
    from modelhub.jobs import Job
    from trainers.presets import Preset
    from trainers.recipe import Recipe

__all__ = ["Flags", "find_rate", "follow", "over", "require_packages", "train", "wanted"]


_PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "pydantic", "jinja2", "yaml")
"""As Python imports them, those that a training does not do without."""
_RANGE_STEPS = 100
_ANYBODYS = {"data", "dataset", "images", "img", "pictures", "train"}
"""Names of folders that say nothing of what is in them."""

T = TypeVar("T")


class Flags(Protocol):
    """A group of options of a training."""

    def entries(self) -> "Mapping[str, object]":
        """Entry of a recipe, dotted -> what its flag gives; None where it is silent."""
        ...


def train(session: Session, method: str, origin: RecipeFlags, groups: Sequence[Flags], device: str | None) -> None:
    """Carry out what the flags ask for, or with --dry-run only tell what it would take.

    What is wrong with the flags is said before torch and the model libraries are loaded, which takes seconds.
    """
    require_packages()
    with session.open_catalog() as catalog:
        like = _repeated(origin, catalog)
        recipe, preset = wanted(catalog, method, origin, groups)
        place = session.settings(device=device).device
        if origin.dry_run:
            _show_estimate(session, catalog, recipe, preset, place)
            return
        from trainers.train import train as job_of

        job = _saying(preset, job_of(recipe, catalog=catalog, device=place, like=like))
        artifact = follow(session, catalog, job, run=None)
        if like:
            _compare(session, artifact, like)


def find_rate(
    session: Session, method: str, origin: RecipeFlags, groups: Sequence[Flags], rates: tuple[float, float],
    device: str | None,
) -> None:  # fmt: skip
    """Carry out a range test, and show what it suggests."""
    require_packages()
    with session.open_catalog() as catalog:
        recipe, preset = wanted(catalog, method, origin, groups)
        from trainers.range_test import range_test

        told = recipe.steps if any(group.entries().get("steps") for group in groups) else _RANGE_STEPS
        place = session.settings(device=device).device
        job = range_test(recipe, catalog=catalog, lowest=rates[0], highest=rates[1], steps=told, device=place)
        found = session.run(_saying(preset, job))
        path = catalog.workspace.runs / f"range-{recipe.name}.png"
    path.parent.mkdir(exist_ok=True)
    found.picture().save(path)
    breaks = "none broke it" if found.breaks is None else f"it breaks at {found.breaks:.2g}"
    text = f"{found.suggested:.2g}  (the loss falls fastest at {found.steepest:.2g}, {breaks})\n{path}"
    session.output.show({"range": found, "picture": path}, text=lambda: text, ids=[f"{found.suggested:.2g}"])


def wanted(
    catalog: "Catalog", method: str, origin: RecipeFlags, groups: Sequence[Flags]
) -> "tuple[Recipe, Preset | None]":
    """Flags over --set over the recipe (or the file to repeat) over the preset, which is given too."""
    from trainers.recipe import parse_recipe, read_fields

    flags = [pair for group in (origin, *groups) for pair in group.entries().items()]
    above = over(nested(origin.changed().items()), nested(flags))
    like = _repeated(origin, catalog)
    said = _retold(like, catalog) if like else read_fields(origin.recipe) if origin.recipe else {}
    fields = over(over({"method": method}, said), above)
    if fields["method"] != method:
        raise BadValue(
            f"the recipe is of a {fields['method']}, not of a {method}",
            mend=f"modelhub train {fields['method'].replace('_', '-')} ...",
        )
    _check_told(fields, method)
    preset = _preset(catalog, method, origin, fields["base"]) if origin.preset or not said else None
    if preset:
        fields = over(dict(preset.entries), fields)
    fields.setdefault("name", _word_of(fields) or _name_of(fields["dataset"]))
    recipe = parse_recipe(fields, str(origin.recipe or origin.repeat or "the recipe"))
    return (_renamed(recipe, catalog) if like and not origin.name else recipe), preset


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Tables of entries as one; None above leaves what is below."""
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(key, {}), dict):
            merged[key] = over(merged.get(key, {}), value)
        elif value is not None:
            merged[key] = value
    return merged


def follow(session: Session, catalog: "Catalog", job: "Job[Artifact]", *, run: int | None) -> Artifact:
    """Run a training and show what came of it; stopped by hand, it says how to go on. `run` is None for a new one."""
    before = catalog.last_run("train")
    try:
        artifact = session.run(job)
    except KeyboardInterrupt:
        newest = catalog.last_run("train")
        stopped = run or (newest.id if newest and newest != before else None)
        if stopped is None:
            raise
        mend = f"modelhub train resume {stopped}"
        raise Interrupted(f"stopped; run {stopped} keeps what was learnt", mend=mend) from None
    session.output.show(artifact, text=lambda: f"{artifact.id}  {artifact.name}  {artifact.path}", ids=[artifact.id])
    session.output.hint(f"use it: {_usage(catalog, artifact)}")
    return artifact


def require_packages() -> None:
    """Raises `MissingPackage` naming the extra to install; nothing is loaded yet."""
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise MissingPackage(package, "train")


def _repeated(origin: RecipeFlags, catalog: "Catalog") -> Path | None:
    """The file that --from names, by its path or as the catalog knows it."""
    if origin.repeat is None:
        return None
    return origin.repeat if origin.repeat.is_file() else catalog.resolve(str(origin.repeat)).path


def _retold(like: Path, catalog: "Catalog") -> "dict[str, Any]":
    from trainers.running.repeating import retold

    return retold(like, catalog)


def _renamed(recipe: "Recipe", catalog: "Catalog") -> "Recipe":
    """By the first name that is free: what is repeated stands beside what it repeats."""
    from trainers.running.repeating import first_free_name
    from trainers.running.results import kind_of

    return recipe.model_copy(update={"name": first_free_name(recipe.name, kind_of(recipe), catalog)})


def _check_told(fields: "Mapping[str, Any]", method: str) -> None:
    """Raises `BadValue` naming the flag that is missing."""
    dataset = fields.get("dataset", {})
    images = dataset.get("images") or dataset.get("subsets")
    for flag, value in (("base", fields.get("base")), ("images", images)):
        if not value:
            command = method.replace("_", "-")
            raise BadValue(f"--{flag} is missing", mend=f"modelhub train {command} --base REF --images DIR")


def _preset(catalog: "Catalog", method: str, origin: RecipeFlags, base: object) -> "Preset | None":
    """What is begun with: the preset that is named, or the method's usual one for the base's family."""
    from trainers.presets import preset_for, read_preset

    if origin.preset is None:
        return preset_for(method, catalog.resolve(str(base)).facts.family)
    found = read_preset(origin.preset)
    if found.method != method:
        command = found.method.replace("_", "-")
        raise BadValue(f"{found.name} is a preset of {command}", mend=f"modelhub train {command} ...")
    return found


def _saying(preset: "Preset | None", job: "Job[T]") -> "Job[T]":
    """The job, which tells its preset once it is clear that it begins."""
    with closing(cast("Generator[Any, None, None]", job)):
        first = next(job)
        if preset:
            yield Notice(f"preset {preset.name}: {preset.about}")
        yield first
        yield from job


def _word_of(fields: "Mapping[str, Any]") -> str:
    """The new word of a textual inversion, since other tools call an embedding by its file's name."""
    options: Mapping[str, Any] = fields.get("options", {})
    return str(options.get("token", "")) if fields["method"] == "textual_inversion" else ""


def _name_of(dataset: "Mapping[str, Any]") -> str:
    """That of the folder, or of the first one, as far as it tells: ``mira`` of `sets/mira/train` and of `10_mira`."""
    first = Path(dataset.get("images") or dataset["subsets"][0]["images"]).resolve()
    telling = [name for name in (first.stem, *(one.name for one in first.parents)) if name.lower() not in _ANYBODYS]
    return re.sub(r"^\d+_(?=.)", "", telling[0]) or first.stem


def _show_estimate(
    session: Session, catalog: "Catalog", recipe: "Recipe", preset: "Preset | None", device: str
) -> None:  # fmt: skip
    """What it would take; no weight is read."""
    from inference.memory import giga
    from trainers.running.announcing import Forecast

    forecast = Forecast.of(recipe, catalog, device)
    document = {
        "preset": preset and preset.name,
        "recipe": forecast.plan.recipe.payload(), "estimate": forecast.needed, "seconds": forecast.seconds,
        "room": forecast.room, "notices": forecast.plan.notices,
    }  # fmt: skip
    named = [f"preset {preset.name}: {preset.about}"] if preset else []
    lines = [*named, *forecast.lines, f"{giga(forecast.room)} of memory are free"]
    session.output.show(document, text=lambda: "\n".join(lines))
    for notice in forecast.plan.notices:
        session.output.hint(notice)


def _usage(catalog: "Catalog", artifact: Artifact) -> str:
    """How to draw with what was made."""
    kind = artifact.facts.kind
    base = _base_of(catalog, artifact)
    called = ", ".join((*artifact.trigger_words, "..."))
    ways = {
        "lora": f'"{called}" --model {base} --lora {artifact.id}',
        "embedding": f'"... {artifact.name} ..." --model {base}',
        "hypernetwork": f'"{called} <hypernet:{artifact.name}:1>" --model {base}',
        "unet": f'"{called}" --model {base} --unet {artifact.id}',
        "checkpoint": f'"{called}" --model {artifact.id}',
    }
    return f"modelhub generate {ways[kind]}"


def _base_of(catalog: "Catalog", artifact: Artifact) -> int:
    made_by = catalog.lineage(artifact.id).made_by
    assert made_by is not None, "a training has just made it"
    return next(catalog_id for role, catalog_id in made_by.inputs if role == "base")


def _compare(session: Session, artifact: Artifact, like: Path) -> None:
    """Say whether a repeated training came to the very same numbers."""
    from modelhub.headers import read_table

    ours, theirs = (read_table(path).metadata.get("sshs_model_hash") for path in (artifact.path, like))
    if ours == theirs:
        session.output.hint(f"its tensors are those of {like.name}")
    else:
        session.output.hint(f"its tensors differ from those of {like.name}: another recipe, machine or version")
