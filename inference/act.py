"""One pass of a rendering with all that plays in it: its way, its model, and the one that takes over at the end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from inference.attention import lightened
from inference.canvas import Canvas
from inference.control.stage import control_units
from inference.denoiser import Denoiser
from inference.engine import Engine
from inference.model import Control
from inference.noise import ImageNoise, image_noise
from inference.over.beside import beside, more_channels
from inference.over.instruct import Instructed
from inference.passes import Pass, draw, first_pass
from inference.plan import LoadPlan, ModelPlan
from inference.plan.hires import second_pass
from inference.relay import Relay
from inference.request import GenerationRequest, ImageSeed
from inference.samplers import Denoise
from inference.schedules import SigmaTable
from inference.stage import Stage, set_stage
from inference.weights.single_file import UNET
from modelhub.jobs import Progress

__all__ = ["Act", "Player", "first_act", "second_act"]


class Player:
    """A model with its part in one pass: its prompts are encoded when it first comes on, and kept for later batches."""

    def __init__(
        self, plan: ModelPlan, engine: Engine, request: GenerationRequest, *, calls: int, before: int = 0
    ) -> None:
        """`request` is the pass's own; `before` counts the calls of the pass that it follows."""
        self.plan = plan
        self._engine = engine
        self._request = request
        self._calls, self._before = calls, before
        self._stage: Stage | None = None

    def ready(self) -> Stage:
        """The model as the plan says, whatever was loaded or merged since it last played."""
        if self._stage is None:
            size = (self._request.width or 0, self._request.height or 0)
            self._stage = set_stage(
                self.plan, self._engine, self._request, calls=self._calls, size=size, before=self._before
            )
        else:
            unet = lightened(self._engine.prepare(self.plan)[UNET])
            self._stage = replace(self._stage, model=replace(self._stage.model, unet=unet))
        return self._stage


def _uncontrolled(_model: ModelPlan, _way: Pass, _size: tuple[int, int]) -> tuple[Control, ...]:
    return ()


@dataclass(frozen=True, slots=True, eq=False)
class Act:
    """One pass over every batch."""

    request: GenerationRequest
    """As if it were the only pass."""
    way: Pass
    player: Player
    engine: Engine
    refiner: Player | None = None
    switch_at: float = 1.0
    """Share of the time that is over when the refiner takes the player's place."""
    controls: Callable[[ModelPlan, Pass, tuple[int, int]], tuple[Control, ...]] = _uncontrolled
    """What steers a model on this pass's way at a size."""

    def draw(self, seeds: Sequence[ImageSeed], canvas: Canvas, *, task: str) -> Generator[Progress, None, Tensor]:
        """Latents of one batch, [B, C, h, w]; says how far it is after every step."""
        stage = self._controlled(self.player.ready(), canvas)
        if canvas.beside is None:
            canvas = replace(canvas, beside=beside(stage.plan, self.engine, canvas.size))
        table = stage.model.objective.table
        denoiser = self._relayed(self._denoiser(stage, canvas.beside, calls := itertools.count()), table, canvas, calls)
        noise = self.noise(seeds, canvas.size)
        return (yield from draw(self.way, denoiser, table, noise, canvas, task=task))

    def noise(self, seeds: Sequence[ImageSeed], size: tuple[int, int]) -> ImageNoise:
        """A batch's, from its first draw."""
        return image_noise(self.request, seeds, self.player.plan.family.latent, size, self.engine.device)

    def _relayed(self, denoiser: Denoise, table: SigmaTable, canvas: Canvas, calls: Iterator[int]) -> Denoise:
        """With the refiner behind it, whose calls are counted on."""
        refiner = self.refiner
        if refiner is None:
            return denoiser

        def refined() -> Denoise:
            stage = self._controlled(refiner.ready(), canvas)
            alike = more_channels(refiner.plan) == more_channels(self.player.plan)
            seen = canvas.beside if alike else beside(refiner.plan, self.engine, canvas.size)
            return self._denoiser(stage, seen, calls)

        return Relay(denoiser, refined, table, self.switch_at)

    def _controlled(self, stage: Stage, canvas: Canvas) -> Stage:
        units = self.controls(stage.plan, self.way, canvas.size)
        return replace(stage, model=replace(stage.model, controls=units)) if units else stage

    def _denoiser(self, stage: Stage, seen: Tensor | None, calls: Iterator[int]) -> Denoise:
        if seen is not None and more_channels(stage.plan) == "edit" and self.request.image_cfg != 1:
            prompt = stage.guides[0].timeline
            return Instructed(
                stage.model, prompt, stage.negative, self.way.guidance, self.request.image_cfg, seen, calls
            )
        return Denoiser(
            stage.model,
            stage.guides,
            stage.negative,
            self.way.guidance,
            seen,
            unguided_below=self.way.unguided_below(stage.model.objective.table),
            calls=calls,
        )


def first_act(plan: LoadPlan, engine: Engine) -> Act:
    """What every request asks for."""
    way = first_pass(plan.request)
    player = Player(plan.base, engine, plan.request, calls=way.calls)
    act = Act(plan.request, way, player, engine, controls=_controls(plan, engine))
    return _refined(act, plan) if plan.request.hires is None or _ends(plan.request, "first pass") else act


def second_act(plan: LoadPlan, engine: Engine) -> Act | None:
    """What `plan.hires` draws, over the first one's picture; None where nothing follows."""
    if plan.hires is None or plan.request.hires is None:
        return None
    request = second_pass(plan.request)
    way = replace(first_pass(request), denoise=plan.request.hires.denoise, exact_steps=True)
    before = first_pass(plan.request).calls
    player = Player(plan.hires, engine, request, calls=way.calls, before=before)
    act = Act(request, way, player, engine, controls=_controls(plan, engine, second=True))
    return _refined(act, plan, before) if _ends(plan.request, "second pass") else act


def _controls(
    plan: LoadPlan, engine: Engine, *, second: bool = False
) -> Callable[[ModelPlan, Pass, tuple[int, int]], tuple[Control, ...]]:
    return lambda model, way, size: control_units(plan, model, engine, way, size, second=second)


def _ends(request: GenerationRequest, this: str) -> bool:
    """Whether it is this of two passes that the refiner ends."""
    return request.refiner is not None and request.refiner.in_hires in (this, "both passes")


def _refined(act: Act, plan: LoadPlan, before: int = 0) -> Act:
    """With the plan's refiner, if it has one."""
    if plan.refiner is None or plan.request.refiner is None:
        return act
    refiner = Player(plan.refiner, act.engine, act.request, calls=act.way.calls, before=before)
    return replace(act, refiner=refiner, switch_at=plan.request.refiner.switch_at)
