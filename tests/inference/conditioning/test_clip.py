from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from inference.conditioning.clip import encode_prompt, pad_to_equal
from inference.prompt.tokenizer import BOS, EOS, tokenize
from tests.tiny import WIDTH

LONG = ", ".join(["a cat in a hat"] * 20)
"""Two chunks."""


@pytest.fixture(scope="module")
def encoder(models: Mapping[str, nn.Module]) -> nn.Module:
    return models["text_encoder"]


def ids(prompt: str) -> Tensor:
    """One chunk, made by hand."""
    (words,) = tokenize([prompt])
    return torch.tensor([[BOS, *words, *[EOS] * (76 - len(words))]])


@pytest.mark.parametrize("prompt", ["", "a cat"])
def test_a_prompt_without_weights_is_what_the_text_encoder_says(encoder: nn.Module, prompt: str) -> None:
    assert torch.equal(encode_prompt(encoder, prompt), encoder(ids(prompt)).last_hidden_state[0])


def test_weights_scale_their_tokens_and_the_mean_is_kept(encoder: nn.Module) -> None:
    plain, weighted = encode_prompt(encoder, "a cat"), encode_prompt(encoder, "a (cat:1.5)")

    factors = torch.ones(77, 1)
    factors[2] = 1.5
    torch.testing.assert_close(weighted / weighted[0] * plain[0], plain * factors)
    torch.testing.assert_close(weighted.mean(), plain.mean())


def test_each_chunk_keeps_its_own_mean(encoder: nn.Module) -> None:
    """webui encodes chunk by chunk, so a weight in one leaves the others alone."""
    plain, weighted = encode_prompt(encoder, "a cat BREAK a dog"), encode_prompt(encoder, "a (cat:1.5) BREAK a dog")

    assert torch.equal(weighted[77:], plain[77:])
    torch.testing.assert_close(weighted[:77].mean(), plain[:77].mean())
    assert not torch.allclose(weighted[:77], plain[:77])


def test_the_chunks_of_a_long_prompt_stand_in_a_row(encoder: nn.Module) -> None:
    both = encode_prompt(encoder, "a cat BREAK a dog")

    assert both.shape == (154, WIDTH)
    torch.testing.assert_close(both, torch.cat([encode_prompt(encoder, "a cat"), encode_prompt(encoder, "a dog")]))


@pytest.mark.parametrize("clip_skip", [1, 2, 3])
def test_clip_skip_reads_a_layer_further_from_the_end_through_the_final_norm(
    encoder: nn.Module, clip_skip: int
) -> None:
    hidden = encoder(ids("a cat"), output_hidden_states=True).hidden_states[-clip_skip]
    final = next(module for name, module in encoder.named_modules() if name.endswith("final_layer_norm"))

    torch.testing.assert_close(encode_prompt(encoder, "a cat", clip_skip=clip_skip), final(hidden)[0])


def test_clip_skip_changes_what_is_read(encoder: nn.Module) -> None:
    assert not torch.allclose(encode_prompt(encoder, "a cat"), encode_prompt(encoder, "a cat", clip_skip=2))


@pytest.mark.parametrize("clip_skip", [1, 2])
def test_a_longer_negative_prompt_pads_the_prompt_with_an_empty_one(encoder: nn.Module, clip_skip: int) -> None:
    cat, long, empty = (encode_prompt(encoder, text, clip_skip=clip_skip) for text in ("a cat", LONG, ""))

    padded = pad_to_equal(encoder, [cat, long], clip_skip=clip_skip)

    assert padded.shape == (2, 154, WIDTH)
    assert torch.equal(padded[0], torch.cat([cat, empty]))
    assert torch.equal(padded[1], long)


def test_encodings_of_one_length_are_only_stacked(encoder: nn.Module) -> None:
    cat, dog = encode_prompt(encoder, "a cat"), encode_prompt(encoder, "a dog")

    assert torch.equal(pad_to_equal(encoder, [cat, dog]), torch.stack([cat, dog]))
