"""Drawing, against diffusers' own pipeline on the same weights, prompts and noise, run in turn."""

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionPipeline
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks._figure import Figure, seconds_in_turn
from benchmarks._gpus import peak
from benchmarks._sizes import sd1_unet, shared
from inference.attention import lightened
from inference.conditioning.encoding import Encoding
from inference.conditioning.timeline import Guide, Timeline
from inference.denoiser import Denoiser
from inference.engine import pick_device
from inference.model import Model
from inference.noise import ImageNoise
from inference.objectives import objective
from inference.plan.noise import sigma_table
from inference.samplers import Options, find
from inference.weights.load import load_part
from inference.weights.single_file import checkpoint_parts
from modelhub import starter
from modelhub.families import family
from modelhub.headers import read_table

_CFG = 7.0
_SD1 = family("sd1")
_VIEWS = (
    "view", "reshape", "transpose", "permute", "expand", "slice", "select", "chunk", "split", "unsqueeze", "squeeze",
    "detach", "alias", "t.", "_unsafe_view", "as_strided", "empty",
)  # fmt: skip
"""Beginnings of operations that move nothing."""


def measure() -> Iterator[Figure]:
    device = pick_device("auto")
    for name, unet, side, steps, runs in _cells(device):
        ours, theirs = _Ours(unet, device, side), _Theirs(unet, device, side)
        one, other = ours.draw(2), theirs.draw(2)
        yield Figure(f"{name}: furthest latent from diffusers'", float((one - other).abs().max() / other.abs().max()),
                     "share", at_most=1e-3)  # fmt: skip
        yield Figure(
            f"{name}: time of a picture / diffusers'", _ratio(ours, theirs, steps, runs, device), "x", at_most=1.0
        )
        yield from _work(name, ours, theirs)
        if device.type == "cuda":
            yield _utilisation(name, ours, device)
    yield from _host_time(device)


def _ratio(ours: "_Ours", theirs: "_Theirs", steps: int, runs: int, device: torch.device) -> float:
    """On the processor, of its own time: what else runs there does not count."""

    def drawn(one: _Ours | _Theirs) -> None:
        one.draw(steps)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    clock = time.perf_counter if device.type == "cuda" else time.process_time
    mine, other = seconds_in_turn(runs, lambda: drawn(ours), lambda: drawn(theirs), clock=clock)
    return mine / other


def _cells(device: torch.device) -> Iterator[tuple[str, nn.Module, int, int, int]]:
    """(name, UNet, side of the latents, steps, runs)."""
    path = starter.CHECKPOINT
    parts = checkpoint_parts(path, read_table(path), _SD1)
    half = torch.float16 if device.type == "cuda" else torch.float32
    yield "starter", load_part(parts["unet"], device=device, dtype=half), 16, 10, 9
    yield "SD 1.5's size", sd1_unet(device, half), 64 if device.type == "cuda" else 8, 2, 3


class _Ours:
    def __init__(self, unet: nn.Module, device: torch.device, side: int) -> None:
        self.unet = lightened(copy.deepcopy(unet, shared(unet)))
        self._device, self._shape = device, (4, side, side)
        self._table = sigma_table(_SD1, "epsilon", zero_snr=False, noise_range=None)
        self._texts = [Timeline.fixed(Encoding(one)) for one in _texts(unet, device)]

    def draw(self, steps: int) -> Tensor:
        prompt, negative = self._texts
        model = Model(self.unet, objective("epsilon", self._table))
        denoiser = Denoiser(model, (Guide(prompt, 1.0),), negative, _CFG)
        sampler, schedule = find("Euler")
        levels = sampler.levels(schedule, self._table, steps)
        noise = ImageNoise([1], self._shape, "CPU", self._device)
        x = noise.draw() * levels[0]
        for step in sampler.sample(denoiser, x, levels, noise.over(levels), Options()):
            x = step.x
        return x


