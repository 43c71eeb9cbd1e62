"""The one path that every picture takes, whoever asks for it: the CLI, a training's preview, a program."""

import hashlib
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from inference.engine import Engine
from inference.gallery import inputs_of
from inference.images.formats import PNG, Format
from inference.images.inputs import Inputs
from inference.images.png import save_new
from inference.memory import estimate, giga
from inference.picture import Picture
from inference.plan import LoadPlan, resolve
from inference.rendering import render
from inference.request import GenerationRequest
from inference.saving import Saving
from inference.series import Series, Turn, listed
from modelhub.catalog import Catalog
from modelhub.jobs import Done, Job, Notice, Progress
from modelhub.licences import check
from modelhub.upkeep.terms import named
from modelhub.workspace import Workspace

__all__ = ["REQUEST_KEY", "Picture", "generate", "output_folder", "render"]

REQUEST_KEY = "modelhub"
"""PNG text chunk that holds the resolved request as JSON."""


def generate(
    what: GenerationRequest | Series,
    *,
    catalog: Catalog,
    engine: Engine,
    out: Path,
    inputs: Inputs | None = None,
    require: str | None = None,
    form: Format = PNG,
) -> Job[tuple[Picture, ...]]:
    """Draw a request, or a series of them, and save its pictures in `out`, each as soon as its batch is done.

    The run and every picture are recorded in the catalog, so that lineage is a query. What is interrupted keeps
    the pictures that were finished. Raises `LicenceForbids` where the licences of its models do not allow what
    is required, before a weight is read. `inputs` holds pictures that a series draws from.
    """
    series = listed([what]) if isinstance(what, GenerationRequest) else what
    run: int | None = None
    saved: list[Picture] = []
    told: set[str] = set()
    state, wrong = "interrupted", None
    try:
        turn, made = _following(series, None)
        while turn:
            plan = resolve(turn.request, catalog, inputs)
            if require:
                check(require, [named(catalog, catalog.artifact(used)) for _, used in plan.used])
            run = _recorded(run, plan, catalog)
            notices = [*plan.notices, *_warning(plan, engine)]
            yield from (Notice(one) for one in notices if one not in told)
            told.update(notices)
            keep = partial(_save, out=out, catalog=catalog, run=run, form=form) if turn.kept else _as_it_is
            with Saving(keep) as saving:
                for event in render(plan, engine):
                    if isinstance(event, Picture):
                        saving.add(event)
                    elif isinstance(event, Progress) and turn.task:
                        yield replace(event, task=f"{turn.task}: {event.task}")
                    else:
                        yield event
            drawn = saving.saved
            saved += drawn if turn.kept else []
            if turn.told:
                yield from (Notice(f"{picture.path}") for picture in drawn)
            turn, made = _following(series, tuple(drawn))
        saved += [_save(one, out, catalog, run, form) for one in made if run is not None]
        state = "done"
    except Exception as error:
        state, wrong = "failed", str(error)
        raise
    finally:
        series.close()
        if run is not None:
            catalog.finish_run(run, state=state, error=wrong)
    yield Done(tuple(saved))


def _following(series: Series, drawn: tuple[Picture, ...] | None) -> tuple[Turn | None, tuple[Picture, ...]]:
    """The next turn; or None, and what came of the whole."""
    try:
        return (next(series) if drawn is None else series.send(drawn)), ()
    except StopIteration as end:
        return None, end.value


def _warning(plan: LoadPlan, engine: Engine) -> list[str]:
    """What to say before a rendering that may not fit."""
    needed = estimate(plan, engine.itemsize)
    if needed.total <= engine.room:
        return []
    return [f"this needs {needed} of memory, and {giga(engine.room)} are there: it may end in smaller batches"]


def _recorded(run: int | None, plan: LoadPlan, catalog: Catalog) -> int:
    """The run in the catalog, begun with its first turn; what later ones use is added."""
    if run is None:
        return catalog.begin_run("generate", plan.request.payload(), plan.used)
    catalog.note_inputs(run, plan.used)
    return run


def output_folder(workspace: Workspace) -> Path:
    """Where pictures go unless somebody says otherwise: a folder a day."""
    return workspace.outputs / date.today().isoformat()


def _as_it_is(picture: Picture) -> Picture:
    return picture


def _save(picture: Picture, out: Path, catalog: Catalog, run: int, form: Format) -> Picture:
    texts = {"parameters": picture.infotext, REQUEST_KEY: picture.request.to_json()}
    path = save_new(picture.image, out, seed=picture.seed, texts=texts, form=form)
    catalog.pictures.record(
        run,
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        width=picture.image.width,
        height=picture.image.height,
        infotext=picture.infotext,
        inputs=tuple(inputs_of(picture.request)),
    )
    return replace(picture, path=path)
