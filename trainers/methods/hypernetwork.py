"""Hypernetworks: small nets before the keys and values of a UNet's attention, in stable-diffusion-webui's own form."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from inference.adapters.hypernetwork import parse_hypernetwork
from inference.adapters.nets import activation, before_attention
from inference.plan import ModelPlan
from inference.weights.load import read_tensors
from inference.weights.number_types import PRECISIONS
from inference.weights.parts import UNET
from inference.weights.pickles import read_pickle
from modelhub.errors import BrokenFile
from modelhub.headers import read_table
from modelhub.kinds import Kind
from trainers.chance import generator
from trainers.methods._trainee import Export, ParameterGroup
from trainers.recipe import HypernetworkOptions, Recipe

__all__ = ["Hypernetwork", "prepare"]

_SPREAD = 0.01
"""Of the weights that webui begins with, of norms too: so the nets add next to nothing."""
_HALVES = ("0", "1")
"""Nets for keys, and for values."""


class _Dropout(nn.Module):
    """Leaves out the same columns for all pictures of a step, so that nothing depends on what is computed at once."""

    def __init__(self, width: int, rate: float) -> None:
        super().__init__()
        self._width = width
        self._rate = rate
        self._kept: Tensor | None = None

    def draw(self, chance: torch.Generator, device: torch.device) -> None:
        kept = torch.rand(self._width, generator=chance) >= self._rate
        self._kept = kept.float().to(device) / (1 - self._rate)

    def leave_off(self) -> None:
        self._kept = None

    def forward(self, x: Tensor) -> Tensor:
        return x if self._kept is None else x * self._kept


class _Net(nn.Module):
    """One net; the places of its layers are those that webui gives them, and so their names in a file."""

    def __init__(self, width: int, options: HypernetworkOptions, chance: torch.Generator) -> None:
        super().__init__()
        self.linear = nn.Sequential(*_layers([int(width * one) for one in options.structure], options))
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if name.endswith(".weight"):
                    parameter.normal_(0.0, _SPREAD, generator=chance)
                else:
                    parameter.zero_()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.linear(x)
        return found


class Hypernetwork:
    """A pair of nets for every width that enters a base's attention; a `Trainee`."""

    trains_text_encoder = False

    def __init__(self, unet: nn.Module, plan: ModelPlan, recipe: Recipe) -> None:
        assert isinstance(recipe.options, HypernetworkOptions)
        self._plan = plan
        self._recipe = recipe
        self._options = recipe.options
        self._device = next(unet.parameters()).device
        nets = {
            str(width): nn.ModuleDict(
                {half: _Net(width, recipe.options, generator(recipe.seed, "net", width, half)) for half in _HALVES}
            )
            for width in _widths(unet)
        }
        self.module = nn.ModuleDict(nets).to(self._device)
        self._dropouts = [one for one in self.module.modules() if isinstance(one, _Dropout)]
        self._chains = [[(1.0, {int(width): pair[half] for width, pair in nets.items()})] for half in _HALVES]
        self._hooks = list(before_attention(unet, *self._chains))

    @property
    def words(self) -> Mapping[str, Mapping[str, Tensor]]:
        return {}

    def groups(self) -> list[ParameterGroup]:
        return [ParameterGroup("nets", list(self.module.parameters()), self._recipe.learning_rate)]

    def phrase(self, caption: str, chance: random.Random) -> str:
        return caption

    def begin_step(self, step: int) -> None:
        """Choose what the step leaves out."""
        for number, dropout in enumerate(self._dropouts):
            dropout.draw(generator(self._recipe.seed, step, number, "net dropout"), self._device)

    def after_step(self, step: int) -> None:
        """All takes part again."""
        for dropout in self._dropouts:
            dropout.leave_off()

    def exports(self, formats: Sequence[str]) -> list[Export]:
        """Safetensors, which is what is catalogued; and webui's pickle, since webui reads nothing else."""
        tensors, told = self._tensors(), self._told()
        metadata = {f"modelhub.pickle.{name}": str(one) for name, one in told.items()}
        return [
            Export(Kind.HYPERNETWORK, tensors, "kohya", metadata),
            Export(Kind.HYPERNETWORK, tensors, "a1111", suffix=".pt", pickled={**self._pairs(tensors), **told}),
        ]

    def check(self, export: Export, path: Path) -> bool:
        """The file gives the nets that were trained, to the bit; raises `BrokenFile`."""
        nets = parse_hypernetwork(path, read_table(path))
        names = [
            name for pair in nets.values() for net in pair for one in net.layers for name in (one.weight, one.bias)
        ]
        written = read_pickle(path) if export.suffix == ".pt" else read_tensors(path, names, device=torch.device("cpu"))
        trained = self._tensors()
        same = set(names) == trained.keys() and all(torch.equal(written[name], one) for name, one in trained.items())
        if not same:
            raise BrokenFile(path, "its nets read back other than they were trained")
        return any(one.any() for one in trained.values())

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """No net stands before anything."""
        held = [list(chain) for chain in self._chains]
        for chain in self._chains:
            chain.clear()
        try:
            yield
        finally:
            for chain, nets in zip(self._chains, held, strict=True):
                chain.extend(nets)

    def detach(self) -> None:
        """Take the nets off the base."""
        for hook in self._hooks:
            hook.remove()

    def _tensors(self) -> dict[str, Tensor]:
        """``768.0.linear.0.weight``: width, half, place."""
        dtype = PRECISIONS[self._recipe.export.precision]
        return {name: one.detach().to(dtype).cpu() for name, one in self.module.state_dict().items()}

    def _pairs(self, tensors: Mapping[str, Tensor]) -> dict[int, tuple[dict[str, Tensor], ...]]:
        """As webui's file has them: by width, those for keys and those for values."""
        return {
            int(width): tuple(
                {name.removeprefix(front): one for name, one in tensors.items() if name.startswith(front)}
                for front in (f"{width}.{half}." for half in _HALVES)
            )
            for width in self.module
        }

    def _told(self) -> dict[str, object]:
        """By which webui builds the nets before it loads them."""
        options, base = self._options, self._plan.model
        return {
            "step": self._recipe.steps,
            "name": self._recipe.name,
            "layer_structure": list(options.structure),
            "activation_func": options.activation,
            "is_layer_norm": options.layer_norm,
            "weight_initialization": "Normal",
            "use_dropout": bool(options.dropout),
            "dropout_structure": _dropouts(options) if options.dropout else None,
            "last_layer_dropout": False,
            "activate_output": False,
            "sd_checkpoint": base.sha256[:10],
            "sd_checkpoint_name": base.name,
        }


