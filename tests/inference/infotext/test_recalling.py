"""Parameters by other tools become requests to this catalog; what is missing or drawn otherwise is named."""

from typing import Any

import pytest

from inference.infotext import Infotext, read_infotext
from inference.infotext.models import NamedModel
from inference.infotext.recall import recall
from inference.request import GenerationRequest
from modelhub.errors import BadValue

HELD = {"tiny": "1", "kip": "2", "sharp": "3", "eyes": "4", "6ce0161689": "1", "aaaabbbbcccc": "2"}


def find(named: NamedModel) -> str | None:
    return HELD.get(named.digest) or HELD.get(named.name)


def recalled(fields: str, prompt: str = "a cat") -> dict[str, Any]:
    text = f"{prompt}\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 512x512, Model: tiny, {fields}"
    return dict(recall(read_infotext(text), find).fields)


def test_an_infotext_without_a_generator_means_the_gpus() -> None:
    assert [recalled(f"RNG: {name}")["noise"] for name in ("GPU", "NV", "CPU")] == ["NV", "NV", "CPU"]
    assert recalled("Version: v1.9.0")["noise"] == "NV"


def test_models_are_found_by_hash_before_their_names() -> None:
    told = Infotext(
        "", "", {"Model hash": "6CE0161689", "Model": "renamed", "VAE hash": "0123456789", "VAE": "soft.pt"}
    )

    recalled = recall(told, find)

    assert recalled.fields["model"] == "1"
    assert "vae" not in recalled.fields
    assert recalled.missing == (NamedModel("vae", "soft.pt", "0123456789"),)


def test_loras_in_the_prompt_become_references_and_missing_ones_go() -> None:
    text = (
        "a <lora:KIP:0.5:0.7> cat <lyco:gone:1><hypernet:h:0.5>\nSteps: 1, Seed: 2, Size: 8x8, "
        'Lora hashes: "KIP: aaaabbbbcccc, gone: 000011112222"'
    )

    told = recall(read_infotext(text), find)

    assert told.fields["prompt"] == "a <lora:2:0.5:0.7> cat"
    assert told.missing == (NamedModel("lora", "gone", "000011112222"), NamedModel("hypernetwork", "h", ""))


def test_a_hypernetwork_that_was_a_setting_stands_in_the_prompt() -> None:
    told = recall(Infotext("x", "", {"Hypernet": "kip", "Hypernet strength": "0.4"}), find)

    assert told.fields["prompt"] == "x<hypernet:2:0.4>"


def test_an_embedding_is_missed_only_where_a_prompt_names_it() -> None:
    told = Infotext("easy does it", "", {"TI hashes": "easy: deadbeefdead, other: 111122223333"})

    assert recall(told, find).missing == (NamedModel("embedding", "easy", "deadbeefdead"),)


@pytest.mark.parametrize(
    ("fields", "hires"),
    [
        ("Hires upscale: 2, Hires upscaler: Latent", {"scale": 2.0, "upscaler": "Latent"}),
        ("Hires resize: 0x1024, Hires steps: 9", {"scale": None, "height": 1024, "steps": 9}),
        ("First pass size: 320x256", {"scale": None, "width": 512, "height": 512}),
        ("Hires upscale: 2, Hires sampler: Use same sampler, Hires checkpoint: Use same checkpoint", {"scale": 2.0}),
    ],
)
def test_a_second_pass_is_recognised_in_every_version(fields: str, hires: dict[str, Any]) -> None:
    said = recalled(f"Denoising strength: 0.5, {fields}")

    assert said["hires"] == {"denoise": 0.5, **hires}
    assert "init" not in said


def test_the_first_pass_of_old_pictures_has_the_size_that_they_say() -> None:
    said = recalled("Denoising strength: 0.7, First pass size: 320x256")

    assert (said["width"], said["height"]) == (320, 256)
    assert recalled("Denoising strength: 0.7, First pass size: 0x0")["width"] == 512


def test_a_denoising_strength_alone_is_that_of_a_picture_which_is_not_told() -> None:
    said = recalled(
        "Denoising strength: 0.5, Mask blur: 8, Inpaint area: Only masked, Init image hash: 0123456789abcdef"
    )

    assert said["init"]["denoise"] == 0.5
    assert "image" not in said["init"]
    assert (said["init"]["mask"]["blur_x"], said["init"]["mask"]["only_masked"]) == (8, True)
    assert "image" not in said["init"]["mask"]


def test_a_schedule_that_its_sampler_has_no_use_for_is_left_out() -> None:
    text = "x\nSteps: 20, Sampler: DDIM, Schedule type: Karras, Seed: 1"

    assert recall(read_infotext(text), find).fields["schedule"] == "Automatic"


def test_older_versions_habits_are_said() -> None:
    old = Infotext("a [b:c:3]", "", {"Version": "v1.5.2", "Hires upscaler": "Latent", "Refiner": "tiny"})

    assert len(recall(old, find).remarks) == 2
    assert recall(Infotext("a [b]", "", {"Version": "1.10.1"}), find).remarks == ()


def test_settings_that_have_no_part_here_are_said() -> None:
    told = "x\nSteps: 20, Seed: 1, Old prompt editing timelines: True, Token merging ratio: 0.5, VAE Encoder: Full"

    timelines, merging = recall(read_infotext(told), find).remarks
    assert "Old prompt editing timelines (True)" in timelines
    assert "Token merging ratio (0.5)" in merging


def test_a_seed_of_64_bits_is_cut_and_said() -> None:
    told = recall(Infotext("x", "", {"Seed": str(2**40 + 7)}), find)

    assert told.fields["seed"] == 7
    assert "larger than any here" in told.remarks[0]


@pytest.mark.parametrize("field", ["Steps: many", "Hires upscale: x, Denoising strength: 0.5", "Variation seed: ?"])
def test_a_number_that_is_none_is_named(field: str) -> None:
    with pytest.raises(BadValue, match="the picture"):
        recall(read_infotext(f"x\nSeed: 1, Size: 8x8, Model: tiny, {field}"), find)


def test_a_plain_infotext_makes_a_whole_request() -> None:
    request = GenerationRequest.model_validate(recalled("CFG scale: 7.5, Clip skip: 2, ENSD: 31337, Eta: 0.5, NGMS: 2"))

    assert (request.cfg, request.clip_skip, request.ensd, request.eta, request.min_uncond) == (7.5, 2, 31337, 0.5, 2)
