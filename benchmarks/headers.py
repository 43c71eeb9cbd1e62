"""How fast a file is known: header parsed, validated and identified, at the size of a real LoRA."""

import json
import struct
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from safetensors import safe_open

from benchmarks._figure import Figure, seconds_in_turn
from modelhub.headers import read_table
from modelhub.headers.gguf import MAGIC
from modelhub.identify import identify

_FILES = 8
_BLOCKS = 50
_LAYERS = ("attn1_to_q", "attn1_to_k", "attn1_to_v", "attn1_to_out_0", "attn2_to_q", "attn2_to_k", "attn2_to_v",
           "attn2_to_out_0", "ff_net_0_proj", "ff_net_2", "proj_in")  # fmt: skip
_CHECKPOINT = 1131
"""Tensors of a Stable Diffusion 1 checkpoint."""
_TRANSFORMER = 2000
"""Tensors of a large transformer."""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [_write_lora(Path(folder) / f"{index}.safetensors") for index in range(_FILES)]
        known, read, theirs = seconds_in_turn(
            25,
            lambda: [_known(path) for path in paths],
            lambda: [_read(path) for path in paths],
            lambda: [_opened(path) for path in paths],
        )
        tensors = len(read_table(paths[0]).tensors)
        pickled = _write_pickle(Path(folder) / "sd1.ckpt")
        quantised = _write_gguf(Path(folder) / "flux.gguf")
        pickle_read, gguf_read = seconds_in_turn(9, lambda: read_table(pickled), lambda: read_table(quantised))
    yield Figure(f"known files a second ({tensors:,} tensors each)", _FILES / known, "files/s", at_least=250)
    yield Figure("the safetensors library's open and list / ours, identified", theirs / known, "x", at_least=1)
    yield Figure("the safetensors library's open and list / ours, read", theirs / read, "x", at_least=1)
    yield Figure(f"table of a pickled checkpoint ({_CHECKPOINT:,} tensors)", 1000 * pickle_read, "ms")
    yield Figure(f"table of a GGUF file ({_TRANSFORMER:,} tensors)", 1000 * gguf_read, "ms")


def _known(path: Path) -> object:
    return identify(read_table(path), name=path.stem)


def _read(path: Path) -> int:
    return len(read_table(path).tensors)


def _opened(path: Path) -> int:
    with safe_open(path, framework="np") as file:
        return len(list(file.keys())) + len(file.metadata() or {})


def _write_lora(path: Path) -> Path:
    """A kohya LoRA of one float16 row a tensor: the header is of real size, the data is not."""
    metadata = {"ss_network_module": "networks.lora", "ss_base_model_version": "sd_v1"}
    shapes: dict[str, list[int]] = {}
    for block in range(_BLOCKS):
        for layer in _LAYERS:
            name = f"lora_unet_down_blocks_{block}_attentions_0_transformer_blocks_0_{layer}"
            shapes |= {f"{name}.lora_down.weight": [1, 768], f"{name}.lora_up.weight": [320, 1], f"{name}.alpha": []}
    return _write_safetensors(path, shapes, metadata)


def _write_safetensors(path: Path, shapes: Mapping[str, list[int]], metadata: Mapping[str, str]) -> Path:
    header: dict[str, object] = {"__metadata__": metadata}
    offset = 0
    for name, shape in shapes.items():
        size = 2 * (shape[0] * shape[1] if shape else 1)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(offset))
    return path


def _write_pickle(path: Path) -> Path:
    import torch

    names = (f"model.diffusion_model.input_blocks.{index}.0.in_layers.2.weight" for index in range(_CHECKPOINT))
    torch.save({"state_dict": {name: torch.zeros(8, 8) for name in names}, "global_step": 840_000}, path)
    return path


def _write_gguf(path: Path) -> Path:
    """Float32 tensors of 64 x 64 behind each other, as version 3 has them."""
    rows = b""
    for index in range(_TRANSFORMER):
        name = f"double_blocks.{index}.img_attn.norm.key_norm.scale".encode()
        rows += struct.pack("<Q", len(name)) + name + struct.pack("<IQQIQ", 2, 64, 64, 0, index << 14)
    header = MAGIC + struct.pack("<IQQ", 3, _TRANSFORMER, 0) + rows
    path.write_bytes(header + bytes(-len(header) % 32) + bytes(_TRANSFORMER << 14))
    return path
