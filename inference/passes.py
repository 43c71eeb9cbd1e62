"""One way down the noise levels: from noise, or from latents with noise over them, to latents without."""

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

from torch import Tensor

from inference.canvas import Canvas
from inference.noise import ImageNoise
from inference.request import GenerationRequest
from inference.samplers import Denoise, Options, Sampler, find
from inference.schedules import SigmaTable
from modelhub.jobs import Progress

__all__ = ["Descent", "Pass", "draw", "first_pass"]

_MOST = 0.999
"""A share of 1 would begin above the highest level."""


@dataclass(frozen=True, slots=True)
class Descent:
    """The noise levels of a pass."""

    schedule: list[float]
    """All of them, descending: what Brownian paths go over."""
    taken: list[float]
    """Those that are gone down; fewer than two are no step."""
    laid: float
    """Deviation of the noise that is laid over latents, or is begun with."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What decides the way, beside the model and its prompts."""

    sampler: Sampler
    schedule: str
    steps: int
    options: Options
    guidance: float
    denoise: float | None = None
    """Share of the levels that are gone down, where latents are there already; None is all of them, from noise."""
    exact_steps: bool = False
    """Whether `steps` are taken whatever `denoise` is: the schedule is longer then."""
    noise_multiplier: float = 1.0
    """Factor on the noise that is laid over latents."""
    extra_noise: float = 0.0
    """Deviation that is added to it, which the sampler is not told of."""

    min_uncond: float = 0.0
    """webui's NGMS: a noise level, which its timestep samplers take for a timestep."""

    @property
    def calls(self) -> int:
        """Of the model, over the whole schedule: what prompt schedules count."""
        return self.steps * self.sampler.calls

    def unguided_below(self, table: SigmaTable) -> float:
        """Sigma below which every other call does without the negative prompt."""
        return table.sigma(self.min_uncond) if self.sampler.unit_start and self.min_uncond else self.min_uncond

    def levels(self, table: SigmaTable) -> Descent:
        """The noise levels of the schedule, and those that are gone down (webui: setup_img2img_steps)."""
        if self.denoise is None:
            levels = self.sampler.levels(self.schedule, table, self.steps)
            return Descent(levels, levels, self.sampler.start(levels))
        if self.exact_steps and not self.denoise:
            return Descent(self.sampler.levels(self.schedule, table, self.steps), [], 0.0)
        share = min(self.denoise, _MOST)
        steps, taken = self.steps, int(share * self.steps) + 1
        if self.exact_steps:
            steps, taken = max(int(self.steps / share), self.steps), self.steps
        if self.sampler.over:
            steps = min(steps, len(table.sigmas))
            laid, left = self.sampler.over(table, steps, taken - 1)
            return Descent(self.sampler.levels(self.schedule, table, steps), left, laid)
        levels = self.sampler.levels(self.schedule, table, steps)
        left = levels[max(0, min(steps, len(levels) - 1) - taken) :]
        return Descent(levels, left, left[0])


def first_pass(request: GenerationRequest) -> Pass:
    """The way that a request asks for."""
    sampler, schedule = find(request.sampler, request.schedule)
    guidance = request.cfg * sampler.guidance
    way = Pass(sampler, schedule, request.steps, _options(request), guidance, min_uncond=request.min_uncond)
    init = request.init
    if init is None:
        return way
    return replace(
        way,
        denoise=init.denoise,
        exact_steps=init.exact_steps,
        noise_multiplier=init.noise_multiplier,
        extra_noise=init.extra_noise,
    )


def draw(
    way: Pass, denoiser: Denoise, table: SigmaTable, noise: ImageNoise, canvas: Canvas, *, task: str
) -> Generator[Progress, None, Tensor]:
    """Latents of one batch, [B, C, h, w]; says how far it is after every step."""
    levels = way.levels(table)
    total = max(len(levels.taken) - 1, 0)
    x = _begun(way, levels, noise.draw(), canvas)
    yield Progress(task, 0, total)
    if total:
        asked = canvas.masked(way.sampler.asking(denoiser, table))
        for step in way.sampler.sample(asked, x, levels.taken, noise.over(levels.schedule), way.options):
            x = step.x
            yield Progress(task, step.index + 1, total)
    return canvas.closed(x) if canvas.closed else x


def _begun(way: Pass, levels: Descent, noise: Tensor, canvas: Canvas) -> Tensor:
    """Noise, over latents where there are some; the timestep samplers keep the deviation of the latents' own terms,
    and the level that they begin at is not the one that the noise was laid on at."""
    if canvas.latents is None or way.denoise is None:
        return noise * levels.laid
    x = canvas.latents + noise * (way.noise_multiplier * (levels.laid + way.extra_noise))
    if not way.sampler.unit_start:
        return x
    first = levels.taken[0] if len(levels.taken) > 1 else 0.0
    return x * (math.hypot(first, 1.0) / math.hypot(levels.laid, 1.0))


def _options(request: GenerationRequest) -> Options:
    return Options(
        eta=request.eta,
        churn=request.s_churn,
        churn_from=request.s_tmin,
        churn_to=request.s_tmax or math.inf,
        noise=request.s_noise,
    )
