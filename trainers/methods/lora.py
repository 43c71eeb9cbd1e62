"""LoRA: low-rank deltas beside frozen layers (Hu et al. 2021, https://arxiv.org/abs/2106.09685).

Trained are, as in kohya's scripts, every linear layer and 1x1 convolution of the UNet's transformers and, if
wanted, of the text encoder's attention and MLP. The file has kohya's names, which nearly every tool reads.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from inference.adapters.merge import deltas, module_of
from inference.adapters.targets import Target, kohya_name
from inference.plan import ModelPlan, plan_adapter
from inference.weights.single_file import TEXT_ENCODER, UNET, Part
from inference.weights.text_encoder import canonical
from modelhub.errors import BrokenFile
from modelhub.kinds import Kind
from trainers.methods._trainee import Export, ParameterGroup
from trainers.recipe import LoraOptions, Recipe

__all__ = ["Lora", "LoraFactors", "prepare", "targets"]

_UNET_BLOCKS = (".attentions.",)
_TEXT_BLOCKS = (".self_attn.", ".mlp.")


class LoraFactors(nn.Module):
    """The pair of factors of one layer: adds alpha / rank * up(down(x)) to what the layer gives."""

    def __init__(self, layer: nn.Linear | nn.Conv2d, rank: int, alpha: float, generator: torch.Generator) -> None:
        super().__init__()
        out, width = layer.weight.shape[:2]
        bound = 1 / math.sqrt(width)  # Kaiming uniform with a = sqrt(5), as kohya begins
        self.down = nn.Parameter(torch.empty(rank, width).uniform_(-bound, bound, generator=generator))
        self.up = nn.Parameter(torch.zeros(out, rank))
        self.scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.down.dtype)
        if x.ndim == 4:  # a 1x1 convolution: [B, C, h, w]
            low = nn.functional.conv2d(x, self.down[:, :, None, None])
            return nn.functional.conv2d(low, self.up[:, :, None, None]) * self.scale
        return nn.functional.linear(nn.functional.linear(x, self.down), self.up) * self.scale


class Lora:
    """Factors on all targets of a base; a `Trainee`."""

    def __init__(self, models: Mapping[str, nn.Module], parts: Mapping[str, Part], recipe: Recipe) -> None:
        assert isinstance(recipe.options, LoraOptions)
        self._recipe = recipe
        self._parts = parts
        self._rests = False
        options = self._options = recipe.options
        generator = torch.Generator().manual_seed(recipe.seed)
        self._factors: dict[Target, LoraFactors] = {}
        for target in targets(models, text_encoder=self.trains_text_encoder):
            layer = module_of(models, target)
            assert isinstance(layer, nn.Linear | nn.Conv2d)
            factors = LoraFactors(layer, options.rank, options.scale_alpha, generator)
            self._factors[target] = factors.to(layer.weight.device)
        self.module = nn.ModuleDict({kohya_name(target): factors for target, factors in self._factors.items()})
        self._handles = [self._join(module_of(models, target), one) for target, one in self._factors.items()]

    @property
    def trains_text_encoder(self) -> bool:
        return self._recipe.text_encoder_learning_rate > 0

    def groups(self) -> list[ParameterGroup]:
        """The UNet's factors and the text encoder's, each with its learning rate."""
        rates = {UNET: self._recipe.learning_rate, TEXT_ENCODER: self._recipe.text_encoder_learning_rate}
        return [
            ParameterGroup(role, [parameter for factors in members for parameter in factors.parameters()], rate)
            for role, rate in rates.items()
            if (members := [factors for target, factors in self._factors.items() if target.role == role])
        ]

    @property
    def words(self) -> Mapping[str, Mapping[str, Tensor]]:
        return {}

    def after_step(self, step: int) -> None:
        """Nothing to see to."""

    def exports(self, formats: Sequence[str]) -> list[Export]:
        metadata = {
            "ss_network_module": "networks.lora",
            "ss_network_dim": str(self._options.rank),
            "ss_network_alpha": f"{self._options.scale_alpha:g}",
            "ss_network_args": "{}",
        }
        return [Export(Kind.LORA, self.tensors(), "kohya", metadata)]

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """The factors are left out."""
        self._rests = True
        try:
            yield
        finally:
            self._rests = False

    def tensors(self) -> dict[str, Tensor]:
        """kohya's keys, float16: ``NAME.lora_down.weight``, ``NAME.lora_up.weight``, ``NAME.alpha``."""
        found: dict[str, Tensor] = {}
        alpha = torch.tensor(self._options.scale_alpha, dtype=torch.float16)
        for target, factors in self._factors.items():
            name = kohya_name(target)
            is_convolution = len(self._parts[target.role].modules[target.module]) == 4
            shape = (..., None, None) if is_convolution else (...,)
            found[f"{name}.lora_down.weight"] = factors.down.detach()[shape].to(torch.float16)
            found[f"{name}.lora_up.weight"] = factors.up.detach()[shape].to(torch.float16)
            found[f"{name}.alpha"] = alpha
        return found

    def check(self, export: Export, path: Path) -> None:
        """The file, read as `generate` reads it, gives the deltas that were trained, all of them and no other."""
        written = dict(deltas(plan_adapter(path, self._parts, name=path.stem)))
        if written.keys() != self._factors.keys():
            raise BrokenFile(path, f"{len(written)} of {len(self._factors)} trained layers can be read back")
        for target, delta in written.items():
            factors = self._factors[target]
            up, down = factors.up.detach().half().float().cpu(), factors.down.detach().half().float().cpu()
            if not torch.allclose(delta, up @ down * factors.scale, rtol=1e-3, atol=1e-6):
                raise BrokenFile(path, f"{target.module} reads back other than it was trained")

    def detach(self) -> None:
        """Take the factors off the base."""
        for handle in self._handles:
            handle.remove()

    def _join(self, layer: nn.Module, factors: LoraFactors) -> RemovableHandle:
        def add(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            if self._rests:
                return output
            delta: Tensor = factors(inputs[0])
            return output + delta.to(output.dtype)

        return layer.register_forward_hook(add)


def prepare(models: Mapping[str, nn.Module], plan: ModelPlan, recipe: Recipe) -> Lora:
    """New factors, joined to the models; the first step gives exactly what the base gives."""
    return Lora(models, plan.parts, recipe)


def targets(models: Mapping[str, nn.Module], *, text_encoder: bool) -> Iterator[Target]:
    """The layers that kohya's scripts train, in a fixed order."""
    for name, module in models[UNET].named_modules():
        if any(block in f".{name}" for block in _UNET_BLOCKS) and _is_linear(module):
            yield Target(UNET, name)
    for name, module in models[TEXT_ENCODER].named_modules() if text_encoder else ():
        if any(block in f".{name}" for block in _TEXT_BLOCKS) and _is_linear(module):
            yield Target(TEXT_ENCODER, canonical(name))


def _is_linear(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1))
