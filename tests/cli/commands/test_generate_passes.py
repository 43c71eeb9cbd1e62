"""`modelhub generate` with further passes, as a person types it."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.app import main
from cli.flags.hires import HiresFlags
from modelhub.catalog import Catalog
from modelhub.errors import BadValue
from tests import tiny

QUICK = ["--steps", "2", "--seed", "7", "--device", "cpu", "-m", "tiny"]


@pytest.fixture(autouse=True)
def shelf(catalog: Catalog, tmp_path: Path) -> Catalog:
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny")
    catalog.add(tiny.write_checkpoint(tmp_path / "other.safetensors", seed=1), name="other")
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    return catalog


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def generate(*arguments: object) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert main(["generate", *QUICK, "--out", str(tmp_path / "out"), "--json", *map(str, arguments)]) == 0
        documents: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return documents

    return generate


def size(document: dict[str, Any]) -> tuple[int, int]:
    with Image.open(document["path"]) as image:
        return image.size


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ("2x", {"scale": 2.0, "width": None, "height": None}),
        ("1.5", {"scale": 1.5, "width": None, "height": None}),
        ("1024X1536", {"width": 1024, "height": 1536}),
        ("1024x0", {"width": 1024, "height": None}),
        ("0×768", {"width": None, "height": 768}),
    ],
)
def test_a_second_pass_is_a_scale_or_a_size(said: str, target: dict[str, object]) -> None:
    assert dict(HiresFlags(hires=said).fields()["hires"]).items() >= target.items()


@pytest.mark.parametrize("said", ["big", "0x0", "2xx", "-2x", ""])
def test_what_is_neither_is_refused(said: str) -> None:
    with pytest.raises(BadValue, match="no scale and no size"):
        HiresFlags(hires=said).fields()


def test_a_second_pass_is_drawn_with_what_is_said_of_it(told: Any) -> None:
    (one,) = told(
        "a cat", "--hires", "1.5x", "--hires-model", "other", "--hires-prompt", "a dog", "--hires-negative", "bad",
        "--hires-steps", 1, "--hires-denoise", 0.4, "--hires-cfg", 3, "--hires-sampler", "Euler a",
        "--hires-upscaler", "Latent (nearest-exact)", "--refiner", "other", "--refiner-switch", 0.5,
    )  # fmt: skip

    assert size(one) == (96, 96)
    hires = one["request"]["hires"]
    assert {**hires, "model": "", "scale": 1.5} == hires | {"model": "", "scale": 1.5}
    assert (hires["steps"], hires["denoise"], hires["cfg"], hires["sampler"]) == (1, 0.4, 3.0, "Euler a")
    assert (hires["prompt"], hires["negative_prompt"]) == ("a dog", "bad")
    assert one["request"]["refiner"]["switch_at"] == 0.5
    assert "Hires upscaler: Latent (nearest-exact)" in one["parameters"]


def test_a_second_pass_is_drawn_again_and_changed_in_one_part(told: Any) -> None:
    (first,) = told("a cat", "--hires", "2x", "--hires-denoise", 0.4)
    (again,) = told("--from", first["path"])
    (larger,) = told("--from", first["path"], "--hires", "80x0")
    (other,) = told("--from", first["path"], "--hires-denoise", 0.6)

    assert again["request"] == first["request"]
    assert (size(first), size(larger), size(other)) == ((128, 128), (80, 80), (128, 128))
    assert (larger["request"]["hires"]["denoise"], other["request"]["hires"]["denoise"]) == (0.4, 0.6)


def test_a_picture_is_enlarged_in_tiles(told: Any, tmp_path: Path) -> None:
    (one,) = told("a cat", "--init", tmp_path / "red.png", "--denoise", 0.3, "--sd-upscale", 2, "--tile-overlap", 16)

    assert size(one) == (128, 128)
    assert one["request"]["tiles"] == {"scale": 2.0, "overlap": 16, "upscaler": "Lanczos"}
    assert told("--from", one["path"])[0]["request"] == one["request"]


def test_a_loop_keeps_every_picture_and_each_is_drawn_again(told: Any, tmp_path: Path) -> None:
    init = ["--init", tmp_path / "red.png", "--denoise", 0.8]
    pictures = told("a cat", *init, "--loopback", 3, "--loopback-denoise", 0.4)

    assert [one["seed"] for one in pictures] == [7, 8, 9]
    assert [one["request"]["init"]["denoise"] for one in pictures] == pytest.approx([0.8, 0.6, 0.4])
    with Image.open(pictures[2]["path"]) as last:
        (again,) = told("--from", pictures[2]["path"], "--seed", 9)
        assert Image.open(again["path"]).tobytes() == last.tobytes()


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["--hires-steps", "3"], "--hires 2x"),
        (["--upscaler", "Nearest"], "--sd-upscale 2"),
        (["--loopback-curve", "lazy"], "--loopback 4"),
        (["--loopback", "2"], "--init FILE --loopback 4"),
        (["--sd-upscale", "2"], "--init FILE --sd-upscale 2"),
    ],
)
def test_what_is_said_of_a_pass_that_is_not_there_names_what_is_missing(
    arguments: list[str], mend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "a cat", *QUICK, *arguments]) == 2
    assert mend in capsys.readouterr().err


def test_a_pattern_says_so_in_its_parameters(told: Any) -> None:
    (one,) = told("a cat", "--tiling")

    assert "Tiling: True" in one["parameters"]
