"""Drawing after a picture, from the command line to the pixels."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel
from PIL import Image
from torch import nn

from inference.control.said import read_control
from inference.engine import Engine
from inference.generate import generate
from inference.images.texts import read_texts
from inference.picture import Picture
from inference.plan import resolve
from inference.request import GenerationRequest, Hires
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.errors import Incompatible, MissingFile
from modelhub.jobs import Done
from modelhub.workspace import Workspace
from tests import tiny


def write_net(path: Path, unet: nn.Module, **marks: torch.Tensor) -> Path:
    torch.manual_seed(5)
    net: nn.Module = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8, 12, 16))
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.1)
    save_tensors(path, {**net.state_dict(), **marks}, {"modelhub.family": "sd1"})
    return path


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, models: Mapping[str, nn.Module]) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("shelf")
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        catalog.add(write_net(folder / "net.safetensors", models["unet"]))
        catalog.add(write_net(folder / "added.safetensors", models["unet"], difference=torch.zeros(1)))
        catalog.add(tiny.write_vae(folder / "soft.safetensors"))
        yield catalog


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[12:36, 16:48] = (200, 180, 40)
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    Image.fromarray(picture).save(path)
    return path


def request(*controls: str, **said: Any) -> GenerationRequest:
    fields = {"prompt": "a cat", "model": "tiny", "steps": 2, "seed": 3, "width": 64, "height": 64, **said}
    return GenerationRequest.model_validate({**fields, "controls": [read_control(one) for one in controls]})


def draw(asked: GenerationRequest, shelf: Catalog, out: Path) -> Picture:
    last = list(generate(asked, catalog=shelf, engine=Engine("cpu"), out=out))[-1]
    assert isinstance(last, Done)
    picture: Picture = last.result[0]
    return picture


def test_a_drawing_follows_and_is_drawn_again_without_the_photo(shelf: Catalog, photo: Path, tmp_path: Path) -> None:
    alone = draw(request(), shelf, tmp_path)
    copy = tmp_path / "copy.png"
    copy.write_bytes(photo.read_bytes())
    followed = draw(request(f"canny(50,150):net={copy}"), shelf, tmp_path)
    copy.unlink()

    assert followed.image.tobytes() != alone.image.tobytes()
    assert followed.path
    stored = GenerationRequest.from_json(read_texts(followed.path)["modelhub"])
    assert draw(stored, shelf, tmp_path).image.tobytes() == followed.image.tobytes()
    assert 'ControlNet 0: "Module: canny, Model: net' in followed.infotext
    run = shelf.last_run("generate")
    assert run
    assert ("control", shelf.resolve("net").id) in run.inputs


def test_weight_0_and_a_window_without_steps_leave_the_picture_as_it_is(
    shelf: Catalog, photo: Path, tmp_path: Path
) -> None:
    alone = draw(request(), shelf, tmp_path)

    for words in ("weight=0", "start=0.9;end=1"):
        assert draw(request(f"net={photo};{words}"), shelf, tmp_path).image.tobytes() == alone.image.tobytes()


def test_two_units_of_half_the_weight_are_one(shelf: Catalog, photo: Path, tmp_path: Path) -> None:
    one = draw(request(f"net={photo}"), shelf, tmp_path)
    two = draw(request(f"net={photo};weight=0.5", f"net={photo};weight=0.5"), shelf, tmp_path)

    difference = np.abs(np.asarray(one.image, int) - np.asarray(two.image, int))
    assert difference.max() <= 1


def test_a_net_saved_as_a_difference_gets_the_bases_weights(shelf: Catalog, photo: Path, tmp_path: Path) -> None:
    plain, added = (draw(request(f"{name}={photo}"), shelf, tmp_path) for name in ("net", "added"))

    assert plain.image.tobytes() != added.image.tobytes()


def test_a_second_pass_follows_at_its_own_size(shelf: Catalog, photo: Path, tmp_path: Path) -> None:
    hires = Hires(scale=1.5, steps=1)
    alone = draw(request(hires=hires), shelf, tmp_path)
    followed = draw(request(f"canny:net={photo}", hires=hires), shelf, tmp_path)

    assert followed.image.size == (96, 96)
    assert followed.image.tobytes() != alone.image.tobytes()


def test_what_does_not_fit_is_refused_before_a_weight_is_read(shelf: Catalog, photo: Path, tmp_path: Path) -> None:
    wide = tiny.models(width=32)["unet"]
    shelf.add(write_net(tmp_path / "wide.safetensors", wide))

    with pytest.raises(Incompatible, match="wide does not fit tiny"):
        resolve(request(f"wide={photo}"), shelf)
    with pytest.raises(MissingFile, match="no such file"):
        resolve(request(f"net={tmp_path / 'gone.png'}"), shelf)
    with pytest.raises(Incompatible, match="soft"):
        resolve(request(f"soft={photo}"), shelf)
