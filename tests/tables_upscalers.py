"""Tensor tables of upscalers and face restorers: what identification looks at, in the names of their authors.

Names and shapes are those of the networks' published code (BasicSR, SwinIR, HAT, DAT, ...), with few blocks.
"""

from tests.tables import Shapes

__all__ = [
    "atd",
    "bsrgan",
    "codeformer",
    "compact",
    "craft",
    "dat",
    "ditn",
    "drct",
    "esrgan",
    "gfpgan",
    "grl",
    "hat",
    "mosr",
    "omnisr",
    "plksr",
    "real_esrgan",
    "realcugan",
    "restoreformer",
    "safmn",
    "scunet",
    "span",
    "swin2sr",
    "swinir",
]

_SWIN = "layers.0.residual_group.blocks.0"


def esrgan(doublings: int = 2, entry: int = 3) -> Shapes:
    """The first one: numbered layers, the blocks within the second."""
    shapes: Shapes = {"model.0.weight": (64, entry, 3, 3), "model.0.bias": (64,)}
    for block in range(23):
        for dense in (1, 2, 3):
            at = f"model.1.sub.{block}.RDB{dense}"
            shapes |= {f"{at}.conv{n}.0.weight": (32 if n < 5 else 64, 32 + 32 * n, 3, 3) for n in range(1, 6)}
    shapes |= {"model.1.sub.23.weight": (64, 64, 3, 3)}
    shapes |= {f"model.{3 * n}.weight": (64, 64, 3, 3) for n in range(1, doublings + 1)}
    last = 3 * doublings
    return shapes | {f"model.{last + 2}.weight": (64, 64, 3, 3), f"model.{last + 4}.weight": (3, 64, 3, 3)}


def real_esrgan(entry: int = 3, blocks: int = 23) -> Shapes:
    """BasicSR's RRDBNet, which always doubles twice: to enlarge less, pixels enter folded."""
    shapes = _rrdb("body.{}.rdb{}", blocks, entry) | {"conv_body.weight": (64, 64, 3, 3)}
    return shapes | {f"{name}.weight": (64, 64, 3, 3) for name in ("conv_up1", "conv_up2", "conv_hr")}


def bsrgan(doublings: int = 2) -> Shapes:
    shapes = _rrdb("RRDB_trunk.{}.RDB{}", 23, 3) | {"trunk_conv.weight": (64, 64, 3, 3)}
    return (
        shapes | {f"upconv{n}.weight": (64, 64, 3, 3) for n in range(1, doublings + 1)} | {"HRconv.weight": (64,) * 2}
    )


def compact(scale: int = 4, layers: int = 32) -> Shapes:
    shapes: Shapes = {"body.0.weight": (64, 3, 3, 3), "body.0.bias": (64,)}
    for layer in range(layers):
        shapes |= {f"body.{2 * layer + 1}.weight": (64,), f"body.{2 * layer + 2}.weight": (64, 64, 3, 3)}
    last = 2 * layers + 2
    return shapes | {f"body.{last - 1}.weight": (64,), f"body.{last}.weight": (3 * scale * scale, 64, 3, 3)}


def swinir(scale: int = 4, upsampler: str = "pixelshuffle") -> Shapes:
    shapes = _windowed(60) | {f"{_SWIN}.attn.relative_position_index": (64, 64)}
    return shapes | _upsampler(upsampler, scale, 60)


def swin2sr(scale: int = 4) -> Shapes:
    shapes = _windowed(60) | {f"{_SWIN}.attn.relative_position_index": (64, 64), f"{_SWIN}.attn.logit_scale": (6, 1, 1)}
    return shapes | {"patch_embed.proj.weight": (60, 60, 1, 1)} | _upsampler("pixelshuffle", scale, 60)


def hat(scale: int = 4) -> Shapes:
    shapes: Shapes = {"relative_position_index_SA": (256, 256), "relative_position_index_OCA": (256, 576)}
    shapes |= _windowed(180) | {f"{_SWIN}.conv_block.cab.{n}.weight": (60, 180, 3, 3) for n in (0, 2)}
    shapes |= {"layers.0.residual_group.overlap_attn.qkv.weight": (540, 180)}
    return shapes | _upsampler("pixelshuffle", scale, 180)


