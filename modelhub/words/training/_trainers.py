"""Other trainers' words for what kohya's ``ss_*`` entries say."""

from collections.abc import Mapping
from typing import Any

from modelhub.words.strangers import parsed
from modelhub.words.training import _values as read

__all__ = ["in_kohyas_words", "software"]

_AUTOV1 = 8
"""Hex digits."""


def in_kohyas_words(metadata: Mapping[str, str]) -> dict[str, str]:
    """The entries of a header, with those of other trainers translated; what stands there already stays."""
    return {**_from_onetrainer(metadata), **_from_ai_toolkit(metadata), **_from_webui(metadata), **metadata}


def software(said: Mapping[str, Any]) -> str:
    named = parsed(said.get("software"), read.MAX_JSON)
    if isinstance(named, dict):
        return read.name(f"{read.name(named.get('name'))} {read.name(named.get('version'))}")
    if "ot_revision" in said or "ot_branch" in said:
        return read.name(f"OneTrainer {read.name(said.get('ot_revision'))}")
    if "modelhub.recipe" in said:
        return "ModelHub"
    return "sd-scripts" if "ss_sd_scripts_commit_hash" in said else ""


def _from_ai_toolkit(metadata: Mapping[str, str]) -> dict[str, str]:
    reached = parsed(metadata.get("training_info"), read.MAX_JSON)
    if not isinstance(reached, dict):
        return {}
    told = {"ss_steps": reached.get("step"), "ss_epoch": reached.get("epoch"), "ss_output_name": metadata.get("name")}
    return {key: str(value) for key, value in told.items() if value is not None}


def _from_webui(metadata: Mapping[str, str]) -> dict[str, str]:
    """What stable-diffusion-webui keeps in an embedding or a hypernetwork."""
    digest = read.name(metadata.get("sd_checkpoint"))
    told = {
        "ss_sd_model_hash" if len(digest) == _AUTOV1 else "ss_new_sd_model_hash": digest,
        "ss_sd_model_name": metadata.get("sd_checkpoint_name"),
        "ss_steps": metadata.get("step"),
    }
    return {key: text for key, text in told.items() if text} if "sd_checkpoint_name" in metadata or digest else {}


_ONETRAINER = {
    "base_model_name": "ss_sd_model_name",
    "model_type": "ss_base_model_version",
    "peft_type": "ss_network_module",
    "lora_rank": "ss_network_dim",
    "lora_alpha": "ss_network_alpha",
    "resolution": "ss_resolution",
    "epochs": "ss_num_epochs",
    "batch_size": "ss_total_batch_size",
    "learning_rate": "ss_learning_rate",
    "learning_rate_scheduler": "ss_lr_scheduler",
    "seed": "ss_seed",
    "offset_noise_weight": "ss_noise_offset",
    "train_dtype": "ss_mixed_precision",
}


def _from_onetrainer(metadata: Mapping[str, str]) -> dict[str, str]:
    settings = parsed(metadata.get("ot_config"), read.MAX_JSON)
    if not isinstance(settings, dict):
        return {}
    told = {key: settings.get(name) for name, key in _ONETRAINER.items()}
    parts = {"ss_unet_lr": "unet", "ss_text_encoder_lr": "text_encoder"}
    told |= {key: _within(settings, part, "learning_rate") for key, part in parts.items()}
    told |= {"ss_optimizer": _within(settings, "optimizer", "optimizer")}
    return {key: str(value) for key, value in told.items() if isinstance(value, str | int | float)}


def _within(held: Mapping[str, Any], part: str, name: str) -> Any:
    inner = held.get(part)
    return inner.get(name) if isinstance(inner, dict) else None
