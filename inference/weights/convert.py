"""A pickled model -> a safetensors file of the same tensors, without running anything of it."""

import mmap
import shutil
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from glob import escape
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from inference.weights.number_types import TYPES, raw, type_name
from modelhub.errors import BadValue, BrokenFile, Conflict, ModelHubError
from modelhub.headers import read_table, write_table
from modelhub.headers.pickles import PickledWeights, PlacedTensor, read_pickle_weights
from modelhub.jobs import Done, Job, Progress
from modelhub.workspace import publish

__all__ = ["Conversion", "ConversionPlan", "convert", "plan_conversion", "remove_leftovers"]

_WIDE = ("F64", "F32", "BF16")
"""What half precision shortens."""
_EMA = "model_ema."
_WEBUI_EMBEDDING = "string_to_param."
_EMBEDDING = "emb_params"
"""As sd-scripts names the one tensor of an embedding in safetensors."""
_EMBEDDING_TEXTS = ("name", "step", "sd_checkpoint", "sd_checkpoint_name")
_OURS = "modelhub.pickle."
"""Before the keys of what a pickle said beside its tensors: none of it can pass for the header of another tool."""
_OTHERS = {
    "safetensors": "a safetensors file already",
    "gguf": "a GGUF file: its tensors are packed in types that safetensors does not have",
    "diffusers": "a folder of models, not a pickle",
}
_MAX_GROWTH = 4
"""Tensors may share their bytes in a pickle, not in safetensors; more than this times the file is an attack."""
_SPARE = 64 << 20
"""Bytes: for small files, that much more."""


@dataclass(frozen=True, slots=True)
class ConversionPlan:
    """What converting a file will come to, read from its header alone."""

    source: Path
    tensors: Mapping[str, PlacedTensor]
    """Under the names that they will have."""
    metadata: Mapping[str, str]
    dropped: tuple[str, ...]
    """Names of what the result will not hold."""
    strangers: tuple[str, ...]
    """Dotted names that loading the original would import."""
    half: bool
    """Whether to shorten wide numbers to float16."""

    @property
    def size(self) -> int:
        """Bytes of the result's tensors, at most."""
        return sum(prod(one.shape) * self._type(one).itemsize for one in self.tensors.values())

    def _type(self, tensor: PlacedTensor) -> torch.dtype:
        return torch.float16 if self.half and tensor.dtype in _WIDE else TYPES[tensor.dtype]


@dataclass(frozen=True, slots=True)
class Conversion:
    """A file that was converted."""

    source: Path
    target: Path
    tensors: int
    size: int
    """Bytes of the result."""
    dropped: tuple[str, ...]
    too_large: tuple[str, ...]
    """Names of tensors that keep their type, since float16 cannot hold their numbers."""
    written: bool
    """False when the result was there already."""


def plan_conversion(path: Path, *, half: bool = False, keep_ema: bool = True) -> ConversionPlan:
    """Read what a pickle holds and decide what becomes of it.

    Raises `BadValue` for what is no pickle or holds no tensors, `UnsafeFile` and `BrokenFile` as reading does.
    """
    _check_pickled(path)
    weights = read_pickle_weights(path)
    kept = {name: one for name, one in weights.tensors.items() if _is_kept(name, one, keep_ema=keep_ema)}
    if not kept:
        raise BadValue(f"{path} holds no weights: there is nothing to convert")
    plan = ConversionPlan(
        source=path,
        tensors=_renamed(kept),
        metadata=_metadata(weights),
        dropped=(*(name for name in weights.tensors if name not in kept), *weights.left_out),
        strangers=weights.strangers,
        half=half,
    )
    if plan.size > _MAX_GROWTH * path.stat().st_size + _SPARE:
        raise BrokenFile(path, f"its tensors would unfold to {plan.size:,} bytes")
    return plan


def convert(plan: ConversionPlan, target: Path) -> Job[Conversion]:
    """Write the planned tensors to `target`, whole or not at all, and read them back to compare every byte.

    A result that is there already is compared instead; raises `Conflict` when another file stands there.
    """
    with plan.source.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    yield from _check_sums(plan, content)
    tensors = {name: _converted(plan, one, content) for name, one in plan.tensors.items()}
    written = not target.exists()
    if written:
        remove_leftovers(target)
        with publish(target, replace=False) as part:
            with part.open("wb") as file:
                write_table(file, [_row(name, tensor) for name, tensor in tensors.items()], plan.metadata)
            yield from _compare(part, tensors, BrokenFile(target, "what was written did not read back"))
    else:
        stranger = f"{target} stands there already, and is not {plan.source.name} converted"
        yield from _compare(target, tensors, Conflict(stranger, mend="choose another --out"))
    yield Done(
        Conversion(
            source=plan.source,
            target=target,
            tensors=len(tensors),
            size=target.stat().st_size,
            dropped=plan.dropped,
            too_large=tuple(name for name in tensors if plan.half and type_name(tensors[name]) in _WIDE),
            written=written,
        )
    )