def prepare(models: Mapping[str, nn.Module], plan: ModelPlan, recipe: Recipe) -> Hypernetwork:
    """New nets, which add next to nothing; raises `Incompatible` for an activation that torch has not."""
    return Hypernetwork(models[UNET], plan, recipe)


def _widths(unet: nn.Module) -> list[int]:
    """Of what enters attention: the text, and the UNet's own states at every depth."""
    found = {module.in_features for name, module in unet.named_modules() if name.endswith(".to_k")}
    return sorted(int(width) for width in found)  # type: ignore[arg-type]


def _layers(widths: Sequence[int], options: HypernetworkOptions) -> Iterator[nn.Module]:
    """In webui's order; what comes out last is neither bent nor dropped."""
    rates = _dropouts(options)
    for place, (before, after) in enumerate(pairwise(widths), start=1):
        is_last = place == len(widths) - 1
        yield nn.Linear(before, after)
        if options.activation != "linear" and not is_last:
            yield activation(options.activation)
        if options.layer_norm:
            yield nn.LayerNorm(after)
        if rates[place]:
            yield _Dropout(after, rates[place])


def _dropouts(options: HypernetworkOptions) -> list[float]:
    """One a width: within the nets alone."""
    return [0.0, *[options.dropout] * (len(options.structure) - 2), 0.0]
