"""What the header of a trained file says, in the words that other tools look for (pure).

kohya's ``ss_*`` and the ``modelspec`` of Stability AI stand side by side, since each peer reads only one of them.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from inference.plan import NamedModel
from modelhub import __version__
from modelhub.families import Family
from trainers.dataset import Sample, dataset_digest
from trainers.recipe import Recipe

__all__ = ["Trained", "lora_metadata"]


@dataclass(frozen=True, slots=True)
class Trained:
    """One training, as its result tells of it."""

    recipe: Recipe
    family: Family
    prediction: str
    base: NamedModel
    samples: Sequence[Sample]
    buckets: Sequence[tuple[int, int]]
    """Of every sample."""
    resolution: int
    steps: int
    """Taken so far."""
    started: float
    """Seconds since 1970."""
    finished: float


def lora_metadata(trained: Trained, tensor_digest: str) -> dict[str, str]:
    """All entries of the header; `tensor_digest` is the SHA-256 of the tensors alone."""
    return {**_ours(trained), **_modelspec(trained, tensor_digest), **_kohya(trained), **_kohya_data(trained),
            "sshs_model_hash": tensor_digest}  # fmt: skip


def _ours(trained: Trained) -> dict[str, str]:
    return {
        "modelhub.schema": "1",
        "modelhub.kind": "lora",
        "modelhub.family": trained.family.name,
        "modelhub.recipe": trained.recipe.to_json(),
        "modelhub.dataset_sha256": dataset_digest(list(trained.samples)),
    }


def _modelspec(trained: Trained, tensor_digest: str) -> dict[str, str]:
    """https://github.com/Stability-AI/ModelSpec, version 1.0.1."""
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"{trained.family.modelspec_architectures[0]}/lora",
        "modelspec.implementation": "diffusers",
        "modelspec.title": trained.recipe.name,
        "modelspec.resolution": f"{trained.resolution}x{trained.resolution}",
        "modelspec.date": datetime.fromtimestamp(trained.finished, UTC).isoformat(timespec="seconds"),
        "modelspec.hash_sha256": f"0x{tensor_digest}",
        "modelspec.prediction_type": trained.prediction,
        "modelspec.encoder_layer": str(trained.recipe.clip_skip),
    }


def _kohya(trained: Trained) -> dict[str, str]:
    recipe, options = trained.recipe, trained.recipe.options
    return {
        "ss_v2": "False",
        "ss_base_model_version": trained.family.base_versions[0],
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(options.rank),
        "ss_network_alpha": f"{options.scale_alpha:g}",
        "ss_network_args": "{}",
        "ss_output_name": recipe.name,
        "ss_sd_model_name": trained.base.name,
        "ss_new_sd_model_hash": trained.base.sha256,
        "ss_training_comment": f"ModelHub {__version__}",
        "ss_training_started_at": str(trained.started),
        "ss_training_finished_at": str(trained.finished),
        "ss_steps": str(trained.steps),
        "ss_max_train_steps": str(recipe.steps),
        "ss_seed": str(recipe.seed),
        "ss_clip_skip": str(recipe.clip_skip),
        "ss_learning_rate": str(recipe.learning_rate),
        "ss_unet_lr": str(recipe.learning_rate),
        "ss_text_encoder_lr": str(recipe.text_encoder_learning_rate),
        "ss_lr_scheduler": recipe.schedule,
        "ss_lr_warmup_steps": str(round(recipe.warmup * recipe.steps)),
        "ss_optimizer": f"torch.optim.AdamW(weight_decay={recipe.weight_decay:g})",
        "ss_max_grad_norm": str(recipe.max_grad_norm),
        "ss_min_snr_gamma": str(recipe.min_snr_gamma or None),
        "ss_noise_offset": str(recipe.noise_offset or None),
        "ss_total_batch_size": str(recipe.batch),
        "ss_cache_latents": "True",
    }


def _kohya_data(trained: Trained) -> dict[str, str]:
    recipe, samples = trained.recipe, trained.samples
    sizes = Counter(trained.buckets)
    folders = {sample.folder: sample.repeats for sample in samples}
    return {
        "ss_num_train_images": str(sum(sample.repeats for sample in samples)),
        "ss_resolution": f"({trained.resolution}, {trained.resolution})",
        "ss_enable_bucket": str(recipe.dataset.buckets),
        "ss_flip_aug": str(recipe.dataset.flip),
        "ss_caption_dropout_rate": str(recipe.dataset.caption_dropout),
        "ss_dataset_dirs": json.dumps(
            {
                folder: {"n_repeats": repeats, "img_count": sum(sample.folder == folder for sample in samples)}
                for folder, repeats in folders.items()
            },
            ensure_ascii=False,
        ),
        "ss_bucket_info": json.dumps(
            {"buckets": {i: {"resolution": size, "count": n} for i, (size, n) in enumerate(sorted(sizes.items()))}}
        ),
        "ss_tag_frequency": json.dumps(
            {folder: _tags([sample for sample in samples if sample.folder == folder]) for folder in folders},
            ensure_ascii=False,
        ),
    }


def _tags(samples: Sequence[Sample]) -> dict[str, int]:
    """Comma-separated parts of the captions and how many pictures have them."""
    tags = (tag.strip() for sample in samples for tag in sample.caption.split(","))
    return dict(Counter(tag for tag in tags if tag).most_common())
