import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inference.request import SCHEMA, GenerationRequest, ImageSeed, LoraUse
from modelhub.errors import BadValue

FULL = GenerationRequest(
    prompt="ein „Käse“\n(kip:1.2)",
    negative_prompt="blurry",
    model="tiny",
    vae="soft",
    loras=(LoraUse(ref="kip", unet=0.8, text_encoder=0.6),),
    sampler="Euler a",
    schedule="Karras",
    steps=7,
    cfg=5.5,
    seed=3,
    width=64,
    height=72,
    count=4,
    batch=2,
    clip_skip=2,
    noise="CPU",
)


@pytest.mark.parametrize("request_", [FULL, GenerationRequest(prompt="", model="1")])
def test_a_stored_request_is_read_back_as_it_was(request_: GenerationRequest) -> None:
    assert GenerationRequest.from_json(request_.to_json()) == request_


def test_what_is_stored_carries_its_schema() -> None:
    assert json.loads(FULL.to_json())["schema"] == SCHEMA


def test_a_newer_request_is_refused_with_the_way_out() -> None:
    text = FULL.to_json().replace(f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}')

    with pytest.raises(BadValue, match="newer ModelHub") as caught:
        GenerationRequest.from_json(text)

    assert caught.value.mend == "pip install -U modelhub-suite"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "{}", '{"schema": "x"}', '{"schema": 1}', '{"schema": 1, "prompt": "", "model": "1", "x": 1}'],
)
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="no request that ModelHub wrote"):
        GenerationRequest.from_json(text)


@pytest.mark.parametrize(
    "field",
    [
        {"steps": 0}, {"steps": 1001}, {"cfg": -1}, {"seed": -2}, {"seed": 2**32}, {"width": 63}, {"width": 65},
        {"height": 8200}, {"count": 0}, {"batch": 0}, {"clip_skip": 0}, {"unknown": 1},
    ],
)  # fmt: skip
def test_values_that_mean_nothing_are_refused(field: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=next(iter(field))):
        GenerationRequest.model_validate({"prompt": "a", "model": "1", **field})


def test_the_request_of_one_image_draws_it_alone() -> None:
    alone = FULL.for_image(ImageSeed(9))

    assert (alone.seed, alone.count, alone.batch) == (9, 1, 1)
    assert alone.for_image(ImageSeed(3)).model_copy(update={"count": 4, "batch": 2}) == FULL


@given(unet=st.floats(-2, 2), text_encoder=st.floats(-2, 2))
def test_weights_of_a_lora_follow_its_name(unet: float, text_encoder: float) -> None:
    assert LoraUse.parse(f"kip={unet},{text_encoder}") == LoraUse(ref="kip", unet=unet, text_encoder=text_encoder)
    assert LoraUse.parse(f"kip={unet}") == LoraUse(ref="kip", unet=unet, text_encoder=unet)
    assert LoraUse.parse("kip") == LoraUse(ref="kip", preferred=True)
