"""Datasets to be examined: a healthy one, which tests make ill in one way each."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from modelhub.jobs import drain
from trainers.doctor import Finding, Orders, Report, examine
from trainers.recipe import CaptionOptions, DatasetOptions

__all__ = ["add", "codes", "examined", "finding", "healthy", "unlike"]

SIDE = 64


def unlike(seed: int, size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """A picture of large patches that looks like no other."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC)


def healthy(folder: Path, count: int = 8, first: int = 0) -> Path:
    """A folder in which nothing is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(first, first + count):
        unlike(index).save(folder / f"{index}.png")
        (folder / f"{index}.txt").write_text(f"zorbu, thing {index}", encoding="utf-8")
    return folder


def add(path: Path, picture: Image.Image, caption: str = "zorbu") -> None:
    """One more picture, with its caption."""
    picture.save(path)
    path.with_suffix(".txt").write_text(caption, encoding="utf-8")


def examined(folder: Path, *, captions: CaptionOptions | None = None, **orders: Any) -> Report:
    """At the side of the healthy pictures; options of the dataset are told from those of the training by name."""
    ours = {name: orders.pop(name) for name in list(orders) if name in DatasetOptions.model_fields}
    kept = {name: ours[name] for name in ("buckets", "upscale") if name in ours}
    dataset = DatasetOptions(images=folder, **ours, **({"captions": captions} if captions else {}))
    return drain(examine(dataset, Orders(**{"resolutions": (SIDE,), "trigger": "zorbu", **kept, **orders})))


def codes(report: Report) -> list[str]:
    return [one.code for one in report.findings]


def finding(report: Report, code: str) -> Finding:
    """The one of that code."""
    [one] = [each for each in report.findings if each.code == code]
    return one
