"""What the header of a trained file says, in the words that other tools look for (pure).

kohya's ``ss_*`` and the ``modelspec`` of Stability AI stand side by side, since each peer reads only one of them.
Nothing here looks at a clock, a path or a machine: the same steps of the same recipe give the same bytes. When a
training ran stands in the catalog.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from modelhub import __version__
from modelhub.kinds import Kind
from trainers.dataset import Sample
from trainers.material.views import Item
from trainers.methods import Export
from trainers.plan import TrainingPlan
from trainers.recipe import LoraOptions, Recipe
from trainers.running.epochs import epochs_after, steps_of_epoch

__all__ = ["DATASET_KEY", "RECIPE_KEY", "Trained", "header", "pictures", "told_recipe"]

RECIPE_KEY = "modelhub.recipe"
"""The resolved recipe as JSON, with names in place of paths."""
DATASET_KEY = "modelhub.dataset"
"""JSON: a row a picture, with digests of the picture, its caption and its mask."""

_ARCHITECTURES = {
    Kind.LORA: "/lora",
    Kind.EMBEDDING: "/textual-inversion",
    Kind.HYPERNETWORK: "/hypernetwork",
    Kind.CHECKPOINT: "",
    Kind.UNET: "",
}
_PATHS = ("images", "regularisation", "masks", "root")
_MOST_TAGS = 32
_PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}
"""As kohya calls them; which one ``auto`` is depends on the machine, and is not said."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One training, as its result tells of it."""

    plan: TrainingPlan
    steps: int
    """Taken so far."""


def header(trained: Trained, export: Export, tensor_digest: str) -> dict[str, str]:
    """All entries; `tensor_digest` is the SHA-256 of the tensors alone."""
    plan = trained.plan
    told: Mapping[str, object] = {
        **_ours(trained, export),
        **_modelspec(trained, export, tensor_digest),
        **_run(trained),
        **_models(plan),
        **_learning(plan.recipe),
        **_objective(plan.recipe),
        **_data(plan),
        **_captions(plan.recipe),
        **export.metadata,
        "sshs_model_hash": tensor_digest,
    }
    return {key: str(value) for key, value in told.items()}


def told_recipe(recipe: Recipe) -> str:
    """A recipe as the header holds it: folders by their names, since paths mean nothing where a file goes."""
    payload = recipe.payload()
    dataset = payload["dataset"]
    for table in (dataset, payload["prior"], *dataset["subsets"]):
        table |= {name: PurePath(table[name]).name for name in _PATHS if isinstance(table.get(name), str)}
    return json.dumps(payload, ensure_ascii=False, sort_keys=True)


def pictures(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """A row each, in the dataset's order."""
    return [_picture(sample) for sample in samples]


def _picture(sample: Sample) -> dict[str, Any]:
    row: dict[str, Any] = {
        "sha256": sample.sha256,
        "caption_sha256": hashlib.sha256(sample.caption.encode()).hexdigest(),
        "repeats": sample.repeats,
    }
    return row | ({"mask_sha256": sample.mask.sha256} if sample.mask else {})


def _ours(trained: Trained, export: Export) -> dict[str, str]:
    plan = trained.plan
    triggers = [plan.recipe.trigger] if plan.recipe.trigger else []
    return {
        "modelhub.schema": "1",
        "modelhub.kind": export.kind.value,
        "modelhub.family": plan.base.family.name,
        RECIPE_KEY: told_recipe(plan.recipe),
        "modelhub.dataset_sha256": plan.dataset,
        DATASET_KEY: json.dumps(pictures(plan.samples), separators=(",", ":")),
        **({"modelhub.trigger_words": json.dumps(triggers, ensure_ascii=False)} if triggers else {}),
    }


def _modelspec(trained: Trained, export: Export, tensor_digest: str) -> dict[str, str]:
    """https://github.com/Stability-AI/ModelSpec, version 1.0.1."""
    plan, recipe = trained.plan, trained.plan.recipe
    tags = Counter(tag for counts in _tag_frequency(plan.samples).values() for tag in counts.elements())
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": plan.base.family.modelspec_architectures[0] + _ARCHITECTURES[export.kind],
        "modelspec.implementation": "diffusers",
        "modelspec.title": recipe.name,
        "modelspec.description": f"{export.kind.value} trained on {plan.base.model.name} with "
        f"{len({item.sample for item in plan.items})} pictures in {trained.steps} steps, by ModelHub {__version__}",
        "modelspec.resolution": f"{plan.resolution}x{plan.resolution}",
        "modelspec.hash_sha256": f"0x{tensor_digest}",
        "modelspec.prediction_type": recipe.prediction or plan.base.prediction,
        "modelspec.encoder_layer": str(recipe.clip_skip),
        "modelspec.timestep_range": f"{recipe.noise.smallest_timestep},{_largest_timestep(plan)}",
        **({"modelspec.trigger_phrase": recipe.trigger} if recipe.trigger else {}),
        **({"modelspec.tags": ", ".join(tag for tag, _ in tags.most_common(_MOST_TAGS))} if tags else {}),
    }


