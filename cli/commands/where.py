"""`modelhub where IMAGE|REF`: what made it, and what it made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.pictures import is_picture, recorded
from cli.render import plain
from cli.session import Session
from modelhub.kinds import Artifact

if TYPE_CHECKING:
    from modelhub.catalog import Catalog, Image, Run, Uses


@dataclass(frozen=True, slots=True)
class _Used:
    """A model that drew a picture; `id` is None for one that the catalog does not hold."""

    role: str
    id: int | None
    name: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Where a picture comes from."""

    path: Path
    run: int | None
    seed: int | None
    models: tuple[_Used, ...]
    parameters: str
    request: Mapping[str, Any] | None
    known_by: str
    """``path``, ``bytes`` or ``its own text``."""


@dataclass(frozen=True, slots=True)
class _Made:
    """Where a model comes from and went to."""

    artifact: Artifact
    made_by: "Run | None"
    base: tuple[_Used, ...]
    """What it was made from."""
    data: str | None
    uses: "Uses"
    trained: tuple[_Used, ...]


def command(
    session: Session, thing: Annotated[str, typer.Argument(metavar="IMAGE|REF", help="A picture's file, or a model.")]
) -> None:
    """Tell what drew a picture, or what made a model and what was made with it."""
    path = session.cwd / Path(thing).expanduser()
    with session.open_catalog() as catalog:
        if is_picture(path):
            drawn = _drawn(catalog, path)
            session.output.show(drawn, text=lambda: "\n".join(_picture_told(drawn)), ids=[drawn.run or ""])
        else:
            made = _made(catalog, catalog.resolve(thing))
            session.output.show(made, text=lambda: "\n".join(_model_told(made)), ids=[made.artifact.id])


def _drawn(catalog: "Catalog", path: Path) -> _Drawn:
    image = recorded(catalog, path)
    return _recorded(catalog, path, image) if image else _by_its_text(catalog, path)


def _recorded(catalog: "Catalog", path: Path, image: "Image") -> _Drawn:
    from inference.images.texts import PARAMETERS, seed_of

    run = catalog.run(image.run_id)
    names = catalog.names([one for _, one in run.inputs])
    drew = (_Used(role, one, names[one]) for role, one in run.inputs)
    models = (*drew, *(_held(catalog, *one) for one in catalog.pictures.named(image.id)))
    return _Drawn(
        path=path,
        run=run.id,
        seed=seed_of({PARAMETERS: image.infotext}),
        models=models,
        parameters=image.infotext,
        request=run.payload,
        known_by="path" if catalog.pictures.at(path) else "bytes",
    )


def _by_its_text(catalog: "Catalog", path: Path) -> _Drawn:
    from inference.images.texts import PARAMETERS, named_models, read_texts, seed_of

    texts = read_texts(path)
    models = tuple(_held(catalog, one.role, one.name, one.digest) for one in named_models(texts))
    return _Drawn(
        path=path,
        run=None,
        seed=seed_of(texts),
        models=models,
        parameters=texts.get(PARAMETERS, ""),
        request=None,
        known_by="its own text",
    )


def _held(catalog: "Catalog", role: str, name: str, digest: str) -> _Used:
    for one in catalog.find_digest(digest):
        return _Used(role, one, catalog.names([one])[one], digest)
    return _Used(role, None, name, digest)


def _made(catalog: "Catalog", artifact: Artifact) -> _Made:
    made_by, uses = catalog.made_by(artifact.id), catalog.pictures.uses(artifact.id)
    inputs = made_by.inputs if made_by else ()
    names = catalog.names([*(one for _, one in inputs), *uses.trained])
    return _Made(
        artifact=artifact,
        made_by=made_by,
        base=tuple(_Used(role, one, names[one]) for role, one in inputs),
        data=made_by.payload.get("dataset", {}).get("images") if made_by else None,
        uses=uses,
        trained=tuple(_Used("trained", one, names[one]) for one in uses.trained),
    )


def _picture_told(drawn: _Drawn) -> Iterator[str]:
    yield f"{drawn.path}"
    yield f"  known by {drawn.known_by}" + (f", run {drawn.run}" if drawn.run else "")
    yield from _models_told(drawn.models)
    if drawn.seed is not None:
        yield f"  seed {drawn.seed}"
    yield from (f"  {plain(line)}" for line in drawn.parameters.splitlines())
    if not (drawn.models or drawn.parameters):
        yield "  nothing tells what drew it"


def _model_told(made: _Made) -> Iterator[str]:
    run, uses = made.made_by, made.uses
    yield f"{made.artifact.id}  {plain(made.artifact.name)}"
    yield (
        f"  made by run {run.id}: {run.kind} {run.started_at:%Y-%m-%d %H:%M} {run.state}" if run else "  not made here"
    )
    yield from _models_told(made.base)
    if made.data:
        yield f"  data   {made.data}"
    drawn = "1 picture" if uses.pictures == 1 else f"{uses.pictures:,} pictures"
    yield f"  drew {drawn}" + (", the newest:" if uses.newest else "")
    yield from (f"    {image.path}" for image in uses.newest)
    yield from _models_told(made.trained)


def _models_told(models: Sequence[_Used]) -> Iterator[str]:
    for one in models:
        known = f"{one.id} ({plain(one.name)})" if one.id else f"not in the catalog: {plain(one.name)} {one.digest}"
        yield f"  {one.role:<6} {known}"
