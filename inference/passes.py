"""One way down the noise levels: from noise, or from latents with noise over them, to latents without."""

import math
from collections.abc import Generator
from dataclasses import dataclass

from torch import Tensor

from inference.canvas import Canvas
from inference.denoiser import Denoiser
from inference.noise import ImageNoise
from inference.request import GenerationRequest
from inference.samplers import Options, Sampler, find
from inference.schedules import SigmaTable
from modelhub.jobs import Progress

__all__ = ["Pass", "draw", "first_pass"]

_MOST = 0.999
"""A share of 1 would begin above the highest level."""


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

    @property
    def calls(self) -> int:
        """Of the model, over the whole schedule: what prompt schedules count."""
        return self.steps * self.sampler.calls

    def levels(self, table: SigmaTable) -> tuple[list[float], list[float]]:
        """All noise levels of the schedule, descending, and those that are gone down (webui: setup_img2img_steps)."""
        if self.denoise is None:
            levels = self.sampler.levels(self.schedule, table, self.steps)
            return levels, levels
        share = min(self.denoise, _MOST)
        steps, taken = self.steps, int(share * self.steps) + 1
        if self.exact_steps:
            steps, taken = max(int(self.steps / share), self.steps) if share else self.steps, self.steps
        levels = self.sampler.levels(self.schedule, table, steps)
        return levels, levels[-(taken + 1) :]


def first_pass(request: GenerationRequest) -> Pass:
    """The way that a request asks for."""
    sampler, schedule = find(request.sampler, request.schedule)
    return Pass(sampler, schedule, request.steps, _options(request), request.cfg * sampler.guidance)


def draw(
    way: Pass, denoiser: Denoiser, noise: ImageNoise, canvas: Canvas, *, task: str
) -> Generator[Progress, None, Tensor]:
    """Latents of one batch, [B, C, h, w]; says how far it is after every step."""
    table = denoiser.model.objective.table
    schedule, levels = way.levels(table)
    x = noise.draw() * way.sampler.start(levels)
    if canvas.latents is not None:
        x = x + canvas.latents
    yield Progress(task, 0, len(levels) - 1)
    steps = way.sampler.steps(canvas.masked(denoiser), x, levels, noise.over(schedule), way.options, table)
    for step in steps:
        x = step.x
        yield Progress(task, step.index + 1, len(levels) - 1)
    return canvas.closed(x) if canvas.closed else x


def _options(request: GenerationRequest) -> Options:
    return Options(
        eta=request.eta,
        churn=request.s_churn,
        churn_from=request.s_tmin,
        churn_to=request.s_tmax or math.inf,
        noise=request.s_noise,
    )
