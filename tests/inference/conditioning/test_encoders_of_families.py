"""Which text encoder each family's prompts go through, and how it is read."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from inference.conditioning.encoders import text_encoder
from inference.plan import ModelPlan, NamedModel
from inference.prompt.tokenizer import BOS, EOS, tokenize
from inference.request import GenerationRequest
from modelhub.families import family
from tests import tiny, tiny_families


def plan(name: str) -> ModelPlan:
    """One whose files are not looked at."""
    return ModelPlan(family(name), "epsilon", 64, {}, NamedModel("tiny", ""))


def encoded(name: str, models: Mapping[str, nn.Module], **fields: object) -> Tensor:
    asked = GenerationRequest.model_validate({"prompt": "", "model": "tiny", **fields})
    return text_encoder(plan(name), models, asked, (64, 96)).encode(["a cat"])[0].tokens


def output(module: nn.Module, padding: int) -> tuple[Tensor, ...]:
    """All its states, and what follows the last one."""
    (words,) = tokenize(["a cat"])
    ids = torch.tensor([[BOS, *words, EOS, *[padding] * (75 - len(words))]])
    said = module(ids, output_hidden_states=True)
    return (*said.hidden_states, said.last_hidden_state)


@pytest.mark.parametrize("clip_skip", [1, 2])
def test_sd2_reads_the_last_layer_it_has_and_pads_with_0(clip_skip: int) -> None:
    models = tiny_families.sd2_models()

    found = encoded("sd2", models, clip_skip=clip_skip)

    torch.testing.assert_close(found, output(models["text_encoder"], 0)[-1])


def test_sd1_skips_layers_and_pads_with_the_end_mark() -> None:
    models = tiny.models()
    states = output(models["text_encoder"], EOS)

    torch.testing.assert_close(encoded("sd1", models), states[-1])
    assert not torch.allclose(encoded("sd1", models, clip_skip=2), states[-1])


@pytest.mark.parametrize("clip_skip", [1, 2, 3])
def test_sdxl_reads_both_last_layers_but_one_whatever_the_clip_skip(clip_skip: int) -> None:
    models = tiny_families.sdxl_models()
    small, large = output(models["text_encoder"], EOS)[-3], output(models["text_encoder_2"], 0)[-3]

    found = encoded("sdxl", models, clip_skip=clip_skip)

    torch.testing.assert_close(found, torch.cat([small, large], dim=-1))


def test_the_refiner_reads_the_larger_one_alone() -> None:
    models = tiny_families.refiner_models()

    torch.testing.assert_close(encoded("sdxl-refiner", models), output(models["text_encoder_2"], 0)[-3])
