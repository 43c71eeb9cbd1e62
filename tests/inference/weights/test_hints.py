import json
from typing import Any

import pytest

from inference.weights.hints import SCHEMA, Hints, read_hints, write_hints
from modelhub.errors import BrokenFile
from modelhub.families import family

SD1 = family("sd1")


def config(**fields: Any) -> dict[str, str]:
    return {"modelhub.schema": str(SCHEMA), "modelhub.config": json.dumps(fields)}


def test_what_is_written_is_read_back() -> None:
    hints = Hints(unet_heads=4, unet_norm_groups=16, vae_norm_groups=8, text_encoder_heads=2, resolution=128)

    assert read_hints("x", write_hints(hints), SD1) == hints


def test_a_file_without_our_header_follows_its_family() -> None:
    assert read_hints("x", {}, SD1) == Hints(8, 32, 32, None, None)


def test_each_number_that_is_left_out_or_null_is_the_familys() -> None:
    assert read_hints("x", config(resolution=128, unet_heads=None), SD1) == Hints(8, 32, 32, None, 128)


def test_a_newer_header_is_refused_with_the_way_out() -> None:
    with pytest.raises(BrokenFile, match="newer ModelHub") as caught:
        read_hints("x", {"modelhub.schema": str(SCHEMA + 1)}, SD1)

    assert caught.value.mend == "pip install -U modelhub-suite"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"x"', "[" * 100_000])
def test_a_garbled_header_is_refused(text: str) -> None:
    with pytest.raises(BrokenFile, match="x: its header's modelhub"):
        read_hints("x", {"modelhub.config": text}, SD1)


@pytest.mark.parametrize("number", ["x", 0, -1, 1.5, True, [], 10**9, float("inf"), float("nan")])
def test_a_number_that_cannot_be_is_refused_by_name(number: Any) -> None:
    with pytest.raises(BrokenFile, match=r"x: its header's modelhub.config gives unet_heads as"):
        read_hints("x", config(unet_heads=number), SD1)


def test_a_schema_that_is_no_number_is_refused() -> None:
    with pytest.raises(BrokenFile, match="garbled"):
        read_hints("x", {"modelhub.schema": "new"}, SD1)
