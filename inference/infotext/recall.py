"""An infotext -> the fields of a request, its models looked up by hash, then by name (pure but for the looking up)."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from inference.infotext.models import NamedModel, models_of, titled
from inference.infotext.over import parts_of
from inference.infotext.read import Infotext
from inference.infotext.words import NOISES
from inference.request import SEEDS
from inference.samplers import find as find_sampler
from inference.schedules import AUTOMATIC
from modelhub.errors import BadValue

__all__ = ["Find", "Recalled", "recall"]

Find = Callable[[NamedModel], str | None]
"""A reference to the model that a picture names, if it is here."""

_NETWORK = re.compile(r"\s*<(lora|lyco|hypernet):([^:>]+)([^>]*)>")
_KINDS = {"lora": "lora", "lyco": "lora", "hypernet": "hypernetwork"}
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_PLAIN: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "Steps": ("steps", int),
    "CFG scale": ("cfg", float),
    "Image CFG scale": ("image_cfg", float),
    "Seed": ("seed", int),
    "Size-1": ("width", int),
    "Size-2": ("height", int),
    "Clip skip": ("clip_skip", int),
    "ENSD": ("ensd", int),
    "Tiling": ("tiling", "True".__eq__),
    "RNG": ("noise", lambda text: NOISES.get(text, text)),
    "Emphasis": ("emphasis", str),
    "Comma padding backtrack": ("comma_backtrack", int),
    "Pad conds": ("pad", {"True": "empty", "False": "none"}.get),
    "Pad conds v0": ("pad", {"True": "repeat", "False": "none"}.get),
    "Eta": ("eta", float),
    "Eta DDIM": ("eta", float),
    "Sigma churn": ("s_churn", float),
    "Sigma tmin": ("s_tmin", float),
    "Sigma tmax": ("s_tmax", float),
    "Sigma noise": ("s_noise", float),
    "Discard penultimate sigma": ("discard_next_to_last", "True".__eq__),
    "Shift": ("shift", float),
    "NGMS": ("min_uncond", float),
    "Schedule max sigma": ("sigma_max", lambda text: float(text) or None),
    "Schedule min sigma": ("sigma_min", lambda text: float(text) or None),
    "Schedule rho": ("rho", lambda text: float(text) or None),
}

_UNHEARD = (
    *("Old prompt editing timelines", "Refiner switch by sampling steps", "NGMS all steps", "Skip Early CFG"),
    *("UniPC variant", "UniPC skip type", "UniPC order", "UniPC lower order final", "SGM noise multiplier"),
    *("Beta schedule alpha", "Beta schedule beta", "Token merging ratio", "Token merging ratio hr"),
    *("Downcast alphas_cumprod", "VAE Encoder", "VAE Decoder"),
)
"""Settings of webui that change a picture, and that nothing here does."""
_NOTHING = ("", "False", "0", "0.0", "Full")


@dataclass(frozen=True, slots=True)
class Recalled:
    """What an infotext comes to here."""

    fields: Mapping[str, Any]
    """Of a request, as far as they are told; a picture that it does not hold is left out of its `init`."""
    missing: tuple[NamedModel, ...]
    """Models that are not here; the fields do without them."""
    remarks: tuple[str, ...]
    """What was not understood, or is drawn otherwise here."""


def recall(told: Infotext, find: Find) -> Recalled:
    """What `told` asks for, in a request's words; raises `BadValue` for a number that is none."""
    seeking = _Seeking(find, models_of(told))
    fields: dict[str, Any] = {
        "prompt": seeking.prompt(told.prompt + _hypernet(told.fields)),
        "negative_prompt": told.negative_prompt,
        "noise": "NV",
        **_plain(told.fields),
        **_first_pass(told.fields),
        **_sampling(told.fields),
        **_models(told.fields, seeking),
        **_parts(told.fields, seeking),
    }
    if hires_prompt := fields.get("hires", {}).get("prompt"):
        fields["hires"]["prompt"] = seeking.prompt(hires_prompt)
    seeking.embeddings(f"{told.prompt} {told.negative_prompt}")
    remarks = (*told.unread, *_old_habits(told), *_unheard(told))
    if fields.get("seed", 0) >= SEEDS:
        remarks += (f"its seed {fields['seed']} is larger than any here",)
        fields["seed"] %= SEEDS
    return Recalled(fields, tuple(dict.fromkeys(seeking.missing)), remarks)