def _largest_timestep(plan: TrainingPlan) -> int:
    timesteps = plan.base.family.noise.timesteps if plan.base.family.noise else 1000
    return plan.recipe.noise.largest_timestep or timesteps


def _run(trained: Trained) -> dict[str, object]:
    plan, recipe = trained.plan, trained.plan.recipe
    an_epoch = steps_of_epoch(plan)
    return {
        "ss_session_id": int(recipe.digest[:8], 16),
        "ss_output_name": recipe.name,
        "ss_training_comment": f"ModelHub {__version__}",
        "ss_seed": recipe.seed,
        "ss_steps": trained.steps,
        "ss_max_train_steps": recipe.steps,
        "ss_epoch": epochs_after(plan, trained.steps),
        "ss_num_epochs": epochs_after(plan, recipe.steps),
        "ss_num_batches_per_epoch": an_epoch * recipe.compute.accumulate,
        "ss_batch_size_per_device": recipe.batch,
        "ss_total_batch_size": recipe.batch * recipe.compute.accumulate,
        "ss_gradient_accumulation_steps": recipe.compute.accumulate,
        "ss_gradient_checkpointing": recipe.compute.checkpointing,
        "ss_lowram": False,
    }


def _models(plan: TrainingPlan) -> dict[str, object]:
    vae = plan.base.vae
    own_vae = {"ss_vae_name": vae.name, "ss_new_vae_hash": vae.sha256} if vae else {}
    return {
        "ss_base_model_version": plan.base.family.base_versions[0],
        "ss_v2": plan.base.family.name == "sd2",
        "ss_sd_model_name": plan.base.model.name,
        "ss_new_sd_model_hash": plan.base.model.sha256,
        "modelhub.vae_sha256": vae.sha256 if vae else plan.base.model.sha256,
        **own_vae,
        "ss_clip_skip": plan.recipe.clip_skip,
        "ss_max_token_length": plan.recipe.dataset.captions.tokens,
    }


def _learning(recipe: Recipe) -> dict[str, object]:
    optimizer, compute = recipe.optimizer, recipe.compute
    warmup = optimizer.warmup if optimizer.warmup >= 1 else optimizer.warmup * recipe.steps
    betas = f", betas={optimizer.betas}" if optimizer.betas else ""
    rates = [recipe.text_encoder_learning_rate, recipe.second_text_encoder_learning_rate]
    return {
        "ss_learning_rate": recipe.learning_rate,
        "ss_unet_lr": recipe.learning_rate,
        "ss_text_encoder_lr": rates[0] if rates[1] is None else rates,
        "ss_optimizer": f"{optimizer.name}(weight_decay={optimizer.weight_decay:g}{betas})",
        "ss_lr_scheduler": optimizer.schedule,
        "ss_lr_warmup_steps": round(warmup),
        "ss_max_grad_norm": optimizer.max_grad_norm,
        **({"ss_mixed_precision": _PRECISIONS[compute.precision]} if compute.precision in _PRECISIONS else {}),
        "ss_full_fp16": False,
        **_network(recipe),
    }


def _network(recipe: Recipe) -> dict[str, object]:
    options = recipe.options
    if not isinstance(options, LoraOptions):
        return {}
    return {
        "ss_network_dropout": options.dropout or None,
        "ss_scale_weight_norms": options.max_norm or None,
    }


