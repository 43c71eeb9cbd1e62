"""Draws and measures every copy of a training at several strengths, and says which pair is best."""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

from PIL import Image

from inference.engine import Engine
from inference.images.plot import Plot, plotted
from inference.images.png import save
from modelhub.catalog import Catalog
from modelhub.jobs import Done, Job, Notice, Progress
from modelhub.kinds import Artifact, Kind
from modelhub.workspace import publish
from trainers.beginning import check_judgeable
from trainers.evaluation.drawing import Looks, prompts_of
from trainers.evaluation.encoders import load_encoder
from trainers.evaluation.features import Features, LookAndEdges
from trainers.evaluation.judge import Judge, judge_of
from trainers.evaluation.verdict import Cell, Verdict, judged
from trainers.methods import WORDS_ENDING
from trainers.plan import TrainingPlan, plan_training
from trainers.running.exporting import Written
from trainers.running.results import kind_of
from trainers.running.runs import RunFolder
from trainers.seeing import ENCODER, is_place, looked_up

__all__ = ["Evaluation", "Judging", "evaluate"]

_SCHEMA = 1
_STRENGTHS = {"lora": (0.4, 0.6, 0.8, 1.0), "hypernetwork": (0.4, 0.6, 0.8, 1.0)}
"""Method -> at which strengths its results are looked at; words and checkpoints have but one."""


@dataclass(frozen=True, slots=True)
class Judging:
    """How a training is judged; what is empty is chosen for it."""

    strengths: tuple[float, ...] = ()
    prompts: tuple[str, ...] = ()
    """Of what was learned; none takes captions of held-out pictures."""
    seeds: int = 2
    steps: int = 20
    cfg: float = 7.0
    copies: int = 0
    """So many of the last copies; 0 takes all."""
    encoder: str | None = None
    """A CLIP, DINOv2 or SigLIP encoder: a reference, or a folder."""
    most_drift: float = 0.5


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured."""

    run: int
    cells: tuple[Cell, ...]
    verdict: Verdict
    artifact: Artifact
    """The recommended copy, with its strength as its weight."""
    features: str
    """What likeness was seen by."""
    base_likeness: float
    """Mean of what the base draws of the same prompts: where a training begins."""
    real_likeness: float | None
    """Mean of the held-out pictures themselves: as good as it gets; None where none were held out."""
    base_losses: tuple[float, ...]
    """Of the held-out pictures, without what was learned."""
    sheet: Path
    table: Path


@dataclass(frozen=True, slots=True)
class _Run:
    """A training that is done, or stopped with copies."""

    number: int
    plan: TrainingPlan
    folder: RunFolder
    copies: Mapping[int, Sequence[Written]]
    """Step -> what was made until then, the model of the recipe's name first."""


def evaluate(run: int, judging: Judging, *, catalog: Catalog, device: str = "auto") -> Job[Evaluation]:
    """Judge the copies of a training on held-out pictures, likeness and drift; the best pair is noted in the catalog.

    The recommended copy is catalogued if it is not yet, and its strength becomes its weight. Raises `BadValue` for a
    run without copies, and what `plan_training` raises where pictures or base are gone.
    """
    found = _found(run, judging, catalog)
    engine = Engine(device)
    looks = Looks(_prompts(found.plan, judging), judging.seeds, judging.steps, judging.cfg)
    features = _features(judging, catalog, engine)
    judge = yield from judge_of(found.plan, looks, features, engine, catalog.workspace.cache)
    if not found.plan.held_out:
        yield Notice("no pictures were held out: copies are judged by likeness and drift alone")
    strengths = judging.strengths or _STRENGTHS.get(found.plan.recipe.method, (1.0,))
    drawn = yield from _measured(judge, found.copies, strengths)
    verdict = judged(list(drawn), most_drift=judging.most_drift)
    sheet = found.folder.sheet
    sheet.parent.mkdir(exist_ok=True)
    save(_sheet(judge, drawn), sheet, {})
    done = Evaluation(
        run=run,
        cells=tuple(drawn),
        verdict=verdict,
        artifact=_noted(found, verdict.cell, list(drawn), catalog),
        features=features.name,
        base_likeness=mean(judge.plain_likeness),
        real_likeness=judge.real_likeness,
        base_losses=judge.losses(found.plan.base),
        sheet=sheet,
        table=sheet.with_name("evaluation.json"),
    )
    _write(done, looks)
    yield Done(done)


