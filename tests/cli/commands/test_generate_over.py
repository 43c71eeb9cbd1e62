"""`modelhub generate --init`, as a person types it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.app import main
from cli.flags.init import InitFlags
from cli.flags.mask import MaskFlags
from modelhub.catalog import Catalog
from modelhub.errors import BadValue
from tests import tiny


@pytest.fixture
def folder(catalog: Catalog, tmp_path: Path) -> Path:
    """A picture, a mask of its right half, and the model that draws."""
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / "old.png")
    mask = Image.new("L", (64, 64))
    mask.paste(255, (32, 0, 64, 64))
    mask.save(tmp_path / "mask.png")
    return tmp_path


def drawn(folder: Path, *arguments: object) -> Image.Image:
    quick = ["-m", "tiny", "--steps", "2", "--seed", "7", "--device", "cpu", "--out", folder / "out", "-q"]
    code = main([str(one) for one in ("generate", "a fish", "--init", folder / "old.png", *quick, *arguments)])

    assert code == 0
    (path,) = (folder / "out").iterdir()
    return Image.open(path)


def test_a_picture_is_drawn_over_at_its_own_size(folder: Path) -> None:
    assert drawn(folder, "--denoise", 0.6).size == (64, 64)


def test_a_mask_keeps_the_other_half_to_the_bit(folder: Path) -> None:
    pixels = np.asarray(drawn(folder, "--mask", folder / "mask.png", "--mask-blur", "2,1", "--masked-content", "fill"))

    old = np.asarray(Image.open(folder / "old.png"))
    assert (pixels[:, :26] == old[:, :26]).all()
    assert (pixels[:, 40:] != old[:, 40:]).any()


def test_a_picture_grows_by_what_is_typed(folder: Path) -> None:
    assert drawn(folder, "--outpaint", "left=60,blur=1").size == (128, 64)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--denoise", "2", "--init", "old.png"], "--denoise: input should be less than or equal to 1"),
        (["--masked-content", "water", "--mask", "old.png", "--init", "old.png"], "--masked-content: input should be"),
        (["--init", "gone.png"], "gone.png: there is no such file"),
        (["--denoise", "0.5"], "there is no picture to draw over"),
        (["--mask", "old.png"], "there is no picture to draw over"),
        (["--init", "old.png", "--only-masked"], "there is no mask to say that of"),
    ],
)
def test_what_is_wrong_is_said_by_its_flag(
    folder: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)

    assert main(["generate", "a fish", "-m", "tiny", *arguments]) != 0
    assert told in capsys.readouterr().err


def test_flags_come_to_the_fields_of_a_request() -> None:
    init = InitFlags(init="a.png", denoise=0.4, resize_mode="fill", outpaint="up=64, falloff=2", image_cfg=2.0)
    mask = MaskFlags(mask="alpha", mask_blur="8", soft="bias=2,preservation=0.3")

    fields = init.fields(mask)

    assert fields["image_cfg"] == 2.0
    assert (fields["init"]["image"], fields["init"]["denoise"], fields["init"]["resize"]) == ("a.png", 0.4, "fill")
    assert fields["init"]["outpaint"] == {"method": "mk2", "up": 64.0, "falloff": 2.0}
    assert (fields["init"]["mask"]["image"], fields["init"]["mask"]["blur_x"]) == (None, 8)
    assert fields["init"]["mask"]["blur_y"] == 8
    assert fields["init"]["mask"]["soft"] == {"schedule_bias": 2.0, "preservation": 0.3}


def test_soft_inpainting_is_turned_on_without_a_number() -> None:
    assert MaskFlags(mask="m.png", soft="on").field()["soft"] == {}  # type: ignore[index]


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (MaskFlags(mask="m.png", mask_blur="wide"), "--mask-blur: 'wide' is no number of px"),
        (MaskFlags(mask="m.png", soft="bend=1"), "--soft: 'bend' is none of bias, preservation, boost"),
        (MaskFlags(mask="m.png", soft="bias=much"), "--soft: bias is 'much', which is no number"),
    ],
)
def test_numbers_that_are_none_are_named(mask: MaskFlags, told: str) -> None:
    with pytest.raises(BadValue, match=told) as refused:
        mask.field()

    assert refused.value.mend
