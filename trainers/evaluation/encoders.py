"""Pictures as networks see them: CLIP, DINOv2 and SigLIP encoders in folders as transformers writes them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from modelhub.errors import BadValue, BrokenFile, UnsafeFile
from trainers.captioning.nets import UNREADABLE, quietly
from trainers.evaluation.features import Vector
from trainers.seeing import ENCODER

__all__ = ["Encoder", "load_encoder"]

_CLASSES: Mapping[str, tuple[str, str]] = {
    "clip": ("CLIPVisionModelWithProjection", "image_embeds"),
    "clip_vision_model": ("CLIPVisionModelWithProjection", "image_embeds"),
    "dinov2": ("Dinov2Model", "pooler_output"),
    "dinov2_with_registers": ("Dinov2WithRegistersModel", "pooler_output"),
    "siglip": ("SiglipVisionModel", "pooler_output"),
    "siglip_vision_model": ("SiglipVisionModel", "pooler_output"),
}
"""`model_type` of a configuration -> the class in transformers, and which of its outputs is the whole picture."""
_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_SPREAD = (0.26862954, 0.26130258, 0.27577711)
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class _Intake:
    """How a picture goes in."""

    side: int
    """Px."""
    shortest: int
    """Px that the shorter side is brought to before the centre is cut out."""
    mean: tuple[float, ...] = _CLIP_MEAN
    spread: tuple[float, ...] = _CLIP_SPREAD

    def pixels(self, picture: Image.Image) -> Tensor:
        """[3, side, side]"""
        scale = self.shortest / min(picture.size)
        width, height = (max(self.side, round(one * scale)) for one in picture.size)
        scaled = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
        left, top = (width - self.side) // 2, (height - self.side) // 2
        cut = scaled.crop((left, top, left + self.side, top + self.side))
        values = np.asarray(cut, dtype=np.float32) / 255
        normed = (values - np.array(self.mean, np.float32)) / np.array(self.spread, np.float32)
        return torch.from_numpy(normed).permute(2, 0, 1)


@dataclass(frozen=True, slots=True)
class Encoder:
    """A network that sees pictures; `Features`."""

    name: str
    module: nn.Module
    output: str
    intake: _Intake

    @torch.inference_mode()
    def of(self, pictures: Sequence[Image.Image]) -> Vector:
        rows = [self._of(pictures[start : start + _AT_ONCE]) for start in range(0, len(pictures), _AT_ONCE)]
        vectors: Vector = torch.nn.functional.normalize(torch.cat(rows), dim=-1).numpy()
        return vectors

    def _of(self, pictures: Sequence[Image.Image]) -> Tensor:
        device = next(self.module.parameters()).device
        pixels = torch.stack([self.intake.pixels(one) for one in pictures]).to(device)
        vectors: Tensor = getattr(self.module(pixel_values=pixels), self.output)
        return vectors.float().cpu()


def load_encoder(folder: Path, device: torch.device) -> Encoder:
    """The encoder in a folder with ``config.json``, or of a file in one.

    Raises `BadValue` for another kind of model, `UnsafeFile` for pickles, `BrokenFile` for what lacks weights.
    """
    folder = folder if folder.is_dir() else folder.parent
    config = _read(folder / "config.json")
    kind = str(config.get("model_type"))
    if kind not in _CLASSES:
        raise BadValue(
            f"{folder} holds no encoder of pictures that we know: its config.json says {kind!r}",
            mend=f"one of: {', '.join(_CLASSES)}",
        )
    name, output = _CLASSES[kind]
    vision: Any = config.get("vision_config", config)
    module = _module(folder, name).eval().to(device)
    return Encoder(folder.name, module, output, _intake(folder, int(vision["image_size"])))


def _module(folder: Path, name: str) -> Any:
    """Of a model that reads text too only the half that sees is taken; none of its weights may be made up."""
    import transformers

    if not any(folder.glob("model*.safetensors")):
        raise UnsafeFile(
            f"{folder} has no weights in safetensors",
            mend=f"modelhub convert {folder / 'pytorch_model.bin'} --out {folder / 'model.safetensors'}",
        )
    with quietly():
        try:
            module, told = getattr(transformers, name).from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
        except UNREADABLE as error:
            raise BrokenFile(folder, f"transformers cannot load it ({error})") from error
    if told["missing_keys"]:
        raise BrokenFile(folder, f"it lacks {min(told['missing_keys'])}", mend="download it again")
    return module


def _intake(folder: Path, side: Any) -> _Intake:
    """As ``preprocessor_config.json`` has it; without one, as CLIP's."""
    path = folder / "preprocessor_config.json"
    said = _read(path) if path.is_file() else {}
    size, crop = said.get("size", side), said.get("crop_size", side)
    shortest = size.get("shortest_edge", size.get("height", side)) if isinstance(size, dict) else size
    side = crop.get("height", side) if isinstance(crop, dict) else crop
    mean, spread = said.get("image_mean", _CLIP_MEAN), said.get("image_std", _CLIP_SPREAD)
    return _Intake(int(side), max(int(side), int(shortest)), tuple(mean), tuple(spread))


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadValue(
            f"{path.parent} holds no config.json: encoders are read from folders with one",
            mend=f"modelhub pull {ENCODER.example}",
        ) from None
    except ValueError as error:
        raise BrokenFile(path, f"is no JSON ({error})") from None
    if not isinstance(found, dict):
        raise BrokenFile(path, "holds no table")
    return found
