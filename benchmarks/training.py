"""Learning a LoRA, against diffusers' own text-to-image script, on the same weights and pictures, in turn."""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks._figure import Figure, seconds_in_turn
from benchmarks._gpus import peak
from benchmarks._learners import Ours, Pictures, Theirs
from benchmarks._sizes import sd1_models
from inference.engine import pick_device
from inference.plan import ModelPlan, NamedModel
from inference.weights.export import checkpoint_tensors
from inference.weights.load import load_part
from inference.weights.parts import TEXT_ENCODER, UNET, VAE, Part
from inference.weights.single_file import checkpoint_parts
from modelhub import starter
from modelhub.families import family
from modelhub.headers import TensorEntry, TensorTable, read_table

_SD1 = family("sd1")
_Bases = tuple[Mapping[str, nn.Module], Mapping[str, Part]]


@dataclass(frozen=True, slots=True)
class _Cell:
    """What is learned on."""

    name: str
    bases: Callable[[torch.device, torch.dtype], _Bases]
    side: int
    """Of its pictures, pixels."""
    batch: int
    steps: int
    """Of one measurement."""
    runs: int
    faster: float | None = None
    """So many times than the script it is to be."""

    def __str__(self) -> str:
        return f"{self.name}, {self.side} px, batch {self.batch}"

    def learners(self, device: torch.device) -> tuple[Callable[[], Ours], Callable[[], Theirs]]:
        """Both begin with the same weights and pictures."""
        models, parts = self.bases(device, torch.bfloat16 if device.type == "cuda" else torch.float32)
        plan = ModelPlan(_SD1, "epsilon", self.side, parts, NamedModel(self.name, "0" * 64))
        pictures = Pictures.of(models[VAE], self.side)
        return lambda: Ours(models, plan, pictures, self.batch, device), lambda: Theirs(
            models, pictures, self.batch, device
        )


def measure() -> Iterator[Figure]:
    device = pick_device("auto")
    for number, cell in enumerate(_cells(device)):
        yield from _compared(cell, device)
        mine, other = (_alone(number, which) for which in (0, 1))
        yield Figure(f"{cell}: peak memory", mine / 1e9, "GB")
        yield Figure(f"{cell}: peak memory / the script's", mine / other, "x", at_most=1.0 if cell.faster else None)


def _compared(cell: _Cell, device: torch.device) -> Iterator[Figure]:
    begin, begin_theirs = cell.learners(device)
    ours, theirs = begin(), begin_theirs()
    yield Figure(
        f"{cell}: furthest of {cell.steps} losses from the script's",
        _apart(ours, theirs, cell.steps),
        "share",
        at_most=1e-4,
    )
    mine, other, fed = _seconds(ours, theirs, cell, device)
    yield Figure(f"{cell}: steps a second", cell.steps / mine, "")
    yield Figure(f"{cell}: speed / the script's", other / mine, "x", at_least=cell.faster)
    yield Figure(f"{cell}: speed / the script fed with latents and texts", fed / mine, "x")
    if device.type == "cuda":
        yield _utilisation(cell, ours, mine, device)


def _cells(device: torch.device) -> Iterator[_Cell]:
    """The starter's VAE and text encoder are tiny; real ones do more than half of the UNet's work."""
    yield _Cell("starter", _starter, 128, 4, steps=4, runs=5)
    if device.type == "cuda":
        yield _Cell("SD 1.5's size", _real_size, 512, 4, steps=4, runs=5, faster=1.5)
    else:
        yield _Cell("SD 1.5's size", _real_size, 256, 1, steps=2, runs=3, faster=1.5)


def _starter(device: torch.device, dtype: torch.dtype) -> _Bases:
    parts = checkpoint_parts(starter.CHECKPOINT, read_table(starter.CHECKPOINT), _SD1)
    return {role: load_part(part, device=device, dtype=dtype) for role, part in parts.items()}, parts


def _real_size(device: torch.device, dtype: torch.dtype) -> _Bases:
    models = sd1_models(device, dtype)
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in checkpoint_tensors(
            unet=models[UNET], vae=models[VAE], text_encoder=models[TEXT_ENCODER]
        ).items()
    }
    table = TensorTable({name: TensorEntry("F32", shape, (0, 0)) for name, shape in shapes.items()}, {})
    return models, checkpoint_parts(Path("by-lot.safetensors"), table, _SD1)


def _apart(ours: Ours, theirs: Theirs, steps: int) -> float:
    """Of the first losses, from the same factors and fed with the same batches."""
    theirs.begin_as(ours)
    batches = list(ours.batches(steps))
    pairs = zip(ours.learn(steps), theirs.fed(batches, ours.texts), strict=True)
    return max(abs(one - other) / other for one, other in pairs)


def _seconds(ours: Ours, theirs: Theirs, cell: _Cell, device: torch.device) -> list[float]:
    """Ours, the script's, and the script's without VAE and text encoder; on a processor, of its own time."""
    batches = list(ours.batches(cell.steps))

    def waited(action: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            action()
            if device.type == "cuda":
                torch.cuda.synchronize(device)

        return run

    clock = time.perf_counter if device.type == "cuda" else time.process_time
    actions = (
        lambda: ours.learn(cell.steps),
        lambda: theirs.learn(cell.steps),
        lambda: theirs.fed(batches, ours.texts),
    )
    return seconds_in_turn(cell.runs, *map(waited, actions), clock=clock)


def _utilisation(cell: _Cell, ours: Ours, seconds: float, device: torch.device) -> Figure:
    """Operations done, of those that the GPU could do in that time."""
    with FlopCounterMode(display=False) as counter:
        ours.learn(cell.steps)
    share = counter.get_total_flops() / seconds / peak(device)
    return Figure(f"{cell}: utilisation (MFU)", share, "share", at_least=0.3 if cell.faster else None)


def _alone(number: int, which: int) -> int:
    """The most bytes that a learner takes in a process of its own, where pictures were encoded before."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_most, number, which).result()


def _most(number: int, which: int) -> int:
    device = pick_device("auto")
    made = list(_cells(device))[number].learners(device)[which]()
    made.learn(1)
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
