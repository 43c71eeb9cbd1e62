"""What torch saved is found where it lies, and nothing that a pickle names is ever touched."""

import contextlib
import io
import pickle
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelhub.errors import BrokenFile, MissingFile, UnsafeFile
from modelhub.headers import TensorTable
from modelhub.headers._opcodes import interpret
from modelhub.headers.pickles import STRANGERS, read_pickle_table, read_pickle_weights

TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8]
TYPES += [torch.uint8, torch.bool, torch.uint16, torch.float8_e4m3fn, torch.float8_e5m2, torch.complex64]
NAMES = ["F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL", "U16", "F8_E4M3", "F8_E5M2", "C64"]


class Callback:
    """As a training library leaves it in its checkpoints."""

    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


def saved(path: Path, value: object, *, old: bool = False) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=not old)
    return path


def pickled(path: Path, value: object, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


def table_of(path: Path) -> TensorTable:
    with path.open("rb") as file:
        return read_pickle_table(path, file)


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    return {name: entry.shape for name, entry in table_of(path).tensors.items()}


def bytes_of(path: Path, name: str) -> bytes:
    entry = table_of(path).tensors[name]
    return path.read_bytes()[entry.start : entry.end]


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_every_type_is_found_where_torch_put_it(tmp_path: Path, old: bool) -> None:
    tensors = {name: torch.arange(6).reshape(2, 3).to(dtype) for name, dtype in zip(NAMES, TYPES, strict=True)}
    path = saved(tmp_path / "a.pt", {"state_dict": tensors}, old=old)
    table = table_of(path)
    assert {name: entry.dtype for name, entry in table.tensors.items()} == {name: name for name in NAMES}
    assert (table.container, table.data_start) == ("pickle", 0)
    for name, tensor in tensors.items():
        assert bytes_of(path, name) == tensor.contiguous().view(torch.uint8).numpy().tobytes()


def test_a_window_on_a_storage_has_its_own_span_and_a_strided_one_that_of_all(tmp_path: Path) -> None:
    whole = torch.arange(12.0)
    path = saved(tmp_path / "a.pt", {"tail": whole[8:], "columns": whole.reshape(3, 4).t(), "none": whole[:0]})
    table = table_of(path)
    assert bytes_of(path, "tail") == whole[8:].numpy().tobytes()
    assert bytes_of(path, "columns") == whole.numpy().tobytes()
    assert table.tensors["columns"].shape == (4, 3)
    assert bytes_of(path, "none") == b""
    weights = read_pickle_weights(path)
    assert (weights.tensors["columns"].strides, weights.tensors["tail"].offset) == ((1, 4), 8)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_every_protocol_reads_alike(tmp_path: Path, protocol: int) -> None:
    value = {
        "state_dict": OrderedDict(a=torch.ones(2, 3)),
        "name": "x" * 300,
        "epoch": -70_000,
        "rate": 0.5,
        "on": True,
    }
    torch.save(value, tmp_path / "a.pt", pickle_protocol=protocol)
    table = table_of(tmp_path / "a.pt")
    assert table.shape("a") == (2, 3)
    assert table.metadata == {"name": "x" * 300, "epoch": "-70000", "rate": "0.5", "on": "True"}


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=20,
    ),
    protocol=st.integers(3, 5),
)
@settings(deadline=None)
def test_plain_values_are_read_as_pickle_reads_them(value: object, protocol: int) -> None:
    assert interpret(Path("a.pkl"), pickle.dumps(value, protocol=protocol)).value == value


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"state_dict": {"a.b": 1}, "epoch": 3}, ["a.b"]),
        ({"params": {"p": 1}, "params_ema": {"e": 1}}, ["e"]),
        ({"model": {"state_dict": {"module.a": 1}}}, ["module.a"]),
        ({"net": {"a": 1}}, ["a"]),
        ({"model.diffusion_model.a": 1, "model": {"b": 1}}, ["model.diffusion_model.a", "model.b"]),
        ({"image_proj": {"norm": 1}, "ip_adapter": {"1.to_k_ip": 1}}, ["image_proj.norm", "ip_adapter.1.to_k_ip"]),
        ({"model": {"lr": "text"}, "weights": {"a": 1}}, ["weights.a"]),
        ({320: ({"linear.0.weight": 1}, {"linear.0.weight": 1})}, ["320.0.linear.0.weight", "320.1.linear.0.weight"]),
        ([{"clip_l": 1}, {"clip_g": 1}], ["0.clip_l", "1.clip_g"]),
        (1, ["tensor"]),
    ],
)  # fmt: skip
def test_the_weights_are_found_in_their_wrappers(tmp_path: Path, value: object, names: list[str]) -> None:
    assert list(shapes(saved(tmp_path / "a.pt", _with_tensors(value)))) == names