def _check_pickled(path: Path) -> None:
    container = read_table(path).container
    if container != "pickle":
        raise BadValue(f"{path} is {_OTHERS[container]}")


def _is_kept(name: str, tensor: PlacedTensor, *, keep_ema: bool) -> bool:
    return tensor.dtype in TYPES and name != "__metadata__" and (keep_ema or not name.startswith(_EMA))


def _renamed(tensors: Mapping[str, PlacedTensor]) -> Mapping[str, PlacedTensor]:
    """The one vector list of webui's embeddings gets the name that safetensors files give it."""
    if len(tensors) == 1 and next(iter(tensors)).startswith(_WEBUI_EMBEDDING):
        return {_EMBEDDING: next(iter(tensors.values()))}
    return tensors


def _metadata(weights: PickledWeights) -> dict[str, str]:
    plain = _EMBEDDING_TEXTS if any(name.startswith(_WEBUI_EMBEDDING) for name in weights.tensors) else ()
    return {"format": "pt"} | {
        key if key in plain else _OURS + key: text for key, text in sorted(weights.metadata.items())
    }


def _check_sums(plan: ConversionPlan, content: mmap.mmap) -> Iterator[Progress]:
    """An archive has a CRC for each storage; the older format has none."""
    storages = {one.storage for one in plan.tensors.values()}
    whole = memoryview(content)
    for number, storage in enumerate(sorted(storages, key=lambda one: one.start), start=1):
        if storage.crc and zlib.crc32(whole[storage.start : storage.start + storage.size]) != storage.crc:
            raise BrokenFile(
                plan.source, f"the weights at byte {storage.start:,} are damaged: their CRC is another",
                mend="download it again",
            )  # fmt: skip
        yield Progress("check", number, len(storages), "storages")


def _converted(plan: ConversionPlan, placed: PlacedTensor, content: mmap.mmap) -> Tensor:
    """A contiguous tensor, a view of the file where that is possible."""
    tensor = _view(placed, content).contiguous()
    if not plan.half or placed.dtype not in _WIDE:
        return tensor
    short = tensor.half()
    return short if torch.equal(short.isfinite(), tensor.isfinite()) else tensor


def _view(placed: PlacedTensor, content: mmap.mmap) -> Tensor:
    dtype = TYPES[placed.dtype]
    if 0 in placed.shape:
        return torch.empty(placed.shape, dtype=dtype)
    count = placed.storage.size // dtype.itemsize
    flat = torch.frombuffer(content, dtype=dtype, count=count, offset=placed.storage.start)
    return flat.as_strided(placed.shape, placed.strides, placed.offset)


def _row(name: str, tensor: Tensor) -> tuple[str, str, tuple[int, ...], memoryview]:
    return name, type_name(tensor), tuple(tensor.shape), memoryview(raw(tensor).numpy())  # type: ignore[arg-type]


def _compare(written: Path, tensors: Mapping[str, Tensor], unlike: ModelHubError) -> Iterator[Progress]:
    """Raise `unlike` unless the file holds exactly these tensors."""
    table = read_table(written)
    same = {name: (entry.dtype, entry.shape) for name, entry in table.tensors.items()}
    if same != {name: (type_name(tensor), tuple(tensor.shape)) for name, tensor in tensors.items()}:
        raise unlike
    with written.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    for number, (name, tensor) in enumerate(tensors.items(), start=1):
        start = table.data_start + table.tensors[name].start
        if tensor.numel() and not torch.equal(
            torch.frombuffer(content, dtype=torch.uint8, count=tensor.nbytes, offset=start), raw(tensor)
        ):
            raise unlike
        yield Progress("compare", number, len(tensors), "tensors")


def remove_leftovers(target: Path, *, is_folder: bool = False) -> None:
    """What a conversion that was killed left beside its target."""
    for part in target.parent.glob(f".{escape(target.name)}.*.part"):
        if is_folder and part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        elif not is_folder and part.is_file():
            part.unlink(missing_ok=True)
