"""What the header of a trained file says, in the words that other tools look for (pure).

kohya's ``ss_*`` and the ``modelspec`` of Stability AI stand side by side, since each peer reads only one of them.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from modelhub import __version__
from trainers.dataset import Sample
from trainers.methods import Export
from trainers.plan import TrainingPlan

__all__ = ["Trained", "header"]


@dataclass(frozen=True, slots=True)
class Trained:
    """One training, as its result tells of it."""

    plan: TrainingPlan
    steps: int
    """Taken so far."""
    started: float
    """Seconds since 1970."""
    finished: float


def header(trained: Trained, export: Export, tensor_digest: str) -> dict[str, str]:
    """All entries; `tensor_digest` is the SHA-256 of the tensors alone."""
    return {**_ours(trained, export), **_modelspec(trained, tensor_digest), **_kohya(trained), **_kohya_data(trained),
            **export.metadata, "sshs_model_hash": tensor_digest}  # fmt: skip


def _ours(trained: Trained, export: Export) -> dict[str, str]:
    return {
        "modelhub.schema": "1",
        "modelhub.kind": export.kind.value,
        "modelhub.family": trained.plan.base.family.name,
        "modelhub.recipe": trained.plan.recipe.to_json(),
        "modelhub.dataset_sha256": trained.plan.dataset,
    }


def _modelspec(trained: Trained, tensor_digest: str) -> dict[str, str]:
    """https://github.com/Stability-AI/ModelSpec, version 1.0.1."""
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"{trained.plan.base.family.modelspec_architectures[0]}/lora",
        "modelspec.implementation": "diffusers",
        "modelspec.title": trained.plan.recipe.name,
        "modelspec.resolution": f"{trained.plan.resolution}x{trained.plan.resolution}",
        "modelspec.date": datetime.fromtimestamp(trained.finished, UTC).isoformat(timespec="seconds"),
        "modelspec.hash_sha256": f"0x{tensor_digest}",
        "modelspec.prediction_type": trained.plan.base.prediction,
        "modelspec.encoder_layer": str(trained.plan.recipe.clip_skip),
    }


def _kohya(trained: Trained) -> dict[str, str]:
    plan, recipe = trained.plan, trained.plan.recipe
    return {
        "ss_v2": "False",
        "ss_base_model_version": plan.base.family.base_versions[0],
        "ss_output_name": recipe.name,
        "ss_sd_model_name": plan.base.model.name,
        "ss_new_sd_model_hash": plan.base.model.sha256,
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
        "ss_lr_scheduler": recipe.optimizer.schedule,
        "ss_lr_warmup_steps": str(round(recipe.optimizer.warmup * recipe.steps)),
        "ss_optimizer": f"torch.optim.AdamW(weight_decay={recipe.optimizer.weight_decay:g})",
        "ss_max_grad_norm": str(recipe.optimizer.max_grad_norm),
        "ss_min_snr_gamma": str(recipe.loss.min_snr_gamma or None),
        "ss_noise_offset": str(recipe.noise.offset or None),
        "ss_total_batch_size": str(recipe.batch),
        "ss_cache_latents": "True",
    }


def _kohya_data(trained: Trained) -> dict[str, str]:
    plan, recipe, samples = trained.plan, trained.plan.recipe, trained.plan.samples
    sizes = Counter(item.placement.bucket for item in plan.items)
    folders = {sample.folder: sample.repeats for sample in samples}
    return {
        "ss_num_train_images": f"{sum(sample.repeats for sample in samples):g}",
        "ss_resolution": f"({plan.resolution}, {plan.resolution})",
        "ss_enable_bucket": str(recipe.dataset.buckets),
        "ss_flip_aug": str(recipe.dataset.augment.flip),
        "ss_caption_dropout_rate": str(recipe.dataset.captions.dropout),
        "ss_dataset_dirs": json.dumps(
            {
                folder: {"n_repeats": int(repeats), "img_count": sum(sample.folder == folder for sample in samples)}
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
