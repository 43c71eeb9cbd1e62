"""What adapters change, and how tools spell it (pure, no torch).

Underscored names are ambiguous, so a name is looked up among the base model's own module names and never split.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from inference.weights import unet
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2, TEXT_ROLES, UNET, Part
from inference.weights.single_file import rename
from inference.weights.text_encoder import CANONICAL

__all__ = ["Spellings", "Target", "kohya_name", "kohya_names", "native_names"]

_KOHYA = {UNET: "lora_unet", TEXT_ENCODER: "lora_te", TEXT_ENCODER_2: "lora_te2"}
_KOHYA_PAIR = {**_KOHYA, TEXT_ENCODER: "lora_te1"}
_FRONTS = (
    ("lora_unet_", UNET),
    ("oft_unet_", UNET),
    ("lora_te_", TEXT_ENCODER),
    ("lora_te_", TEXT_ENCODER_2),
    ("lora_te1_", TEXT_ENCODER),
    ("lora_te2_", TEXT_ENCODER_2),
    ("lycoris_unet_", UNET),
    ("lycoris_te_", TEXT_ENCODER),
    ("lycoris_te1_", TEXT_ENCODER),
    ("lycoris_te2_", TEXT_ENCODER_2),
    ("lycoris_", UNET),
    ("lycoris_", TEXT_ENCODER),
    ("lora_transformer_", UNET),
    ("model_diffusion_model_", UNET),
    ("diffusion_model_", UNET),
    ("text_encoders_clip_l_transformer_", TEXT_ENCODER),
    ("text_encoders_clip_h_transformer_", TEXT_ENCODER),
    ("text_encoders_clip_g_transformer_", TEXT_ENCODER_2),
    ("base_model_model_unet_", UNET),
    ("base_model_model_text_encoder_2_", TEXT_ENCODER_2),
    ("base_model_model_text_encoder_", TEXT_ENCODER),
    ("base_model_model_", UNET),
    ("base_model_model_", TEXT_ENCODER),
    ("unet_", UNET),
    ("text_encoder_2_", TEXT_ENCODER_2),
    ("text_encoder_", TEXT_ENCODER),
    ("", UNET),
)
"""What tools put before a module's own name, dots as underscores, and whose module it then is; the first that the
base has counts. From kohya's scripts, LyCORIS, OneTrainer, SimpleTuner, ComfyUI, peft and diffusers, in this order."""
_PROCESSOR = ".processor."


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A parameter of the base model that an adapter changes."""

    role: str
    """``unet``, ``text_encoder`` or ``text_encoder_2``."""
    module: str
    """Dotted, by its canonical name."""
    parameter: Literal["weight", "bias"] = "weight"

    @property
    def name(self) -> str:
        """As the part calls it."""
        return f"{self.module}.{self.parameter}"


def kohya_name(target: Target) -> str:
    """How kohya's scripts, and with them nearly all tools, call a target of a base with one text encoder."""
    return f"{_KOHYA[target.role]}_{target.module.replace('.', '_')}"


def kohya_names(parts: Mapping[str, Part]) -> Callable[[Target], str]:
    """How they call a target of this base: of SDXL's UNet by Stability's own code, as all tools expect there."""
    if TEXT_ENCODER_2 not in parts:
        return kohya_name
    native = native_names(parts[UNET])

    def named(target: Target) -> str:
        own = native.get(target.module, target.module) if target.role == UNET else target.module
        return f"{_KOHYA_PAIR[target.role]}_{own.replace('.', '_')}"

    return named


class Spellings:
    """Every name that a tool may give to a module of a base."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._modules = {role: dict(_spelled(parts[role])) for role in (UNET, *TEXT_ROLES) if role in parts}

    def find(self, name: str) -> Target | None:
        """The module that a file calls `name`; None if the base has no such one."""
        name = _without_processor(name).replace(".", "_")
        for front, role in _FRONTS:
            if name.startswith(front) and (module := self._modules.get(role, {}).get(name[len(front) :])):
                return Target(role, module)
        return None


def native_names(part: Part) -> dict[str, str]:
    """Module of a UNet -> its name in Stability's own code, by which block weights and SDXL's LoRAs know it."""
    prefixes = {ours: theirs for theirs, ours in unet.names(unet.shape_of(part.config)).items()}
    return {module: rename(f"{module}.", prefixes).removesuffix(".") for module in _modules(part)}


def _spelled(part: Part) -> Iterator[tuple[str, str]]:
    for module in _modules(part):
        yield module.replace(".", "_"), module
        # transformers 5.6 dropped `text_model` from its names, and trainers wrote what it said
        if part.role in TEXT_ROLES:
            yield module.removeprefix(CANONICAL).replace(".", "_"), module
    for module, native in native_names(part).items() if part.role == UNET else ():
        yield native.replace(".", "_"), module


def _modules(part: Part) -> list[str]:
    return list(dict.fromkeys(name.rpartition(".")[0] for name in part.shapes))


def _without_processor(name: str) -> str:
    """Old diffusers files hang attention factors on the processor: ``attn1.processor.to_out`` -> ``attn1.to_out.0``."""
    if _PROCESSOR not in name:
        return name
    name = name.replace(_PROCESSOR, ".")
    return f"{name}.0" if name.endswith(".to_out") else name
