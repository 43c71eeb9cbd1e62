"""A dataset, looked at as a whole: read once, by threads; then every check has its say."""

import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from modelhub.errors import ModelHubError
from modelhub.jobs import Done, Job, Progress
from modelhub.registry import members
from trainers.dataset import described, subsets_of
from trainers.doctor import checks
from trainers.doctor.figures import head_figures
from trainers.doctor.glance import glance
from trainers.doctor.likeness import look_alikes
from trainers.doctor.nouns import Finding, Glance, Orders, Picture, Report, Seen, Severity
from trainers.doctor.walk import Walked, walk
from trainers.recipe import DatasetOptions

__all__ = ["examine"]

_ORDER = list(Severity)


def examine(dataset: DatasetOptions, orders: Orders, *, thumbnail: int = 0) -> Job[Report]:
    """Everything that is wrong with a dataset, at once; no picture, caption or mask that is broken stops it.

    `thumbnail` is the greatest side, in pixels, of copies to keep for a page.
    """
    root = dataset.images or dataset.subsets[0].images
    walked = list(_walked(dataset, orders))
    pictures = yield from _looked_at([each for one in walked for each in one.pictures], thumbnail)
    seen = _seen(root, walked, pictures, orders)
    findings = sorted(_findings(seen), key=lambda one: (_ORDER.index(one.severity), -len(one.which)))
    yield Done(Report(tuple(findings), seen, head_figures(seen)))


def _walked(dataset: DatasetOptions, orders: Orders) -> Iterator[Walked]:
    """Every part of the dataset; one that is not there is empty."""
    options, fault = dataset, None
    try:
        options = described(dataset).options
    except ModelHubError as error:
        fault = error
    if fault and dataset.images and dataset.images.exists():
        yield Walked(faults=[fault])
        return
    for subset in subsets_of(options, orders.class_caption):
        yield walk(subset)


def _looked_at(pictures: Sequence[Picture], thumbnail: int) -> Generator[Progress, None, list[Picture]]:
    """The same with what their pixels tell, and those of their masks."""

    def look(picture: Picture) -> Picture:
        mask = glance(picture.mask) if picture.mask else None
        return replace(picture, glance=glance(picture.path, thumbnail=thumbnail), mask_glance=mask)

    found: list[Picture] = []
    workers = ThreadPoolExecutor(os.cpu_count())
    try:
        for picture in workers.map(look, pictures):
            found.append(picture)
            yield Progress("dataset", len(found), len(pictures), "pictures")
    finally:
        workers.shutdown(cancel_futures=True)
    return found


def _seen(root: Path, walked: Sequence[Walked], pictures: Sequence[Picture], orders: Orders) -> Seen:
    readable = [(index, one.glance) for index, one in enumerate(pictures) if isinstance(one.glance, Glance)]
    alike = look_alikes([one for _, one in readable]) if readable else []
    return Seen(
        root=root,
        pictures=tuple(pictures),
        orders=orders,
        strays=tuple(stray for one in walked for stray in one.strays),
        folders=tuple(folder for one in walked for folder in one.folders),
        faults=tuple(fault for one in walked for fault in one.faults),
        look_alikes=tuple(tuple(readable[index][0] for index in group) for group in alike),
    )


def _findings(seen: Seen) -> Iterator[Finding]:
    for module in members(checks):
        yield from module.check(seen)