def _measured(
    judge: Judge, copies: Mapping[int, Sequence[Written]], strengths: Sequence[float]
) -> Generator[Progress | Notice, None, dict[Cell, list[Image.Image]]]:
    """Every copy at every strength, and what it drew."""
    wanted = [(step, strength) for step in copies for strength in strengths]
    drawn: dict[Cell, list[Image.Image]] = {}
    for count, (step, strength) in enumerate(wanted, start=1):
        cell, pictures = yield from judge.measure(copies[step], step, strength)
        drawn[cell] = pictures
        yield Progress("copies at strengths", count, len(wanted), "cells")
    return drawn


def _found(run: int, judging: Judging, catalog: Catalog) -> _Run:
    folder, outputs = check_judgeable(run, catalog), catalog.run(run).outputs
    plan = plan_training(folder.read_recipe(), catalog)
    kind = kind_of(plan.recipe)
    copies = {step: _copy(path, kind) for step, path in folder.copies(plan.recipe.name).items()}
    if outputs:
        made = [catalog.artifact(number) for number in outputs]
        copies[plan.recipe.steps] = [Written(one.facts.kind, one.path, True) for one in made]
    return _Run(run, plan, folder, dict(sorted(copies.items())[-judging.copies :]))


def _copy(path: Path, kind: Kind) -> list[Written]:
    """A copy, with the words that were learned beside it."""
    words = path.with_stem(f"{path.stem}{WORDS_ENDING}")
    return [Written(kind, path, True), *([Written(Kind.EMBEDDING, words, True)] if words.is_file() else [])]


def _prompts(plan: TrainingPlan, judging: Judging) -> tuple[str, ...]:
    items = plan.held_out or plan.items
    return judging.prompts or prompts_of([plan.samples[item.sample].caption for item in items]) or (plan.recipe.name,)


def _features(judging: Judging, catalog: Catalog, engine: Engine) -> Features:
    if judging.encoder is None:
        return LookAndEdges()
    place = Path(judging.encoder).expanduser()
    found = place if is_place(judging.encoder, place) else looked_up(judging.encoder, ENCODER, catalog)
    return load_encoder(found, engine.device)


def _noted(found: _Run, best: Cell, cells: Sequence[Cell], catalog: Catalog) -> Artifact:
    """The best copy catalogued, with its weight; the last one has the weight that is best for it, too."""
    outputs = catalog.run(found.number).outputs
    if outputs and best.step != found.plan.recipe.steps:
        own = [one for one in cells if one.step == found.plan.recipe.steps]
        catalog.set_weight(outputs[0], judged(own).cell.strength if own else best.strength)
    artifact = catalog.add(found.copies[best.step][0].path)
    return catalog.set_weight(artifact.id, best.strength)


def _sheet(judge: Judge, drawn: Mapping[Cell, Sequence[Image.Image]]) -> Image.Image:
    """A plot a prompt, copies downwards, strengths to the right, the base before them; the first seed of each."""
    steps = list(dict.fromkeys(one.step for one in drawn))
    columns = ["base", *(f"{one.strength:g}" for one in drawn if one.step == steps[0])]
    plots = []
    for number, prompt in enumerate(judge.looks.prompts):
        at = number * judge.looks.seeds
        rows = [[judge.plain[at], *(drawn[one][at] for one in drawn if one.step == step)] for step in steps]
        plots.append(Plot(columns, [f"step {step}" for step in steps], rows, title=prompt))
    return plotted(plots)


def _write(done: Evaluation, looks: Looks) -> None:
    content = {
        "schema": _SCHEMA,
        "run": done.run,
        "looks": asdict(looks),
        "features": done.features,
        "base_likeness": done.base_likeness,
        "real_likeness": done.real_likeness,
        "base_losses": done.base_losses,
        "cells": [asdict(one) for one in done.cells],
        "best": {"step": done.verdict.cell.step, "strength": done.verdict.cell.strength, "why": done.verdict.reason},
    }
    with publish(done.table) as part:
        part.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
