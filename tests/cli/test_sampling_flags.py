"""What the flags of noise come to in a request."""

from typing import Any

import pytest

from cli.flags.sampling import SamplingFlags
from inference.request import GenerationRequest, Variation
from modelhub.errors import BadValue


def request(**flags: Any) -> GenerationRequest:
    return GenerationRequest.model_validate({"prompt": "", "model": "x", **SamplingFlags(**flags).fields()})


@pytest.mark.parametrize(
    ("text", "seed", "strength"), [("1234:0.3", 1234, 0.3), (":0.5", -1, 0.5), ("-1:1", -1, 1.0), ("7:0", 7, 0.0)]
)
def test_a_variation_is_a_seed_and_a_strength(text: str, seed: int, strength: float) -> None:
    assert request(variation=text).variation == Variation(seed=seed, strength=strength)


@pytest.mark.parametrize("text", ["7", "x:0.3", "7:", ":", "7:much"])
def test_what_is_no_variation_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadValue, match="is no variation") as refused:
        request(variation=text)

    assert refused.value.mend == "write --variation 1234:0.3, or :0.3 for any seed"


def test_a_size_to_keep_the_noise_of_is_read_like_any_size() -> None:
    assert request(seed_resize="512×768").seed_resize == (512, 768)
    with pytest.raises(BadValue, match="is no size") as refused:
        request(seed_resize="512")
    assert refused.value.mend == "write --seed-resize 512x768"


def test_the_other_flags_are_fields_of_a_request() -> None:
    said = {"ensd": 31337, "sigma_min": 0.1, "sigma_max": 10.0, "rho": 5.0, "shift": 6.0, "min_uncond": 1.5}

    fields = request(**said, discard_next_to_last=True).model_dump()

    assert {name: fields[name] for name in said} == said
    assert fields["discard_next_to_last"]
    assert request() == GenerationRequest(prompt="", model="x")
