"""Which modules a LoRA changes, and whose: names and sizes of a few of them tell the family.

An underscore in a kohya name may be a dot or an underscore of the model's own: names are matched, never split.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from modelhub.families import Pattern, known
from modelhub.headers import TensorEntry
from modelhub.identify._lora_layouts import Deltas

__all__ = ["families_of", "modules_of"]

_RUNS = 5
_RUN = 14
"""A block has fewer modules than this in most models, so that runs of names see all that a part has."""
_FRONT = re.compile(
    r"(?:base_model\.model\.)?"
    r"(?:lora_unet_|lora_transformer_|oft_unet_|lycoris_|(?:model\.)?diffusion_model\.|unet\.|transformer\.)?"
    r"(?:base_model\.model\.)?"
)
"""What tools put before a module's own name."""
_NUMBER = re.compile(r"(?:(?<=s_)|(?<=encoder_block_))\d+(?=_)")
_WITHIN_UNET = re.compile(r".*\d_transformer_blocks_(\d{1,3})_")
_PROCESSOR = "_processor_"


def modules_of(deltas: Deltas, *, every: bool = False) -> Mapping[str, str]:
    """Modules in the words of `Family.lora_modules` -> a tensor of each; from a sample of the names, or from all."""
    found: dict[str, str] = {}
    for name in deltas.names if every else _sample(deltas.names):
        for path in _paths(deltas.module(name)):
            found.setdefault(path, name)
    return found


def families_of(modules: Mapping[str, str], deltas: Deltas, tensors: Mapping[str, TensorEntry]) -> Mapping[str, str]:
    """Families that explain most of the modules and contradict none -> the tensor that shows it best."""
    fitting: dict[str, list[str]] = {}
    refuted: set[str] = set()
    for path, name in modules.items():
        expected = _expected().get(path, {})
        size = deltas.size(tensors, name) if expected else None
        for family, sizes in expected.items():
            if any(_fits(size, one) for one in sizes):
                fitting.setdefault(family, []).append(name)
            else:
                refuted.add(family)
    most = max((len(names) for family, names in fitting.items() if family not in refuted), default=0)
    return {family: names[-1] for family, names in fitting.items() if family not in refuted and len(names) == most}


def _sample(names: Sequence[str]) -> Iterable[str]:
    if len(names) <= _RUNS * _RUN:
        return names
    step = (len(names) - _RUN) // (_RUNS - 1)
    return (name for run in range(_RUNS) for name in names[run * step : run * step + _RUN])


@lru_cache(maxsize=20_000)
def _paths(module: str) -> Sequence[str]:
    """The files of a collection train the same modules again and again."""
    front = _FRONT.match(module)
    path = module[front.end() if front else 0 :].replace(".", "_").replace(_PROCESSOR, "_")
    if within := _WITHIN_UNET.match(path):
        inner = path[within.end() :]
        return (inner, f"deep_{inner}") if int(within[1]) > 1 else (inner,)
    return (_NUMBER.sub("#", path),)


@cache
def _expected() -> Mapping[str, Mapping[str, tuple[Pattern, ...]]]:
    """Module -> family -> sizes."""
    found: dict[str, dict[str, tuple[Pattern, ...]]] = {}
    for family in known().values():
        for module, sizes in family.lora_modules.items():
            found.setdefault(module, {})[family.name] = sizes
    return found


def _fits(size: Pattern, wanted: Pattern) -> bool:
    """A side that is unknown fits every length."""
    pairs = zip(size or (), wanted or (), strict=False)
    return all(None in pair or pair[0] == pair[1] for pair in pairs)
