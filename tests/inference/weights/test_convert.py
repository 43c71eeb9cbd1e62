"""What is converted holds the same numbers under the same names, and nothing is half written."""

import shutil
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

from inference.weights.convert import Conversion, convert, plan_conversion
from modelhub.errors import BadValue, BrokenFile, Conflict
from modelhub.jobs import drain
from tests import hostile

TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8]
TYPES += [torch.uint8, torch.bool, torch.uint16, torch.float8_e4m3fn, torch.float8_e5m2, torch.complex64]


def saved(path: Path, value: object, *, old: bool = False) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=not old)
    return path


def converted(path: Path, target: Path | None = None, **wish: bool) -> Conversion:
    return drain(convert(plan_conversion(path, **wish), target or path.with_suffix(".safetensors")))


def metadata_of(path: Path) -> dict[str, str]:
    with safetensors.safe_open(path, framework="pt") as file:
        return dict(file.metadata())


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_every_type_and_view_arrives_as_torch_would_load_it(tmp_path: Path, old: bool) -> None:
    whole = torch.randn(3, 4)
    tensors = {str(dtype): torch.arange(6).reshape(2, 3).to(dtype) for dtype in TYPES}
    tensors |= {"turned": whole.t(), "row": whole[1], "column": whole[:, 1], "tied": whole, "again": whole}
    tensors |= {"none": torch.empty(0, 3), "one": torch.tensor(7.0), "wide": torch.arange(3).expand(2, 3)}
    path = saved(tmp_path / "a.ckpt", {"state_dict": tensors, "epoch": 3}, old=old)
    result = converted(path)
    loaded = safetensors.torch.load_file(result.target)
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(_raw(loaded[name]), _raw(tensor)), name
    assert (result.tensors, result.dropped, result.written) == (len(tensors), (), True)


def _raw(tensor: torch.Tensor) -> torch.Tensor:
    flat = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return flat.contiguous().reshape(-1).view(torch.uint8)


def test_a_webui_embedding_becomes_emb_params_with_its_name(tmp_path: Path) -> None:
    vectors = torch.randn(2, 768)
    value = {"string_to_token": {"*": 265}, "string_to_param": torch.nn.ParameterDict({"*": vectors}), "name": "moss"}
    result = converted(saved(tmp_path / "moss.pt", {**value, "step": 499}))
    assert torch.equal(safetensors.torch.load_file(result.target)["emb_params"], vectors)
    said = metadata_of(result.target)
    assert (said["name"], said["step"], said["modelhub.pickle.string_to_token.*"]) == ("moss", "499", "265")


def test_a_hypernetwork_keeps_its_settings(tmp_path: Path) -> None:
    layers = [{"linear.0.weight": torch.randn(4, 2)} for _ in range(2)]
    value = {768: tuple(layers), "layer_structure": [1, 2, 1], "activation_func": "relu", "kind": "checkpoint"}
    result = converted(saved(tmp_path / "hn.pt", value))
    loaded = safetensors.torch.load_file(result.target)
    assert torch.equal(loaded["768.1.linear.0.weight"], layers[1]["linear.0.weight"])
    said = metadata_of(result.target)
    assert said["modelhub.pickle.layer_structure"] == "[1, 2, 1]"
    assert (said["modelhub.pickle.activation_func"], "modelhub.kind" in said) == ("relu", False)


def test_what_cannot_come_along_is_told(tmp_path: Path) -> None:
    value = {
        "state_dict": {"a": torch.ones(1), "c": torch.ones(1, dtype=torch.complex128)},
        "optimizer": {"x": torch.ones(1)},
    }
    assert converted(saved(tmp_path / "a.ckpt", value)).dropped == ("c", "optimizer")


def test_half_precision_shortens_floats_and_keeps_what_it_cannot_hold(tmp_path: Path) -> None:
    tensors = {
        "a": torch.ones(2),
        "b": torch.ones(2).bfloat16(),
        "n": torch.ones(2).long(),
        "huge": torch.tensor([1e6]),
    }
    result = converted(saved(tmp_path / "a.ckpt", {**tensors, "inf": torch.tensor([float("inf")])}), half=True)
    types = {name: tensor.dtype for name, tensor in safetensors.torch.load_file(result.target).items()}
    assert types == {
        "a": torch.float16,
        "b": torch.float16,
        "n": torch.int64,
        "huge": torch.float32,
        "inf": torch.float16,
    }
    assert result.too_large == ("huge",)


def test_averaged_weights_stay_unless_they_are_dropped(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.ckpt", {"model_ema.w": torch.ones(1), "model.w": torch.ones(1)})
    assert list(plan_conversion(path).tensors) == ["model_ema.w", "model.w"]
    plan = plan_conversion(path, keep_ema=False)
    assert (list(plan.tensors), plan.dropped, plan.size) == (["model.w"], ("model_ema.w",), 4)


def test_converting_again_finds_the_result_and_another_file_is_not_overwritten(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.ckpt", {"a": torch.ones(2)})
    first = converted(path)
    again = converted(path)
    assert (first.written, again.written, again.size) == (True, False, first.size)
    other = saved(tmp_path / "b.ckpt", {"a": torch.zeros(2)})
    with pytest.raises(Conflict, match="stands there already") as caught:
        converted(other, first.target)
    assert caught.value.mend


def test_a_conversion_that_is_stopped_leaves_nothing_and_one_that_was_killed_is_swept(tmp_path: Path) -> None:
    path = saved(tmp_path / "a[1].ckpt", {name: torch.ones(2) for name in "abc"})
    target = tmp_path / "a[1].safetensors"
    killed = tmp_path / f".{target.name}.x1y2.part"
    killed.write_bytes(b"half")
    job = convert(plan_conversion(path), target)
    while "compare" not in str(next(job)):
        pass
    job.close()  # type: ignore[attr-defined]
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert converted(path, target).written


def test_damaged_weights_are_found_by_their_sum(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.ckpt", {"a": torch.full((100,), 7.0)})
    content = bytearray(path.read_bytes())
    content[content.index(torch.full((100,), 7.0).numpy().tobytes()) + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(BrokenFile, match="damaged"):
        converted(path)
    assert not path.with_suffix(".safetensors").exists()


def test_tensors_that_unfold_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="unfold"):
        plan_conversion(saved(tmp_path / "a.ckpt", {"a": torch.ones(1).expand(1 << 40)}))


def test_other_formats_and_pickles_without_weights_are_refused(tmp_path: Path) -> None:
    ours = converted(saved(tmp_path / "a.ckpt", {"a": torch.ones(2)})).target
    gguf = tmp_path / "a.gguf"
    gguf.write_bytes(hostile.gguf(body=bytes(8)))
    with pytest.raises(BadValue, match="safetensors file already"):
        plan_conversion(ours)
    with pytest.raises(BadValue, match="GGUF file: its tensors are packed"):
        plan_conversion(gguf)
    with pytest.raises(BadValue, match="no weights"):
        plan_conversion(saved(tmp_path / "b.ckpt", {"epoch": 1}))


def test_a_lying_name_does_not_matter(tmp_path: Path) -> None:
    liar = tmp_path / "liar.safetensors"
    shutil.move(saved(tmp_path / "a.ckpt", {"a": torch.ones(2)}), liar)
    assert converted(liar, tmp_path / "true.safetensors").tensors == 1
