"""All weights of a base: DreamBooth (Ruiz et al. 2022, https://arxiv.org/abs/2208.12242) and fine-tuning.

What learns is float32, whatever the base is computed in: bfloat16 swallows the small steps of a fine-tuning.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from inference.plan import ModelPlan
from inference.weights.export import checkpoint_tensors
from inference.weights.folder import model_weights
from inference.weights.hints import hints_of, read_hints, write_hints
from inference.weights.load import build, load_part
from inference.weights.number_types import PRECISIONS
from inference.weights.parts import TEXT_ROLES, UNET, Part
from inference.weights.single_file import part_in
from modelhub.errors import BrokenFile
from modelhub.kinds import Kind
from trainers.methods._rates import rates
from trainers.methods._trainee import Export, ParameterGroup
from trainers.methods._weights import Learned, mixed
from trainers.recipe import FullOptions, Recipe

__all__ = ["Full", "prepare"]

_ATTENTION = (".attn1.", ".attn2.")
_CPU = torch.device("cpu")


class Full:
    """All weights, or those of attention alone; a `Trainee`."""

    def __init__(self, models: Mapping[str, nn.Module], plan: ModelPlan, recipe: Recipe) -> None:
        assert isinstance(recipe.options, FullOptions)
        self._plan = plan
        self._recipe = recipe
        self._options = recipe.options
        self._prediction = recipe.prediction or plan.prediction
        self._rates = rates(recipe, models)
        self._learned = {
            role: Learned(models[role], plan.parts[role], self._names(role, models[role]), near=recipe.prior.frozen)
            for role in self._rates
        }
        self.module = nn.ModuleDict(self._learned)
        self._hooks = [hook for role in self._rates for hook in mixed(models[role])]
        self._put_in()

    @property
    def trains_text_encoder(self) -> bool:
        return any(role in TEXT_ROLES for role in self._learned)

    @property
    def words(self) -> Mapping[str, Mapping[str, Tensor]]:
        return {}

    def groups(self) -> list[ParameterGroup]:
        """One a part, each at its learning rate."""
        return [
            ParameterGroup(role, list(learned.parameters()), self._rates[role])
            for role, learned in self._learned.items()
        ]

    def phrase(self, caption: str, chance: random.Random) -> str:
        return caption

    def begin_step(self, step: int) -> None:
        """Every step learns all of it."""

    def after_step(self, step: int) -> None:
        """Nothing to see to."""

    def exports(self, formats: Sequence[str]) -> list[Export]:
        """One file in the latent-diffusion layout, which every tool reads, whatever formats are asked for."""
        alone = self._options.keeps == "unet"
        wanted = {role: part for role, part in self._plan.parts.items() if role == UNET or not alone}
        tensors = checkpoint_tensors(
            **{"vae": None, **{role: self._whole(role, part) for role, part in wanted.items()}},
            family=self._plan.family.name,
        )
        return [Export(Kind.UNET if alone else Kind.CHECKPOINT, {**tensors, **self._markers()}, "kohya", self._told())]

    def check(self, export: Export, path: Path) -> bool:
        """Every part, read as `generate` reads it, has the numbers that it was written with; raises `BrokenFile`."""
        for role, part in self._plan.parts.items():
            if role != UNET and export.kind is Kind.UNET:
                continue
            there = part_in(model_weights(path, role), self._plan.family, role)
            written = load_part(there, device=_CPU, dtype=torch.float32).state_dict()
            for name, tensor in self._whole(role, part).state_dict().items():
                if name not in written or not torch.equal(written[name].reshape(tensor.shape), tensor.float()):
                    raise BrokenFile(path, f"{name} of its {role} reads back other than it was trained")
        dtype = PRECISIONS[self._recipe.export.precision]
        return any(learned.changes(dtype) for learned in self._learned.values())

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """The base's own weights are in their places."""
        for learned in self._learned.values():
            learned.put_back()
        try:
            yield
        finally:
            self._put_in()

    def detach(self) -> None:
        """Put the base's own weights back for good."""
        for learned in self._learned.values():
            learned.put_back()
        for hook in self._hooks:
            hook.remove()

    def _put_in(self) -> None:
        for learned in self._learned.values():
            learned.put_in()

    def _names(self, role: str, module: nn.Module) -> list[str]:
        only = _ATTENTION if role == UNET and self._options.attention_only else ("",)
        return [name for name, _ in module.named_parameters() if any(one in name for one in only)]

    def _whole(self, role: str, part: Part) -> nn.Module:
        """A part as it is written: what was learned, and what its file says of the rest."""
        dtype = PRECISIONS[self._recipe.export.precision]
        learned = self._learned.get(role)
        ours = {name: _narrowed(learned[name].detach(), dtype).to(_CPU) for name in learned.names} if learned else {}
        module = build(part)
        if ours.keys() != module.state_dict().keys():
            module = load_part(part, device=_CPU, dtype=torch.float32)
        rest = {name: one for name, one in module.state_dict().items() if name not in ours}
        module.load_state_dict({**ours, **{name: _narrowed(one, dtype) for name, one in rest.items()}}, assign=True)
        return module

    def _markers(self) -> dict[str, Tensor]:
        """Tensors by whose names other tools know what a model predicts."""
        zero_snr = self._plan.zero_snr or self._recipe.noise.zero_terminal_snr
        marked = {"v_pred": self._prediction == "v", "ztsnr": zero_snr}
        return {name: torch.empty(0) for name, holds in marked.items() if holds}

    def _told(self) -> dict[str, str]:
        """What no shape tells of it, where it is not usual."""
        plan, family = self._plan, self._plan.family
        usual = family.resolutions.get(self._prediction, family.resolution)
        hints = hints_of(plan.parts, family)
        if plan.resolution != usual:
            hints = replace(hints, resolution=plan.resolution)
        return {} if hints == read_hints("", {}, family) else write_hints(hints)


def prepare(models: Mapping[str, nn.Module], plan: ModelPlan, recipe: Recipe) -> Full:
    """The base's weights as they are, ready to learn."""
    return Full(models, plan, recipe)


def _narrowed(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """In a smaller type, unless that cannot hold its numbers."""
    if not tensor.is_floating_point():
        return tensor
    small = tensor.to(dtype)
    return small if torch.equal(small.isfinite(), tensor.isfinite()) else tensor
