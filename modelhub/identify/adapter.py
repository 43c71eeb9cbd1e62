"""Adapters: small networks that add a picture, a face or movement to what a denoiser hears."""

from modelhub.identify._conditioned import text_family, text_width
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._signed import Net, Shelf
from modelhub.kinds import Kind, Source

_BEYOND = 10
"""Some bring a LoRA along: their own parts count for more than that."""
_KEYS = "ip_adapter.1.to_k_ip.weight"
_BODY = "body.0.resnets.0.block1.weight"
_TEMPORAL = "down_blocks.0.motion_modules.0.temporal_transformer.proj_in.weight"
_FOLDS = {"sd1": (64, 192), "sdxl": (256, 768)}
"""Family -> channels that a picture has when it is folded as small as the latents: gray, coloured."""


def _t2i(algorithm: str, entry: str, body: str, layout: str) -> tuple[Net, ...]:
    """One for every entry: how far the picture is folded tells the base."""
    return tuple(
        Net(algorithm, {body: None, entry: (None, channels, None, None)}, layout=layout, family=family)
        for family, widths in _FOLDS.items()
        for channels in widths
    )


_NETS = (
    Net(
        "ip-adapter-faceid-plus",
        {"image_proj.perceiver_resampler.proj_in.weight": None, "image_proj.proj.0.weight": None},
        layout="ip-adapter",
    ),
    Net(
        "instantid",
        {"image_proj.latents": None, "image_proj.proj_in.weight": (None, 512), _KEYS: (None, 2048)},
        layout="ip-adapter",
        family="sdxl",
    ),
    Net("ip-adapter-plus", {"image_proj.latents": None, "image_proj.proj_in.weight": None}, layout="ip-adapter"),
    Net(
        "ip-adapter-full-face",
        {"image_proj.proj.3.weight": None, "image_proj.proj.0.weight": None},
        layout="ip-adapter",
    ),
    Net(
        "ip-adapter",
        {"image_proj.proj.0.weight": None, "ip_adapter.0.to_k_ip.weight": (3072, None)},
        layout="ip-adapter",
        family="flux1",
    ),
    Net(
        "ip-adapter-faceid",
        {"image_proj.proj.0.weight": None, "image_proj.norm.weight": None},
        layout="ip-adapter",
    ),
    Net("ip-adapter", {"image_proj.proj.weight": None, "image_proj.norm.weight": None}, layout="ip-adapter"),
    Net("ip-adapter", {"ip_adapter_proj_model.proj.weight": None}, layout="xlabs", family="flux1"),
    *_t2i("t2i-adapter", "conv_in.weight", "body.0.block1.weight", "native"),
    *_t2i("t2i-adapter", "conv_in.weight", _BODY, "diffusers"),
    *_t2i("t2i-adapter-light", "body.0.in_conv.weight", "body.0.body.0.block1.weight", "native"),
    *_t2i("t2i-adapter-light", "body.0.in_conv.weight", _BODY, "diffusers"),
    Net("t2i-adapter-style", {"style_embedding": None, "proj": (None, None)}, family="sd1"),
    Net(
        "animatediff",
        {"down_blocks.3.motion_modules.0.temporal_transformer.proj_in.weight": None, _TEMPORAL: None},
        absent=("controlnet_down_blocks.0.weight", "conv_in.weight"),
        family="sd1",
    ),
    Net(
        "animatediff",
        {_TEMPORAL: None},
        absent=("controlnet_down_blocks.0.weight", "conv_in.weight"),
        family="sdxl",
    ),
)
"""The particular before the general."""
_SHELF = Shelf(_NETS, ("", "adapter.", "module."))


def claim(file: WeightFile) -> Claim | None:
    found = _SHELF.find(file)
    if found is None:
        return None
    net, prefix = found
    rarest = prefix + next(iter(net.requires))
    context = text_width(file, "to_k_ip.weight", "to_k_ip") if net.layout == "ip-adapter" and not net.family else None
    facts = stated(
        Kind.ADAPTER,
        f"it has {rarest}",
        family=_family(file, net, context),
        format=Known(f"{file.table.container}/{net.layout}", Source.TENSORS, f"it bears names as {rarest}"),
        algorithm=Known(net.algorithm, Source.TENSORS, f"{', '.join(net.requires)} stand together there alone"),
        context_width=context,
    )
    return Claim(_BEYOND + len(net.requires), facts)


def _family(file: WeightFile, net: Net, context: Known | None) -> Known | None:
    if net.family:
        return Known(net.family, Source.TENSORS, f"{', '.join(net.requires)} are so in that family's alone")
    return text_family(file, context)
