"""The ModelSpec of Stability AI, version 1.0.1: https://github.com/Stability-AI/ModelSpec."""

from collections import Counter

from modelhub import __version__
from modelhub.kinds import Kind
from trainers.methods import Export
from trainers.plan import TrainingPlan
from trainers.running.header.kohya import tag_frequency

__all__ = ["modelspec"]

_ARCHITECTURES = {
    Kind.LORA: "/lora",
    Kind.EMBEDDING: "/textual-inversion",
    Kind.HYPERNETWORK: "/hypernetwork",
    Kind.CHECKPOINT: "",
    Kind.UNET: "",
}
_MOST_TAGS = 32


def modelspec(plan: TrainingPlan, steps: int, export: Export, tensor_digest: str) -> dict[str, str]:
    """After so many steps; `tensor_digest` is the SHA-256 of the tensors alone."""
    recipe = plan.recipe
    tags = Counter(tag for counts in tag_frequency(plan.samples).values() for tag in counts.elements())
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": plan.base.family.modelspec_architectures[0] + _ARCHITECTURES[export.kind],
        "modelspec.implementation": "diffusers",
        "modelspec.title": recipe.name,
        "modelspec.description": f"{export.kind.value} trained on {plan.base.model.name} with "
        f"{len({item.sample for item in plan.items})} pictures in {steps} steps, by ModelHub {__version__}",
        "modelspec.resolution": f"{plan.resolution}x{plan.resolution}",
        "modelspec.hash_sha256": f"0x{tensor_digest}",
        "modelspec.prediction_type": recipe.prediction or plan.base.prediction,
        "modelspec.encoder_layer": str(recipe.clip_skip),
        "modelspec.timestep_range": f"{recipe.noise.smallest_timestep},{_largest_timestep(plan)}",
        **({"modelspec.trigger_phrase": recipe.trigger} if recipe.trigger else {}),
        **({"modelspec.tags": ", ".join(tag for tag, _ in tags.most_common(_MOST_TAGS))} if tags else {}),
    }


def _largest_timestep(plan: TrainingPlan) -> int:
    timesteps = plan.base.family.noise.timesteps if plan.base.family.noise else 1000
    return plan.recipe.noise.largest_timestep or timesteps
