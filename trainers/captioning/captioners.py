"""Captioners that write sentences: BLIP, GIT and others that say what they see, and chat models that are asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from inference.engine import pick_device
from modelhub.errors import Incompatible
from trainers.captioning.nets import CaptionerOptions, by_lot, choice, loaded, model_type, quietly
from trainers.captioning.nouns import Say
from trainers.captioning.opening import opened

__all__ = ["CaptionerOptions", "open_captioner"]

_SEERS = ("blip", "git", "vision-encoder-decoder")
"""Types of nets that say what they see without being asked anything."""


def open_captioner(place: Path, options: CaptionerOptions, *, device: str = "auto") -> Say:
    """The captioner in a folder, or of a file in it; nothing is downloaded, and no code of its own is run.

    Raises `Incompatible` for nets that write no captions, and what `loaded` and `model_type` raise.
    """
    folder, where = place if place.is_dir() else place.parent, pick_device(device)
    kind = model_type(folder)
    if kind in _SEERS:
        looks, tokenizer, net = loaded(folder, where, "AutoImageProcessor", "AutoTokenizer")
        return _Seer(net, looks, tokenizer, options, where)
    if not _chats(folder):
        raise Incompatible(f"{folder} holds a net of type {kind}; captioners are {', '.join(_SEERS)} and chat models")
    processor, net = loaded(folder, where, "AutoProcessor")
    return _Chat(net, processor, options, where)


@dataclass(frozen=True, slots=True)
class _Seer:
    """Says what it sees, in several pictures at once."""

    net: Any
    looks: Any
    tokenizer: Any
    options: CaptionerOptions
    device: torch.device

    def __call__(self, pictures: Sequence[Path]) -> list[str | None]:
        images = {path: image for path in pictures if (image := opened(path))}
        together = [[path] for path in images] if self.options.top_p else [list(images)]
        with quietly(), torch.inference_mode():
            answers = [self._said({path: images[path] for path in some}) for some in together if some]
        said = dict(zip(images, chain.from_iterable(answers), strict=True))
        return [said.get(path) for path in pictures]

    def _said(self, images: Mapping[Path, Image.Image]) -> list[str]:
        """Of pictures that are looked at together: one, where words are drawn, since rows would share their chance."""
        pixels = self.looks(images=list(images.values()), return_tensors="pt")["pixel_values"]
        with by_lot(self.options.seed, next(iter(images)), self.device):
            tokens = self.net.generate(
                pixel_values=pixels.to(self.device, self.net.dtype),
                max_length=self.options.max_tokens,
                **choice(self.options),
            )
        return [" ".join(one.split()) for one in self.tokenizer.batch_decode(tokens, skip_special_tokens=True)]


@dataclass(frozen=True, slots=True)
class _Chat:
    """Is asked about one picture after the other, in its own template, which transformers fills in a sandbox."""

    net: Any
    processor: Any
    options: CaptionerOptions
    device: torch.device

    def __call__(self, pictures: Sequence[Path]) -> list[str | None]:
        with quietly(), torch.inference_mode():
            return [self._said(path) for path in pictures]

    def _said(self, path: Path) -> str | None:
        image = opened(path)
        if image is None:
            return None
        content = [{"type": "image"}, {"type": "text", "text": self.options.question}]
        asked = self.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        inputs = self.processor(text=[asked], images=[image], return_tensors="pt").to(self.device, self.net.dtype)
        with by_lot(self.options.seed, path, self.device):
            tokens: Tensor = self.net.generate(**inputs, max_new_tokens=self.options.max_tokens, **choice(self.options))
        answer = tokens[:, inputs["input_ids"].shape[1] :]
        return " ".join(self.processor.batch_decode(answer, skip_special_tokens=True)[0].split())


def _chats(folder: Path) -> bool:
    """Whether it brings a template of what it is asked."""
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    configs = (folder / name for name in ("processor_config.json", "tokenizer_config.json"))
    return any('"chat_template"' in file.read_text(encoding="utf-8") for file in configs if file.is_file())