@dataclass(slots=True)
class _Seeking:
    """Looks models up, and notes those that are not here."""

    find: Find
    hashed: tuple[NamedModel, ...]
    """What the infotext gives hashes of."""
    missing: list[NamedModel] = field(default_factory=list)

    def model(self, named: NamedModel) -> str | None:
        """The hash may stand somewhere else in the text."""
        by_hash = next((one for one in self.hashed if (one.role, one.name) == (named.role, named.name)), named)
        found = self.find(named if named.digest else by_hash)
        if found is None:
            self.missing.append(named if named.digest else by_hash)
        return found

    def titled(self, role: str, title: str) -> str | None:
        return self.model(titled(role, title))

    def prompt(self, prompt: str) -> str:
        """With references for the names of its networks, and without those that are missing."""
        return _NETWORK.sub(self._network, prompt).strip()

    def embeddings(self, prompts: str) -> None:
        """Their words stay in the prompts as they are; it is only seen whether they mean anything here."""
        for one in self.hashed:
            if one.role == "embedding" and one.name in prompts:
                self.model(one)

    def _network(self, found: re.Match[str]) -> str:
        kind, name, weights = found.groups()
        ref = self.model(NamedModel(_KINDS[kind], name, ""))
        before = found[0][: found[0].index("<")]
        return f"{before}<{kind}:{ref}{weights}>" if ref else ""


def _plain(told: Mapping[str, str]) -> dict[str, Any]:
    return {_PLAIN[key][0]: _number(key, value) for key, value in told.items() if key in _PLAIN}


def _number(key: str, value: str) -> Any:
    try:
        return _PLAIN[key][1](value)
    except ValueError:
        raise BadValue(f"the picture says {key}: {value}, which is no number") from None


def _first_pass(told: Mapping[str, str]) -> dict[str, int]:
    """The size of the first of two passes, as webui before 1.0 said it; 0x0 was as many pixels as 512x512 has."""
    if "First pass size-1" not in told:
        return {}
    width, height = (_number(f"Size-{side}", told[f"First pass size-{side}"]) for side in (1, 2))
    if not (width and height):
        whole = [_number(f"Size-{side}", told.get(f"Size-{side}", "512")) for side in (1, 2)]
        share = 512 / math.sqrt(math.prod(whole) or 1)
        width, height = (math.ceil(share * side / 64) * 64 for side in whole)
    return {"width": width, "height": height}


def _sampling(told: Mapping[str, str]) -> dict[str, str]:
    """A schedule that its sampler has no use for was never used."""
    if "Sampler" not in told:
        return {}
    name, schedule = told["Sampler"], told.get("Schedule type", AUTOMATIC)
    try:
        sampler, _ = find_sampler(name)
    except BadValue:
        return {"sampler": name, "schedule": schedule}
    return {"sampler": name, "schedule": AUTOMATIC if sampler.only_grid else schedule}


def _models(told: Mapping[str, str], seeking: _Seeking) -> dict[str, Any]:
    found = {
        role: seeking.model(NamedModel(role, told.get(key, ""), told.get(f"{key} hash", "").lower()))
        for role, key in (("model", "Model"), ("vae", "VAE"))
        if (key in told or f"{key} hash" in told) and told.get(key) not in ("None", "Automatic")
    }
    if "UNet" in told:
        found["unet"] = seeking.titled("unet", told["UNet"])
    encoders = [seeking.titled("text encoder", value) for key, value in told.items() if re.fullmatch(r"Module \d", key)]
    return {**{role: ref for role, ref in found.items() if ref}, "text_encoders": tuple(one for one in encoders if one)}


def _parts(told: Mapping[str, str], seeking: _Seeking) -> dict[str, Any]:
    try:
        return dict(parts_of(told, seeking.titled))
    except ValueError as error:
        raise BadValue(f"the picture's parameters hold a number that is none ({error})") from None


def _hypernet(told: Mapping[str, str]) -> str:
    """As webui wrote it before prompts could name one."""
    return f"<hypernet:{told['Hypernet']}:{told.get('Hypernet strength', '1.0')}>" if "Hypernet" in told else ""


def _old_habits(told: Infotext) -> Iterator[str]:
    """What older versions of webui drew otherwise."""
    found = _VERSION.match(told.fields.get("Version", ""))
    if not found:
        return
    version = (int(found[1]), int(found[2]))
    if version < (1, 6) and "[" in told.prompt and "Hires upscaler" in told.fields:
        yield "webui before 1.6 counted the steps of [from:to:when] otherwise in the second pass"
    if version < (1, 8) and "Refiner" in told.fields:
        yield "webui before 1.8 switched to the refiner by steps, not by noise levels"


def _unheard(told: Infotext) -> Iterator[str]:
    for key in _UNHEARD:
        if (said := told.fields.get(key, "")) not in _NOTHING:
            yield f"webui's {key} ({said}) has no part in a picture here: it may come out otherwise"
