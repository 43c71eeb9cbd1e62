"""How fast a file is known: header parsed, validated and identified, at the size of a real LoRA."""

import json
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from safetensors import safe_open

from benchmarks._figure import Figure, seconds_in_turn
from modelhub.headers import read_table
from modelhub.identify import identify

_FILES = 40
_BLOCKS = 50
_LAYERS = ("attn1_to_q", "attn1_to_k", "attn1_to_v", "attn1_to_out_0", "attn2_to_q", "attn2_to_k", "attn2_to_v",
           "attn2_to_out_0", "ff_net_0_proj", "ff_net_2", "proj_in")  # fmt: skip


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [_write(Path(folder) / f"{index}.safetensors") for index in range(_FILES)]
        ours, theirs = seconds_in_turn(
            3, lambda: [_known(path) for path in paths], lambda: [_opened(one) for one in paths]
        )
        tensors = len(read_table(paths[0]).tensors)
    yield Figure(f"known files a second ({tensors:,} tensors each)", _FILES / ours, "files/s")
    yield Figure("the safetensors library's open and list / ours", theirs / ours, "x")


def _known(path: Path) -> object:
    return identify(read_table(path), name=path.stem)


def _opened(path: Path) -> int:
    with safe_open(path, framework="np") as file:
        return len(list(file.keys())) + len(file.metadata() or {})


def _write(path: Path) -> Path:
    """A kohya LoRA of one float16 row a tensor: the header is of real size, the data is not."""
    header: dict[str, object] = {
        "__metadata__": {"ss_network_module": "networks.lora", "ss_base_model_version": "sd_v1"}
    }
    offset = 0
    for block in range(_BLOCKS):
        for layer in _LAYERS:
            name = f"lora_unet_down_blocks_{block}_attentions_0_transformer_blocks_0_{layer}"
            for suffix, shape in (("lora_down.weight", [1, 768]), ("lora_up.weight", [320, 1]), ("alpha", [])):
                size = 2 * (shape[0] * shape[1] if shape else 1)
                header[f"{name}.{suffix}"] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + size]}
                offset += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(offset))
    return path
