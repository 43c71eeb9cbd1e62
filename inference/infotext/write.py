"""What stable-diffusion-webui writes into a picture so that it can be drawn again (pure; webui's field order)."""

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from inference.infotext.extras import extras
from inference.infotext.words import number, quoted, title
from inference.plan import AdapterPlan, LoadPlan
from inference.prompt.networks import lora_tags
from inference.request import GenerationRequest, ImageSeed, LoraUse
from inference.weights.single_file import UNET
from modelhub import __version__

__all__ = ["infotext"]

_IMAGE_GUIDED, _INPAINTING = 8, 9
"""Channels that a UNet takes in."""
_NAMED_BY_DIGEST = re.compile(r"(?<=:)[0-9a-f]{64}(?=[:>])")


def infotext(plan: LoadPlan, seed: ImageSeed) -> str:
    """Prompt, negative prompt and parameters of one image; LoRAs stand in the prompt in webui's own notation."""
    request = plan.request.for_image(seed)
    negative = f"\nNegative prompt: {request.negative_prompt}" if request.negative_prompt else ""
    fields = ", ".join(key if key == value else f"{key}: {quoted(value)}" for key, value in _fields(plan, request))
    return f"{_prompt(plan).strip()}{negative}\n{fields}"


def _prompt(plan: LoadPlan) -> str:
    """With the names of its LoRAs, and those that flags gave behind it."""
    tags = len(lora_tags(plan.request.prompt))
    flagged = zip_longest(plan.base.adapters[tags:], plan.request.loras)
    return _spelled(plan.request.prompt, plan.names) + "".join(f" {_lora_tag(one, use)}" for one, use in flagged)


def _spelled(prompt: str, names: Mapping[str, str]) -> str:
    """With names for digests in its tags."""
    return _NAMED_BY_DIGEST.sub(lambda found: names.get(found[0], found[0]), prompt)


def _fields(plan: LoadPlan, request: GenerationRequest) -> Iterator[tuple[str, str]]:
    yield from _sampling(plan, request)
    yield from _models(plan, request)
    yield from _noise(request)
    yield from _conditioning(plan, request)
    yield from extras(request, plan.names, lambda prompt: _spelled(prompt, plan.names))
    yield from _hashes(plan)
    yield "Version", f"ModelHub {__version__}"


def _sampling(plan: LoadPlan, request: GenerationRequest) -> Iterator[tuple[str, str]]:
    width, height = plan.size
    yield "Steps", str(request.steps)
    yield "Sampler", request.sampler
    yield "Schedule type", request.schedule
    yield "CFG scale", number(request.cfg)
    if _channels(plan) == _IMAGE_GUIDED or request.image_cfg != 1.5:
        yield "Image CFG scale", number(request.image_cfg)
    yield "Seed", str(request.seed)
    if request.faces:
        yield "Face restoration", title(plan.names, request.faces.model)
    yield "Size", f"{width}x{height}"


def _models(plan: LoadPlan, request: GenerationRequest) -> Iterator[tuple[str, str]]:
    yield "Model hash", plan.base.model.sha256[:10]
    yield "Model", plan.base.model.name
    if request.unet:
        yield "UNet", title(plan.names, request.unet)
    for index, encoder in enumerate(request.text_encoders, start=1):
        yield f"Module {index}", title(plan.names, encoder)
    if plan.base.vae:
        yield "VAE hash", plan.base.vae.sha256[:10]
        yield "VAE", plan.base.vae.name


def _noise(request: GenerationRequest) -> Iterator[tuple[str, str]]:
    if request.variation and request.variation.strength:
        yield "Variation seed", str(request.variation.seed)
        yield "Variation seed strength", number(request.variation.strength)
    if request.seed_resize:
        yield "Seed resize from", "x".join(map(str, request.seed_resize))


def _conditioning(plan: LoadPlan, request: GenerationRequest) -> Iterator[tuple[str, str]]:
    if over := request.init or request.hires:
        yield "Denoising strength", number(over.denoise)
    conditioning = request.init.mask.conditioning if request.init and request.init.mask else 1.0
    if _channels(plan) == _INPAINTING or conditioning != 1.0:
        yield "Conditional mask weight", number(conditioning)
    if request.clip_skip > 1:
        yield "Clip skip", str(request.clip_skip)
    if request.ensd:
        yield "ENSD", str(request.ensd)
    if request.init:
        yield "Init image hash", request.init.image
    yield "RNG", request.noise
    if request.tiling:
        yield "Tiling", "True"


def _hashes(plan: LoadPlan) -> Iterator[tuple[str, str]]:
    models = [one for one in (plan.base, plan.hires, plan.refiner) if one]
    loras = {one.name: one.addnet_hash[:12] for model in models for one in model.adapters}
    if loras:
        yield "Lora hashes", ", ".join(f"{name}: {digest}" for name, digest in loras.items())
    if embeddings := {one.name: one.ref[:12] for one in plan.request.embeddings or ()}:
        yield "TI hashes", ", ".join(f"{name}: {digest}" for name, digest in embeddings.items())


def _channels(plan: LoadPlan) -> int:
    """That the UNet takes in."""
    return int(plan.base.parts[UNET].config.get("in_channels", 4))


def _lora_tag(adapter: AdapterPlan, use: LoraUse | None) -> str:
    """``<lora:NAME:BOTH>``, or ``<lora:NAME:TEXT_ENCODER:UNET>`` where the two differ; what else was said behind it."""
    weights = [adapter.unet] if adapter.unet == adapter.text_encoder else [adapter.text_encoder, adapter.unet]
    rank = [f"dyn={use.rank}"] if use and use.rank else []
    blocks = [f"lbw={','.join(map(number, use.blocks))}"] if use and use.blocks else []
    return f"<lora:{':'.join([adapter.name, *map(number, weights), *rank, *blocks])}>"
