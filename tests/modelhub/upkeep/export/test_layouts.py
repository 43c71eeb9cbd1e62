"""Every kind has its folder in each tool, and every name is one that all systems take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.kinds import Facts, Kind
from modelhub.upkeep.export.layouts import LAYOUTS, folder_for, numbered, portable_name


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.UNKNOWN, Kind.TAGGER, Kind.CAPTIONER}))
def test_every_kind_that_lies_in_single_files_has_a_folder(layout: str, kind: Kind) -> None:
    place = folder_for(layout, Facts(kind=kind), is_folder=False)
    assert place
    assert ".." not in place


@pytest.mark.parametrize(
    ("layout", "facts", "place"),
    [
        ("a1111", Facts(kind=Kind.UPSCALER, algorithm="swinir"), "models/SwinIR"),
        ("a1111", Facts(kind=Kind.UPSCALER, algorithm="esrgan"), "models/ESRGAN"),
        ("a1111", Facts(kind=Kind.FACE_RESTORER, algorithm="codeformer"), "models/Codeformer"),
        ("comfyui", Facts(kind=Kind.ADAPTER, algorithm="ip-adapter-plus"), "models/ipadapter"),
        ("comfyui", Facts(kind=Kind.ADAPTER, algorithm="t2i-adapter"), "models/controlnet"),
        ("comfyui", Facts(), None),
    ],
)
def test_an_architecture_may_have_a_folder_to_itself(layout: str, facts: Facts, place: str | None) -> None:
    assert folder_for(layout, facts, is_folder=False) == place


def test_only_comfyui_reads_model_folders() -> None:
    assert folder_for("comfyui", Facts(kind=Kind.CHECKPOINT), is_folder=True) == "models/diffusers"
    assert folder_for("a1111", Facts(kind=Kind.CHECKPOINT), is_folder=True) is None


@pytest.mark.parametrize("kind", [Kind.TAGGER, Kind.CAPTIONER, Kind.IMAGE_ENCODER])
def test_no_tool_looks_for_folders_of_what_reads_pictures(kind: Kind) -> None:
    assert folder_for("comfyui", Facts(kind=kind), is_folder=True) is None


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("kip.safetensors", "kip.safetensors"),
        ('a<b>:"c"?.pt', "a_b___c__.pt"),
        ("con.safetensors", "_con.safetensors"),
        ("COM1.pt", "_COM1.pt"),
        ("console.pt", "console.pt"),
        ("trailing. ", "trailing"),
        ("机器人.safetensors", "机器人.safetensors"),
        ("..", "_"),
        ("x" * 300 + ".safetensors", "x" * 188 + ".safetensors"),
        ("数" * 100 + ".pt", "数" * 65 + ".pt"),
    ],
)
def test_names_become_what_all_systems_take(name: str, portable: str) -> None:
    assert portable_name(name) == portable


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_portable_name_stays_as_it_is(name: str) -> None:
    once = portable_name(name)
    assert portable_name(once) == once
    assert len(once.encode()) <= 200
    assert not set(once) & set('<>:"/\\|?*\0\n')
    assert once not in ("", ".", "..")


def test_a_numbered_name_keeps_its_ending() -> None:
    assert numbered("kip.v2.safetensors", 12) == "kip.v2-12.safetensors"
