"""Nets from picture to text in transformers' folders: loaded from disk alone, without code of their own."""

import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from modelhub.errors import BrokenFile, MissingFile, UnsafeFile
from modelhub.headers import read_table, weight_files
from trainers.chance import dice

__all__ = ["UNREADABLE", "CaptionerOptions", "by_lot", "choice", "configuration", "loaded", "precision", "quietly"]

_OFFLINE: Mapping[str, object] = {"local_files_only": True, "trust_remote_code": False}
UNREADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)
"""What transformers raises for folders that hold no whole net."""
_POOLER = "pooler"
"""Part of the names of what nets have for labels, and files often lack: no caption depends on it."""


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
    task: str = "detailed_caption"
    """For Florence-2: the name of one of its tasks, or any in its brackets."""


def configuration(folder: Path) -> Mapping[str, Any]:
    """What a folder says of its net; raises `MissingFile`, `BrokenFile`, and `UnsafeFile` for pickles."""
    file = folder / "config.json"
    if not file.is_file():
        raise MissingFile(f"{file}: there is no such file", mend="name a captioner's folder in transformers' layout")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BrokenFile(file, "it is no JSON object") from error
    if not isinstance(config, dict):
        raise BrokenFile(file, "it is no JSON object")
    weights = weight_files(folder)
    if not weights or any(one.suffix != ".safetensors" for one in weights):
        mend = f"modelhub convert {shlex.quote(str(folder))}"
        raise UnsafeFile(f"{folder} has no weights in safetensors", mend=mend)
    return config


def precision(folder: Path, device: torch.device) -> torch.dtype:
    """Full on a processor; half elsewhere: bfloat16 for what lies so in its files, since float16 may not hold it."""
    if device.type == "cpu":
        return torch.float32
    numbers = Counter[str]()
    for tensor in read_table(folder).tensors.values():
        numbers[tensor.dtype] += prod(tensor.shape)
    return torch.bfloat16 if numbers.most_common(1)[0][0] == "BF16" else torch.float16


def loaded(folder: Path, device: torch.device, dtype: torch.dtype, *parts: str) -> list[Any]:
    """The net, and before it those parts of transformers'.

    Raises `BrokenFile` where a tensor is missing: transformers would make one up, and the captions with it.
    """
    with quietly():
        import transformers

        try:
            others = [getattr(transformers, part).from_pretrained(folder, backend="pil", **_OFFLINE) for part in parts]
            net, report = transformers.AutoModelForImageTextToText.from_pretrained(
                folder, use_safetensors=True, dtype=dtype, output_loading_info=True, **_OFFLINE
            )
        except UNREADABLE as error:
            raise BrokenFile(folder, f"transformers cannot load it ({error})") from error
    if lacking := sorted(name for name in report["missing_keys"] if _POOLER not in name):
        raise BrokenFile(folder, f"it lacks {len(lacking)} tensors of its net: {lacking[0]}", mend="download it again")
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
