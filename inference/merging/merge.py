"""A recipe + the catalog -> a model in the catalog, written tensor by tensor."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import torch
from safetensors import safe_open
from torch import Tensor

from inference.adapters.algorithms import applied
from inference.adapters.layers import Layer
from inference.adapters.merge import Factors, read_factors
from inference.merging.arithmetic import joined
from inference.merging.plan import WIDE, MergePlan, plan_merge
from inference.merging.recipe import MergeRecipe
from inference.weights.load import load_part
from inference.weights.parts import VAE, Piece
from modelhub.catalog import Catalog
from modelhub.headers import write_outline
from modelhub.jobs import Done, Job, Progress
from modelhub.kinds import Artifact
from modelhub.workspace import publish

__all__ = ["merge"]

_CPU = torch.device("cpu")


def merge(recipe: MergeRecipe, *, catalog: Catalog, name: str | None = None) -> Job[Artifact]:
    """Write the merged model and catalogue it, with all that it was made of as its lineage.

    Raises what `plan_merge` raises, and `NameTaken`, before anything is written.
    """
    plan = plan_merge(recipe, catalog)
    name = name or plan.title
    target = catalog.free_place(name, plan.kind)
    payload = {"schema": 1, **plan.recipe.model_dump(mode="json")}
    with catalog.recorded("merge", payload, plan.used) as made:
        target.parent.mkdir(parents=True, exist_ok=True)
        with publish(target, replace=False) as part, part.open("wb") as file:
            yield from _written(plan, file)
        artifact = catalog.add(target, name=name)
        made.append(artifact.id)
    yield Done(artifact)


def _written(plan: MergePlan, file: BinaryIO) -> Iterator[Progress]:
    with ExitStack() as opened:
        sources = _Sources.open(plan, opened)
        outline = plan.outline
        for number, name in enumerate(write_outline(file, outline, plan.metadata), start=1):
            file.write(_bytes(sources.tensor(name)))
            yield Progress("merge", number, len(outline), "tensors")


@dataclass(frozen=True, slots=True)
class _Dose:
    """What one LoRA does to one parameter."""

    piece: Piece
    shape: tuple[int, ...]
    layer: Layer
    strength: float
    rank: int | None
    factors: Factors


@dataclass(frozen=True, slots=True)
class _Sources:
    """The files, mapped, and what is baked in, by the tensor of A that it changes."""

    plan: MergePlan
    a: Any
    b: Any = None
    c: Any = None
    replaced: Mapping[str, list[tuple[Piece, Tensor]]] = field(default_factory=dict)
    doses: Mapping[str, list[_Dose]] = field(default_factory=dict)

    @classmethod
    def open(cls, plan: MergePlan, opened: ExitStack) -> "_Sources":
        a, b, c = (path and opened.enter_context(safe_open(path, framework="pt")) for path in (plan.a, plan.b, plan.c))
        return cls(plan, a, b, c, replaced=_vae(plan), doses=_doses(plan))

    def tensor(self, name: str) -> Tensor:
        """One of the result's."""
        made = self._joined(name, self.a.get_tensor(name))
        for piece, value in self.replaced.get(name, ()):
            made = _put(made, piece, value)
        for dose in self.doses.get(name, ()):
            weight = _cut(made, dose.piece).float().contiguous().reshape(dose.shape).clone()
            weight = applied(dose.layer, weight, dose.factors.tensors, dose.strength, dose.rank)
            made = _put(made, dose.piece, weight)
        short = self.plan.recipe.half and self.plan.tensors[name].dtype in WIDE
        return made.half() if short else made

    def _joined(self, name: str, ours: Tensor) -> Tensor:
        if self.b is None or not ours.is_floating_point() or name not in self.b.keys():  # noqa: SIM118  # no mapping
            return ours
        theirs = self.c.get_tensor(name) if self.c is not None and name in self.c.keys() else None  # noqa: SIM118
        recipe = self.plan.recipe
        return joined(recipe.method, recipe.multiplier, ours, self.b.get_tensor(name), theirs)


def _vae(plan: MergePlan) -> Mapping[str, list[tuple[Piece, Tensor]]]:
    """Tensor of A -> the parameters of the VAE that takes the place of A's own."""
    found: defaultdict[str, list[tuple[Piece, Tensor]]] = defaultdict(list)
    if plan.baked and plan.baked.vae:
        given = load_part(plan.baked.vae, device=_CPU, dtype=torch.float32).state_dict()
        for name, piece in plan.baked.own[VAE].keys.items():
            found[piece.tensor].append((piece, given[name]))
    return found


def _doses(plan: MergePlan) -> Mapping[str, list[_Dose]]:
    found: defaultdict[str, list[_Dose]] = defaultdict(list)
    for adapter in plan.baked.adapters if plan.baked else ():
        factors = read_factors(adapter, _CPU)
        for target, layer in adapter.layers.items():
            part = plan.baked.own[target.role] if plan.baked else None
            if part and (strength := adapter.strength(target)):
                parameter = f"{target.module}.{target.parameter}"
                piece, shape = part.keys[parameter], part.shapes[parameter]
                found[piece.tensor].append(_Dose(piece, shape, layer, strength, adapter.rank, factors))
    return found


def _cut(tensor: Tensor, piece: Piece) -> Tensor:
    """The parameter that a piece of a tensor is."""
    rows = tensor[slice(*piece.rows)] if piece.rows else tensor
    return rows.T if piece.transposed else rows


def _put(tensor: Tensor, piece: Piece, value: Tensor) -> Tensor:
    """The tensor with another parameter in that place, in its own type and shape."""
    value = value.T if piece.transposed else value
    if piece.rows is None:
        return value.reshape(tensor.shape).to(tensor.dtype)
    made = tensor.clone()
    made[slice(*piece.rows)] = value.reshape(made[slice(*piece.rows)].shape).to(tensor.dtype)
    return made


def _bytes(tensor: Tensor) -> memoryview:
    return memoryview(tensor.contiguous().reshape(-1).view(torch.uint8).numpy())  # type: ignore[arg-type]
