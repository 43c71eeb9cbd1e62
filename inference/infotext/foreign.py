"""Whatever a tool wrote into a picture -> an infotext (pure): webui's own text, NovelAI's, ComfyUI's, InvokeAI's."""

import json
from collections.abc import Mapping
from typing import Any

from inference.infotext.comfyui import told_by_comfyui
from inference.infotext.invokeai import told_by_invokeai
from inference.infotext.read import Infotext, read_infotext

__all__ = ["told_by"]

_NOVELAI_SAMPLERS = {
    "k_dpmpp_2m": "DPM++ 2M",
    "k_dpmpp_2s_ancestral": "DPM++ 2S a",
    "k_dpmpp_sde": "DPM++ SDE",
    "k_euler": "Euler",
    "k_euler_ancestral": "Euler a",
    "k_lms": "LMS",
    "k_heun": "Heun",
    "k_dpm_2": "DPM2",
    "k_dpm_fast": "DPM fast",
    "ddim": "DDIM",
    "ddim_v3": "DDIM",
    "plms": "PLMS",
}


def told_by(texts: Mapping[str, str]) -> Infotext | None:
    """What the texts of a picture tell, by the first of those that can be read; None where nothing does."""
    if texts.get("parameters", "").strip():
        return read_infotext(texts["parameters"])
    if "NovelAI" in texts.get("Software", ""):
        return _novelai(texts.get("Description", ""), _map(texts.get("Comment")))
    if invoke := next((found for key in ("invokeai_metadata", "sd-metadata") if (found := _map(texts.get(key)))), None):
        return told_by_invokeai(invoke)
    if graph := _map(texts.get("prompt")):
        return told_by_comfyui(graph)
    return None


def _novelai(description: str, said: Mapping[str, Any]) -> Infotext:
    """webui gives such a picture NovelAI's habits: the last layer but one, and a shift of the later noise."""
    sampler = str(said.get("sampler", ""))
    fields = {
        "Steps": said.get("steps"),
        "Sampler": _NOVELAI_SAMPLERS.get(sampler, "Euler a"),
        "CFG scale": said.get("scale"),
        "Seed": said.get("seed"),
        "Size-1": said.get("width"),
        "Size-2": said.get("height"),
        "Denoising strength": said.get("strength"),
        "Clip skip": 2,
        "ENSD": 31337,
    }
    unread = () if sampler in _NOVELAI_SAMPLERS else (f"NovelAI's sampler {sampler!r} is taken for Euler a",)
    told = {key: str(value) for key, value in fields.items() if value is not None}
    return Infotext(description, str(said.get("uc", "")), told, unread)


def _map(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
