"""Tensor tables of real models, in real size, and small files on disk; no torch needed.

Keys and shapes follow CompVis/stable-diffusion's v1-inference.yaml and sd-scripts' networks/lora.py; the
numbers of tensors are those of the published files (see `test_tables_have_as_many_tensors_as_the_real_files`).
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from modelhub.headers import TensorEntry, TensorTable, write_table

Shapes = dict[str, tuple[int, ...]]

__all__ = ["Shapes", "clip_text", "diffusers_unet", "kohya_lora", "ldm_checkpoint", "ldm_unet", "ldm_vae", "peft_lora"]
__all__ += ["table", "tiny_lora", "write"]


def table(shapes: Shapes, metadata: Mapping[str, str] | None = None) -> TensorTable:
    """As `read_table` would give it for a float16 file."""
    tensors, position = {}, 0
    for name, shape in shapes.items():
        end = position + 2 * math.prod(shape)
        tensors[name] = TensorEntry("F16", shape, (position, end))
        position = end
    return TensorTable(tensors, dict(metadata or {}))


def write(path: Path, shapes: Shapes, metadata: Mapping[str, str] | None = None, *, fill: int = 0) -> Path:
    """A real file of these tensors, every byte of them `fill`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [(name, "F16", shape, memoryview(bytes([fill]) * (2 * math.prod(shape)))) for name, shape in shapes.items()]
    with path.open("wb") as file:
        write_table(file, rows, metadata or {})
    return path


def tiny_lora(width: int = 768, rank: int = 4) -> Shapes:
    """One module of a kohya LoRA: enough to be one, in a few kilobytes."""
    module = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    return {f"{module}.lora_down.weight": (rank, width), f"{module}.lora_up.weight": (8, rank), f"{module}.alpha": ()}


def ldm_checkpoint(**sizes: int) -> Shapes:
    """SD1's single file: UNet, VAE, text encoder."""
    text = {f"cond_stage_model.transformer.text_model.{name}": shape for name, shape in clip_text().items()}
    vae = {f"first_stage_model.{name}": shape for name, shape in ldm_vae().items()}
    unet = {f"model.diffusion_model.{name}": shape for name, shape in ldm_unet(**sizes).items()}
    return {**unet, **vae, **text, "alphas_cumprod": (1000,)}


def ldm_unet(channels: int = 320, context: int = 768, in_channels: int = 4) -> Shapes:
    return dict(_unet(channels, context, in_channels))


def ldm_vae(latent: int = 4, width: int = 128) -> Shapes:
    return dict(_vae(latent, width))


def clip_text(width: int = 768, layers: int = 12) -> Shapes:
    shapes: Shapes = {
        "embeddings.token_embedding.weight": (49408, width),
        "embeddings.position_embedding.weight": (77, width),
        **_normed("final_layer_norm", width),
    }
    for layer in range(layers):
        at = f"encoder.layers.{layer}"
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= _linear(f"{at}.self_attn.{name}", width, width)
        shapes |= _linear(f"{at}.mlp.fc1", width, 4 * width) | _linear(f"{at}.mlp.fc2", 4 * width, width)
        shapes |= _normed(f"{at}.layer_norm1", width) | _normed(f"{at}.layer_norm2", width)
    return shapes


def diffusers_unet(channels: int = 320, context: int = 768) -> Shapes:
    """What identification looks at, in diffusers' names."""
    block = "down_blocks.0.attentions.0"
    return {
        "conv_in.weight": (channels, 4, 3, 3),
        "conv_out.weight": (4, channels, 3, 3),
        f"{block}.proj_in.weight": (channels, channels, 1, 1),
        f"{block}.transformer_blocks.0.attn2.to_k.weight": (channels, context),
    }


