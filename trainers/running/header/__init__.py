"""What the header of a trained file says, to us and in the words that other tools look for (pure).

kohya's ``ss_*`` and the ``modelspec`` of Stability AI stand side by side, since each peer reads only one of them.
Nothing here looks at a clock, a path or a machine: the same steps of the same recipe give the same bytes. When a
training ran stands in the catalog.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.plan import TrainingPlan
from trainers.running.header.kohya import kohya
from trainers.running.header.modelspec import modelspec
from trainers.running.header.origin import DATASET_KEY, RECIPE_KEY, origin, pictures, told_recipe

if TYPE_CHECKING:
    from trainers.methods import Export

__all__ = ["DATASET_KEY", "RECIPE_KEY", "header", "pictures", "told_recipe"]


def header(plan: TrainingPlan, steps: int, export: "Export", tensor_digest: str) -> dict[str, str]:
    """All entries, after so many steps; `tensor_digest` is the SHA-256 of the tensors alone."""
    told: Mapping[str, object] = {
        **origin(plan, export),
        **modelspec(plan, steps, export, tensor_digest),
        **kohya(plan, steps),
        **export.metadata,
        "sshs_model_hash": tensor_digest,
    }
    return {key: str(value) for key, value in told.items()}
