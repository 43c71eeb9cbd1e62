"""What the tests of LoRA share: recipes, a plan, and what models answer before and after."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inference.adapters.merge import Merged, read_factors
from inference.plan import ModelPlan, plan_adapter
from inference.weights.save import save_tensors
from inference.weights.single_file import TEXT_ENCODER, TEXT_ENCODER_2, UNET, Part
from tests.trainers import bases
from tests.trainers.bases import Models, loaded
from trainers.methods.lora import Lora
from trainers.recipe import DatasetOptions, LoraOptions, Recipe

__all__ = ["Models", "answers", "learnt", "loaded", "merged", "options", "planned", "recipe", "saved"]


def recipe(
    *, rank: int = 4, alpha: float | None = 3.0, text: float = 1e-4, seed: int = 0, precision: str = "fp16",
    **entries: Any,
) -> Recipe:  # fmt: skip
    """`entries` are the method's own."""
    return Recipe.model_validate(
        {
            "base": "x", "name": "kip", "dataset": DatasetOptions(images=Path("x")), "seed": seed,
            "text_encoder_learning_rate": text, "export": {"precision": precision},
            "options": {"rank": rank, "alpha": alpha, **entries},
        }
    )  # fmt: skip


def options(**entries: Any) -> LoraOptions:
    return LoraOptions(**entries)


def planned(parts: Mapping[str, Part]) -> ModelPlan:
    return bases.planned(parts, "sdxl" if TEXT_ENCODER_2 in parts else "sd1")


def answers(models: Models) -> tuple[Tensor, ...]:
    """What UNet and text encoders make of fixed inputs."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.arange(77)[None]
    encoded = [models[one](tokens).last_hidden_state for one in (TEXT_ENCODER, TEXT_ENCODER_2) if one in models]
    width = sum(one.shape[2] for one in encoded)
    noise = torch.randn(1, 4, 8, 8, generator=generator)
    context = torch.randn(1, 77, width, generator=generator)
    told = {"text_embeds": torch.ones(1, 16), "time_ids": torch.ones(1, 6)} if len(encoded) > 1 else None
    drawn = models[UNET](noise, torch.tensor([500]), context, added_cond_kwargs=told, return_dict=False)[0]
    return drawn, *encoded


def learnt(lora: Lora, size: float = 0.1, seed: int = 1) -> Lora:
    """As after a training: no factor is zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in lora.module.parameters():
            parameter += torch.randn(parameter.shape, generator=generator) * size
    return lora


def saved(lora: Lora, path: Path, format_name: str = "kohya") -> Path:
    save_tensors(path, lora.tensors(format_name), {})
    return path


def merged(models: Models, parts: Mapping[str, Part], path: Path) -> Models:
    """The models as they draw with the file."""
    adapter = plan_adapter(path, parts, name=path.stem)
    factors = read_factors(adapter, torch.device("cpu"))
    for role, module in models.items():
        Merged(role, module).switch([(adapter, factors)])
    return models
