"""Flags -> training -> what is said of it: what the methods' commands have in common."""

from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cli.flags.training.recipe import RecipeFlags
from cli.session import Session
from cli.training.estimate import show_estimate
from cli.training.recipe import repeated, wanted
from modelhub.errors import Interrupted, MissingPackage
from modelhub.jobs import Notice
from modelhub.kinds import Artifact

if TYPE_CHECKING:
    from collections.abc import Generator

    from modelhub.catalog import Catalog
    from modelhub.jobs import Job
    from trainers.presets import Preset

__all__ = ["go_on", "require_packages", "saying", "train"]

_PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "pydantic", "jinja2", "yaml")
"""As Python imports them, those that a training does not do without."""

T = TypeVar("T")


def train(session: Session, method: str, origin: RecipeFlags, groups: Sequence[object], device: str | None) -> None:
    """Carry out what the flags ask for, or with --dry-run only tell what it would take.

    What is wrong with the flags is said before torch and the model libraries are loaded, which takes seconds.
    """
    require_packages()
    with session.open_catalog() as catalog:
        like = repeated(origin, catalog)
        recipe, preset = wanted(catalog, method, origin, groups)
        place = session.settings(device=device).device
        if origin.dry_run:
            show_estimate(session, catalog, recipe, preset, place)
            return
        from trainers.beginning import begin

        beginning = session.run(begin(recipe, catalog=catalog, like=like)) if _is_first(session) else None
        from trainers.train import train as job_of

        job = job_of(recipe, catalog=catalog, device=place, like=like, beginning=beginning)
        artifact = _follow(session, catalog, saying(preset, job), run=None)
        if like:
            _compare(session, artifact, like)


def go_on(session: Session, run: int, device: str | None) -> None:
    """Resume a training; what was changed since is told before torch is loaded, but where pictures are to be drawn."""
    require_packages()
    with session.open_catalog() as catalog:
        from trainers.beginning import check_resumable, going_on

        folder = check_resumable(run, catalog)
        recipe = folder.read_recipe()
        plan = going_on(folder, recipe, catalog) if _is_first(session) and not recipe.prior.draw else None
        from trainers.train import resume

        job = resume(run, catalog=catalog, device=session.settings(device=device).device, plan=plan)
        _follow(session, catalog, job, run=run)


def _follow(session: Session, catalog: "Catalog", job: "Job[Artifact]", *, run: int | None) -> Artifact:
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


def _is_first(session: Session) -> bool:
    """Whether it is the one that looks everything over, of the processes that `accelerate launch` may have begun."""
    return session.environ.get("RANK", "0") == "0"


def saying(preset: "Preset | None", job: "Job[T]") -> "Job[T]":
    """The job, which tells its preset once it is clear that it begins."""
    with closing(cast("Generator[Any, None, None]", job)):
        first = next(job)
        if preset:
            yield Notice(f"preset {preset.name}: {preset.about}")
        yield first
        yield from job


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