def _with_tensors(value: object) -> object:
    """Ones become tensors."""
    if isinstance(value, dict):
        return {key: _with_tensors(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_with_tensors(one) for one in value)
    return torch.ones(2) if value == 1 else value


def test_an_embedding_of_webui_keeps_its_name_and_its_vectors(tmp_path: Path) -> None:
    vectors = torch.nn.ParameterDict({"*": torch.nn.Parameter(torch.ones(3, 768))})
    value = {
        "string_to_token": {"*": 265},
        "string_to_param": vectors,
        "name": "moss",
        "step": 499,
        "sd_checkpoint": None,
    }
    table = table_of(saved(tmp_path / "moss.pt", value))
    assert {name: entry.shape for name, entry in table.tensors.items()} == {"string_to_param.*": (3, 768)}
    wanted = {"string_to_token.*": "265", "name": "moss", "step": "499", "sd_checkpoint": "None"}
    assert table.metadata == {**wanted, STRANGERS: "torch.nn.modules.container.ParameterDict"}


def test_a_hypernetwork_keeps_its_settings(tmp_path: Path) -> None:
    layers = {f"linear.{n}.{part}": torch.ones(2) for n in range(2) for part in ("weight", "bias")}
    settings = {
        "step": 10,
        "name": "hn",
        "layer_structure": [1.0, 2.0, 1.0],
        "activation_func": "relu",
        "is_layer_norm": False,
    }
    table = table_of(saved(tmp_path / "hn.pt", {768: (layers, layers), **settings}))
    assert len(table.tensors) == 4, "both halves are one object here, told once"
    assert table.metadata["layer_structure"] == "[1.0, 2.0, 1.0]"
    assert (table.metadata["activation_func"], table.metadata["is_layer_norm"]) == ("relu", "False")


def test_a_training_checkpoint_with_foreign_classes_is_read_and_what_it_would_import_is_told(tmp_path: Path) -> None:
    value = {
        "state_dict": {"a": torch.ones(2)},
        "epoch": 3,
        "callbacks": {Callback: Callback(best=torch.ones(1))},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}}],
        "sizes": torch.ones(2, 3).shape,
    }
    path = saved(tmp_path / "a.ckpt", value)
    table = table_of(path)
    assert list(table.tensors) == ["a"]
    assert table.metadata == {"epoch": "3", "sizes": "[2, 3]", STRANGERS: f"{__name__}.Callback"}
    assert read_pickle_weights(path).left_out == ("callbacks", "optimizer_states")


