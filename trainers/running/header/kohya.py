"""What kohya's scripts say of a training, as ``ss_*``: many tools look for nothing else."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from modelhub import __version__
from trainers.dataset import Sample
from trainers.framing.views import Item
from trainers.plan import TrainingPlan
from trainers.recipe import LoraOptions, Recipe
from trainers.running.epochs import epochs_after, steps_of_epoch

__all__ = ["kohya", "tag_frequency"]

_PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}
"""As kohya calls them; which one ``auto`` is depends on the machine, and is not said."""


def kohya(plan: TrainingPlan, steps: int) -> dict[str, object]:
    """After so many steps; a method says the rest of itself."""
    return {
        **_run(plan, steps),
        **_models(plan),
        **_learning(plan.recipe),
        **_objective(plan.recipe),
        **_data(plan),
        **_captions(plan.recipe),
    }


def tag_frequency(samples: Iterable[Sample]) -> dict[str, Counter[str]]:
    """Folder -> comma-separated parts of its captions and how many pictures have them."""
    found: dict[str, Counter[str]] = {}
    for sample in samples:
        tags = (tag.strip() for tag in sample.caption.split(sample.subset.captions.separator or ","))
        found.setdefault(sample.folder, Counter()).update(tag for tag in tags if tag)
    return {folder: Counter(dict(counts.most_common())) for folder, counts in sorted(found.items())}


def _run(plan: TrainingPlan, steps: int) -> dict[str, object]:
    recipe = plan.recipe
    an_epoch = steps_of_epoch(plan)
    return {
        "ss_session_id": int(recipe.digest[:8], 16),
        "ss_output_name": recipe.name,
        "ss_training_comment": f"ModelHub {__version__}",
        "ss_seed": recipe.seed,
        "ss_steps": steps,
        "ss_max_train_steps": recipe.steps,
        "ss_epoch": epochs_after(plan, steps),
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
        "ss_tag_frequency": _json(tag_frequency(learned)),
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


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