def kohya_lora(context: int = 768, rank: int = 16, *, text: bool = True) -> Shapes:
    """All attention and text encoder modules of SD1, as sd-scripts trains them by default."""
    shapes: Shapes = {}
    for module, (out, into) in _lora_modules(context, text=text).items():
        down = (rank, into, 1, 1) if module.endswith(("proj_in", "proj_out")) else (rank, into)
        up = (out, rank, 1, 1) if len(down) == 4 else (out, rank)
        shapes |= {f"{module}.lora_down.weight": down, f"{module}.lora_up.weight": up, f"{module}.alpha": ()}
    return shapes


def peft_lora(context: int = 768, rank: int = 8) -> Shapes:
    """As diffusers' `save_lora_adapter` writes it."""
    at = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2"
    return {
        f"{at}.to_k.lora_A.weight": (rank, context),
        f"{at}.to_k.lora_B.weight": (320, rank),
        f"{at}.to_q.lora_A.weight": (rank, 320),
        f"{at}.to_q.lora_B.weight": (320, rank),
    }


def _lora_modules(context: int, *, text: bool) -> dict[str, tuple[int, int]]:
    places = {f"down_blocks_{level}_attentions_{n}": 320 << level for level in range(3) for n in range(2)}
    places |= {"mid_block_attentions_0": 1280}
    places |= {f"up_blocks_{level}_attentions_{n}": 1280 >> (level - 1) for level in (1, 2, 3) for n in range(3)}
    modules = {}
    for place, width in places.items():
        modules |= {f"lora_unet_{place}_{name}": (width, width) for name in ("proj_in", "proj_out")}
        within = f"lora_unet_{place}_transformer_blocks_0"
        for name in ("attn1_to_q", "attn1_to_k", "attn1_to_v", "attn1_to_out_0", "attn2_to_q", "attn2_to_out_0"):
            modules[f"{within}_{name}"] = (width, width)
        modules |= {f"{within}_attn2_to_{name}": (width, context) for name in "kv"}
        modules |= {f"{within}_ff_net_0_proj": (8 * width, width), f"{within}_ff_net_2": (width, 4 * width)}
    for layer in range(12 if text else 0):
        at = f"lora_te_text_model_encoder_layers_{layer}"
        modules |= {f"{at}_self_attn_{name}": (768, 768) for name in ("q_proj", "k_proj", "v_proj", "out_proj")}
        modules |= {f"{at}_mlp_fc1": (3072, 768), f"{at}_mlp_fc2": (768, 3072)}
    return modules


