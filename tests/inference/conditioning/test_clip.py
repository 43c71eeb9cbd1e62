from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn

from inference.conditioning.clip import Clip, ClipEncoder
from inference.conditioning.prompts import guides, timeline
from inference.conditioning.reading import Reading
from inference.prompt.attention import Emphasis
from inference.prompt.tokenizer import BOS, EOS, tokenize
from tests.tiny import WIDTH

LONG = ", ".join(["a cat in a hat"] * 20)
"""Two chunks."""


@pytest.fixture(scope="module")
def encoder(models: Mapping[str, nn.Module]) -> nn.Module:
    return models["text_encoder"]


def encode_prompt(encoder: nn.Module, prompt: str, *, clip_skip: int = 1, emphasis: Emphasis = "Original") -> Tensor:
    """One prompt by itself."""
    return encode_prompts(encoder, [prompt], clip_skip=clip_skip, emphasis=emphasis)[0]


def encode_prompts(
    encoder: nn.Module, prompts: Sequence[str], *, clip_skip: int = 1, emphasis: Emphasis = "Original"
) -> list[Tensor]:
    """Prompts that belong together."""
    encodings = ClipEncoder(Clip(encoder, clip_skip), Reading(emphasis)).encode(prompts)
    return [one.tokens[0] for one in encodings]


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
def test_of_texts_that_belong_together_shorter_ones_are_filled_with_an_empty_one(
    encoder: nn.Module, clip_skip: int
) -> None:
    cat, long, empty = (encode_prompt(encoder, text, clip_skip=clip_skip) for text in ("a cat", LONG, ""))

    both = encode_prompts(encoder, ["a cat", LONG, "a cat"], clip_skip=clip_skip)

    assert [one.shape for one in both] == [(154, WIDTH)] * 3
    torch.testing.assert_close(both[0], torch.cat([cat, empty]))
    torch.testing.assert_close(both[1], long)
    assert torch.equal(both[2], both[0])


def test_the_mean_that_is_kept_is_that_of_all_texts_together_each_as_often_as_it_is_given(encoder: nn.Module) -> None:
    """webui encodes a schedule's texts in one batch, and restores the mean of the batch."""
    texts = ["a (cat:1.5)", "a dog", "a dog"]
    plain = [encode_prompt(encoder, text) for text in ("a cat", "a dog", "a dog")]
    weighted = [encode_prompt(encoder, text, emphasis="No norm") for text in texts]

    together = encode_prompts(encoder, texts)

    ratio = torch.stack(plain).mean() / torch.stack(weighted).mean()
    for one, alone in zip(together, weighted, strict=True):
        torch.testing.assert_close(one, alone * ratio)


def test_without_the_norm_weights_only_multiply(encoder: nn.Module) -> None:
    factors = torch.ones(77, 1)
    factors[2] = 1.5

    weighted = encode_prompt(encoder, "a (cat:1.5)", emphasis="No norm")

    torch.testing.assert_close(weighted, encode_prompt(encoder, "a cat") * factors)


def test_ignored_weights_change_nothing_and_unread_brackets_are_words(encoder: nn.Module) -> None:
    plain = encode_prompt(encoder, "a cat")

    assert torch.equal(encode_prompt(encoder, "a (cat:1.5)", emphasis="Ignore"), plain)
    assert torch.equal(encode_prompt(encoder, "a (cat)", emphasis="None"), encode_prompt(encoder, r"a \(cat\)"))


def test_every_part_of_a_prompt_guides_with_its_weight_through_its_own_spans(encoder: nn.Module) -> None:
    cat, dog = guides(ClipEncoder(Clip(encoder)), "a [cat|fox] AND a dog :0.5", 4)

    assert (cat.weight, dog.weight) == (1.0, 0.5)
    torch.testing.assert_close(cat.timeline.at(0).tokens[0], encode_prompt(encoder, "a cat"))
    torch.testing.assert_close(cat.timeline.at(2).tokens[0], encode_prompt(encoder, "a fox"))
    torch.testing.assert_close(dog.timeline.at(3).tokens[0], encode_prompt(encoder, " a dog"))


def test_in_a_negative_prompt_and_is_a_word(encoder: nn.Module) -> None:
    (encoded,) = timeline(ClipEncoder(Clip(encoder)), "a cat AND a dog", 4).encodings

    assert torch.equal(encoded.tokens[0], encode_prompt(encoder, "a cat and a dog"))
