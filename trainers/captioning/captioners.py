"""Captioners that write sentences: BLIP, BLIP-2, Florence-2, GIT, and chat models that see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from inference.engine import pick_device
from modelhub.errors import Incompatible
from trainers.captioning.asking import CHAT, WAYS, Way, is_known
from trainers.captioning.nets import CaptionerOptions, by_lot, choice, configuration, loaded, precision, quietly
from trainers.captioning.nouns import Say
from trainers.captioning.opening import opened
from trainers.seeing import CAPTIONER

__all__ = ["CaptionerOptions", "open_captioner"]


def open_captioner(place: Path, options: CaptionerOptions, *, device: str = "auto") -> Say:
    """The captioner in a folder, or of a file in it; nothing is downloaded, and no code of its own is run.

    Raises `Incompatible` for nets that write no captions, `BadValue` for what they cannot be asked, and what `loaded`
    and `configuration` raise.
    """
    folder, where = place if place.is_dir() else place.parent, pick_device(device)
    way = _way(folder)
    dtype = precision(folder, where)
    *parts, net = loaded(folder, where, dtype, *way.parts)
    return _Captioner(net, way, parts[0], parts[-1], way.words(parts[0], options), options, where, dtype)


def _way(folder: Path) -> Way:
    """How the net in a folder is asked."""
    config = configuration(folder)
    kind = config.get("model_type")
    if way := WAYS.get(str(kind)):
        way.fits(folder, config)
        return way
    if not _chats(folder):
        raise Incompatible(f"{folder} holds a net of type {kind}; captioners are {', '.join(WAYS)} and chat models")
    if not is_known(kind):
        told = f"{folder} holds a net of type {kind}, which needs code of its own: that is never run here"
        raise Incompatible(told, mend=f"modelhub pull {CAPTIONER.example}")
    return CHAT


@dataclass(frozen=True, slots=True)
class _Captioner:
    """Says what is in pictures; a `Say`."""

    net: Any
    way: Way
    looks: Any
    reads: Any
    words: str | None
    """What is said beside each picture."""
    options: CaptionerOptions
    device: torch.device
    dtype: torch.dtype
    """Of the pictures as they go in; parts of a net may be wider."""

    def __call__(self, pictures: Sequence[Path]) -> list[str | None]:
        images = {path: image for path in pictures if (image := opened(path))}
        together = [list(images)] if self.way.at_once and not self.options.top_p else [[path] for path in images]
        with quietly(), torch.inference_mode():
            answers = [self._said({path: images[path] for path in some}) for some in together if some]
        said = dict(zip(images, chain.from_iterable(answers), strict=True))
        return [said.get(path) for path in pictures]

    def _said(self, images: Mapping[Path, Image.Image]) -> list[str]:
        """Of pictures that are looked at together: one, where words are drawn, since rows would share their chance."""
        inputs = self._inputs(list(images.values()))
        with by_lot(self.options.seed, next(iter(images)), self.device):
            tokens = self.net.generate(**inputs, **{self.way.length: self.options.max_tokens}, **choice(self.options))
        answers = tokens[:, self.way.repeats(self.net.config, inputs) :]
        return [" ".join(one.split()) for one in self.reads.batch_decode(answers, skip_special_tokens=True)]

    def _inputs(self, images: Sequence[Image.Image]) -> Mapping[str, Any]:
        if self.words is None:
            pixels = self.looks(images=images, return_tensors="pt")["pixel_values"]
            return {"pixel_values": pixels.to(self.device, self.dtype)}
        words = [self.words] * len(images)
        return dict(self.looks(text=words, images=images, return_tensors="pt").to(self.device, self.dtype))


def _chats(folder: Path) -> bool:
    """Whether it brings a template of what it is asked."""
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    configs = (folder / name for name in ("processor_config.json", "tokenizer_config.json"))
    return any('"chat_template"' in file.read_text(encoding="utf-8") for file in configs if file.is_file())