def dat(scale: int = 4, upsampler: str = "pixelshuffle") -> Shapes:
    shapes: Shapes = {"conv_first.weight": (180, 3, 3, 3), "before_RG.1.weight": (180,)}
    shapes |= {"layers.0.blocks.0.attn.attns.0.rpe_biases": (945, 2), "layers.0.blocks.0.attn.qkv.weight": (540, 180)}
    return shapes | _upsampler(upsampler, scale, 180)


def drct(scale: int = 4) -> Shapes:
    shapes: Shapes = {"conv_first.weight": (180, 3, 3, 3)}
    for n in range(1, 6):
        shapes |= {f"layers.0.swin{n}.attn.qkv.weight": (540, 180), f"layers.0.adjust{n}.weight": (32, 180, 1, 1)}
        shapes |= {f"layers.0.swin{n}.attn.relative_position_index": (256, 256)}
    return shapes | _upsampler("pixelshuffle", scale, 180)


def atd(scale: int = 4) -> Shapes:
    at = "layers.0.residual_group"
    shapes: Shapes = {"relative_position_index_SA": (256, 256), "conv_first.weight": (210, 3, 3, 3)}
    shapes |= {f"{at}.td": (128, 210), f"{at}.layers.0.sigma": (128, 1), f"{at}.layers.0.wqkv.weight": (630, 210)}
    return shapes | _upsampler("pixelshuffle", scale, 210)


def span(scale: int = 4) -> Shapes:
    shapes: Shapes = {"conv_1.sk.weight": (48, 3, 1, 1), "conv_cat.weight": (48, 192, 1, 1)}
    shapes |= {f"block_{n}.c1_r.sk.weight": (48, 48, 1, 1) for n in range(1, 7)}
    return shapes | {"upsampler.0.weight": (3 * scale * scale, 48, 3, 3)}


def plksr(scale: int = 4, kernel: str = "lk.conv") -> Shapes:
    shapes: Shapes = {"feats.0.weight": (64, 3, 3, 3)}
    for block in range(1, 13):
        shapes |= {f"feats.{block}.{kernel}.weight": (16, 16, 17, 17), f"feats.{block}.refine.weight": (64, 64, 1, 1)}
        shapes |= {f"feats.{block}.channe_mixer.0.weight": (128, 64, 3, 3)}
    return shapes | {"feats.13.weight": (3 * scale * scale, 64, 3, 3)}


def realcugan(scale: int = 2) -> Shapes:
    side, out = (5, 3) if scale == 3 else (4, 64 if scale == 4 else 3)
    shapes: Shapes = {"unet1.conv1.conv.0.weight": (32, 3, 3, 3), "unet1.conv1_down.weight": (64, 64, 2, 2)}
    shapes |= {"unet1.conv_bottom.weight": (64, out, side, side), "unet2.conv_bottom.weight": (out, 64, 3, 3)}
    return shapes | ({"conv_final.weight": (12, 64, 3, 3)} if scale == 4 else {})


def omnisr(scale: int = 4) -> Shapes:
    at = "residual_layer.0.residual_layer.0.layer.0.fn"
    shapes: Shapes = {f"{at}.0.weight": (64, 64, 1, 1), "input.weight": (64, 3, 3, 3), "output.weight": (64, 64, 3, 3)}
    return shapes | {"up.0.weight": (3 * scale * scale, 64, 3, 3)}


def grl(scale: int = 4) -> Shapes:
    at = "layers.0.blocks.0.attn"
    shapes: Shapes = {"conv_first.weight": (180, 3, 3, 3), "norm_start.weight": (180,), "norm_end.weight": (180,)}
    shapes |= {f"{at}.window_attn.attn_transform.logit_scale": (3, 1, 1)}
    shapes |= {f"{at}.stripe_attn.attn_transform1.logit_scale": (3, 1, 1)}
    return shapes | _upsampler("pixelshuffle", scale, 180)


def craft(scale: int = 4) -> Shapes:
    shapes: Shapes = {"conv_first.weight": (48, 3, 3, 3), "relative_position_index_h": (64, 64)}
    shapes |= {"layers.0.residual_group.hf_blocks.0.attn.temperature": (6, 1, 1)}
    return shapes | _upsampler("pixelshuffledirect", scale, 48)


def ditn(scale: int = 4) -> Shapes:
    shapes: Shapes = {"sft.weight": (60, 3, 3, 3), "UFONE.0.ITLs.0.attn.temperature": (1, 1, 1)}
    return shapes | _upsampler("pixelshuffledirect", scale, 60)


