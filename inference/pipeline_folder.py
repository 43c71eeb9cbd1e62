"""What stands beside the weights in a pipeline's folder, as diffusers and transformers write it (pure)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from inference.prompt.tokenizer import vocabulary
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2, TEXT_ROLES, UNET, Part
from modelhub.errors import Incompatible
from modelhub.families import Family

__all__ = ["Pipeline", "pipeline_texts", "weights_name"]

_PIPELINES: Mapping[tuple[str, str], str] = {
    ("sd1", ""): "StableDiffusionPipeline",
    ("sd1", "inpaint"): "StableDiffusionInpaintPipeline",
    ("sd1", "pix2pix"): "StableDiffusionInstructPix2PixPipeline",
    ("sd2", ""): "StableDiffusionPipeline",
    ("sd2", "inpaint"): "StableDiffusionInpaintPipeline",
    ("sdxl", ""): "StableDiffusionXLPipeline",
    ("sdxl", "inpaint"): "StableDiffusionXLInpaintPipeline",
    ("sdxl", "pix2pix"): "StableDiffusionXLInstructPix2PixPipeline",
    ("sdxl-refiner", ""): "StableDiffusionXLImg2ImgPipeline",
}
_PREDICTIONS = {"epsilon": "epsilon", "v": "v_prediction"}
_NONE = [None, None]
_UNCHECKED = {"safety_checker": _NONE, "feature_extractor": _NONE, "requires_safety_checker": False}
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "sd1": _UNCHECKED,
    "sd2": _UNCHECKED,
    "sdxl": {"force_zeros_for_empty_prompt": True},
    "sdxl-refiner": {"force_zeros_for_empty_prompt": False, "requires_aesthetics_score": True},
}
_TOKENIZERS = {TEXT_ENCODER: "tokenizer", TEXT_ENCODER_2: "tokenizer_2"}
_BEGIN, _END = "<|startoftext|>", "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A model as diffusers would run it."""

    family: Family
    prediction: str
    variant: str | None
    zero_snr: bool
    resolution: int
    """Pixels of a side."""
    parts: Mapping[str, Part]

    @property
    def class_name(self) -> str:
        """Raises `Incompatible` where diffusers has none for it."""
        plain = self.parts[UNET].config["in_channels"] == self.family.latent.channels
        name = _PIPELINES.get((self.family.name, self.variant or ""))
        name = name or (_PIPELINES.get((self.family.name, "")) if plain else None)
        if name is None or self.prediction not in _PREDICTIONS:
            kind = self.variant or self.prediction
            raise Incompatible(
                f"{self.family.title} models of the kind {kind} cannot be written as another layout: only those that "
                "predict noise or v, and take a picture or a mask at most"
            )
        return name


def weights_name(role: str) -> str:
    """Where a part's tensors stand in the folder."""
    file = "model" if role in TEXT_ROLES else "diffusion_pytorch_model"
    return f"{role}/{file}.safetensors"


def pipeline_texts(pipeline: Pipeline) -> dict[str, bytes]:
    """Place in the folder -> what stands there."""
    texts = {
        "model_index.json": _json(_index(pipeline)),
        "scheduler/scheduler_config.json": _json(_scheduler(pipeline)),
    }
    for role, part in pipeline.parts.items():
        texts[f"{role}/config.json"] = _json(_config(role, part, pipeline))
        if role in TEXT_ROLES:
            files = _tokenizer(padding="!" if part.config["pad_token_id"] == 0 else _END, part=part)
            texts |= {f"{_TOKENIZERS[role]}/{name}": text for name, text in files}
    return texts


def _index(pipeline: Pipeline) -> dict[str, Any]:
    parts = {role: part.component.rsplit(".", 1) for role, part in pipeline.parts.items()}
    tokenizers = {
        _TOKENIZERS[role]: ["transformers", "CLIPTokenizer"] if role in parts else _NONE
        for role in TEXT_ROLES
        if role in parts or TEXT_ENCODER_2 in parts
    }
    unused = {TEXT_ENCODER: _NONE} if TEXT_ENCODER not in parts else {}
    scheduler = {"scheduler": ["diffusers", "EulerDiscreteScheduler"]}
    options = _OPTIONS[pipeline.family.name]
    return {"_class_name": pipeline.class_name, **parts, **unused, **tokenizers, **scheduler, **options}


def _scheduler(pipeline: Pipeline) -> dict[str, Any]:
    """Euler's, which takes every model; the last entries are for those of the others that are made from it."""
    noise = pipeline.family.noise
    if noise is None:
        raise Incompatible(f"{pipeline.family.title} models have no noise schedule to write down")
    return {
        "_class_name": "EulerDiscreteScheduler",
        "beta_start": noise.beta_start,
        "beta_end": noise.beta_end,
        "beta_schedule": "scaled_linear",
        "num_train_timesteps": noise.timesteps,
        "prediction_type": _PREDICTIONS[pipeline.prediction],
        "interpolation_type": "linear",
        "rescale_betas_zero_snr": pipeline.zero_snr,
        "timestep_spacing": "trailing" if pipeline.zero_snr else "leading",
        "steps_offset": 1,
        "use_karras_sigmas": False,
        "clip_sample": False,
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
    }


def _config(role: str, part: Part, pipeline: Pipeline) -> dict[str, Any]:
    name = part.component.rpartition(".")[2]
    if role in TEXT_ROLES:
        return {"architectures": [name], "model_type": "clip_text_model", **part.config}
    sizes = {"sample_size": pipeline.resolution // pipeline.family.latent.downscale} if role == UNET else {}
    return {"_class_name": name, **part.config, **sizes}


def _tokenizer(*, padding: str, part: Part) -> Iterator[tuple[str, bytes]]:
    marks = {"bos_token": _BEGIN, "eos_token": _END, "pad_token": padding, "unk_token": _END}
    longest = part.config["max_position_embeddings"]
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": longest, "do_lower_case": True, **marks}
    yield from _words().items()
    yield "special_tokens_map.json", _json(marks)
    yield "tokenizer_config.json", _json({**settings, "add_prefix_space": False})


@cache
def _words() -> Mapping[str, bytes]:
    words, merges = vocabulary()
    text = "\n".join(["#version: 0.2", *map(" ".join, merges), ""])
    return {"vocab.json": json.dumps(words, ensure_ascii=False).encode(), "merges.txt": text.encode()}


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
