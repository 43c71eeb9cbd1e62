"""ONNX nets are read as their own library reads them, without a number of theirs, and nothing is believed unchecked."""

import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from modelhub.errors import BrokenFile, MissingFile, ModelHubError, UnsafeFile
from modelhub.headers import TensorTable, read_table
from modelhub.headers.onnx import INPUTS, OUTPUTS, begins_onnx, read_onnx
from tests.onnx_files import HOSTILE_NETS, field, net, tensor

MOST_SECONDS = 30.0
"""Of the processor, in this process: many times what any of them takes, whatever else the machine does."""
TYPES = {1: "F32", 7: "I64", 9: "BOOL", 10: "F16", 11: "F64", 16: "BF16", 3: "I8"}


def read(content: bytes) -> TensorTable:
    return read_onnx(Path("net.onnx"), BytesIO(content))


def made(weights: Sequence[TensorProto], nodes: Sequence[onnx.NodeProto] = (), **how: object) -> bytes:
    """By the library itself."""
    graph = helper.make_graph(
        nodes, "kip",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT16, ["N", 448, None, 3])],
        [helper.make_tensor_value_info("likely", TensorProto.FLOAT, [1, 9])],
        weights,
    )  # fmt: skip
    written: bytes = helper.make_model(graph, ir_version=8, **how).SerializeToString()
    return written


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("raw", [True, False])
def test_weights_are_those_that_the_library_finds(kind: int, raw: bool) -> None:
    values = np.array([0, 1, 1, 0, 1, 0], np.float32)
    if raw and kind in (1, 7, 11, 10):
        weight = numpy_helper.from_array(values.astype(helper.tensor_dtype_to_np_dtype(kind)).reshape(2, 3), "w")
    else:
        weight = helper.make_tensor("w", kind, [2, 3], values.tolist())
    content = made([weight, helper.make_tensor("empty", 1, [0, 3], [])])

    table = read(content)

    assert {name: one.shape for name, one in table.tensors.items()} == {"w": (2, 3), "empty": (0, 3)}
    entry = table.tensors["w"]
    assert entry.dtype == TYPES[kind]
    if weight.HasField("raw_data"):
        assert content[entry.start : entry.end] == weight.raw_data


def test_every_net_that_the_library_brings_is_read_as_it_reads_it() -> None:
    files = sorted(Path(onnx.__file__).parent.rglob("*.onnx"))
    for path in files:
        said, content = onnx.load(path, load_external_data=False).graph, path.read_bytes()
        table = read(content)
        assert {name: one.shape for name, one in table.tensors.items()} == {
            one.name: tuple(one.dims) for one in said.initializer
        }
        given = [one for one in said.input if one.name not in table.tensors]
        assert len([one for one in table.metadata[INPUTS].split("; ") if one]) == len(given)


def test_what_goes_in_and_comes_out_is_told_without_names_by_strangers() -> None:
    table = read(made([], opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]))

    assert table.container == "onnx"
    assert (table.metadata[INPUTS], table.metadata[OUTPUTS]) == ("F16 [?, 448, ?, 3]", "F32 [1, 9]")
    assert (table.metadata["onnx.ir_version"], table.metadata["onnx.opset"]) == ("8", "17 com.microsoft 1")


def test_weights_that_are_named_as_inputs_do_not_go_in() -> None:
    model = onnx.load_from_string(made([numpy_helper.from_array(np.zeros(3, np.float32), "w")]))
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [3]))

    assert read(model.SerializeToString()).metadata[INPUTS] == "F16 [?, 448, ?, 3]"


def test_its_keys_are_kept_but_never_for_what_we_read_ourselves() -> None:
    model = onnx.load_from_string(made([]))
    helper.set_model_props(model, {"author": "kip", OUTPUTS: "a lie", "long": "x" * 5000})

    told = read(model.SerializeToString()).metadata
    assert (told["author"], told[OUTPUTS]) == ("kip", "F32 [1, 9]")
    assert "long" not in told


def test_nets_with_loops_and_constants_are_read() -> None:
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.ones(3, np.float32), "location"))],
        "inner", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, [3])],
    )  # fmt: skip
    choice = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)

    assert read(made([], [choice])).tensors == {}


@pytest.mark.parametrize("name", HOSTILE_NETS)
def test_a_hostile_net_ends_in_one_clear_line_and_soon(name: str) -> None:
    content, before = HOSTILE_NETS[name](), time.process_time()

    with pytest.raises(ModelHubError) as caught:
        read(content)

    assert time.process_time() - before < MOST_SECONDS
    assert isinstance(caught.value, UnsafeFile if "another-file" in name or "name-of-a-file" in name else BrokenFile)
    assert caught.value.message.startswith("net.onnx")
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 500


def test_the_library_too_would_open_the_file_that_a_tensor_names(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(HOSTILE_NETS["weights-in-another-file"]())

    with pytest.raises(Exception, match=r"etc/passwd|outside|No such file|escapes"):
        onnx.load(tmp_path / "model.onnx")


def test_a_net_that_was_cut_is_noticed_wherever() -> None:
    content = net()
    graph_ends = content.index(field(8, field(1, "") + field(2, 17)))

    for end in range(graph_ends):
        with pytest.raises(BrokenFile):
            read(content[:end])


def test_a_packed_shape_is_one_too() -> None:
    packed = field(1, b"\x02\x03") + tensor("v", (), raw=bytes(24))

    assert read(net(graph=field(5, packed))).tensors["v"].shape == (2, 3)


def test_a_net_alone_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(net())

    with pytest.raises(UnsafeFile, match="an ONNX net") as caught:
        read_table(tmp_path / "net.onnx")
    assert caught.value.mend == f"put selected_tags.csv beside it, then: modelhub add {tmp_path}"
    with pytest.raises(MissingFile):
        read_table(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"\x08", b"PK\x03\x04", b"GGUF", b"\x80\x02}", b"\x08\x00\x00\x00{"])
def test_other_formats_do_not_begin_as_nets_do(content: bytes) -> None:
    assert not begins_onnx(content)
    assert begins_onnx(net())
