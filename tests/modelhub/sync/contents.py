"""Small models as bytes, for hubs to offer."""

import io
import math

from modelhub.headers import write_table
from tests import tables

__all__ = ["lora", "model_bytes", "pickle_bytes", "vae_weights"]


def lora(number: int, *, width: int = 768) -> bytes:
    """A LoRA; no two numbers give the same bytes. SD1's is 768 wide, SDXL's 2048."""
    return model_bytes(tables.tiny_lora(width=width), number)


def vae_weights() -> bytes:
    """What a diffusers VAE has, as far as identification looks."""
    ends = {
        "encoder.conv_in": (4, 3),
        "encoder.conv_out": (8, 4),
        "decoder.conv_in": (4, 4),
        "decoder.conv_out": (3, 4),
    }
    shapes: tables.Shapes = {f"{name}.weight": (*sizes, 3, 3) for name, sizes in ends.items()}
    return model_bytes(shapes | {"quant_conv.weight": (8, 8, 1, 1), "post_quant_conv.weight": (4, 4, 1, 1)}, 0)


def model_bytes(shapes: tables.Shapes, number: int, *, size: int = 0) -> bytes:
    """A safetensors file of these tensors, of about `size` bytes where they are smaller; no number gives the same."""
    spare = (size - sum(2 * math.prod(shape) for shape in shapes.values())) // 2
    padded = {**shapes, "padding.weight": (spare,)} if spare > 0 else shapes
    out = io.BytesIO()
    rows = [(name, "F16", shape, memoryview(bytes(2 * math.prod(shape)))) for name, shape in padded.items()]
    write_table(out, rows, {"number": str(number)})
    return out.getvalue()


def pickle_bytes() -> bytes:
    """A textual inversion as torch pickles it."""
    import torch

    out = io.BytesIO()
    torch.save({"string_to_param": {"*": torch.zeros(4, 768)}, "name": "kip"}, out)
    return out.getvalue()
