"""A dataset, read: every picture opened by threads, and everything wrong said at once."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from modelhub.errors import BadValue, BrokenFile
from trainers.dataset.described import described, subsets_of
from trainers.dataset.files import is_there
from trainers.dataset.folder import in_folder
from trainers.dataset.glances import Glances
from trainers.dataset.metadata_list import in_list
from trainers.dataset.nouns import Dataset, Entry, Glance, Glimpse, Mask, Sample, Unread
from trainers.recipe import DatasetOptions, SubsetOptions

__all__ = ["dataset_digest", "gather", "read_dataset"]

_LOOKED_AT = 1000
"""So many pictures are decoded, to know copies by their pixels; of more, which would take minutes, only headers are
read."""
_SHOWN = 3


def gather(
    options: DatasetOptions, *, captioned: bool = True, class_caption: str = "", glances: Glances | None = None
) -> Dataset:
    """All pictures that a recipe names, which `glances` may know.

    `captioned` refuses pictures without a caption, `class_caption` is what those of the class have. Raises
    `MissingFile` when there is nothing, and `BadValue` naming pictures without caption or that do not open.
    """
    found = described(options)
    subsets = subsets_of(found.options, class_caption)
    entries = [each for one in subsets for each in _entries(one)]
    if captioned:
        bare = [one.path for one in entries if one.caption is None]
        _refuse(bare, "without a caption", "write a .txt file of the same name beside each, or name its folder 10_NAME")
    notices = (*found.notices, *_mask_notices(subsets, entries))
    return Dataset(tuple(_opened(entries, glances or Glances())), found, notices)


def read_dataset(images: Path) -> list[Sample]:
    """Every picture of a folder, or of another trainer's description, as a recipe without further words has it."""
    return list(gather(DatasetOptions(images=images)).samples)


def dataset_digest(samples: Sequence[Sample]) -> str:
    """SHA-256 over pictures, masks, captions and repeats: what a training saw, wherever it lay."""
    lines = sorted(f"{sample.sha256}\0{sample.repeats:g}\0{sample.caption}{_marks(sample)}\n" for sample in samples)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _marks(sample: Sample) -> str:
    mask = f"\0mask {sample.mask.sha256}" if sample.mask else ""
    return mask + ("\0class" if sample.subset.regularisation else "")


def _entries(subset: SubsetOptions) -> list[Entry]:
    return in_list(subset) if is_there(subset.images) else in_folder(subset)


def _opened(entries: Sequence[Entry], glances: Glances) -> list[Sample]:
    broken: list[Path] = []
    look = glances.at if len(entries) <= _LOOKED_AT else glances.glimpse

    def opened(entry: Entry) -> Sample | None:
        found = look(entry.path)
        if isinstance(found, Unread):
            broken.append(entry.path)
            return None
        return _sample(entry, found, _mask(entry, found, glances))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        samples = [sample for sample in threads.map(opened, entries) if sample]
    _refuse(sorted(broken), "that cannot be opened", "remove or replace them")
    return samples


def _sample(entry: Entry, found: Glance | Glimpse, mask: Mask | None) -> Sample:
    return Sample(
        path=entry.path,
        caption=entry.caption or "",
        size=found.size,
        sha256=found.sha256,
        folder=entry.path.parent.name,
        subset=entry.subset,
        mask=mask,
        look=found.look if isinstance(found, Glance) else None,
    )


def _mask(entry: Entry, found: Glance | Glimpse, glances: Glances) -> Mask | None:
    if entry.mask:
        mask = glances.at(entry.mask)
        if isinstance(mask, Unread):
            raise BrokenFile(
                entry.mask, f"it is no picture that could be a mask: {mask.why}", mend="replace or remove it"
            )
        return Mask(entry.mask, mask.sha256)
    return Mask(entry.path, found.sha256, alpha=True) if entry.subset.alpha_mask and found.has_alpha else None


def _mask_notices(subsets: Sequence[SubsetOptions], entries: Sequence[Entry]) -> Iterator[str]:
    """Folders of masks that not every picture has one in."""
    for subset in subsets:
        ours = [one for one in entries if one.subset.masks == subset.masks]
        without = sum(one.mask is None for one in ours)
        if subset.masks and without:
            yield f"{without} of {len(ours)} pictures have no mask in {subset.masks}: all of each is learned"


def _refuse(paths: Sequence[Path], what: str, mend: str) -> None:
    if paths:
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        names = ", ".join(str(path) for path in paths[:_SHOWN])
        raise BadValue(f"{len(paths)} images {what}: {names}{more}", mend=mend)
