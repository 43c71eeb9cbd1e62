"""A dataset, looked at as a whole: read once, by threads; then every check has its say."""

import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from modelhub.errors import MissingFile, ModelHubError
from modelhub.jobs import Done, Job, Progress
from modelhub.registry import members
from trainers.dataset import described, subsets_of
from trainers.dataset.glances import Glances
from trainers.dataset.likeness import AS_IT_IS, Alike, joined, look_alikes
from trainers.dataset.nouns import Described
from trainers.dataset.pictures import IMAGES
from trainers.doctor import checks
from trainers.doctor.captions import token_counts
from trainers.doctor.figures import head_figures
from trainers.doctor.nouns import Finding, Orders, Picture, Report, Seen, Severity
from trainers.doctor.walk import Walked, walk
from trainers.recipe import DatasetOptions, SubsetOptions

__all__ = ["examine", "examined"]

_ORDER = list(Severity)


def examine(
    dataset: DatasetOptions, orders: Orders, *, glances: Glances | None = None, thumbnail: int = 0
) -> Job[Report]:  # fmt: skip
    """What `examined` finds, as a job."""
    yield Done((yield from examined(dataset, orders, glances=glances, thumbnail=thumbnail)))


def examined(
    dataset: DatasetOptions, orders: Orders, *, glances: Glances | None = None, thumbnail: int = 0
) -> Generator[Progress, None, Report]:
    """Everything that is wrong with a dataset, at once; no picture, caption or mask that is broken stops it.

    `glances` may know the pictures; `thumbnail` is the greatest side, in pixels, of copies to keep for a page.
    """
    root = dataset.images or dataset.subsets[0].images
    found, faults = _described(dataset)
    subsets = [] if faults or not _holds_pictures(root) else subsets_of(found.options, orders.class_caption)
    walked = [walk(subset) for subset in subsets]
    faults += _empty(subsets, walked)
    unseen = [each for one in walked for each in one.pictures]
    pictures = yield from _looked_at(unseen, glances or Glances(), thumbnail)
    asked = _as_described(orders, found.options)
    seen = _seen(root, [*walked, Walked(faults=faults)], pictures, asked, found.notices)
    seen = replace(seen, tokens=tuple(token_counts(seen)))
    findings = sorted(_findings(seen), key=lambda one: (_ORDER.index(one.severity), -len(one.which)))
    return Report(tuple(findings), seen, head_figures(seen))


def _holds_pictures(root: Path) -> bool:
    """Whether it can, as one that nobody may look at; one that is not there, or one picture, is told as such."""
    try:
        return root.exists() and (root.is_dir() or root.suffix.lower() not in IMAGES)
    except OSError:
        return True


def _empty(subsets: Sequence[SubsetOptions], walked: Sequence[Walked]) -> list[ModelHubError]:
    """Of several, those without pictures; of one alone, more is told elsewhere."""
    found = zip(subsets, walked, strict=True)
    empty = [subset.images for subset, one in found if not (one.pictures or one.faults)]
    mend = "put pictures there, or leave that subset out"
    return [MissingFile(f"there are no images in {one}", mend=mend) for one in empty if len(subsets) > 1]


def _described(dataset: DatasetOptions) -> tuple[Described, list[ModelHubError]]:
    """What the dataset comes to; where its description cannot be read, itself, and why."""
    try:
        return described(dataset), []
    except ModelHubError as error:
        is_said = dataset.images and not _holds_pictures(dataset.images)
        return Described(dataset), [] if is_said else [error]


def _as_described(orders: Orders, options: DatasetOptions) -> Orders:
    """What is asked of the pictures, by a description that says how they are cut."""
    return replace(
        orders,
        bucket_step=options.bucket_step,
        bucket_sides=options.bucket_sides,
        buckets=options.buckets,
        upscale=options.upscale,
    )


def _looked_at(
    pictures: Sequence[Picture], glances: Glances, thumbnail: int
) -> Generator[Progress, None, list[Picture]]:  # fmt: skip
    """The same with what their pixels tell, and those of their masks."""

    def look(picture: Picture) -> Picture:
        mask = glances.at(picture.mask) if picture.mask else None
        return replace(picture, glance=glances.at(picture.path, thumbnail=thumbnail), mask_glance=mask)

    found: list[Picture] = []
    workers = ThreadPoolExecutor(os.cpu_count())
    try:
        for picture in workers.map(look, pictures):
            found.append(picture)
            yield Progress("dataset", len(found), len(pictures), "pictures")
    finally:
        workers.shutdown(cancel_futures=True)
    return found


def _seen(
    root: Path, walked: Sequence[Walked], pictures: Sequence[Picture], orders: Orders, notices: Sequence[str]
) -> Seen:
    groups, turned = _alike(pictures)
    return Seen(
        root=root,
        pictures=tuple(pictures),
        orders=orders,
        strays=tuple(stray for one in walked for stray in one.strays),
        folders=tuple(folder for one in walked for folder in one.folders),
        faults=tuple(fault for one in walked for fault in one.faults),
        notices=tuple(notices),
        look_alikes=groups,
        turned=turned,
    )


def _alike(pictures: Sequence[Picture]) -> tuple[tuple[tuple[int, ...], ...], tuple[Alike, ...]]:
    """Groups that look the same, and pairs of such groups that do once one is turned; a file is no copy of itself."""
    places = {one.path: index for index, one in enumerate(pictures) if one.seen and not one.seen.is_invisible}
    readable = sorted(places.values())
    looks = [glance.look for index in readable if (glance := pictures[index].seen)]
    pairs = [Alike(readable[one.left], readable[one.right], one.turned) for one in look_alikes(looks)]
    groups = joined(len(pictures), ((one.left, one.right) for one in pairs if one.turned == AS_IT_IS))
    first = {index: group[0] for group in groups for index in group}
    turned = {frozenset((first[one.left], first[one.right])): one for one in reversed(pairs) if one.turned != AS_IT_IS}
    apart = [one for both, one in turned.items() if len(both) > 1]
    return tuple(tuple(group) for group in groups if len(group) > 1), tuple(sorted(apart, key=_place))


def _place(pair: Alike) -> tuple[int, int]:
    return pair.left, pair.right


def _findings(seen: Seen) -> Iterator[Finding]:
    for module in members(checks):
        yield from module.check(seen)
