"""Networks from safetensors files, known by spandrel."""

import importlib
import sys
from pathlib import Path

import pytest
import torch

from inference.upscalers import nets as nets_module
from inference.upscalers.nets import Nets, import_spandrel, load_net
from inference.weights.convert import convert, plan_conversion
from inference.weights.save import save_tensors
from modelhub.errors import BrokenFile, Incompatible
from modelhub.jobs import drain
from tests.upscalers import compact, esrgan_tensors, write_upscaler

CPU = torch.device("cpu")


def test_a_compact_network_gives_what_its_module_gives(tmp_path: Path) -> None:
    module = compact(scale=2).eval()
    pixels = torch.rand(1, 3, 9, 7)
    with torch.no_grad():
        wanted = module(pixels).clamp(0, 1)
    net = load_net(write_upscaler(tmp_path / "c.safetensors", module), CPU)
    assert net.scale == 2
    assert torch.equal(net(pixels), wanted)


def test_weights_in_half_precision_are_worked_with_in_full(tmp_path: Path) -> None:
    net = load_net(write_upscaler(tmp_path / "c.safetensors", compact().half()), CPU)
    assert net(torch.rand(1, 3, 4, 4)).dtype == torch.float32


def test_an_esrgan_of_later_names_is_read(tmp_path: Path) -> None:
    save_tensors(tmp_path / "e.safetensors", esrgan_tensors(), {})
    assert load_net(tmp_path / "e.safetensors", CPU)(torch.rand(1, 3, 4, 5)).shape == (1, 3, 16, 20)


def test_what_upscalers_are_shared_as_is_read_once_it_was_converted(tmp_path: Path) -> None:
    module = compact(scale=2)
    torch.save({"params": compact(scale=3).state_dict(), "params_ema": module.state_dict()}, tmp_path / "old.pth")
    drain(convert(plan_conversion(tmp_path / "old.pth"), tmp_path / "new.safetensors"))
    assert load_net(tmp_path / "new.safetensors", CPU).scale == 2


def test_weights_that_do_not_fit_together_are_broken(tmp_path: Path) -> None:
    tensors = {**compact().state_dict(), "body.2.weight": torch.zeros(5, 5, 3, 3)}
    save_tensors(tmp_path / "c.safetensors", tensors, {})
    with pytest.raises(BrokenFile, match="do not fit together"):
        load_net(tmp_path / "c.safetensors", CPU)


def test_what_is_no_network_that_is_known_is_told(tmp_path: Path) -> None:
    save_tensors(tmp_path / "x.safetensors", {"a": torch.zeros(1)}, {})
    with pytest.raises(Incompatible, match="no network that spandrel"):
        load_net(tmp_path / "x.safetensors", CPU)


def test_a_network_of_grey_pictures_is_refused(tmp_path: Path) -> None:
    grey = compact()
    tensors = grey.state_dict()
    tensors["body.0.weight"] = tensors["body.0.weight"][:, :1].contiguous()
    tensors["body.4.weight"] = tensors["body.4.weight"][:4].contiguous()
    tensors["body.4.bias"] = tensors["body.4.bias"][:4].contiguous()
    save_tensors(tmp_path / "g.safetensors", tensors, {})
    with pytest.raises(Incompatible, match="colour"):
        load_net(tmp_path / "g.safetensors", CPU)


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    path = write_upscaler(tmp_path / "c.safetensors", compact(scale=2))
    held = Nets(CPU)
    first = held.load(path)
    assert held.load(path) is first
    write_upscaler(path, compact(scale=3))
    assert held.load(path).scale == 3


def test_the_last_three_are_kept(tmp_path: Path) -> None:
    held = Nets(CPU)
    paths = [write_upscaler(tmp_path / f"{scale}.safetensors", compact(scale=scale)) for scale in (1, 2, 3, 4)]
    first, *others = [held.load(path) for path in paths]
    assert [held.load(path) for path in paths[1:]] == others
    assert held.load(paths[0]) is not first


def test_without_a_torchvision_restoreformer_gets_its_normalization(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(nets_module, "_TORCHVISION", "torchvision_that_is_not_there.transforms.functional")
    with nets_module._torchvision():
        stand_in = importlib.import_module(nets_module._TORCHVISION)
        found = stand_in.normalize(torch.tensor([[[0.0]], [[0.5]], [[1.0]]]), [0.5] * 3, [0.25] * 3)
    assert found.flatten().tolist() == [-2.0, 0.0, 2.0]
    assert nets_module._TORCHVISION not in sys.modules


def test_spandrel_is_imported_whatever_torchvision_there_is() -> None:
    assert import_spandrel().ModelLoader
