"""Embeddings in prompts, against text encoders that learned them as words of their own."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inference.conditioning.clip import Clip, ClipEncoder
from inference.conditioning.embeddings import read_vectors
from inference.conditioning.prompts import guides, timeline
from inference.conditioning.reading import Reading
from inference.conditioning.sdxl import SdxlEncoder, Sizes
from inference.plan import EmbeddingPlan
from inference.prompt.embeddings import Embedding, EmbeddingNames
from inference.prompt.tokenizer import BOS, EOS, tokenize
from inference.weights.save import save_tensors
from tests.inference.conditioning import encoders

SMALL, LARGE = 16, 24
VECTORS = {"small": torch.randn(2, SMALL), "large": torch.randn(2, LARGE)}
READING = Reading(embeddings=EmbeddingNames([Embedding("kitty", 2)]))


@pytest.fixture(scope="module")
def small() -> nn.Module:
    return encoders.small(SMALL)


@pytest.fixture(scope="module")
def large() -> nn.Module:
    return encoders.large(LARGE)


def learned(module: nn.Module, vectors: Tensor) -> nn.Module:
    """The encoder with the vectors in the rows of two tokens."""
    module = deepcopy(module)
    embeddings: Any = getattr(module, "text_model", module)
    embeddings.embeddings.token_embedding.weight.data[list(ids())] = vectors
    return module


def ids() -> tuple[int, int]:
    first, second = (one[-1] for one in tokenize(["zzyzx", "qwertyuiop"]))
    return first, second


def by_hand(module: nn.Module, *runs: str | None) -> Tensor:
    """One chunk: words, and None for both vectors."""
    tokens = [token for run in runs for token in (ids() if run is None else tokenize([run])[0])]
    states: Tensor = module(torch.tensor([[BOS, *tokens, *[EOS] * (76 - len(tokens))]])).last_hidden_state
    return states


@pytest.fixture(scope="module")
def encoder(small: nn.Module) -> ClipEncoder:
    return ClipEncoder(Clip(small, vectors={"kitty": VECTORS["small"]}), READING)


def test_vectors_take_the_place_of_the_name(encoder: ClipEncoder, small: nn.Module) -> None:
    (said,) = encoder.encode(["a kitty, in a hat"])

    torch.testing.assert_close(said.tokens, by_hand(learned(small, VECTORS["small"]), "a", None, ", in a hat"))


def test_the_encoder_is_left_as_it_was(encoder: ClipEncoder, small: nn.Module) -> None:
    encoder.encode(["a kitty"])

    plain = ClipEncoder(Clip(small)).encode(["a kitty"])[0].tokens
    assert torch.equal(plain, by_hand(small, "a kitty"))


def test_weights_multiply_their_slots(encoder: ClipEncoder, small: nn.Module) -> None:
    plain, weighted = (
        ClipEncoder(Clip(small, vectors={"kitty": VECTORS["small"]}), Reading("No norm", embeddings=READING.embeddings))
        .encode([text])[0]
        .tokens
        for text in ("a kitty", "a (kitty:1.5)")
    )
    factors = torch.ones(77, 1)
    factors[2:4] = 1.5

    torch.testing.assert_close(weighted, plain * factors)


def test_schedules_ands_and_breaks_hold_them(encoder: ClipEncoder, small: nn.Module) -> None:
    taught = learned(small, VECTORS["small"])
    kitty, cat = by_hand(taught, None), by_hand(taught, "cat")

    first, second = guides(encoder, "[kitty:cat:2] AND cat BREAK kitty", 4)
    negative = timeline(encoder, "[cat|kitty]", 4, negative=True)

    torch.testing.assert_close(first.timeline.at(0).tokens, kitty)
    torch.testing.assert_close(first.timeline.at(3).tokens, cat)
    torch.testing.assert_close(second.timeline.at(0).tokens, torch.cat([cat, kitty], dim=1))
    torch.testing.assert_close(negative.at(2).tokens, kitty)


def test_each_of_sdxls_encoders_gets_its_own(small: nn.Module, large: nn.Module) -> None:
    vectors = {role: {"kitty": tensor} for role, tensor in VECTORS.items()}
    mine = SdxlEncoder(
        Clip(large, 2, normed=False, vectors=vectors["large"]),
        Clip(small, 2, normed=False, vectors=vectors["small"]),
        READING,
        Sizes(64, 64),
    )
    tokens = torch.tensor([[BOS, *ids(), *[EOS] * 74]])
    output = learned(large, VECTORS["large"])(tokens, output_hidden_states=True)
    other = learned(small, VECTORS["small"])(tokens, output_hidden_states=True).hidden_states[-2]

    (said,) = mine.encode(["kitty"])

    torch.testing.assert_close(said.tokens, torch.cat([other, output.hidden_states[-2]], dim=-1))
    torch.testing.assert_close(said.pooled, output.text_embeds)


def test_vectors_are_read_for_the_encoder_that_plays_a_role(tmp_path: Path) -> None:
    path = tmp_path / "kitty.safetensors"
    tensors = {"clip_l": torch.randn(2, 8), "clip_g": torch.randn(2, 16)}
    save_tensors(path, tensors, {})
    plan = EmbeddingPlan("kitty", "", path, {"text_encoder": "clip_l", "text_encoder_2": "clip_g"}, 2)

    read = {role: read_vectors([plan], role, torch.device("cpu"))["kitty"] for role in plan.rows}

    assert torch.equal(read["text_encoder"], tensors["clip_l"])
    assert torch.equal(read["text_encoder_2"], tensors["clip_g"])


def test_one_vector_alone_is_a_row(tmp_path: Path) -> None:
    save_tensors(tmp_path / "kitty.safetensors", {"<kitty>": torch.randn(8)}, {})
    plan = EmbeddingPlan("kitty", "", tmp_path / "kitty.safetensors", {"text_encoder": "<kitty>"}, 1)

    assert read_vectors([plan], "text_encoder", torch.device("cpu"))["kitty"].shape == (1, 8)
