"""Tensor tables of what steers a denoiser: ControlNets, adapters, hypernetworks, embeddings; no torch needed.

Names are those of the published files' authors (lllyasviel, Stability, XLabs, InstantX, TencentARC, tencent-ailab,
kohya, InstantID, AnimateDiff); what diffusers has a class for is built from it in the tests instead.
"""

from itertools import pairwise

from tests.tables import Shapes, ldm_checkpoint, ldm_unet

__all__ = [
    "control_lora",
    "controlled_checkpoint",
    "flux_controlnet",
    "hypernetwork",
    "ip_adapter",
    "ldm_controlnet",
    "lllite",
    "motion_module",
    "t2i_adapter",
    "t2i_light",
    "t2i_style",
    "under",
]


def under(prefix: str, shapes: Shapes) -> Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


def ldm_controlnet(context: int = 768, hint: int = 3) -> Shapes:
    """cldm's ControlNet: half of the UNet, a stack that takes the hint, and convolutions that begin at zero."""
    unet = ldm_unet(context=context)
    half = ("time_embed.", "input_blocks.", "middle_block.")
    shapes: Shapes = {name: shape for name, shape in unet.items() if name.startswith(half)}
    sides = [(hint, 16), (16, 16), (16, 32), (32, 32), (32, 96), (96, 96), (96, 256), (256, 320)]
    shapes |= {f"input_hint_block.{2 * n}.weight": (out, into, 3, 3) for n, (into, out) in enumerate(sides)}
    widths = [320] * 4 + [640] * 3 + [1280] * 5
    shapes |= {f"zero_convs.{n}.0.weight": (width, width, 1, 1) for n, width in enumerate(widths)}
    return shapes | {"middle_block_out.0.weight": (1280, 1280, 1, 1)}


def controlled_checkpoint() -> Shapes:
    """What cldm saves while it trains: the base and the ControlNet."""
    return ldm_checkpoint() | under("control_model.", ldm_controlnet())


def control_lora(context: int = 2048, rank: int = 128) -> Shapes:
    """Stability's: a ControlNet whose layers are deltas to the UNet's."""
    at = "input_blocks.4.1.transformer_blocks.0"
    shapes: Shapes = {"lora_controlnet": (), "input_hint_block.0.weight": (16, 3, 3, 3)}
    shapes |= {f"{at}.attn2.to_k.down": (rank, context), f"{at}.attn2.to_k.up": (640, rank)}
    shapes |= {f"{at}.attn1.to_q.down": (rank, 640), f"{at}.attn1.to_q.up": (640, rank)}
    shapes |= {
        "input_blocks.1.0.in_layers.2.down": (rank, 320, 3, 3),
        "input_blocks.1.0.in_layers.2.up": (320, rank, 1, 1),
    }
    return shapes | {f"zero_convs.{n}.0.weight": (320, 320, 1, 1) for n in range(9)}


def flux_controlnet(out: str = "controlnet_blocks.0") -> Shapes:
    """XLabs' (and, with a ``.linear`` behind its blocks, Mistoline's): two of FLUX.1's blocks in its own names."""
    shapes: Shapes = {
        "img_in.weight": (3072, 64),
        "txt_in.weight": (3072, 4096),
        "vector_in.in_layer.weight": (3072, 768),
    }
    for block in range(2):
        for stream in ("img", "txt"):
            at = f"double_blocks.{block}.{stream}"
            shapes |= {f"{at}_attn.qkv.weight": (9216, 3072), f"{at}_attn.proj.weight": (3072, 3072)}
            shapes |= {f"{at}_attn.norm.key_norm.scale": (128,), f"{at}_mlp.0.weight": (12288, 3072)}
    hint = {"input_hint_block.0.weight": (16, 3, 3, 3), "pos_embed_input.weight": (3072, 64)}
    return shapes | hint | {f"{out}.weight": (3072, 3072)}


def lllite(front: str = "lllite_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q") -> Shapes:
    shapes: Shapes = {
        f"{front}.conditioning1.0.weight": (16, 3, 4, 4),
        f"{front}.conditioning1.2.weight": (32, 16, 4, 4),
    }
    shapes |= {
        f"{front}.down.0.weight": (64, 640),
        f"{front}.mid.0.weight": (64, 96),
        f"{front}.up.0.weight": (640, 64),
    }
    return shapes


def t2i_adapter(entry: int = 192, block: str = "block1") -> Shapes:
    shapes: Shapes = {"conv_in.weight": (320, entry, 3, 3), "conv_in.bias": (320,)}
    for body in range(8):
        width = (320, 640, 1280, 1280)[body // 2]
        shapes |= {
            f"body.{body}.{block}.weight": (width, width, 3, 3),
            f"body.{body}.block2.weight": (width, width, 1, 1),
        }
    return shapes


def t2i_light(entry: int = 192) -> Shapes:
    shapes: Shapes = {}
    for body, (into, width) in enumerate([(entry, 320), (320, 640), (640, 1280), (1280, 1280)]):
        inner = width // 4
        shapes |= {
            f"body.{body}.in_conv.weight": (inner, into, 1, 1),
            f"body.{body}.out_conv.weight": (width, inner, 1, 1),
        }
        shapes |= {f"body.{body}.body.{n}.block1.weight": (inner, inner, 3, 3) for n in range(4)}
    return shapes


def t2i_style() -> Shapes:
    shapes: Shapes = {"style_embedding": (1, 8, 1024), "proj": (1024, 768), "ln_post.weight": (1024,)}
    return shapes | {f"transformer_layes.{n}.attn.in_proj_weight": (3072, 1024) for n in range(3)}


def ip_adapter(
    projection: Shapes, context: int = 768, *, first: int = 1, rows: int = 320, lora: bool = False
) -> Shapes:
    shapes = under("image_proj.", projection)
    for index in range(first, first + 32, 2):
        shapes |= {f"ip_adapter.{index}.to_{name}_ip.weight": (rows, context) for name in "kv"}
        if lora:
            shapes |= {f"ip_adapter.{index}.to_q_lora.down.weight": (128, rows)}
            shapes |= {f"ip_adapter.{index}.to_q_lora.up.weight": (rows, 128)}
    return shapes


def motion_module(levels: int = 4) -> Shapes:
    """AnimateDiff's: transformers over time for every level of the UNet."""
    shapes: Shapes = {}
    for level in range(levels):
        width = 320 * min(2**level, 4)
        for side in ("down", "up"):
            at = f"{side}_blocks.{level}.motion_modules.0.temporal_transformer"
            shapes |= {f"{at}.proj_in.weight": (width, width), f"{at}.proj_out.weight": (width, width)}
            block = f"{at}.transformer_blocks.0.attention_blocks.0"
            shapes |= {f"{block}.to_{name}.weight": (width, width) for name in "qkv"}
    return shapes


def hypernetwork(widths: tuple[int, ...], structure: tuple[float, ...] = (1, 2, 1), *, old: bool = False) -> Shapes:
    shapes: Shapes = {}
    for width in widths:
        for half in (0, 1):
            for layer, (into, out) in enumerate(pairwise(structure)):
                name = f"linear{layer + 1}" if old else f"linear.{layer}"
                shapes[f"{width}.{half}.{name}.weight"] = (int(width * out), int(width * into))
                shapes[f"{width}.{half}.{name}.bias"] = (int(width * out),)
    return shapes
