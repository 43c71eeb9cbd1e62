"""How diffusers, transformers, peft and taggers name the files of one module, and which of them are one set (pure)."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

__all__ = ["NET", "TAGS", "WeightSet", "is_small_part", "is_tagger", "weight_sets"]

NET, TAGS = "model.onnx", "selected_tags.csv"
"""A tagger of pictures, as https://huggingface.co/SmilingWolf publishes them: a net, and what its answers mean."""

_STEM = r"(?P<stem>diffusion_pytorch_model|pytorch_model|adapter_model|model)"
_SHARD = r"(?:-(?P<shard>\d{5})-of-(?P<count>\d{5}))?"
_WEIGHTS = re.compile(rf"{_STEM}(?:\.(?P<variant>\w+))?{_SHARD}(?:\.(?P<late>\w+))?\.(?P<suffix>safetensors|bin)")
_INDEX = re.compile(rf"{_STEM}\.(?P<suffix>safetensors|bin)\.index(?:\.(?P<variant>\w+))?\.json")
_SMALL_PART = re.compile(rf"[^.].*\.(?:json|model|jinja)|merges\.txt|vocab\.txt|{re.escape(TAGS)}")


@dataclass(slots=True)
class WeightSet:
    """Files that hold one module's weights once: one file, or its shards."""

    stem: str
    suffix: str
    variant: str
    """``fp16``, say; empty for none."""
    whole: str | None = None
    """The file that holds all of it."""
    index: str | None = None
    """The file that tells which shard holds what."""
    shards: set[str] = field(default_factory=set)
    """Named by one of those at hand, whether or not they are there."""

    @property
    def rank(self) -> tuple[bool, bool, bool, str, str]:
        """Less is better: safetensors before pickles, no variant before fp16 before others."""
        return (self.suffix != "safetensors", self.variant != "", self.variant != "fp16", self.variant, self.stem)


def is_tagger(names: Collection[str]) -> bool:
    """Whether a folder with these entries is a tagger's."""
    return NET in names and TAGS in names


def is_small_part(name: str) -> bool:
    """Whether a file belongs to the module that lies there: configurations, words of a tokenizer, templates, tags."""
    return _SMALL_PART.fullmatch(name) is not None


def weight_sets(names: Collection[str]) -> list[WeightSet]:
    """The sets among a folder's entries, best first."""
    found: dict[tuple[str, str, str], WeightSet] = {}
    for name in names:
        match = _WEIGHTS.fullmatch(name) or _INDEX.fullmatch(name)
        if match:
            parts = match.groupdict(default="")
            key = (parts["stem"], parts["suffix"], parts["variant"] or parts.get("late", ""))
            _add(found.setdefault(key, WeightSet(*key)), name, parts)
    return sorted(found.values(), key=lambda one: one.rank)


def _add(files: WeightSet, name: str, parts: dict[str, str]) -> None:
    if "shard" not in parts:
        files.index = name
    elif parts["shard"]:
        files.shards.update(_siblings(name, parts["shard"], int(parts["count"])))
    else:
        files.whole = name


def _siblings(name: str, shard: str, count: int) -> Iterator[str]:
    """All shards of which this is one; a few hundred at most are real."""
    for number in range(1, min(count, 1000) + 1):
        yield name.replace(f"-{shard}-of-", f"-{number:05}-of-", 1)
