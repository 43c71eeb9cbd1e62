"""How each type of net is asked what a picture shows: one entry a type, all that sets it apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from modelhub.errors import BadValue, Incompatible
from trainers.captioning.nets import CaptionerOptions

__all__ = ["CHAT", "WAYS", "Way", "is_known"]

Words: TypeAlias = Callable[[Any, CaptionerOptions], str | None]
"""What is said beside each picture, in the terms of a net's processor; None where nothing is."""
Repeats: TypeAlias = Callable[[Any, Mapping[str, Any]], int]
"""Tokens at the beginning of an answer that only repeat what went in: of the net's configuration and the input."""
Fits: TypeAlias = Callable[[Path, Mapping[str, Any]], None]
"""Raises `Incompatible` for a folder whose configuration is not what transformers' own class reads."""


def _nothing(_processor: Any, _options: CaptionerOptions) -> None:
    return None


def _no_tokens(_config: Any, _inputs: Mapping[str, Any]) -> int:
    return 0


def _any(_folder: Path, _config: Mapping[str, Any]) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Way:
    """How nets of one type are asked."""

    parts: tuple[str, ...] = ("AutoImageProcessor", "AutoTokenizer")
    """transformers' classes; the first prepares pictures, and the words if there are any, the last reads answers."""
    words: Words = _nothing
    length: str = "max_new_tokens"
    """What `generate` calls the most tokens of an answer."""
    repeats: Repeats = _no_tokens
    fits: Fits = _any
    at_once: bool = True
    """Whether several pictures may go in together."""


_TASKS = "tasks_answer_post_processing_type"
"""Where Florence-2's processor notes what its tasks answer with: words, or places in the picture too."""
_NEEDS_WORDS = "task_prompts_with_input"
"""Where it notes the tasks that are about words or places of their own."""


def _task(processor: Any, options: CaptionerOptions) -> str:
    """``detailed_caption`` as ``<DETAILED_CAPTION>``, which the processor spells out; fine-tunes have their own."""
    said = options.task.strip()
    own = said.startswith("<") and said.endswith(">")
    task = said if own else f"<{said.replace('-', '_').upper()}>"
    answers, needy = getattr(processor, _TASKS, {}), getattr(processor, _NEEDS_WORDS, {})
    plain = [name for name, form in answers.items() if form == "pure_text" and name not in needy]
    if task in plain or (own and task not in answers):
        return task
    known = ", ".join(sorted(one.strip("<>").lower() for one in plain))
    raise BadValue(f"--task {said}: those that answer with words alone are {known}", mend="--task detailed_caption")


_LARGE = 2048
"""Channels at the end of the vision tower of Florence-2-large; base has half as many."""


def _fits_florence2(folder: Path, config: Mapping[str, Any]) -> None:
    """Microsoft's own repositories name and shape their tensors otherwise, and bring code to read them with."""
    sees, says = (part if isinstance(part := config.get(f"{one}_config"), dict) else {} for one in ("vision", "text"))
    if "dim_embed" in sees or says.get("model_type") == "florence2_language":
        size = "large" if _LARGE in (sees.get("dim_embed") or ()) else "base"
        raise Incompatible(
            f"{folder} is Florence-2 in Microsoft's own layout, which needs code of its own: that is never run here",
            mend=f"modelhub pull hf:florence-community/Florence-2-{size}",
        )


def _fits_blip2(folder: Path, config: Mapping[str, Any]) -> None:
    if config.get("image_token_index") is None:
        raise Incompatible(
            f"{folder} was saved before BLIP-2 had a token for pictures (image_token_index in its config.json)",
            mend="download it again",
        )


def _queries(config: Any, _inputs: Mapping[str, Any]) -> int:
    """BLIP-2 begins with its queries and one token more, which language models that only decode repeat."""
    return 0 if config.is_encoder_decoder else config.num_query_tokens + 1


def _in_template(processor: Any, options: CaptionerOptions) -> str:
    """A question in the model's own template, which transformers fills in a sandbox."""
    content = [{"type": "image"}, {"type": "text", "text": options.question}]
    return str(processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True))


def _question(_config: Any, inputs: Mapping[str, Any]) -> int:
    return int(inputs["input_ids"].shape[1])


WAYS: Mapping[str, Way] = {
    "blip": Way(length="max_length"),
    "git": Way(length="max_length"),
    "vision-encoder-decoder": Way(length="max_length"),
    "blip-2": Way(repeats=_queries, fits=_fits_blip2),
    "florence2": Way(("AutoProcessor",), words=_task, fits=_fits_florence2),
}
"""`model_type` of a configuration -> how nets of that type are asked."""
CHAT = Way(("AutoProcessor",), words=_in_template, repeats=_question, at_once=False)
"""All nets that bring a template of what they are asked: one picture after the other, since their sizes differ."""


def is_known(kind: object) -> bool:
    """Whether transformers has a class of its own for nets of this type, from picture to text."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    return kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
