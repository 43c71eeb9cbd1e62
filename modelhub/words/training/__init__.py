"""What a header says of how its model was made, in the words of kohya, the model spec and other trainers (pure).

Metadata is text by strangers: each entry is read for itself, checked and capped, and what does not fit is passed over.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from modelhub.words.strangers import number_in
from modelhub.words.training import _values as read
from modelhub.words.training._nouns import Bucket, Folder, Training, tells, training_from_json, training_json
from modelhub.words.training._pictures import of_pictures, trigger_words
from modelhub.words.training._trainers import in_kohyas_words, software

__all__ = ["Bucket", "Folder", "Training", "read_training", "training_from_json", "training_json", "trigger_words"]

_MAX_RATES = 4
"""Text encoders of one model."""


def read_training(metadata: Mapping[str, str]) -> Training | None:
    """All that the entries of a header tell of the making; None when they tell nothing. Raises nothing."""
    said = in_kohyas_words(metadata)
    found: dict[str, Any] = {name: value_of(said.get(key)) for name, (key, value_of) in _ENTRIES.items()}
    found |= of_pictures(said) | {"software": software(said), "learning_rates": dict(_rates(said))}
    training = Training(**{name: value for name, value in found.items() if tells(value)})
    return None if training == Training() else training


def _rates(said: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for part, key in (("all", "ss_learning_rate"), ("unet", "ss_unet_lr"), ("text encoder", "ss_text_encoder_lr")):
        words = re.findall(r"[\w.+-]+", read.name(said.get(key)))[:_MAX_RATES]
        rates = [rate for word in words if (rate := number_in(word)) is not None]
        for number, rate in enumerate(rates, start=1):
            yield part if len(rates) == 1 else f"{part} {number}", rate


_ENTRIES: Mapping[str, tuple[str, Callable[[object], Any]]] = {
    "base_name": ("ss_sd_model_name", read.file_name),
    "base_sha256": ("ss_new_sd_model_hash", read.digest),
    "base_autov1": ("ss_sd_model_hash", read.digest),
    "base_version": ("ss_base_model_version", read.name),
    "vae_name": ("ss_vae_name", read.file_name),
    "output_name": ("ss_output_name", read.name),
    "module": ("ss_network_module", read.name),
    "dim": ("ss_network_dim", read.count),
    "alpha": ("ss_network_alpha", number_in),
    "args": ("ss_network_args", read.arguments),
    "images": ("ss_num_train_images", read.count),
    "regularisation_images": ("ss_num_reg_images", read.count),
    "epoch": ("ss_epoch", read.count),
    "epochs": ("ss_num_epochs", read.count),
    "steps": ("ss_steps", read.count),
    "max_steps": ("ss_max_train_steps", read.count),
    "optimizer": ("ss_optimizer", read.name),
    "scheduler": ("ss_lr_scheduler", read.name),
    "precision": ("ss_mixed_precision", read.name),
    "seed": ("ss_seed", read.count),
    "clip_skip": ("ss_clip_skip", read.count),
    "noise_offset": ("ss_noise_offset", number_in),
    "min_snr_gamma": ("ss_min_snr_gamma", number_in),
    "started": ("ss_training_started_at", read.moment),
    "finished": ("ss_training_finished_at", read.moment),
    "comment": ("ss_training_comment", read.text),
    "title": ("modelspec.title", read.name),
    "author": ("modelspec.author", read.name),
    "description": ("modelspec.description", read.text),
    "licence": ("modelspec.license", read.text),
    "usage_hint": ("modelspec.usage_hint", read.text),
    "merged_from": ("modelspec.merged_from", read.text),
    "made": ("modelspec.date", read.name),
    "keywords": ("modelspec.tags", read.keywords),
    "dataset_sha256": ("modelhub.dataset_sha256", read.digest),
    "strangers": ("pickle.strangers", read.dotted_names),
}
"""Field -> the entry that tells it, and how it is read."""
