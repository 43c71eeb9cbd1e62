"""What InvokeAI writes into a picture -> an infotext in webui's words (pure)."""

from collections.abc import Iterator, Mapping
from typing import Any

from inference.infotext.read import Infotext

__all__ = ["told_by_invokeai"]

_SAMPLERS: Mapping[str, tuple[str, str]] = {
    "euler": ("Euler", "Automatic"),
    "euler_k": ("Euler", "Karras"),
    "euler_a": ("Euler a", "Automatic"),
    "k_euler": ("Euler", "Automatic"),
    "k_euler_a": ("Euler a", "Automatic"),
    "heun": ("Heun", "Automatic"),
    "heun_k": ("Heun", "Karras"),
    "k_heun": ("Heun", "Automatic"),
    "lms": ("LMS", "Automatic"),
    "lms_k": ("LMS", "Karras"),
    "k_lms": ("LMS", "Automatic"),
    "dpmpp_2s": ("DPM++ 2S a", "Uniform"),
    "dpmpp_2s_k": ("DPM++ 2S a", "Karras"),
    "dpmpp_2m": ("DPM++ 2M", "Uniform"),
    "dpmpp_2m_k": ("DPM++ 2M", "Karras"),
    "dpmpp_2m_sde": ("DPM++ 2M SDE", "Uniform"),
    "dpmpp_2m_sde_k": ("DPM++ 2M SDE", "Karras"),
    "dpmpp_3m": ("DPM++ 3M SDE", "Uniform"),
    "dpmpp_3m_k": ("DPM++ 3M SDE", "Karras"),
    "dpmpp_sde": ("DPM++ SDE", "Uniform"),
    "dpmpp_sde_k": ("DPM++ SDE", "Karras"),
    "kdpm_2": ("DPM2", "Uniform"),
    "kdpm_2_k": ("DPM2", "Karras"),
    "kdpm_2_a": ("DPM2 a", "Uniform"),
    "kdpm_2_a_k": ("DPM2 a", "Karras"),
    "ddim": ("DDIM", "Automatic"),
    "plms": ("PLMS", "Automatic"),
    "unipc": ("UniPC", "Automatic"),
    "unipc_k": ("UniPC", "Automatic"),
    "lcm": ("LCM", "Automatic"),
}
_PLAIN = {
    "steps": "Steps",
    "cfg_scale": "CFG scale",
    "seed": "Seed",
    "width": "Size-1",
    "height": "Size-2",
    "strength": "Denoising strength",
    "hrf_strength": "Denoising strength",
}
_UNREAD = {
    "controlnets": "ControlNets",
    "ipAdapters": "IP-Adapters",
    "t2iAdapters": "T2I-Adapters",
    "regions": "regional prompts",
    "ref_images": "reference pictures",
}


def told_by_invokeai(said: Mapping[str, Any]) -> Infotext:
    """Of its versions 2 (``image``: ...), 3 and later (flat)."""
    flat = {**said, **_of_version_2(said)}
    fields = {key: f"{flat[name]:g}" if isinstance(flat[name], float) else str(flat[name])
              for name, key in _PLAIN.items() if isinstance(flat.get(name), int | float)}  # fmt: skip
    fields |= dict(_models(flat))
    sampler = str(flat.get("scheduler") or flat.get("sampler") or "")
    name, schedule = _SAMPLERS.get(sampler, (sampler, "Automatic"))
    fields |= {"Sampler": name, "Schedule type": schedule, "RNG": "CPU"} if sampler else {"RNG": "CPU"}
    if isinstance(skipped := flat.get("clip_skip"), int) and skipped:
        fields["Clip skip"] = str(skipped + 1)
    prompt = str(flat.get("positive_prompt") or "")
    return Infotext(
        prompt + "".join(_loras(flat)), str(flat.get("negative_prompt") or ""), fields, tuple(_unread(flat))
    )


def _of_version_2(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Prompts were one text then, the negative one in brackets within it, which stays as it is."""
    image = said.get("image")
    if not isinstance(image, dict):
        return {}
    prompt = image.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], dict):
        prompt = prompt[0].get("prompt", "")
    return {**image, "positive_prompt": prompt, "model": {"name": str(said.get("model_weights", ""))}}


def _models(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, name in (("model", "Model"), ("vae", "VAE")):
        model = said.get(key)
        if isinstance(model, dict) and (called := model.get("name") or model.get("model_name")):
            yield name, str(called)


def _loras(said: Mapping[str, Any]) -> Iterator[str]:
    for one in said.get("loras") or ():
        model = one.get("model") or one.get("lora") or {} if isinstance(one, dict) else {}
        if name := model.get("name") or model.get("model_name"):
            yield f" <lora:{name}:{one.get('weight', 1)}>"


def _unread(said: Mapping[str, Any]) -> Iterator[str]:
    yield "InvokeAI weighs words and lays noise in ways of its own: the picture will resemble, not repeat"
    yield from (f"{name} are left out" for key, name in _UNREAD.items() if said.get(key))
