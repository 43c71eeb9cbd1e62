"""What a hypernetwork's file says of its nets."""

from pathlib import Path

import pytest
import torch

from inference.adapters.hypernetwork import parse_hypernetwork
from inference.weights.save import save_tensors
from modelhub.errors import Incompatible
from modelhub.headers import read_table
from tests.inference.adapters.hypernetworks import saved, write_converted


def test_a_converted_file_tells_all_that_the_pickle_told(tmp_path: Path) -> None:
    path = write_converted(
        tmp_path / "h.safetensors", 8, 16, norms=True,
        activation_func="swish", activate_output=False, is_layer_norm=True, layer_structure=[1, 2, 1], use_dropout=True,
    )  # fmt: skip

    nets = parse_hypernetwork(path, read_table(path))

    assert list(nets) == [8, 16]
    for width, pair in nets.items():
        for net in pair:
            assert (net.activation, net.activates_output) == ("swish", False)
            assert [layer.shape for layer in net.layers] == [
                (2 * width, width),
                (2 * width,),
                (width, 2 * width),
                (width,),
            ]
    assert nets[8][1].layers[0].weight == "8.1.linear.0.weight"


def test_what_was_never_said_is_what_webui_takes_it_for(tmp_path: Path) -> None:
    path = write_converted(tmp_path / "h.safetensors", 8, activation_func=None)

    for net in parse_hypernetwork(path, read_table(path))[8]:
        assert (net.activation, net.activates_output) == ("linear", True)


def test_the_oldest_files_number_their_layers_without_a_point(tmp_path: Path) -> None:
    names = {"linear.0": "linear1", "linear.1": "linear2"}
    tensors = {
        f"8.{half}.{names[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": tensor
        for half, net in enumerate(saved(8, activated=False)[8])
        for name, tensor in net.items()
    }
    save_tensors(tmp_path / "h.safetensors", tensors, {})

    keys, _ = parse_hypernetwork(tmp_path / "h.safetensors", read_table(tmp_path / "h.safetensors"))[8]

    assert [layer.weight for layer in keys.layers] == ["8.0.linear1.weight", "8.0.linear2.weight"]


@pytest.mark.parametrize(
    ("tensors", "wrong"),
    [
        ({"x": (8, 8)}, "holds no pairs of nets"),
        ({"8.0.linear.0.weight": (8, 8), "8.0.linear.0.bias": (8,)}, "holds no pairs of nets"),
        ({"8.0.linear.0.weight": (8, 8)}, "lacks weight or bias of layer 0"),
        ({"8.0.linear.0.weight": (9, 8), "8.0.linear.0.bias": (9,)}, "does not fit together"),
        ({"8.0.linear.0.weight": (8,), "8.0.linear.0.bias": (8,)}, "does not fit together"),
        ({"8.0.linear.0.weight": (8, 8, 1), "8.0.linear.0.bias": (8,)}, "does not fit together"),
    ],
)
def test_what_is_no_hypernetwork_is_refused(tmp_path: Path, tensors: dict[str, tuple[int, ...]], wrong: str) -> None:
    path = tmp_path / "h.safetensors"
    save_tensors(path, {name: torch.zeros(shape) for name, shape in tensors.items()}, {})

    with pytest.raises(Incompatible, match=wrong):
        parse_hypernetwork(path, read_table(path))