def _unet(channels: int, context: int, in_channels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    embedding = 4 * channels
    yield from _linear("time_embed.0", channels, embedding).items()
    yield from _linear("time_embed.2", embedding, embedding).items()
    yield from _conv("input_blocks.0.0", in_channels, channels).items()
    skips, width, index = [channels], channels, 1
    for level, factor in enumerate((1, 2, 4, 4)):
        for _ in range(2):
            yield from _res(f"input_blocks.{index}.0", width, channels * factor, embedding).items()
            width = channels * factor
            if level < 3:
                yield from _transformer(f"input_blocks.{index}.1", width, context).items()
            skips.append(width)
            index += 1
        if level < 3:
            yield from _conv(f"input_blocks.{index}.0.op", width, width).items()
            skips.append(width)
            index += 1
    yield from _res("middle_block.0", width, width, embedding).items()
    yield from _transformer("middle_block.1", width, context).items()
    yield from _res("middle_block.2", width, width, embedding).items()
    for block in range(12):
        level = 3 - block // 3
        out = channels * (1, 2, 4, 4)[level]
        yield from _res(f"output_blocks.{block}.0", width + skips.pop(), out, embedding).items()
        width = out
        if level < 3:
            yield from _transformer(f"output_blocks.{block}.1", width, context).items()
        if block % 3 == 2 and level > 0:
            yield from _conv(f"output_blocks.{block}.{2 if level < 3 else 1}.conv", width, width).items()
    yield from _normed("out.0", channels).items()
    yield from _conv("out.2", channels, 4).items()


def _vae(latent: int, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    widths = [width, 2 * width, 4 * width, 4 * width]
    yield from _conv("quant_conv", 2 * latent, 2 * latent, 1).items()
    yield from _conv("post_quant_conv", latent, latent, 1).items()
    for part, sides, depth in (("encoder.down", widths, 2), ("decoder.up", widths[::-1], 3)):
        at = sides[0]
        for step, out in enumerate(sides):
            level = step if part == "encoder.down" else 3 - step
            for block in range(depth):
                yield from _vae_res(f"{part}.{level}.block.{block}", at, out).items()
                at = out
            if step < 3:
                name = "downsample" if part == "encoder.down" else "upsample"
                yield from _conv(f"{part}.{level}.{name}.conv", out, out).items()
    for part, (first, last) in {"encoder": ((3, width), 2 * latent), "decoder": ((latent, 4 * width), 3)}.items():
        yield from _conv(f"{part}.conv_in", *first).items()
        yield from _vae_res(f"{part}.mid.block_1", 4 * width, 4 * width).items()
        yield from _vae_res(f"{part}.mid.block_2", 4 * width, 4 * width).items()
        yield from _normed(f"{part}.mid.attn_1.norm", 4 * width).items()
        for name in ("q", "k", "v", "proj_out"):
            yield from _conv(f"{part}.mid.attn_1.{name}", 4 * width, 4 * width, 1).items()
        edge = 4 * width if part == "encoder" else width
        yield from _normed(f"{part}.norm_out", edge).items()
        yield from _conv(f"{part}.conv_out", edge, last).items()


def _transformer(at: str, width: int, context: int) -> Shapes:
    inner = f"{at}.transformer_blocks.0"
    shapes = _normed(f"{at}.norm", width)
    shapes |= _conv(f"{at}.proj_in", width, width, 1) | _conv(f"{at}.proj_out", width, width, 1)
    for attention, source in (("attn1", width), ("attn2", context)):
        shapes |= {f"{inner}.{attention}.to_q.weight": (width, width)}
        shapes |= {f"{inner}.{attention}.to_{name}.weight": (width, source) for name in "kv"}
        shapes |= _linear(f"{inner}.{attention}.to_out.0", width, width)
    shapes |= _linear(f"{inner}.ff.net.0.proj", width, 8 * width) | _linear(f"{inner}.ff.net.2", 4 * width, width)
    for norm in ("norm1", "norm2", "norm3"):
        shapes |= _normed(f"{inner}.{norm}", width)
    return shapes


def _res(at: str, into: int, out: int, embedding: int) -> Shapes:
    shapes = _normed(f"{at}.in_layers.0", into) | _conv(f"{at}.in_layers.2", into, out)
    shapes |= _linear(f"{at}.emb_layers.1", embedding, out)
    shapes |= _normed(f"{at}.out_layers.0", out) | _conv(f"{at}.out_layers.3", out, out)
    return shapes | (_conv(f"{at}.skip_connection", into, out, 1) if into != out else {})


def _vae_res(at: str, into: int, out: int) -> Shapes:
    shapes = _normed(f"{at}.norm1", into) | _conv(f"{at}.conv1", into, out)
    shapes |= _normed(f"{at}.norm2", out) | _conv(f"{at}.conv2", out, out)
    return shapes | (_conv(f"{at}.nin_shortcut", into, out, 1) if into != out else {})


def _conv(at: str, into: int, out: int, side: int = 3) -> Shapes:
    return {f"{at}.weight": (out, into, side, side), f"{at}.bias": (out,)}


def _linear(at: str, into: int, out: int) -> Shapes:
    return {f"{at}.weight": (out, into), f"{at}.bias": (out,)}


def _normed(at: str, width: int) -> Shapes:
    return {f"{at}.weight": (width,), f"{at}.bias": (width,)}
