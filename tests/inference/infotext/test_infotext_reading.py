"""Parameters are read as webui reads them, whoever wrote them."""

import pytest

from inference.infotext import Infotext, read_infotext
from inference.infotext.models import NamedModel, models_of, stem, titled

TEXT = (
    "a castle, (stone:1.2)\n\n  by the sea\n"
    "Negative prompt: blurry,\nNegative prompt: bad\n"
    'Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42, Size: 512x768, Model: a "b", Empty: , '
    'Hires prompt: "one, two:\\n\\"three\\"", Mask blur: 4 , Hires CFG Scale: 5, Version: v1.9.4'
)


def test_prompts_may_have_many_lines() -> None:
    told = read_infotext(TEXT)

    assert told.prompt == "a castle, (stone:1.2)\n\nby the sea"
    assert told.negative_prompt == "blurry,\nbad"


def test_fields_are_split_at_commas_sizes_into_two_and_empty_ones_dropped() -> None:
    assert read_infotext(TEXT).fields == {
        "Steps": "20",
        "Sampler": "Euler a",
        "CFG scale": "7.5",
        "Seed": "42",
        "Size-1": "512",
        "Size-2": "768",
        "Model": 'a "b"',
        "Hires prompt": 'one, two:\n"three"',
        "Mask blur": "4 ",
        "Hires CFG Scale": "5",
        "Version": "v1.9.4",
    }


@pytest.mark.parametrize(
    ("text", "prompt", "negative"),
    [
        ("", "", ""),
        ("a cat", "a cat", ""),
        ("a cat, mood: calm, light: dim", "a cat, mood: calm, light: dim", ""),
        ("a cat\nNegative prompt: a dog", "a cat", "a dog"),
        ("\n\na cat\n", "a cat", ""),
        ("Negative prompt: a dog\nSteps: 1, Seed: 2, Size: 8x8", "", "a dog"),
    ],
)
def test_the_last_line_holds_fields_only_if_there_are_three(text: str, prompt: str, negative: str) -> None:
    told = read_infotext(text)

    assert (told.prompt, told.negative_prompt) == (prompt, negative)


def test_values_that_are_no_json_stay_as_they_are() -> None:
    fields = read_infotext('x\nSteps: 1, A key: "bad \\x json", Other: "unclosed, Last-one/2: 3').fields

    assert fields == {"Steps": "1", "A key": '"bad \\x json"', "Other": '"unclosed', "Last-one/2": "3"}


def test_civitais_unquoted_hashes_are_read_whole() -> None:
    told = read_infotext(
        'x\nSteps: 1, Seed: 2, Model hash: 6CE0161689, Hashes: {"model": "6ce0161689", "lora:kip": "aaaabbbbcccc"}, '
        "Version: v1.6.0"
    )

    assert told.fields["Version"] == "v1.6.0"
    assert not {"lora", "model"} & told.fields.keys()
    assert models_of(told) == (
        NamedModel("model", "", "6ce0161689"),
        NamedModel("lora", "kip", "aaaabbbbcccc"),
    )


def test_every_list_of_hashes_names_its_models() -> None:
    fields = {
        "Model hash": "0x6CE0161689",
        "Model": "sd15",
        "Refiner": "xl refiner [7440042bbd]",
        "Lora hashes": "kip: 0123456789ab, big one: 0xabcdef0123",
        "TI hashes": "easy: deadbeefdead",
        "Hashes": '{"embed:easy": "deadbeefdead", "hypernet:h": "11112222", "lora:bad": 3, "other": "nothex"}',
    }

    assert models_of(Infotext("", "", fields)) == (
        NamedModel("model", "sd15", "6ce0161689"),
        NamedModel("refiner", "xl refiner", "7440042bbd"),
        NamedModel("lora", "kip", "0123456789ab"),
        NamedModel("lora", "big one", "abcdef0123"),
        NamedModel("embedding", "easy", "deadbeefdead"),
        NamedModel("hypernetwork", "h", "11112222"),
    )


@pytest.mark.parametrize(
    ("title", "name", "digest"),
    [
        ("a [0123456789]", "a", "0123456789"),
        ("a [b]", "a [b]", ""),
        ("4x", "4x", ""),
        ("x [y] [ABCDEF01]", "x [y]", "abcdef01"),
    ],
)
def test_a_title_is_a_name_and_a_hash(title: str, name: str, digest: str) -> None:
    assert titled("model", title) == NamedModel("model", name, digest)


@pytest.mark.parametrize("name", ["kip", "kip.safetensors", "sub/kip.pt", "sub\\deep\\kip.ckpt"])
def test_a_file_is_called_by_its_stem(name: str) -> None:
    assert stem(name) == "kip"
    assert stem("model-v1.5") == "model-v1.5"
