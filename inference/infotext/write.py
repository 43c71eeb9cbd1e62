"""What stable-diffusion-webui writes into a picture so that it can be drawn again (pure; webui's field order)."""

import json
from collections.abc import Iterator

from inference.plan import AdapterPlan, LoadPlan
from inference.prompt.networks import lora_tags, renamed
from inference.request import GenerationRequest
from modelhub import __version__

__all__ = ["infotext"]


def infotext(plan: LoadPlan, seed: int) -> str:
    """Prompt, negative prompt and parameters of one image; LoRAs stand in the prompt in webui's own notation."""
    request = plan.request
    tags = len(lora_tags(request.prompt))
    prompt = renamed(request.prompt, [adapter.name for adapter in plan.base.adapters[:tags]])
    prompt += "".join(f" {_lora_tag(adapter)}" for adapter in plan.base.adapters[tags:])
    negative = f"\nNegative prompt: {request.negative_prompt}" if request.negative_prompt else ""
    fields = ", ".join(f"{key}: {_quoted(value)}" for key, value in _fields(plan, seed))
    return f"{prompt.strip()}{negative}\n{fields}"


def _fields(plan: LoadPlan, seed: int) -> Iterator[tuple[str, str]]:
    request = plan.request
    width, height = plan.size
    yield "Steps", str(request.steps)
    yield "Sampler", request.sampler
    yield "Schedule type", request.schedule
    yield "CFG scale", f"{request.cfg:g}"
    yield "Seed", str(seed)
    yield "Size", f"{width}x{height}"
    yield "Model hash", plan.base.model.sha256[:10]
    yield "Model", plan.base.model.name
    if plan.base.vae:
        yield "VAE hash", plan.base.vae.sha256[:10]
        yield "VAE", plan.base.vae.name
    if request.clip_skip > 1:
        yield "Clip skip", str(request.clip_skip)
    yield "RNG", request.noise
    yield from _added_noise(request)
    if request.emphasis != "Original" and any(mark in request.prompt + request.negative_prompt for mark in "(["):
        yield "Emphasis", request.emphasis
    if plan.base.adapters:
        hashes = {one.name: one.addnet_hash[:12] for one in plan.base.adapters}
        yield "Lora hashes", ", ".join(f"{name}: {digest}" for name, digest in hashes.items())
    yield "Version", f"ModelHub {__version__}"


def _added_noise(request: GenerationRequest) -> Iterator[tuple[str, str]]:
    """What differs from webui's defaults."""
    if request.eta is not None:
        yield "Eta DDIM" if request.sampler.startswith("DDIM") else "Eta", f"{request.eta:g}"
    for key in ("churn", "tmin", "tmax", "noise"):
        value = getattr(request, f"s_{key}")
        if value != type(request).model_fields[f"s_{key}"].default:
            yield f"Sigma {key}", f"{value:g}"


def _lora_tag(adapter: AdapterPlan) -> str:
    """``<lora:NAME:BOTH>``, or ``<lora:NAME:TEXT_ENCODER:UNET>`` where the two differ."""
    weights = [adapter.unet] if adapter.unet == adapter.text_encoder else [adapter.text_encoder, adapter.unet]
    return f"<lora:{adapter.name}:{':'.join(f'{weight:g}' for weight in weights)}>"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ",:\n") else value
