"""A training told to people: rows of a label and a sentence (pure). The text in them is by strangers still."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from modelhub.words.training import Bucket, Folder, Training

__all__ = ["training_rows"]

_MINUTE = 60
_SHOWN = 20
"""Folders, buckets or tags in a row."""


def training_rows(training: Training) -> tuple[tuple[str, str], ...]:
    """How a model was made, except on what and with which licence; what nothing is known of has no row."""
    rows = {
        "with": _joined(training.software, training.module, _rank(training), _arguments(training.args)),
        "pictures": _pictures(training),
        "cut to": _sizes(training),
        "steps": _steps(training),
        "learning rate": _joined(*(f"{part} {rate:g}" for part, rate in training.learning_rates.items())),
        "optimizer": _joined(training.optimizer, training.scheduler, training.precision),
        "settings": _settings(training),
        "when": _when(training.started, training.finished),
        "tags": _tags(training),
        "merged from": training.merged_from or "",
        "comment": training.comment or "",
    }
    return tuple((label, text) for label, text in rows.items() if text)


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _rank(training: Training) -> str:
    alpha = f", alpha {training.alpha:g}" if training.alpha is not None else ""
    return f"rank {training.dim}{alpha}" if training.dim is not None else ""


def _arguments(args: Mapping[str, str]) -> str:
    return _joined(*(f"{name} {value}" for name, value in args.items()))


def _pictures(training: Training) -> str:
    folders = training.folders
    held = sum(folder.images or 0 for folder in folders)
    return _joined(
        f"{held:,}" if held else "",
        f"{training.images:,} an epoch" if training.images else "",
        f"{training.regularisation_images:,} for regularisation" if training.regularisation_images else "",
        _some([_folder(folder) for folder in folders], len(folders)),
    )


def _folder(folder: Folder) -> str:
    times = f" {folder.images:,} x {folder.repeats}" if folder.images and folder.repeats else ""
    return f"{folder.name}{times}"


def _sizes(training: Training) -> str:
    around = f"{training.resolution[0]}x{training.resolution[1]}" if training.resolution else ""
    most = sorted(training.buckets, key=lambda bucket: -bucket.images)
    counted = f"{len(most)} buckets: " if len(most) > 1 else ""
    return _joined(around, counted + _some(list(map(_bucket, most)), len(most)))


def _bucket(bucket: Bucket) -> str:
    return f"{bucket.width}x{bucket.height} ({bucket.images:,})"


def _steps(training: Training) -> str:
    return _joined(
        _of(training.steps, training.max_steps, ""),
        _of(training.epoch, training.epochs, "epoch "),
        f"batch of {training.batch}" if training.batch else "",
    )


def _of(reached: int | None, planned: int | None, what: str) -> str:
    known = [f"{count:,}" for count in (reached, planned) if count is not None]
    return what + " of ".join(dict.fromkeys(known)) if known else ""


def _settings(training: Training) -> str:
    named = {
        "seed": training.seed,
        "clip skip": training.clip_skip,
        "noise offset": training.noise_offset,
        "min SNR gamma": training.min_snr_gamma,
        "VAE": training.vae_name,
    }
    return _joined(*(f"{name} {_plain(value)}" for name, value in named.items() if value is not None))


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _when(started: datetime | None, finished: datetime | None) -> str:
    begun = started or finished
    if begun is None:
        return ""
    seconds = (finished - started).total_seconds() if started and finished else 0
    return _joined(f"{begun:%Y-%m-%d %H:%M} UTC", f"took {_span(seconds)}" if seconds > 0 else "")


def _span(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _tags(training: Training) -> str:
    counted = [f"{tag} ({count:,})" for tag, count in training.tags]
    return _some(counted, training.different_tags or len(counted))


def _some(parts: list[str], total: int) -> str:
    return ", ".join(_shown(parts, total))


def _shown(parts: list[str], total: int) -> Iterator[str]:
    yield from parts[:_SHOWN]
    if (more := total - min(len(parts), _SHOWN)) > 0:
        yield f"and {more:,} more"
