"""A change of LoRAs: against diffusers, and against the time that moving the weights takes."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from benchmarks._figure import Figure, seconds_in_turn
from inference.adapters.layers import Layer, LowRank, Scale
from inference.adapters.merge import Factors, Merged
from inference.adapters.targets import Target, kohya_name
from inference.engine import Engine
from inference.plan import AdapterPlan, ModelPlan, NamedModel, plan_adapter
from inference.weights.export import checkpoint_tensors
from inference.weights.hints import Hints, write_hints
from inference.weights.parts import Part
from inference.weights.save import save_tensors
from inference.weights.single_file import checkpoint_parts
from modelhub.families import family
from modelhub.headers import read_table

_RANK = 16
_REAL = {"to_q": (1280, 1280), "to_k": (1280, 768), "proj": (10240, 1280), "net_2": (1280, 5120)}
"""Sizes of a transformer's weights at the deepest level of Stable Diffusion 1."""
_BLOCKS = 4
_RUNS = 5


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _change(Path(folder))
    yield from _merge(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def _change(folder: Path) -> Iterator[Figure]:
    """As many modules as Stable Diffusion 1 has, with few channels: what is left is what a change costs beside them."""
    models = _narrow_models()
    path = folder / "narrow.safetensors"
    hints = write_hints(Hints(8, 32, 4, 2, 64))
    save_tensors(path, checkpoint_tensors(**models), {"modelhub.family": "sd1", **hints})
    parts = checkpoint_parts(path, read_table(path), family("sd1"))
    lora = _write_lora(folder / "lora.safetensors", parts)
    base = ModelPlan(family("sd1"), "epsilon", 64, parts, NamedModel("narrow", ""))
    engine, pipeline = Engine("cpu"), _pipeline(models)
    engine.prepare(base)

    def theirs() -> None:
        pipeline.load_lora_weights(str(lora), adapter_name="one")
        pipeline.set_adapters("one", 0.8)

    def ours() -> None:
        engine.prepare(replace(base, adapters=(plan_adapter(lora, parts, name="one", unet=0.8, text_encoder=0.8),)))

    def forget() -> None:
        lora.touch()  # what was read of it no longer counts
        engine.prepare(base)

    slow, _, fast, _ = seconds_in_turn(_RUNS, theirs, pipeline.unload_lora_weights, ours, forget)
    yield Figure("diffusers: load_lora_weights and set_adapters", slow * 1e3, "ms")
    yield Figure("ours: the file read, checked and merged", fast * 1e3, "ms")
    yield Figure("so many times faster than diffusers", slow / fast, "x", at_least=20)


def _merge(device: torch.device) -> Iterator[Figure]:
    """Another strength for a LoRA whose factors were read: the weights themselves in real size."""
    layers = {
        f"{name}{block}": nn.Linear(columns, rows, bias=False, device=device)
        for block in range(_BLOCKS)
        for name, (rows, columns) in _REAL.items()
    }
    plan, factors = _factors(layers, device)
    merged = Merged("unet", nn.ModuleDict(layers))
    merged.switch([(plan, factors)])
    weights = [layer.weight.data for layer in layers.values()]
    spare = [weight.clone() for weight in weights]
    strengths = iter(range(1, 100))

    def copied() -> None:
        for weight, other in zip(weights, spare, strict=True):
            other.copy_(weight)
        _wait(device)

    def switched() -> None:
        merged.switch([(replace(plan, unet=next(strengths) / 100), factors)])
        _wait(device)

    copy, switch = seconds_in_turn(_RUNS, copied, switched)
    yield Figure("another strength, in times of copying the weights", switch / copy, "x", at_most=2.0)


def _factors(modules: Mapping[str, nn.Linear], device: torch.device) -> tuple[AdapterPlan, Factors]:
    tensors: dict[str, Tensor] = {}
    layers: dict[Target, Layer] = {}
    for name, layer in modules.items():
        rows, columns = layer.weight.shape
        tensors |= {f"{name}.down": torch.randn(_RANK, columns), f"{name}.up": torch.randn(rows, _RANK)}
        layers[Target("unet", name)] = LowRank(f"{name}.down", f"{name}.up", Scale(_RANK, 1.0))
    plan = AdapterPlan("one", Path("one"), layers, 1.0, 1.0, "")
    return plan, Factors({name: tensor.to(device) for name, tensor in tensors.items()})


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _narrow_models() -> dict[str, Any]:
    text = CLIPTextConfig(hidden_size=32, intermediate_size=64, num_attention_heads=2, num_hidden_layers=12)
    return {
        "unet": UNet2DConditionModel(
            block_out_channels=(32, 32, 64, 64), cross_attention_dim=32, attention_head_dim=8, norm_num_groups=32
        ),
        "vae": AutoencoderKL(block_out_channels=(4,), norm_num_groups=4),
        "text_encoder": CLIPTextModel(text),
    }


def _write_lora(path: Path, parts: Mapping[str, Part]) -> Path:
    """Over what kohya's scripts train: the linear layers and pointwise convolutions of both transformers."""
    tensors: dict[str, Tensor] = {}
    for role, mark in (("unet", ".attentions."), ("text_encoder", ".layers.")):
        for module, shape in parts[role].modules.items():
            if mark in module and len(shape) > 1:
                name = kohya_name(Target(role, module))
                tensors[f"{name}.lora_down.weight"] = torch.randn(4, *shape[1:])
                tensors[f"{name}.lora_up.weight"] = torch.randn(shape[0], 4, *shape[2:])
                tensors[f"{name}.alpha"] = torch.tensor(4.0)
    save_tensors(path, tensors, {})
    return path


def _pipeline(models: Mapping[str, Any]) -> Any:
    return StableDiffusionPipeline(
        unet=models["unet"], text_encoder=models["text_encoder"], vae=None, tokenizer=None, safety_checker=None,
        scheduler=DDIMScheduler(), feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