def _objective(recipe: Recipe) -> dict[str, object]:
    noise, loss = recipe.noise, recipe.loss
    return {
        "ss_noise_offset": noise.offset or None,
        "ss_noise_offset_random_strength": noise.random_offset,
        "ss_adaptive_noise_scale": noise.adaptive_offset or None,
        "ss_multires_noise_iterations": noise.multires_iterations or None,
        "ss_multires_noise_discount": noise.multires_discount,
        "ss_ip_noise_gamma": noise.perturbation or None,
        "ss_ip_noise_gamma_random_strength": noise.random_perturbation,
        "ss_zero_terminal_snr": noise.zero_terminal_snr,
        "ss_min_snr_gamma": loss.min_snr_gamma or None,
        "ss_debiased_estimation": loss.debiased,
        "ss_loss_type": loss.kind,
        "ss_huber_schedule": loss.huber_schedule,
        "ss_huber_scale": loss.huber_scale,
        "ss_huber_c": loss.huber_c,
        "ss_prior_loss_weight": recipe.prior.weight,
    }


def _data(plan: TrainingPlan) -> dict[str, object]:
    recipe, options = plan.recipe, plan.recipe.dataset
    seen = [plan.samples[index] for index in sorted({item.sample for item in plan.items})]
    learned = [sample for sample in seen if not sample.subset.regularisation]
    regularising = [sample for sample in seen if sample.subset.regularisation]
    sides = options.bucket_sides or (plan.resolution // 2, plan.resolution * 2)
    return {
        "ss_num_train_images": f"{sum(sample.repeats for sample in learned):g}",
        "ss_num_reg_images": f"{sum(sample.repeats for sample in regularising):g}",
        "ss_num_validation_images": len({item.sample for item in plan.held_out}),
        "ss_dataset_dirs": _json(_folders(learned)),
        "ss_reg_dataset_dirs": _json(_folders(regularising)),
        "ss_tag_frequency": _json(_tag_frequency(learned)),
        "ss_bucket_info": _json(_buckets(plan.items)),
        "ss_resolution": f"({plan.resolution}, {plan.resolution})",
        "ss_enable_bucket": options.buckets,
        "ss_bucket_no_upscale": not options.upscale,
        "ss_min_bucket_reso": sides[0],
        "ss_max_bucket_reso": sides[1],
        "ss_cache_latents": True,
        "ss_flip_aug": options.augment.flip,
        "ss_color_aug": options.augment.color,
        "ss_random_crop": options.augment.crop == "random",
        "ss_validation_seed": recipe.validation.seed,
        "ss_validation_split": recipe.validation.share,
    }


def _captions(recipe: Recipe) -> dict[str, object]:
    captions = recipe.dataset.captions
    return {
        "ss_shuffle_caption": captions.shuffle,
        "ss_keep_tokens": captions.keep,
        "ss_caption_dropout_rate": captions.dropout,
        "ss_caption_dropout_every_n_epochs": captions.dropout_every_epochs,
        "ss_caption_tag_dropout_rate": captions.tag_dropout,
    }


def _folders(samples: Sequence[Sample]) -> dict[str, Any]:
    counts = Counter(sample.folder for sample in samples)
    repeats = {sample.folder: sample.repeats for sample in samples}
    return {name: {"n_repeats": int(repeats[name]), "img_count": count} for name, count in sorted(counts.items())}


def _buckets(items: Iterable[Item]) -> dict[str, Any]:
    sizes = Counter(item.placement.bucket for item in items)
    return {"buckets": {i: {"resolution": size, "count": n} for i, (size, n) in enumerate(sorted(sizes.items()))}}


def _tag_frequency(samples: Iterable[Sample]) -> dict[str, Counter[str]]:
    """Folder -> comma-separated parts of its captions and how many pictures have them."""
    found: dict[str, Counter[str]] = {}
    for sample in samples:
        tags = (tag.strip() for tag in sample.caption.split(sample.subset.captions.separator or ","))
        found.setdefault(sample.folder, Counter()).update(tag for tag in tags if tag)
    return {folder: Counter(dict(counts.most_common())) for folder, counts in sorted(found.items())}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