class _Theirs:
    def __init__(self, unet: nn.Module, device: torch.device, side: int) -> None:
        self.unet = unet
        scheduler = EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="linspace"
        )
        vae = AutoencoderKL(block_out_channels=(4, 4, 4, 4), down_block_types=("DownEncoderBlock2D",) * 4,
                            up_block_types=("UpDecoderBlock2D",) * 4, norm_num_groups=4)  # fmt: skip
        self.pipeline: Any = StableDiffusionPipeline(
            vae.to(device), None, None, unet, scheduler, None, None, requires_safety_checker=False
        )
        self.pipeline.set_progress_bar_config(disable=True)
        self._side, self._device = side, device
        self._prompt, self._negative = _texts(unet, device)

    def draw(self, steps: int) -> Tensor:
        noise = ImageNoise([1], (4, self._side, self._side), "CPU", self._device).draw()
        found: Tensor = self.pipeline(
            prompt_embeds=self._prompt,
            negative_prompt_embeds=self._negative,
            latents=noise.to(self._prompt.dtype),
            height=8 * self._side,
            width=8 * self._side,
            num_inference_steps=steps,
            guidance_scale=_CFG,
            output_type="latent",
        ).images
        return found.float()


def _work(name: str, ours: _Ours, theirs: _Theirs) -> Iterator[Figure]:
    """Of one step: the difference between two steps and one, so that what is done once is left out."""
    (mine, my_waits), (other, other_waits) = (_operations(one.draw) for one in (ours, theirs))
    yield Figure(f"{name}: operations a step / diffusers'", mine / other, "x", at_most=1.0)
    yield Figure(f"{name}: operations a step", mine, "")
    yield Figure(f"{name}: reads of a number a step", my_waits, "", at_most=0)
    yield Figure(f"{name}: diffusers' reads of a number a step", other_waits, "")


def _operations(draw: Callable[[int], object]) -> tuple[int, int]:
    counts = []
    for steps in (1, 2):
        with _Counter() as counter:
            draw(steps)
        counts.append((counter.operations, counter.waits))
    return counts[1][0] - counts[0][0], counts[1][1] - counts[0][1]


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what a GPU would launch a kernel for, and what makes the processor wait for it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = self.waits = 0

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(op).removeprefix("aten.")
        self.waits += any(word in name for word in ("_local_scalar_dense", "nonzero"))
        self.operations += not name.startswith(_VIEWS)
        return op(*args, **kwargs or {})


def _host_time(device: torch.device) -> Iterator[Figure]:
    """What is left of a step where the UNet takes no time."""
    path = starter.CHECKPOINT
    parts = checkpoint_parts(path, read_table(path), _SD1)
    unet = load_part(parts["unet"], device=device, dtype=torch.float32)
    ours, theirs = _Ours(unet, device, 16), _Theirs(unet, device, 16)
    for one in (ours, theirs):
        answer = torch.zeros(2, 4, 16, 16, device=device)
        one.unet.forward = lambda *_, answer=answer, **__: (answer,)
    share = _ratio(ours, theirs, 20, 15, device)
    yield Figure("host time of 20 steps beside the UNet / diffusers'", share, "x", at_most=0.5)
    yield Figure("host time of 500 steps likewise", _ratio(ours, theirs, 500, 5, device), "x", at_most=1.0)


def _utilisation(name: str, ours: _Ours, device: torch.device) -> Figure:
    """Operations done in matrix products and convolutions, of those that the GPU could do in that time."""
    with FlopCounterMode(display=False) as counter:
        ours.draw(4)
    torch.cuda.synchronize(device)
    begun = time.perf_counter()
    ours.draw(4)
    torch.cuda.synchronize(device)
    seconds = time.perf_counter() - begun
    share = counter.get_total_flops() / seconds / peak(device)
    return Figure(f"{name}: share of the GPU's peak", 100 * share, "%")


def _texts(unet: Any, device: torch.device) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    width = unet.config.cross_attention_dim
    one, other = (torch.randn(1, 77, width, generator=generator).to(device, unet.dtype) for _ in range(2))
    return one, other