def test_a_module_that_was_pickled_whole_gives_its_state_dict(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    path = saved(tmp_path / "net.pt", {"model": net})
    assert shapes(path) == {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


def test_parameters_and_tensors_with_attributes_are_tensors(tmp_path: Path) -> None:
    marked = torch.ones(2)
    marked.mark = "x"  # type: ignore[attr-defined]
    parameter = torch.nn.Parameter(torch.ones(3))
    parameter.mark = "x"  # type: ignore[attr-defined]
    path = saved(
        tmp_path / "a.pt", {"marked": marked, "parameter": parameter, "plain": torch.nn.Parameter(torch.ones(1))}
    )
    assert shapes(path) == {"marked": (2,), "parameter": (3,), "plain": (1,)}
    assert STRANGERS not in table_of(path).metadata


@pytest.mark.parametrize("protocol", [2, 4])
def test_numpy_numbers_are_numbers_and_arrays_are_told_as_left_out(tmp_path: Path, protocol: int) -> None:
    value = {
        "a": torch.ones(1),
        "half": np.float64(0.5),
        "seven": np.int32(7),
        "big": np.array(3, ">i4")[()],
        "array": np.ones(3),
    }
    torch.save(value, tmp_path / "a.pt", pickle_protocol=protocol)
    weights = read_pickle_weights(tmp_path / "a.pt")
    assert weights.metadata == {"half": "0.5", "seven": "7", "big": "3"}
    assert (weights.left_out, weights.strangers) == (("array",), ())


def test_containers_of_the_standard_library_are_plain(tmp_path: Path) -> None:
    kept = defaultdict(list, {"a": torch.ones(1)})
    table = table_of(saved(tmp_path / "a.pt", {"state_dict": kept, "seen": {1}, "old": frozenset([2])}))
    assert (list(table.tensors), table.metadata) == (["a"], {"seen": "[1]", "old": "[2]"})


def test_ordered_dicts_of_python_2_are_read(tmp_path: Path) -> None:
    text = b"ccollections\nOrderedDict\n((lp0\n(lp1\nS'name'\naS'value'\naatR."
    path = tmp_path / "old.pt"
    path.write_bytes(text)
    assert table_of(path).metadata == {"name": "value"}


def test_a_pickle_without_tensors_is_a_table_without_rows(tmp_path: Path) -> None:
    table = table_of(pickled(tmp_path / "a.pkl", {"words": ["a", "b"], "n": 2**70}))
    assert (dict(table.tensors), table.metadata) == ({}, {"words": '["a", "b"]', "n": str(2**70)})


def test_a_dictionary_that_holds_itself_ends(tmp_path: Path) -> None:
    value: dict[str, Any] = {"a": torch.ones(1)}
    value["self"] = value
    assert list(shapes(saved(tmp_path / "a.pt", value))) == ["a"]


def test_tensors_of_one_storage_are_both_there(tmp_path: Path) -> None:
    tied = torch.ones(4)
    path = saved(tmp_path / "a.pt", {"in": tied, "out": tied.view(2, 2), "same": tied})
    assert shapes(path) == {"in": (4,), "out": (2, 2), "same": (4,)}
    assert bytes_of(path, "in") == bytes_of(path, "out")


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(position=st.integers(0, 3000), byte=st.integers(0, 255), cut=st.integers(0, 3000))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path: Path, old: bool, position: int, byte: int, cut: int
) -> None:
    path = saved(tmp_path / "a.pt", {"state_dict": {"a": torch.ones(4), "b": torch.ones(2, 2).half()}}, old=old)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = byte
    path.write_bytes(content[: len(content) - cut % len(content)] if cut > 1500 else content)
    with contextlib.suppress(BrokenFile, UnsafeFile):
        table_of(path)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_a_file_that_was_cut_short_says_so(tmp_path: Path, old: bool) -> None:
    path = saved(tmp_path / "a.pt", {"a": torch.ones(400)}, old=old)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BrokenFile, match="truncated") as caught:
        table_of(path)
    assert caught.value.mend == "download it again"


def test_what_stands_behind_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"a": 1}) + pickle.dumps({"b": 2}))
    with pytest.raises(BrokenFile, match="something stands behind"):
        table_of(path)


def test_a_program_and_a_tar_are_refused_with_their_reasons(tmp_path: Path) -> None:
    program = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), program)
    (tmp_path / "program.pt").write_bytes(program.getvalue())
    (tmp_path / "old.pt").write_bytes(b"sys_info".ljust(257, b"\0") + b"ustar".ljust(300, b"\0"))
    with pytest.raises(UnsafeFile, match="is compressed"):
        table_of(tmp_path / "program.pt")
    with pytest.raises(UnsafeFile, match="tar"):
        table_of(tmp_path / "old.pt")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        read_pickle_weights(tmp_path / "none.pt")
