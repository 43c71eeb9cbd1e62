"""LoRA and LyCORIS: what is learned beside frozen layers (Hu et al. 2021, https://arxiv.org/abs/2106.09685).

Trained are, as in kohya's scripts, every linear layer and 1x1 convolution of the UNet's transformers and, if
wanted, the convolutions between them and the text encoders' attention and MLP.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from inference.adapters.merge import module_of
from inference.plan import ModelPlan
from inference.weights.number_types import PRECISIONS
from inference.weights.parts import TEXT_ROLES
from modelhub.kinds import Kind
from trainers.chance import generator
from trainers.methods._lora.decomposed import Decomposed
from trainers.methods._lora.dropouts import leave_out, put_back
from trainers.methods._lora.factors import Factors
from trainers.methods._lora.files import check_written, diffusers_tensors, kohya_metadata, kohya_tensors
from trainers.methods._lora.hadamard import Hadamard
from trainers.methods._lora.joint import Joint
from trainers.methods._lora.kronecker import Kronecker
from trainers.methods._lora.low_rank import LowRank
from trainers.methods._lora.orthogonal import Orthogonal
from trainers.methods._lora.places import Place, places
from trainers.methods._lora.start import go_on
from trainers.methods._rates import rates
from trainers.methods._trainee import WORDS_ENDING, Export, ParameterGroup
from trainers.methods._words import Words
from trainers.recipe import LoraOptions, Recipe

__all__ = ["Lora", "prepare"]


class Lora:
    """Factors beside the layers of a base, and new words if they are wanted too; a `Trainee`."""

    def __init__(self, models: Mapping[str, nn.Module], plan: ModelPlan, recipe: Recipe) -> None:
        assert isinstance(recipe.options, LoraOptions)
        self._recipe = recipe
        self._parts = plan.parts
        self._rates = rates(recipe, plan.parts)
        options = self._options = recipe.options
        self._joints: dict[Place, Joint] = {}
        self.module = nn.ModuleDict()
        for place in places(plan.parts, options, list(self._rates)):
            layer = module_of(models, place.target)
            assert isinstance(layer, nn.Linear | nn.Conv2d)
            factors = _factors(place, layer.weight, recipe.seed, options).to(layer.weight.device)
            self.module[place.name] = factors
            self._joints[place] = Joint(layer, factors)  # type: ignore[arg-type]
        for start in plan.adapters:
            go_on(self._joints, start)
        self._words = Words(models, plan, recipe, options.pivotal) if options.pivotal else None
        if self._words:
            self.module["words"] = self._words
        self._join()

    @property
    def trains_text_encoder(self) -> bool:
        return bool(self._words) or any(role in self._rates for role in TEXT_ROLES)

    @property
    def words(self) -> Mapping[str, Mapping[str, Tensor]]:
        return self._words.spoken if self._words else {}

    def groups(self) -> list[ParameterGroup]:
        """A part's factors learn at its rate, those of some blocks and (LoRA+) upper ones at a multiple of it."""
        found: dict[tuple[str, float], list[nn.Parameter]] = {}
        for place, parameter in self._parameters():
            is_upper = self._options.plus_ratio > 1 and parameter is _upper(self._joints[place].factors)
            names = (place.target.role, place.block if place.rate != 1 else "", "up" if is_upper else "")
            rate = self._rates[place.target.role] * place.rate * (self._options.plus_ratio if is_upper else 1)
            found.setdefault((" ".join(filter(None, names)), rate), []).append(parameter)
        groups = [ParameterGroup(name, parameters, rate) for (name, rate), parameters in found.items()]
        return [*groups, self._words.group] if self._words else groups

    def phrase(self, caption: str, chance: random.Random) -> str:
        return self._words.phrase(caption, chance) if self._words else caption

    def begin_step(self, step: int) -> None:
        """Choose what the step leaves out."""
        if self._drops:
            leave_out(list(self._joints.values()), self._options, self._recipe.seed, step)

    def after_step(self, step: int) -> None:
        """All takes part again; deltas that have grown too large are scaled down."""
        if self._drops:
            put_back(list(self._joints.values()))
        if self._options.max_norm:
            self._limit(self._options.max_norm)
        if self._words:
            self._words.after_step(step)

    def exports(self, formats: Sequence[str]) -> list[Export]:
        """kohya's file, which nearly every tool reads, and diffusers' if it is asked for; new words by themselves."""
        wanted = [one for one in formats if one in ("kohya", "diffusers")] or ["kohya"]
        metadata = {**kohya_metadata(self._options), **(self._words.calls if self._words else {})}
        found = [Export(Kind.LORA, self.tensors(one), one, metadata) for one in wanted]
        return [*found, *self._words.exports(formats, ending=WORDS_ENDING)] if self._words else found

    def tensors(self, format_name: str = "kohya") -> dict[str, Tensor]:
        """As a file of that format holds them."""
        dtype = PRECISIONS[self._recipe.export.precision]
        write = diffusers_tensors if format_name == "diffusers" else kohya_tensors
        return write(self._joints, dtype)

    def check(self, export: Export, path: Path) -> bool:
        """The file, read as `generate` reads it, changes the base as it was trained; raises `BrokenFile`."""
        if self._words and export.kind == Kind.EMBEDDING:
            return self._words.check(export, path)
        return check_written(path, self._joints, self._parts, self._recipe.export.precision)

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """The factors are left out."""
        self.detach()
        try:
            yield
        finally:
            self._join()

    def detach(self) -> None:
        """Take the factors off the base."""
        for joint in self._joints.values():
            joint.leave()

    def _parameters(self) -> Iterator[tuple[Place, nn.Parameter]]:
        return ((place, one) for place in self._joints for one in self.module[place.name].parameters())

    @property
    def _drops(self) -> bool:
        options = self._options
        return bool(options.dropout or options.rank_dropout or options.module_dropout)

    def _join(self) -> None:
        for joint in self._joints.values():
            joint.join()

    @torch.no_grad()
    def _limit(self, most: float) -> None:
        """Each factor gets its share of what its delta's norm is too large (kohya's scale_weight_norms)."""
        for joint in self._joints.values():
            added = _added(joint.factors)
            parameters = added.multiplied()
            share = (most / added.delta(joint.layer.weight).norm()).clamp(max=1) ** (1 / len(parameters))
            for parameter in parameters:
                parameter.mul_(share)


def prepare(models: Mapping[str, nn.Module], plan: ModelPlan, recipe: Recipe) -> Lora:
    """New factors, joined to the models: the first step gives what the base gives.

    Where the plan has adapters, training goes on from them.
    """
    return Lora(models, plan, recipe)


def _factors(place: Place, weight: Tensor, seed: int, options: LoraOptions) -> nn.Module:
    """As they begin: by the layer's name, so that another layer more changes no other's."""
    chance = generator(seed, place.name)
    match options.algorithm:
        case "lora":
            found: nn.Module = LowRank(place.shape, place.rank, place.alpha, chance)
        case "loha":
            found = Hadamard(place.shape, place.rank, place.alpha, chance)
        case "lokr":
            found = Kronecker(place.shape, place.rank, place.alpha, chance, options.factor)
        case "oft":
            return Orthogonal(place.shape, place.rank, options.constraint)
    return Decomposed(found, weight) if options.dora else found


def _upper(factors: Factors) -> nn.Parameter | None:
    added = _added(factors)
    return added.up if isinstance(added, LowRank) else None


def _added(factors: Factors) -> Factors:
    """What DoRA decomposes, or the factors themselves."""
    return factors.inner if isinstance(factors, Decomposed) else factors
