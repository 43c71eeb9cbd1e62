"""What a fine-tuned checkpoint adds to its base, as a LoRA: the best one of its rank, by singular values."""

import json
from collections.abc import Iterator, Mapping

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from inference.adapters.targets import Target, kohya_names
from inference.plan import LoadPlan, ModelPlan, resolve
from inference.request import GenerationRequest
from inference.weights.load import load_part
from inference.weights.parts import TEXT_ROLES, UNET, Part
from inference.weights.save import save_tensors, tensor_digest
from inference.weights.text_encoder import canonical
from modelhub.catalog import Catalog
from modelhub.errors import Incompatible
from modelhub.jobs import Done, Job, Progress
from modelhub.kinds import Artifact, Kind

__all__ = ["ExtractRecipe", "extract", "low_rank"]

_CPU = torch.device("cpu")
_SPARE = 6
"""Directions that are looked at beyond the rank: the randomised search then finds the best ones well."""


class ExtractRecipe(BaseModel):
    """References are digests once resolved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tuned: str
    base: str
    rank: int = Field(default=32, ge=1, le=1024)
    text_encoder: bool = True
    """Whether the text encoders' differences are taken too."""
    least: float = Field(default=1e-5, ge=0.0)
    """Modules whose largest difference is below this are left out."""


def extract(recipe: ExtractRecipe, *, catalog: Catalog, name: str) -> Job[Artifact]:
    """Write the LoRA and catalogue it; raises `Incompatible` where the two differ in shape, or not at all."""
    tuned, base = (_resolved(ref, catalog) for ref in (recipe.tuned, recipe.base))
    _check(tuned.base, base.base)
    target = catalog.free_place(name, Kind.LORA)
    resolved = recipe.model_copy(update={"tuned": tuned.base.model.sha256, "base": base.base.model.sha256})
    payload = {"schema": 1, **resolved.model_dump(mode="json")}
    used = [("tuned", tuned.used[0][1]), ("base", base.used[0][1])]
    with catalog.recorded("extract", payload, used) as made:
        tensors: dict[str, Tensor] = {}
        for event in _layers(recipe, tuned.base, base.base):
            if isinstance(event, Progress):
                yield event
            else:
                tensors |= event
        if not tensors:
            raise Incompatible(f"{tuned.base.model.name} and {base.base.model.name} do not differ: there is no LoRA")
        target.parent.mkdir(parents=True, exist_ok=True)
        save_tensors(target, tensors, _metadata(resolved, base.base, tensors, name))
        artifact = catalog.add(target, name=name)
        made.append(artifact.id)
    yield Done(artifact)


def low_rank(delta: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """(up [out, r], down [r, in]), whose product is the nearest to `delta` [out, in] of that rank (Eckart, Young)."""
    rank = min(rank, *delta.shape)
    if rank + _SPARE < min(delta.shape) // 2:
        generator_state = torch.random.get_rng_state()
        torch.manual_seed(0)
        u, s, v = torch.svd_lowrank(delta, q=rank + _SPARE, niter=8)
        torch.random.set_rng_state(generator_state)
        u, s, vh = u[:, :rank], s[:rank], v.T[:rank]
    else:
        u, s, vh = torch.linalg.svd(delta, full_matrices=False)
        u, s, vh = u[:, :rank], s[:rank], vh[:rank]
    root = s.sqrt()
    return u * root, vh * root[:, None]


def _resolved(ref: str, catalog: Catalog) -> LoadPlan:
    return resolve(GenerationRequest(prompt="", model=ref, seed=0), catalog)


def _check(tuned: ModelPlan, base: ModelPlan) -> None:
    for role in base.parts:
        if tuned.parts[role].shapes != base.parts[role].shapes:
            raise Incompatible(
                f"{tuned.model.name} is no fine-tuning of {base.model.name}: "
                f"their {role.replace('_', ' ')}s differ in shape",
                mend="modelhub ls --kind checkpoint",
            )


def _layers(recipe: ExtractRecipe, tuned: ModelPlan, base: ModelPlan) -> Iterator[Progress | Mapping[str, Tensor]]:
    """The factors of each module that differs, under kohya's names."""
    names = kohya_names(base.parts)
    roles = [role for role in base.parts if role == UNET or (role in TEXT_ROLES and recipe.text_encoder)]
    for role in roles:
        ours, theirs = (_weights(plan.parts[role]) for plan in (tuned, base))
        for number, (module, weight) in enumerate(ours.items(), start=1):
            delta = weight.float() - theirs[module].float()
            if delta.abs().max() >= recipe.least:
                yield _factors(names(Target(role, module)), delta, recipe.rank)
            yield Progress(f"extract from the {role.replace('_', ' ')}", number, len(ours), "modules")


def _weights(part: Part) -> dict[str, Tensor]:
    """Module -> the weight of each that a LoRA can change."""
    module = load_part(part, device=_CPU, dtype=torch.float32)
    state = module.state_dict()
    names = {canonical(name) if part.role in TEXT_ROLES else name: name for name in state}
    return {
        name.removesuffix(".weight"): state[own]
        for name, own in names.items()
        if name.endswith(".weight") and state[own].ndim in (2, 4) and "embedding" not in name
    }


def _factors(name: str, delta: Tensor, rank: int) -> dict[str, Tensor]:
    """As LoCon has them for convolutions: a kernel on the way down, 1x1 on the way up."""
    up, down = low_rank(delta.flatten(1), rank)
    if delta.ndim == 4:
        up, down = up[:, :, None, None], down.reshape(-1, *delta.shape[1:])
    return {
        f"{name}.lora_up.weight": up.half().contiguous(),
        f"{name}.lora_down.weight": down.half().contiguous(),
        f"{name}.alpha": torch.tensor(float(down.shape[0])),
    }


def _metadata(recipe: ExtractRecipe, base: ModelPlan, tensors: Mapping[str, Tensor], name: str) -> dict[str, str]:
    """What tools read of a LoRA's making, and what we do."""
    digest = tensor_digest(tensors)
    return {
        "modelhub.schema": "1",
        "modelhub.kind": "lora",
        "modelhub.family": base.family.name,
        "modelhub.extracted": json.dumps(recipe.model_dump(mode="json"), sort_keys=True),
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"{base.family.modelspec_architectures[0]}/lora",
        "modelspec.implementation": "diffusers",
        "modelspec.title": name,
        "modelspec.hash_sha256": f"0x{digest}",
        "ss_base_model_version": base.family.base_versions[0],
        "ss_v2": str(base.family.name == "sd2"),
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(recipe.rank),
        "ss_network_alpha": str(float(recipe.rank)),
        "ss_output_name": name,
        "ss_sd_model_name": base.model.name,
        "ss_new_sd_model_hash": base.model.sha256,
        "sshs_model_hash": digest,
    }
