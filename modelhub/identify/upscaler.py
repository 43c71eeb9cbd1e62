"""Upscalers, by the names of their authors' networks (as BasicSR and spandrel read them)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isqrt, prod

from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._signed import Net, Shelf
from modelhub.kinds import Kind, Source

_COLOURS = 3
_MOST = 5
"""Doublings: 32x is more than anybody made."""
_BASICSR = {"conv_first.weight": (None, None, None, None), "conv_last.weight": (_COLOURS, None, None, None)}
_SWIN = "layers.0.residual_group.blocks.0"
_NETS = (
    Net("esrgan", {"model.1.sub.0.RDB1.conv1.0.weight": None, "model.0.weight": (None, None, None, None)}),
    Net("esrgan", {"model.1.sub.0.RDB1.conv1x1.weight": None, "model.0.weight": (None, None, None, None)}),
    Net("bsrgan", {"RRDB_trunk.0.RDB1.conv1.weight": None, "trunk_conv.weight": None, **_BASICSR}),
    Net(
        "real-esrgan",
        {"body.0.rdb1.conv1.weight": None, "conv_body.weight": None, **_BASICSR},
        absent=("am_list.0.fc.0.weight",),
    ),
    Net("hat", {f"{_SWIN}.conv_block.cab.0.weight": None, "layers.0.residual_group.overlap_attn.qkv.weight": None}),
    Net("atd", {"layers.0.residual_group.td": None, "layers.0.residual_group.layers.0.sigma": None}),
    Net("drct", {"layers.0.swin1.attn.qkv.weight": None, "layers.0.adjust5.weight": None, "conv_first.weight": None}),
    Net(
        "dat",
        {"before_RG.1.weight": None, "layers.0.blocks.0.attn.attns.0.rpe_biases": None},
        absent=("layers.0.blocks.0.gamma",),
    ),
    Net("swin2sr", {f"{_SWIN}.attn.logit_scale": None, "patch_embed.proj.weight": None, f"{_SWIN}.mlp.fc1.bias": None}),
    Net("swinir", {f"{_SWIN}.attn.relative_position_index": None, f"{_SWIN}.mlp.fc1.bias": None}),
    Net("span", {"block_1.c1_r.sk.weight": None, "conv_cat.weight": None, "upsampler.0.weight": None}),
    Net("plksr", {"feats.1.lk.conv.weight": None, "feats.1.refine.weight": None, "feats.0.weight": None}),
    Net("plksr", {"feats.1.lk.convs.0.weight": None, "feats.1.refine.weight": None, "feats.0.weight": None}),
    Net("plksr", {"feats.1.lk.mn_conv.weight": None, "feats.1.refine.weight": None, "feats.0.weight": None}),
    Net("realcugan", {"unet1.conv1_down.weight": None, "unet2.conv_bottom.weight": None}),
    Net("omnisr", {"residual_layer.0.residual_layer.0.layer.0.fn.0.weight": None, "up.0.weight": None}),
    Net("rgt", {"before_RG.1.weight": None, "layers.0.blocks.0.gamma": None, "conv_first.weight": None}),
    Net("grl", {"layers.0.blocks.0.attn.window_attn.attn_transform.logit_scale": None, "norm_start.weight": None}),
    Net("craft", {"layers.0.residual_group.hf_blocks.0.attn.temperature": None, "conv_first.weight": None}),
    Net("ditn", {"UFONE.0.ITLs.0.attn.temperature": None, "sft.weight": None}),
    Net("safmn", {"feats.0.safm.mfr.0.weight": None, "to_feat.weight": None, "to_img.0.weight": None}),
    Net("mosr", {"gblocks.1.fc1.weight": None, "gblocks.0.weight": None}),
    Net("scunet", {"m_down1.0.trans_block.ln1.weight": None, "m_head.0.weight": None, "m_tail.0.weight": None}),
    Net(
        "compact",
        {"body.1.weight": (None,), "body.0.weight": (None, None, 3, 3), "body.2.weight": (None, None, 3, 3)},
        absent=("conv_first.weight",),
    ),
)
"""What tells one from another, the particular before the general: Compact is all but nameless."""
_SHELF = Shelf(_NETS, ("", "module.", "netG.", "netG.module.", "generator."))


def claim(file: WeightFile) -> Claim | None:
    found = _SHELF.find(file)
    if found is None:
        return None
    net, prefix = found
    rarest = prefix + next(iter(net.requires))
    facts = stated(
        Kind.UPSCALER,
        f"it has {rarest}",
        format=Known(f"{file.table.container}/{net.layout}", Source.TENSORS, f"it is under {prefix or 'no prefix'}"),
        algorithm=Known(net.algorithm, Source.TENSORS, f"{rarest} stands in {net.algorithm} alone"),
        scale=_scale(file, net.algorithm, prefix),
    )
    return Claim(len(net.requires), facts)


def _scale(file: WeightFile, algorithm: str, prefix: str) -> Known | None:
    shapes = {name.removeprefix(prefix): entry.shape for name, entry in file.table.tensors.items() if entry.shape}
    told = _SCALES.get(algorithm, _by_upsampler)(shapes)
    return Known(told[0], Source.TENSORS, told[1]) if told else None


_Shapes = Mapping[str, tuple[int, ...]]
_Told = tuple[int, str] | None


def _by_doublings(shapes: _Shapes) -> _Told:
    """Every convolution after an enlargement doubles; what enters folded was made smaller first."""
    ups = [name for name in shapes if name.startswith(("conv_up", "upconv")) and name.endswith(".weight")][:_MOST]
    return _unfolded(2 ** len(ups), shapes.get("conv_first.weight", ()), f"{len(ups)} convolutions double it")


def _by_sequence(shapes: _Shapes) -> _Told:
    """The first ESRGAN numbers its layers: five, and three for every doubling."""
    last = max((_number(name, "model.") for name in shapes), default=0)
    doublings = min(max((last - 4) // 3, 0), _MOST)
    return _unfolded(2**doublings, shapes.get("model.0.weight", ()), f"{doublings} layers double it")


def _unfolded(scale: int, first: tuple[int, ...], because: str) -> _Told:
    """Pixels folded into channels, 2x2 or 4x4, enter as 12 or 48 of them."""
    fold = _root(first[1]) if len(first) > 1 else None
    return (scale // fold, f"{because}, pixels enter folded {fold}x{fold}") if fold and fold > 1 else (scale, because)


def _by_last_layer(front: str) -> Callable[[_Shapes], _Told]:
    """The last numbered layer gives the pixels of a square, three colours each."""

    def told(shapes: _Shapes) -> _Told:
        names = [name for name in shapes if name.startswith(front) and name.endswith(".weight")]
        last = max(names, key=lambda name: _number(name, front), default=None)
        scale = _root(shapes[last][0]) if last else None
        return (scale, f"{last} gives {shapes[last][0]} channels") if last and scale else None

    return told


def _by_upsampler(shapes: _Shapes) -> _Told:
    """Stages that unfold channels into pixels, or convolutions after an enlargement."""
    stages = [shape for name, shape in shapes.items() if _is_stage(name) and len(shape) == 4]
    if not stages:
        return _by_doublings(shapes)
    if len(stages) == 1 and stages[0][0] != stages[0][1] * 4 and (direct := _root(stages[0][0])):
        return direct, f"upsample gives {stages[0][0]} channels"
    sides = list(_sides(stages))
    return (prod(sides), f"upsample enlarges {', '.join(f'{side}x' for side in sides)}") if sides else None


def _sides(stages: Sequence[tuple[int, ...]]) -> Iterator[int]:
    for rows, columns, *_ in stages:
        if columns and (side := isqrt(rows // columns)) > 1 and side * side * columns == rows:
            yield side


def _is_stage(name: str) -> bool:
    return name.startswith("upsample.") and name.endswith(".weight")


def _realcugan(shapes: _Shapes) -> _Told:
    if "conv_final.weight" in shapes:
        return _unfolded(4, shapes.get("unet1.conv1.conv.0.weight", ()), "it has conv_final")
    side = {4: 2, 5: 3}.get(shapes.get("unet1.conv_bottom.weight", (0,))[-1])
    return (side, f"unet1.conv_bottom enlarges {side}x") if side else None


def _root(channels: int) -> int | None:
    """Side of the square of pixels that `channels` hold in three colours."""
    side = isqrt(channels // _COLOURS)
    return side if side and side * side * _COLOURS == channels else None


def _number(name: str, front: str) -> int:
    """Of the layer, where one follows `front`; no net has so many layers that it takes four digits."""
    number = name.removeprefix(front).split(".")[0]
    return int(number) if name.startswith(front) and number.isdecimal() and len(number) < 4 else -1


_SCALES: Mapping[str, Callable[[_Shapes], _Told]] = {
    "esrgan": _by_sequence,
    "bsrgan": _by_doublings,
    "real-esrgan": _by_doublings,
    "compact": _by_last_layer("body."),
    "plksr": _by_last_layer("feats."),
    "span": _by_last_layer("upsampler."),
    "omnisr": _by_last_layer("up."),
    "safmn": _by_last_layer("to_img."),
    "mosr": _by_last_layer("upsampler."),
    "realcugan": _realcugan,
}
