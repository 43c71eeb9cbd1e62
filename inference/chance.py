"""Requests whose prompts leave something to chance -> requests that do not (no torch)."""

import random
from collections.abc import Iterator
from itertools import product

from inference.prompt.choices import chosen, every, has_choices
from inference.prompt.wildcards import Wildcards
from inference.request import SEEDS, GenerationRequest, ImageSeed
from modelhub.errors import BadValue

__all__ = ["every_way", "one_way_each", "with_seeds"]

_MOST = 1000


def one_way_each(request: GenerationRequest, wildcards: Wildcards) -> list[GenerationRequest]:
    """A request an image, its words chosen by the image's own seed; as it is where nothing is left to chance."""
    if not (has_choices(request.prompt) or has_choices(request.negative_prompt)):
        return [request]
    request = with_seeds(request)
    return [_drawn(request.for_image(seed), seed, wildcards) for seed in request.seeds]


def every_way(request: GenerationRequest, wildcards: Wildcards) -> list[GenerationRequest]:
    """A request for each way of the prompts, all with the same seeds; raises `BadValue` for too many."""
    request = with_seeds(request)
    found: list[GenerationRequest] = []
    for prompt, negative in _ways(request, wildcards):
        if len(found) == _MOST:
            raise BadValue(f"these prompts come to more than {_MOST} pictures", mend="leave less to choose")
        found.append(request.model_copy(update={"prompt": prompt, "negative_prompt": negative}))
    return found


def with_seeds(request: GenerationRequest) -> GenerationRequest:
    """The request with seeds where it left them open."""
    variation = request.variation
    if variation and variation.seed == -1:
        variation = variation.model_copy(update={"seed": random.randrange(SEEDS)})
    seed = random.randrange(SEEDS) if request.seed == -1 else request.seed
    return request.model_copy(update={"seed": seed, "variation": variation})


def _drawn(request: GenerationRequest, seed: ImageSeed, wildcards: Wildcards) -> GenerationRequest:
    chance = random.Random(seed.number if seed.variation is None else f"{seed.number} {seed.variation}")
    prompt = chosen(request.prompt, wildcards, chance)
    negative = chosen(request.negative_prompt, wildcards, chance)
    return request.model_copy(update={"prompt": prompt, "negative_prompt": negative})


def _ways(request: GenerationRequest, wildcards: Wildcards) -> Iterator[tuple[str, str]]:
    return product(every(request.prompt, wildcards), every(request.negative_prompt, wildcards))
