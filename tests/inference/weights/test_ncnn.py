"""ncnn's two files become a safetensors file that loads."""

from pathlib import Path

import pytest
import torch

from inference.conversion import Wish, convert_model, plan_model
from inference.upscalers.nets import load_net
from inference.weights.load import read_tensors
from inference.weights.ncnn import is_ncnn, plan_ncnn
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, BrokenFile, MissingFile
from modelhub.jobs import drain
from modelhub.kinds import Kind
from tests.upscalers import compact, esrgan_tensors, write_ncnn

CPU = torch.device("cpu")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return write_ncnn(tmp_path / "net.param", compact().state_dict())


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("net", ["compact", "esrgan"])
def test_every_tensor_comes_through(net: str, half: bool, tmp_path: Path, catalog: Catalog) -> None:
    tensors = compact(layers=2).state_dict() if net == "compact" else esrgan_tensors(blocks=2)
    path = write_ncnn(tmp_path / "net.param", tensors, half=half)
    made = drain(convert_model(plan_model(str(path), Wish(), catalog=catalog), catalog=catalog))
    found = read_tensors(made.conversion.target, tensors, device=CPU)
    for name, tensor in tensors.items():
        packed = half and tensor.ndim == 4
        assert torch.equal(found[name].float(), (tensor.half() if packed else tensor).float())
    assert made.conversion.target == tmp_path / "net.safetensors"


def test_the_result_is_catalogued_as_an_upscaler_that_draws(written: Path, catalog: Catalog) -> None:
    made = drain(convert_model(plan_model(str(written), Wish(), catalog=catalog), catalog=catalog))
    assert (made.artifact.facts.kind, made.artifact.facts.scale) == (Kind.UPSCALER, 2)
    assert load_net(made.artifact.path, CPU)(torch.rand(1, 3, 4, 4)).shape == (1, 3, 8, 8)


def test_either_file_names_the_network(written: Path, tmp_path: Path) -> None:
    assert plan_ncnn(written.with_suffix(".bin")) == plan_ncnn(written)
    assert is_ncnn(written)
    assert is_ncnn(written.with_suffix(".bin"))
    assert not is_ncnn(tmp_path / "pytorch_model.bin")


def test_one_file_without_the_other_is_told(written: Path) -> None:
    written.with_suffix(".bin").unlink()
    with pytest.raises(MissingFile, match=r"net\.bin"):
        plan_ncnn(written)


@pytest.mark.parametrize("change", [-1, -400, 4])
def test_weights_of_another_length_are_refused(change: int, written: Path) -> None:
    content = written.with_suffix(".bin").read_bytes()
    written.with_suffix(".bin").write_bytes(content[:change] if change < 0 else content + b"\0" * change)
    with pytest.raises(BrokenFile):
        plan_ncnn(written)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("7767517", "1"),
        ("0=4 1=3", "0=5 1=3"),
        ("0=4 1=3", "0=0 1=3"),
        ("0=4 1=3", "0=x 1=3"),
        ("0=4 1=3", "0=-4 1=3"),
        (" 6=108", ""),
        (" 6=108", " 6=99999999999"),
    ],
)
def test_a_text_that_contradicts_itself_is_broken(old: str, new: str, written: Path) -> None:
    written.write_text(written.read_text().replace(old, new, 1))
    with pytest.raises(BrokenFile):
        plan_ncnn(written)


def test_weights_in_fewer_bits_are_refused(written: Path) -> None:
    content = written.with_suffix(".bin").read_bytes()
    written.with_suffix(".bin").write_bytes(b"\x38\x4b\x0d\x00" + content[4:])
    with pytest.raises(BrokenFile, match="neither float32 nor float16"):
        plan_ncnn(written)


def test_a_layer_of_another_sort_is_named(written: Path) -> None:
    written.write_text(written.read_text().replace("PReLU", "Deconvolution", 1))
    with pytest.raises(BadValue, match="Deconvolution"):
        plan_ncnn(written)


def test_another_chain_of_convolutions_is_no_upscaler_of_ours(tmp_path: Path) -> None:
    tensors = {f"{index}.weight": torch.zeros(3, 3, 3, 3) for index in range(4)}
    with pytest.raises(BadValue, match="neither an ESRGAN nor a Compact"):
        plan_ncnn(write_ncnn(tmp_path / "net.param", tensors))
