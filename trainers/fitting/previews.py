"""Whether a recipe's previews can be drawn: by the very checks of a picture (no torch)."""

from pydantic import ValidationError

from inference.plan import LoadPlan, resolve
from inference.prompt.networks import hypernetwork_tags, lora_tags
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, ModelHubError
from trainers.recipe import Recipe

__all__ = ["check_previews", "preview_request"]

_MEND = "modelhub train entries preview"


def check_previews(recipe: Recipe, load: LoadPlan, catalog: Catalog) -> None:
    """Raise what `generate` would say of a preview's prompt, steps, guidance or seed."""
    for prompt in recipe.preview.prompts:
        for text in (prompt, recipe.preview.negative_prompt):
            if lora_tags(text) or hypernetwork_tags(text):
                raise BadValue(
                    f"a preview shows what is trained, and no other network: {text!r}", mend="leave out <...:...>"
                )
        try:
            resolve(preview_request(recipe, load, prompt), catalog)
        except ValidationError as error:
            wrong = error.errors()[0]
            field = _ENTRIES.get(str(wrong["loc"][0]), str(wrong["loc"][0]))
            raise BadValue(f"preview.{field}: {wrong['msg']}", mend=f"{_MEND}.{field}") from None
        except ModelHubError as error:
            raise BadValue(f"the preview {prompt!r} cannot be drawn: {error.message}", mend=error.mend) from error


def preview_request(recipe: Recipe, load: LoadPlan, prompt: str) -> GenerationRequest:
    """What draws a prompt of the recipe with the base; raises `ValidationError` for numbers that it does not take."""
    wanted = recipe.preview
    changed = {
        "prompt": prompt, "negative_prompt": wanted.negative_prompt, "steps": wanted.sampling_steps,
        "cfg": wanted.cfg, "seed": wanted.seed,
    }  # fmt: skip
    return GenerationRequest.model_validate({**dict(load.request), **changed})


_ENTRIES = {"steps": "sampling_steps"}
"""What a request calls otherwise than a recipe."""
