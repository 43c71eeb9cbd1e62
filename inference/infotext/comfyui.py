"""A graph of ComfyUI -> an infotext in webui's words, as far as the graph is a plain one (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from inference.infotext.models import stem
from inference.infotext.read import Infotext

__all__ = ["told_by_comfyui"]

_SAMPLERS = {
    "euler": "Euler",
    "euler_ancestral": "Euler a",
    "heun": "Heun",
    "dpm_2": "DPM2",
    "dpm_2_ancestral": "DPM2 a",
    "lms": "LMS",
    "dpm_fast": "DPM fast",
    "dpm_adaptive": "DPM adaptive",
    "dpmpp_2s_ancestral": "DPM++ 2S a",
    "dpmpp_sde": "DPM++ SDE",
    "dpmpp_2m": "DPM++ 2M",
    "dpmpp_2m_sde": "DPM++ 2M SDE",
    "dpmpp_3m_sde": "DPM++ 3M SDE",
    "ddim": "DDIM",
    "uni_pc": "UniPC",
    "lcm": "LCM",
}
_SCHEDULES = {
    "normal": "Normal",
    "karras": "Karras",
    "exponential": "Exponential",
    "sgm_uniform": "SGM Uniform",
    "simple": "Simple",
    "ddim_uniform": "DDIM",
    "beta": "Beta",
    "kl_optimal": "KL Optimal",
}
_UNDERSTOOD = {"SaveImage", "PreviewImage", "VAEDecode", "VAEDecodeTiled", "EmptyLatentImage", "VAELoader"}


def told_by_comfyui(graph: Mapping[str, Any]) -> Infotext:
    """Of the first sampling node whose latents are empty, else of the first one."""
    reading = _Reading({str(key): node for key, node in graph.items() if isinstance(node, dict)})
    samplers = [key for key, node in reading.nodes.items() if "KSampler" in str(node.get("class_type"))]
    first = next((key for key in samplers if reading.empty(key)), samplers[0] if samplers else None)
    if first is None:
        return Infotext("", "", {}, ("its ComfyUI graph has no KSampler",))
    return reading.told(first)


@dataclass(slots=True)
class _Reading:
    """Follows the links of one graph; notes which nodes it has understood."""

    nodes: Mapping[str, Mapping[str, Any]]
    seen: set[str] = field(default_factory=set)

    def told(self, sampler: str) -> Infotext:
        said = self._inputs(sampler)
        prompt, negative = self._text(said.get("positive")), self._text(said.get("negative"))
        fields = {**dict(_sampling(said)), **dict(self._size(said.get("latent_image")))}
        networks: list[str] = []
        fields |= dict(self._models(said.get("model"), networks))
        fields |= dict(self._vae(sampler))
        fields["RNG"] = "CPU"
        return Infotext(prompt + "".join(reversed(networks)), negative, fields, tuple(self._unread(said)))

    def empty(self, sampler: str) -> bool:
        """Whether it begins with noise alone."""
        return "Empty" in self._class(self._source(self._inputs(sampler).get("latent_image")))

    def _size(self, link: Any) -> Iterator[tuple[str, str]]:
        latent = self._source(link)
        said = self._inputs(latent)
        for name, key in (("width", "Size-1"), ("height", "Size-2")):
            if isinstance(said.get(name), int):
                yield key, str(said[name])

    def _text(self, link: Any) -> str:
        """What an encoder was given, through nodes that change its conditioning."""
        key = self._source(link)
        said = self._inputs(key)
        if "text" in said or "text_g" in said:
            self.seen.add(key)
            return self._string(said.get("text", said.get("text_g")))
        return self._text(said["conditioning"]) if "conditioning" in said else ""

    def _string(self, value: Any) -> str:
        """Typed there, or by a node that gives text."""
        if isinstance(value, str):
            return value
        key = self._source(value)
        self.seen.add(key)
        return next((one for one in self._inputs(key).values() if isinstance(one, str)), "")

    def _models(self, link: Any, networks: list[str]) -> Iterator[tuple[str, str]]:
        """Back along the model's line, to the file that it came from."""
        passed: set[str] = set()
        while (key := self._source(link)) and key not in passed:
            passed.add(key)
            said = self._inputs(key)
            if name := said.get("ckpt_name") or said.get("unet_name"):
                self.seen.add(key)
                yield "Model", stem(str(name))
                return
            if "lora_name" in said:
                self.seen.add(key)
                networks.append(_lora(said))
            if "stop_at_clip_layer" in said:
                self.seen.add(key)
            link = said.get("model")

    def _vae(self, sampler: str) -> Iterator[tuple[str, str]]:
        for node in self.nodes.values():
            said = node.get("inputs") or {}
            if "samples" in said and self._source(said.get("samples")) == sampler:
                vae = self._inputs(self._source(said.get("vae")))
                if name := vae.get("vae_name"):
                    yield "VAE", str(name)
        for key, node in self.nodes.items():
            layer = (node.get("inputs") or {}).get("stop_at_clip_layer")
            if isinstance(layer, int) and layer < 0:
                self.seen.add(key)
                yield "Clip skip", str(-layer)

    def _unread(self, said: Mapping[str, Any]) -> Iterator[str]:
        yield "ComfyUI weighs words in a way of its own: a picture with weights will resemble, not repeat"
        if said.get("sampler_name") not in _SAMPLERS:
            yield f"its sampler {said.get('sampler_name')!r} is not known here"
        left = {
            self._class(key)
            for key in self.nodes
            if key not in self.seen and self._class(key) not in _UNDERSTOOD and "KSampler" not in self._class(key)
        }
        if left:
            yield f"nodes that were not understood: {', '.join(sorted(left))}"
        others = [key for key in self.nodes if "KSampler" in self._class(key)]
        if len(others) > 1:
            yield f"it sampled {len(others)} times; only the first pass is taken over"

    def _source(self, link: Any) -> str:
        """The node that a link ``[node, output]`` comes from; nothing for what is none."""
        return str(link[0]) if isinstance(link, list) and link and str(link[0]) in self.nodes else ""

    def _inputs(self, key: str) -> Mapping[str, Any]:
        said = self.nodes.get(key, {}).get("inputs")
        return said if isinstance(said, dict) else {}

    def _class(self, key: str) -> str:
        return str(self.nodes.get(key, {}).get("class_type", ""))


def _sampling(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, key in (("steps", "Steps"), ("cfg", "CFG scale")):
        if isinstance(said.get(name), int | float):
            yield key, f"{said[name]:g}"
    seed = said.get("seed", said.get("noise_seed"))
    if isinstance(seed, int):
        yield "Seed", str(seed)
    sampler = str(said.get("sampler_name", "")).removesuffix("_gpu")
    yield "Sampler", _SAMPLERS.get(sampler, sampler)
    yield "Schedule type", _SCHEDULES.get(str(said.get("scheduler")), "Automatic")
    denoise = said.get("denoise")
    if isinstance(denoise, int | float) and denoise < 1:
        yield "Denoising strength", f"{denoise:g}"


def _lora(said: Mapping[str, Any]) -> str:
    model, clip = (said.get(f"strength_{part}", 1.0) for part in ("model", "clip"))
    return f" <lora:{stem(str(said['lora_name']))}:{clip:g}:{model:g}>"
