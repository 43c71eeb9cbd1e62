"""A caption is encoded as a prompt is, once, and never met again by what would have read it otherwise."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inference.conditioning.encoders import text_encoder
from inference.conditioning.encoding import Encoding
from inference.plan import ModelPlan, NamedModel
from inference.request import GenerationRequest
from inference.weights.parts import TEXT_ENCODER, Part
from modelhub.families import family
from modelhub.jobs import Progress
from tests import tiny, tiny_families
from trainers.caches import Counts
from trainers.material.texts import Texts
from trainers.recipe import CaptionOptions

_MADE: Mapping[str, Callable[..., dict[str, nn.Module]]] = {
    "sd1": tiny.models,
    "sd2": tiny_families.sd2_models,
    "sdxl": tiny_families.sdxl_models,
}
FAMILIES = tuple(_MADE)
CAPTIONS = ("a red ramp, blue", "", "(a ramp) [of] (colours:1.3)", ", ".join(["many words"] * 70))


@cache
def known(name: str) -> Mapping[str, nn.Module]:
    """Models that nobody changes; made once."""
    return _MADE[name]()


def plan(name: str = "sd1", config: Mapping[str, Any] | None = None) -> ModelPlan:
    """One whose files are not looked at."""
    roles = ("text_encoder", "text_encoder_2")
    parts = {role: Part(role, "x", config or {}, Path("x"), {}, {}) for role in roles}
    return ModelPlan(family(name), "epsilon", 64, parts, NamedModel("tiny", ""))


def texts(
    models: Mapping[str, nn.Module], name: str = "sd1", *, learns: bool = False, clip_skip: int = 1,
    words: Mapping[str, Mapping[str, Tensor]] | None = None, folder: Path | None = None, **captions: object,
) -> Texts:  # fmt: skip
    options = CaptionOptions.model_validate(captions)
    return Texts(plan(name), models, words or {}, clip_skip=clip_skip, learns=learns, captions=options, folder=folder)


def kept(found: Texts, *captions: str) -> Texts:
    assert all(isinstance(one, Progress) for one in found.keep(captions))
    return found


def drawn_with(name: str, models: Mapping[str, nn.Module], prompt: str, *, clip_skip: int = 1) -> Encoding:
    asked = GenerationRequest(prompt="", model="tiny", clip_skip=clip_skip, emphasis="None")
    return text_encoder(plan(name), models, asked, (64, 64)).encode([prompt])[0]


def same(ours: Encoding, theirs: Encoding) -> bool:
    if (ours.pooled is None) != (theirs.pooled is None) or not torch.equal(ours.tokens, theirs.tokens):
        return False
    return ours.pooled is None or theirs.pooled is None or torch.equal(ours.pooled, theirs.pooled)


@pytest.mark.parametrize("caption", CAPTIONS)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_caption_says_to_the_bit_what_the_same_prompt_says(name: str, caption: str) -> None:
    models = known(name)
    expected = drawn_with(name, models, caption)

    assert same(texts(models, name).encode([caption]), expected)
    assert same(texts(models, name, learns=True).encode([caption]), expected)


@pytest.mark.parametrize("name", FAMILIES)
def test_clip_skip_is_that_of_prompts(name: str) -> None:
    models = known(name)

    assert same(texts(models, name, clip_skip=2).encode(["a cat"]), drawn_with(name, models, "a cat", clip_skip=2))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("learns", [True, False])
def test_captions_that_are_encoded_together_are_filled_up_with_what_an_empty_one_says(name: str, learns: bool) -> None:
    models = known(name)
    found = texts(models, name, learns=learns).encode([CAPTIONS[0], CAPTIONS[3], CAPTIONS[0]])

    short, long, empty = (drawn_with(name, models, caption) for caption in (CAPTIONS[0], CAPTIONS[3], ""))
    chunks = long.tokens.shape[1] // 77
    assert chunks == 3
    torch.testing.assert_close(found.tokens[0], torch.cat([short.tokens, *[empty.tokens] * 2], dim=1)[0])
    torch.testing.assert_close(found.tokens[1], long.tokens[0])
    torch.testing.assert_close(found.tokens[2], found.tokens[0])
    if found.pooled is not None and short.pooled is not None:
        torch.testing.assert_close(found.pooled[:1], short.pooled)


def test_brackets_are_weights_where_the_captions_say_so() -> None:
    models = known("sd1")
    asked = GenerationRequest(prompt="", model="tiny")
    (expected,) = text_encoder(plan(), models, asked, (64, 64)).encode(["a (red:1.5) ramp"])
    for learns in (True, False):
        found = texts(models, learns=learns, weights=True).encode(["a (red:1.5) ramp", "(much:2) (of:0.5) it"])
        torch.testing.assert_close(found.tokens[:1], expected.tokens)
    assert not torch.allclose(texts(models).encode(["a (red:1.5) ramp"]).tokens, expected.tokens)


@pytest.mark.parametrize(("tokens", "chunks"), [(75, 1), (150, 2), (225, 3)])
def test_a_long_caption_is_read_to_its_limit_and_the_rest_is_told(tokens: int, chunks: int) -> None:
    found = texts(known("sd1"), tokens=tokens)
    words = ["word"] * 300

    assert found.encode([" ".join(words)]).tokens.shape[1] == 77 * chunks
    assert torch.equal(found.encode([" ".join(words)]).tokens, found.encode([" ".join(words[:tokens])]).tokens)
    assert found.is_cut_off(" ".join(words[: tokens + 1]))
    assert not found.is_cut_off(" ".join(words[:tokens]))


def test_a_limit_of_75_tokens_reads_all_75_though_a_comma_stands_before() -> None:
    found = texts(known("sd1"), tokens=75)
    caption = "a, " + "b " * 72

    assert torch.equal(found.encode([caption + "c d"]).tokens, found.encode([caption + "c"]).tokens)
    assert not torch.equal(found.encode([caption + "c"]).tokens, found.encode([caption + "d"]).tokens)


def counted(models: Mapping[str, nn.Module]) -> list[int]:
    """Grows by the rows of every pass through the text encoder."""
    passes: list[int] = []
    models[TEXT_ENCODER].register_forward_pre_hook(lambda _, inputs: passes.append(len(inputs[0])))
    return passes


def test_kept_captions_need_no_text_encoder(tmp_path: Path) -> None:
    models = tiny.models()
    found = kept(texts(models), "a", "b")
    passes = counted(models)
    expected = [drawn_with("sd1", models, caption) for caption in ("a", "b", "")]
    del passes[:]

    found.forget_encoders()

    assert not found.has_encoders
    assert torch.equal(found.encode(["b", "a", ""]).tokens, torch.cat([expected[i].tokens for i in (1, 0, 2)]))
    assert passes == []
    with pytest.raises(RuntimeError, match="were let go of"):
        found.encode(["c"])


def test_what_is_said_again_and_again_is_encoded_once() -> None:
    models = tiny.models()
    passes = counted(models)
    found = texts(models)

    for _ in range(3):
        found.encode(["a", "b", "a"])

    assert passes == [1, 1]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_second_training_finds_the_encodings_on_disk(tmp_path: Path, name: str) -> None:
    models = _MADE[name]()
    first = kept(texts(models, name, folder=tmp_path), *CAPTIONS)
    passes = counted(models)

    second = kept(texts(models, name, folder=tmp_path), *CAPTIONS)

    assert passes == []
    assert (first.counts, second.counts) == (Counts(misses=4), Counts(hits=4))
    assert all(same(first.encode([caption]), second.encode([caption])) for caption in CAPTIONS)


def misses(folder: Path, models: Mapping[str, nn.Module], captions: Sequence[str] = ("a",), **options: Any) -> int:
    return kept(texts(models, folder=folder, **options), *captions).counts.misses


@pytest.mark.parametrize(
    "options", [{"clip_skip": 2}, {"tokens": 75}, {"tokens": 150}, {"weights": True}], ids=lambda one: next(iter(one))
)
def test_what_is_read_in_another_way_is_encoded_anew(tmp_path: Path, options: dict[str, Any]) -> None:
    models = known("sd1")
    assert misses(tmp_path, models) == 2

    assert misses(tmp_path, models, **options) == 2
    assert misses(tmp_path, models) == 0


def test_an_edited_caption_or_another_text_encoder_is_encoded_anew(tmp_path: Path) -> None:
    models = known("sd1")
    misses(tmp_path, models)

    assert misses(tmp_path, models, ("a.",)) == 1
    assert misses(tmp_path, tiny.models(seed=1)) == 2
    assert misses(tmp_path, {TEXT_ENCODER: tiny.models()[TEXT_ENCODER].double()}) == 2
    assert misses(tmp_path, models) == 0


@pytest.mark.parametrize("changed", ["text_encoder", "text_encoder_2"])
def test_each_of_two_text_encoders_counts(tmp_path: Path, changed: str) -> None:
    models = tiny_families.sdxl_models()
    kept(texts(models, "sdxl", folder=tmp_path), "a")
    other = {**models, changed: tiny_families.sdxl_models(seed=1)[changed]}

    assert kept(texts(other, "sdxl", folder=tmp_path), "a").counts == Counts(misses=2)


def test_a_damaged_encoding_is_made_anew(tmp_path: Path) -> None:
    models = known("sd1")
    expected = kept(texts(models, folder=tmp_path), "a").encode(["a"])
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-100])

    found = kept(texts(models, folder=tmp_path), "a")

    assert found.counts == Counts(misses=2, rejects=2)
    assert same(found.encode(["a"]), expected)


def test_what_learns_or_knows_new_words_is_not_kept_on_disk(tmp_path: Path) -> None:
    models = known("sd1")
    words = {TEXT_ENCODER: {"mira": torch.zeros(2, tiny.WIDTH)}}

    texts(models, learns=True, folder=tmp_path).encode(["a"])
    kept(texts(models, words=words, folder=tmp_path), "mira")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FAMILIES)
def test_gradients_reach_every_text_encoder_that_learns(name: str) -> None:
    models = {role: one.requires_grad_(True) for role, one in _MADE[name]().items()}

    found = texts(models, name, learns=True).encode(["a cat", CAPTIONS[3]])
    (found.tokens.square().sum() + (0 if found.pooled is None else found.pooled.sum())).backward()

    for role in ("text_encoder", "text_encoder_2"):
        if role in models:
            first = next(models[role].parameters())
            assert first.grad is not None
            assert first.grad.any()


def test_gradients_reach_the_vectors_of_new_words() -> None:
    vectors = torch.randn(2, tiny.WIDTH, requires_grad=True)

    texts(known("sd1"), learns=True, words={TEXT_ENCODER: {"mira": vectors}}).encode(["a mira"]).tokens.sum().backward()

    assert vectors.grad is not None
    assert vectors.grad.any(dim=1).all()


def test_an_encoding_made_while_judging_can_be_learned_from() -> None:
    found = texts(known("sd1"))
    with torch.inference_mode():
        found.encode(["a"])
    weight = torch.ones(tiny.WIDTH, requires_grad=True)

    (found.encode(["a"]).tokens * weight).sum().backward()

    assert weight.grad is not None


def test_captions_that_come_otherwise_each_time_do_not_fill_the_memory() -> None:
    models = tiny.models()
    found = Texts(plan(), models, {}, clip_skip=1, learns=False, room=3 * 77 * tiny.WIDTH * 4)
    passes = counted(models)

    for number in range(9):
        found.encode([f"caption {number}"])
    found.encode(["caption 8"])
    found.encode(["caption 0"])

    assert len(passes) == 10


def test_sizes_that_no_shape_tells_count_too(tmp_path: Path) -> None:
    models = known("sd1")
    plans = [plan(config={"num_attention_heads": heads}) for heads in (2, 4)]

    counts = [kept(Texts(one, models, {}, clip_skip=1, learns=False, folder=tmp_path), "a").counts for one in plans]

    assert counts == [Counts(misses=2)] * 2
