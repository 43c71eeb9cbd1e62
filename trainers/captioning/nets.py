"""Nets from picture to text in transformers' folders: loaded from disk alone, without code of their own."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from modelhub.errors import BrokenFile, MissingFile, UnsafeFile
from trainers.chance import dice

__all__ = ["UNREADABLE", "CaptionerOptions", "by_lot", "choice", "loaded", "model_type", "quietly"]

_OFFLINE: Mapping[str, object] = {"local_files_only": True, "trust_remote_code": False}
UNREADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)
"""What transformers raises for folders that hold no whole net."""


@dataclass(frozen=True, slots=True)
class CaptionerOptions:
    """How words are chosen."""

    beams: int = 3
    """Sentences followed at once, of which the likeliest is kept."""
    top_p: float | None = None
    """Draw each word among the likeliest that have this share together (nucleus sampling), in place of beams."""
    max_tokens: int = 75
    seed: int = 0
    """Of nucleus sampling; a picture's words depend on it and on its bytes, on no other picture."""
    question: str = "Describe this picture in one sentence."
    """For models that are asked."""


def model_type(folder: Path) -> str:
    """What a folder's configuration calls its net; raises `MissingFile`, `BrokenFile`, `UnsafeFile` for pickles."""
    file = folder / "config.json"
    if not file.is_file():
        raise MissingFile(f"{file}: there is no such file", mend="name a captioner's folder in transformers' layout")
    try:
        kind = json.loads(file.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError) as error:
        raise BrokenFile(file, "it is no JSON object") from error
    if not any(folder.glob("model*.safetensors")):
        pickled, wanted = folder / "pytorch_model.bin", folder / "model.safetensors"
        raise UnsafeFile(f"{folder} has no weights in safetensors", mend=f"modelhub convert {pickled} --out {wanted}")
    return str(kind)


def loaded(folder: Path, device: torch.device, *parts: str) -> list[Any]:
    """The net, in its own precision on a GPU and in full on a processor, and before it those parts of transformers'."""
    with quietly():
        import transformers

        precision = torch.float32 if device.type == "cpu" else "auto"
        try:
            others = [getattr(transformers, part).from_pretrained(folder, backend="pil", **_OFFLINE) for part in parts]
            net = transformers.AutoModelForImageTextToText.from_pretrained(
                folder, use_safetensors=True, dtype=precision, **_OFFLINE
            )
        except UNREADABLE as error:
            raise BrokenFile(folder, f"transformers cannot load it ({error})") from error
    return [*others, net.to(device).eval()]


def choice(options: CaptionerOptions) -> Mapping[str, object]:
    """How a net's `generate` chooses words."""
    if options.top_p is None:
        return {"num_beams": options.beams, "do_sample": False}
    return {"num_beams": 1, "do_sample": True, "top_p": options.top_p, "top_k": 0}


@contextmanager
def by_lot(seed: int, picture: Path, device: torch.device) -> Iterator[None]:
    """Within, torch's global generator, which transformers draws from, is one picture's; afterwards it is as before."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(dice(seed, hashlib.sha256(picture.read_bytes()).hexdigest()).getrandbits(48))
        yield


@contextmanager
def quietly() -> Iterator[None]:
    """Without transformers' bars and advice."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
