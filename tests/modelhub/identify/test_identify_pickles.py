"""What other tools pickle, written by torch and read inertly, is identified as its safetensors twin would be."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from modelhub.headers import read_table
from modelhub.identify import identify
from tests import tables, tables_controls, tables_upscalers


def weights(shapes: tables.Shapes) -> OrderedDict[str, torch.Tensor]:
    """Tensors of these shapes that take no room: every value is the same one."""
    return OrderedDict((name, torch.zeros(()).expand(shape)) for name, shape in shapes.items())


def nets(width: int) -> tuple[OrderedDict[str, torch.Tensor], ...]:
    shapes = tables_controls.hypernetwork((width,))
    parts = [
        {name[len(f"{width}.0.") :]: shape for name, shape in shapes.items() if f".{n}.lin" in name} for n in (0, 1)
    ]
    return tuple(weights(part) for part in parts)


ROWS = torch.zeros(4, 768)
FILES: dict[str, tuple[object, dict[str, object]]] = {
    "webui's embedding": (
        {"string_to_token": {"*": 265}, "string_to_param": {"*": nn.Parameter(ROWS)}, "name": "kip", "step": 9},
        {"kind": "embedding", "family": "sd1", "format": "pickle/webui"},
    ),
    "the oldest webui's embedding": (
        {"string_to_token": {"*": 265}, "string_to_param": nn.ParameterDict({"*": nn.Parameter(ROWS)}), "name": "kip"},
        {"kind": "embedding", "family": "sd1", "format": "pickle/webui"},
    ),
    "diffusers' embedding": ({"<kip>": ROWS[0]}, {"kind": "embedding", "family": "sd1", "format": "pickle/diffusers"}),
    "hypernetwork": (
        {**{width: nets(width) for width in (320, 640, 768, 1280)}, "step": 5, "layer_structure": [1, 2, 1]},
        {"kind": "hypernetwork", "family": "sd1", "format": "pickle/webui"},
    ),
    "lora": (
        weights(tables.kohya_lora()),
        {"kind": "lora", "family": "sd1", "format": "pickle/kohya", "rank": 16},
    ),
    "controlnet in a state_dict": (
        {"state_dict": weights(tables_controls.under("control_model.", tables_controls.ldm_controlnet()))},
        {"kind": "controlnet", "family": "sd1", "format": "pickle/ldm"},
    ),
    "nested ip-adapter": (
        {
            "image_proj": weights({"proj.weight": (3072, 1024), "norm.weight": (768,)}),
            "ip_adapter": weights({"1.to_k_ip.weight": (320, 768), "1.to_v_ip.weight": (320, 768)}),
        },
        {"kind": "adapter", "algorithm": "ip-adapter", "family": "sd1", "format": "pickle/ip-adapter"},
    ),
    "upscaler in params_ema": (
        {"params_ema": weights(tables_upscalers.real_esrgan(12))},
        {"kind": "upscaler", "algorithm": "real-esrgan", "scale": 2, "format": "pickle/native"},
    ),
    "the first esrgan": (
        weights(tables_upscalers.esrgan()),
        {"kind": "upscaler", "algorithm": "esrgan", "scale": 4},
    ),
    "face restorer in params_ema": (
        {"params_ema": weights(tables_upscalers.gfpgan())},
        {"kind": "face_restorer", "algorithm": "gfpgan"},
    ),
}


@pytest.mark.parametrize("which", FILES)
def test_a_pickle_is_what_was_pickled(tmp_path: Path, which: str) -> None:
    content, expected = FILES[which]
    torch.save(content, tmp_path / "model.pt")
    facts = identify(read_table(tmp_path / "model.pt"), name="model")
    assert {field: getattr(facts, field) for field in expected} == expected
