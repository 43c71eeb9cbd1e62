"""What is known of a training, and how it is stored."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from modelhub.errors import ModelHubError

__all__ = ["Bucket", "Folder", "Training", "tells", "training_from_json", "training_json"]

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of pictures that were trained on."""

    name: str
    repeats: int | None = None
    images: int | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """A size that pictures were cut to."""

    width: int
    height: int
    """Pixels."""
    images: int


@dataclass(frozen=True, slots=True)
class Training:
    """How a model was made, as its header tells it. All of it may be missing, and none of it is proven."""

    software: str | None = None
    base_name: str | None = None
    """File, or repository, of the model that it was trained on."""
    base_sha256: str | None = None
    """Its digest, or the first ten digits, which is what stable-diffusion-webui writes."""
    base_autov1: str | None = None
    base_version: str | None = None
    vae_name: str | None = None
    output_name: str | None = None
    module: str | None = None
    """Of the trainer, e.g. ``networks.lora``."""
    dim: int | None = None
    """Rank."""
    alpha: float | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    """The module's own, e.g. ``algo`` and ``conv_dim`` of LyCORIS."""
    resolution: tuple[int, int] | None = None
    """Pixels."""
    images: int | None = None
    """Pictures of an epoch, repeats included."""
    regularisation_images: int | None = None
    folders: tuple[Folder, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    epoch: int | None = None
    """After which this file was written."""
    epochs: int | None = None
    """That were planned."""
    steps: int | None = None
    """Taken when this file was written."""
    max_steps: int | None = None
    batch: int | None = None
    learning_rates: Mapping[str, float] = field(default_factory=dict)
    """Part (``all``, ``unet``, ``text encoder``) -> rate."""
    optimizer: str | None = None
    scheduler: str | None = None
    precision: str | None = None
    seed: int | None = None
    clip_skip: int | None = None
    noise_offset: float | None = None
    min_snr_gamma: float | None = None
    started: datetime | None = None
    finished: datetime | None = None
    comment: str | None = None
    tags: tuple[tuple[str, int], ...] = ()
    """The most frequent parts of the captions and how many captions hold them."""
    different_tags: int | None = None
    captions: int | None = None
    """At least so many: the count of each folder's most frequent tag."""
    title: str | None = None
    author: str | None = None
    description: str | None = None
    licence: str | None = None
    usage_hint: str | None = None
    merged_from: str | None = None
    made: str | None = None
    """Date in the model spec."""
    keywords: tuple[str, ...] = ()
    dataset_sha256: str | None = None
    strangers: tuple[str, ...] = ()
    """Dotted names that a pickle would import, and perhaps call, where it is loaded in the usual way."""


def training_json(training: Training) -> str:
    """For storing; `training_from_json` gives it back."""
    content = {each.name: value for each in fields(training) if tells(value := getattr(training, each.name))}
    content |= {"folders": [[one.name, one.repeats, one.images] for one in training.folders]}
    content |= {"buckets": [[one.width, one.height, one.images] for one in training.buckets]}
    return json.dumps({"schema": _SCHEMA, **content}, ensure_ascii=False, default=datetime.isoformat)


def training_from_json(text: str) -> Training:
    """What `training_json` wrote, by this version or an older one; raises `ModelHubError` for a newer one's."""
    content = json.loads(text)
    if (schema := content.pop("schema")) > _SCHEMA:
        raise ModelHubError(
            f"the catalog holds training facts of the newer schema {schema}", mend="pip install -U modelhub-suite"
        )
    return Training(**{name: _RESTORED.get(name, _as_it_is)(value) for name, value in content.items()})


def tells(value: object) -> bool:
    """Zero does: it is a seed, and no noise offset."""
    return value is not None and value not in ("", (), {})


def _as_it_is(value: Any) -> Any:
    return value


_RESTORED: Mapping[str, Callable[[Any], Any]] = {
    "folders": lambda rows: tuple(Folder(*row) for row in rows),
    "buckets": lambda rows: tuple(Bucket(*row) for row in rows),
    "tags": lambda rows: tuple((tag, count) for tag, count in rows),
    "keywords": tuple,
    "strangers": tuple,
    "resolution": tuple,
    "started": datetime.fromisoformat,
    "finished": datetime.fromisoformat,
}