def safmn(scale: int = 4) -> Shapes:
    shapes: Shapes = {"to_feat.weight": (36, 3, 3, 3), "to_img.0.weight": (3 * scale * scale, 36, 3, 3)}
    return shapes | {f"feats.{n}.safm.mfr.0.weight": (9, 1, 3, 3) for n in range(8)}


def mosr(scale: int = 4) -> Shapes:
    shapes: Shapes = {"gblocks.0.weight": (64, 3, 3, 3), "upsampler.0.weight": (3 * scale * scale, 64, 3, 3)}
    return shapes | {f"gblocks.{n}.fc1.weight": (192, 64, 3, 3) for n in range(1, 25)}


def scunet() -> Shapes:
    """It only cleans: what leaves is as large as what enters."""
    shapes: Shapes = {"m_head.0.weight": (64, 3, 3, 3), "m_tail.0.weight": (3, 64, 3, 3)}
    return shapes | {"m_down1.0.trans_block.ln1.weight": (32,)}


def gfpgan() -> Shapes:
    shapes: Shapes = {"conv_body_first.weight": (32, 3, 1, 1), "final_linear.weight": (8192, 4096)}
    shapes |= {f"toRGB.{n}.weight": (3, 256, 1, 1) for n in range(7)}
    return shapes | {f"stylegan_decoder.style_mlp.{n}.weight": (512, 512) for n in range(1, 16, 2)}


def restoreformer() -> Shapes:
    """An autoencoder whose latents are words of a book."""
    shapes: Shapes = {"quantize.embedding.weight": (1024, 256), "quant_conv.weight": (256, 256, 1, 1)}
    shapes |= {"encoder.conv_in.weight": (64, 3, 3, 3), "encoder.conv_out.weight": (256, 512, 3, 3)}
    shapes |= {"encoder.down.0.block.0.norm1.weight": (64,), "decoder.mid.block_1.conv1.weight": (512, 512, 3, 3)}
    return shapes | {"decoder.conv_in.weight": (512, 256, 3, 3), "decoder.conv_out.weight": (3, 64, 3, 3)}


def codeformer() -> Shapes:
    shapes: Shapes = {"position_emb": (256, 512), "quantize.embedding.weight": (1024, 256)}
    shapes |= {"idx_pred_layer.0.weight": (512,), "idx_pred_layer.1.weight": (1024, 512), "feat_emb.weight": (512, 256)}
    shapes |= {f"ft_layers.{n}.self_attn.in_proj_weight": (1536, 512) for n in range(9)}
    return shapes | {"encoder.blocks.0.weight": (64, 3, 3, 3), "generator.blocks.0.weight": (512, 256, 3, 3)}


def _rrdb(names: str, blocks: int, entry: int) -> Shapes:
    shapes: Shapes = {"conv_first.weight": (64, entry, 3, 3), "conv_last.weight": (3, 64, 3, 3)}
    for block in range(blocks):
        for dense in (1, 2, 3):
            at = names.format(block, dense)
            shapes |= {f"{at}.conv{n}.weight": (32 if n < 5 else 64, 32 + 32 * n, 3, 3) for n in range(1, 6)}
    return shapes


def _windowed(width: int) -> Shapes:
    shapes: Shapes = {"conv_first.weight": (width, 3, 3, 3), "conv_after_body.weight": (width, width, 3, 3)}
    shapes |= {f"{_SWIN}.norm1.weight": (width,), f"{_SWIN}.mlp.fc1.bias": (2 * width,)}
    return shapes | {f"{_SWIN}.attn.qkv.weight": (3 * width, width)}


def _upsampler(kind: str, scale: int, width: int) -> Shapes:
    if kind == "pixelshuffledirect":
        return {"upsample.0.weight": (3 * scale * scale, width, 3, 3)}
    shapes: Shapes = {"conv_before_upsample.0.weight": (64, width, 3, 3), "conv_last.weight": (3, 64, 3, 3)}
    if kind == "nearest+conv":
        doublings = scale.bit_length() - 1
        return shapes | {f"conv_up{n}.weight": (64, 64, 3, 3) for n in range(1, doublings + 1)}
    stages = {2: (4,), 3: (9,), 4: (4, 4), 8: (4, 4, 4)}[scale]
    return shapes | {f"upsample.{2 * n}.weight": (64 * factor, 64, 3, 3) for n, factor in enumerate(stages)}
