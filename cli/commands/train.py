"""`modelhub train lora` and `modelhub train resume`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.session import Session
from modelhub.errors import BadValue, Interrupted, MissingPackage
from modelhub.kinds import Artifact

if TYPE_CHECKING:
    from modelhub.catalog import Catalog
    from modelhub.jobs import Job
    from trainers.recipe import Recipe

command = typer.Typer(help="Train new models on your own pictures.", no_args_is_help=True)


@command.command()
def lora(
    session: Session,
    recipe: Annotated[Path | None, typer.Option(help="TOML recipe; flags win over it.", show_default=False)] = None,
    base: Annotated[str | None, typer.Option(metavar="REF", help="Checkpoint to train on.")] = None,
    images: Annotated[Path | None, typer.Option(metavar="DIR", help="Pictures with .txt captions.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the result.", show_default="the folder's name")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimizer steps.", show_default="1000")] = None,
    batch: Annotated[int | None, typer.Option(help="Images a step.", show_default="2")] = None,
    rank: Annotated[int | None, typer.Option(help="Rank of the deltas.", show_default="16")] = None,
    alpha: Annotated[float | None, typer.Option(help="They are scaled by alpha/rank.", show_default="rank/2")] = None,
    learning_rate: Annotated[float | None, typer.Option("--lr", help="Of the UNet.", show_default="5e-4")] = None,
    text_encoder_learning_rate: Annotated[
        float | None, typer.Option("--text-lr", help="Of the text encoder; 0 leaves it alone.", show_default="1e-4")
    ] = None,
    resolution: Annotated[int | None, typer.Option(help="Pixels of a side.", show_default="the base's")] = None,
    flip: Annotated[bool | None, typer.Option("--flip", help="Mirror pictures at random.")] = None,
    caption_dropout: Annotated[float | None, typer.Option(help="Share of captions left out.", show_default="0")] = None,
    seed: Annotated[int | None, typer.Option(help="Of all that is random.", show_default="0")] = None,
    save_every: Annotated[int | None, typer.Option(help="Steps between copies.", show_default="none")] = None,
    preview_every: Annotated[int | None, typer.Option(help="Steps between previews.", show_default="none")] = None,
    preview: Annotated[list[str] | None, typer.Option(help="Prompt to preview; may be repeated.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default="auto")] = None,
) -> None:
    """Train a LoRA on a folder of captioned pictures, and catalogue it.

    Captions stand beside the pictures as .txt files; kohya's N_name folders are read too.
    """
    flags = {
        "base": base,
        "name": name,
        "steps": steps,
        "batch": batch,
        "learning_rate": learning_rate,
        "text_encoder_learning_rate": text_encoder_learning_rate,
        "seed": seed,
        "save": {"every": save_every},
        "dataset": {
            "images": images,
            "resolution": resolution,
            "augment": {"flip": flip},
            "captions": {"dropout": caption_dropout},
        },
        "options": {"rank": rank, "alpha": alpha},
        "preview": {"every": preview_every, "prompts": preview or None},
    }
    wanted = _recipe(recipe, flags)
    with session.open_catalog() as catalog:
        from trainers.train import train

        job = train(wanted, catalog=catalog, device=session.settings(device=device).device)
        _follow(session, catalog, job, run=None)


@command.command()
def resume(
    session: Session,
    run: Annotated[int, typer.Argument(metavar="RUN", help="Number of the interrupted run.")],
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default="auto")] = None,
) -> None:
    """Go on with an interrupted training: it takes the very steps that it would have taken."""
    _require_packages()
    with session.open_catalog() as catalog:
        from trainers.train import resume as go_on

        job = go_on(run, catalog=catalog, device=session.settings(device=device).device)
        _follow(session, catalog, job, run=run)


def _follow(session: Session, catalog: "Catalog", job: "Job[Artifact]", *, run: int | None) -> None:
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
    hint = f'modelhub generate "..." --model {_base_of(catalog, artifact)} --lora {artifact.id}'
    session.output.show(artifact, text=lambda: f"{artifact.id}  {artifact.name}  {artifact.path}", ids=[artifact.id])
    session.output.hint(f"use it: {hint}")


def _base_of(catalog: "Catalog", artifact: Artifact) -> int:
    made_by = catalog.lineage(artifact.id).made_by
    assert made_by is not None, "a training has just made it"
    return next(catalog_id for role, catalog_id in made_by.inputs if role == "base")


def _recipe(path: Path | None, flags: dict[str, Any]) -> "Recipe":
    """The file's entries with the flags over them; raises `BadValue` naming what is missing."""
    _require_packages()
    from trainers.recipe import parse_recipe, read_fields

    fields = _over(read_fields(path) if path else {}, flags)
    folder = fields.get("dataset", {}).get("images")
    for flag, value in (("base", fields.get("base")), ("images", folder)):
        if value is None:
            raise BadValue(f"--{flag} is missing", mend="modelhub train lora --base REF --images DIR")
    fields.setdefault("name", Path(folder).resolve().name)
    return parse_recipe(fields, str(path or "the recipe"))


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Two levels of entries as one; None above leaves what is below."""
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict):
            merged[key] = _over(below.get(key, {}), value)
        elif value is not None:
            merged[key] = value
    return merged


def _require_packages() -> None:
    try:
        import trainers.train  # noqa: F401  # brings torch and the model libraries, or says which one is missing
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "train") from error
