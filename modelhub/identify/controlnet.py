"""ControlNets and their relatives: copies of a denoiser's first half, which take a picture and give corrections."""

from collections.abc import Mapping

from modelhub.families import Pattern
from modelhub.identify._conditioned import header_family, text_width, unet_family
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._signed import Net, Shelf
from modelhub.kinds import Kind, Source

_BEYOND = 20
"""It holds much of its base, sometimes a whole checkpoint: its own parts count for more than those."""
_LDM: Mapping[str, Pattern] = {
    "zero_convs.0.0.weight": None,
    "input_hint_block.0.weight": (None, None, None, None),
    "input_blocks.0.0.weight": (None, None, None, None),
}
_DIFFUSERS: Mapping[str, Pattern] = {
    "controlnet_cond_embedding.conv_in.weight": (None, None, None, None),
    "conv_in.weight": (None, None, None, None),
}
_SPARSE: Mapping[str, Pattern] = {"controlnet_down_blocks.0.weight": None, "conv_in.weight": None}
_NETS = (
    Net("control-lora", {"lora_controlnet": None}, layout="ldm"),
    Net(
        "sparsectrl",
        {"down_blocks.0.motion_modules.0.proj_in.weight": None, **_SPARSE},
        layout="diffusers",
        family="sd1",
    ),
    Net(
        "sparsectrl",
        {"down_blocks.0.motion_modules.0.temporal_transformer.proj_in.weight": None, **_SPARSE},
        family="sd1",
    ),
    Net(
        "union",
        {"control_add_embedding.linear_1.bias": None, "task_embedding": (None, None), **_DIFFUSERS},
        layout="diffusers",
        variants={"promax": ("task_embedding", (8, None))},
    ),
    Net("controlnet", _DIFFUSERS, layout="diffusers"),
    Net("controlnet", _LDM, layout="ldm"),
    Net(
        "xlabs",
        {"controlnet_blocks.0.weight": None, "double_blocks.0.img_attn.qkv.weight": (9216, 3072)},
        family="flux1",
    ),
    Net(
        "mistoline",
        {"controlnet_blocks.0.linear.weight": None, "double_blocks.0.img_attn.qkv.weight": (9216, 3072)},
        family="flux1",
    ),
    Net(
        "controlnet",
        {
            "controlnet_blocks.0.weight": (None, None),
            "transformer_blocks.0.img_mlp.net.0.proj.weight": (12288, 3072),
        },
        layout="diffusers",
        family="qwen-image",
        variants={"inpaint": ("controlnet_x_embedder.weight", (None, 68))},
    ),
    Net(
        "union",
        {"controlnet_mode_embedder.weight": (None, 3072), "controlnet_x_embedder.weight": (3072, None)},
        layout="diffusers",
        family="flux1",
    ),
    Net(
        "controlnet",
        {
            "controlnet_x_embedder.weight": (3072, None),
            "controlnet_blocks.0.weight": (3072, 3072),
            "context_embedder.weight": (3072, 4096),
        },
        layout="diffusers",
        family="flux1",
    ),
    Net(
        "controlnet",
        {"pos_embed_input.proj.weight": (None, None, None, None), "controlnet_blocks.0.weight": None},
        layout="diffusers",
        family="sd3",
        variants={"inpaint": ("pos_embed_input.proj.weight", (None, 17, None, None))},
    ),
    Net(
        "controlnet",
        {"control_all_x_embedder.2-1.weight": None, "control_layers.0.attention.to_out.0.weight": (3840, 3840)},
        layout="diffusers",
        family="z-image",
    ),
    Net("controlnet", {"control_all_x_embedder.2-1.weight": None}, family="z-image"),
    Net("controlnet", {"controlnet_blocks.0.weight": None}),
)
"""The particular before the general."""
_COMPONENT = "controlnet."
"""Before all names in AnimateDiff's own files; in a folder, one component of a pipeline."""
_SHELF = Shelf(_NETS, ("", "control_model.", "module.", _COMPONENT))
_DIFFERENCE = "difference"
"""Marks a file whose weights are to be added to the base's."""
_LLLITE = {"lllite_unet_": "sdxl", "lllite_dit_": "anima", "lllite_conditioning1": "anima"}
"""How a ControlLLLite's modules begin -> the base that it was made for."""
_HALVES = {"small": "down_blocks.2.attentions.0.norm.weight", "mid": "down_blocks.1.attentions.0.norm.weight"}
"""Size of SDXL's smaller ControlNets -> the tensor that it lacks first."""
_XL = "add_embedding.linear_1.weight"


def claim(file: WeightFile) -> Claim | None:
    if lite := _lllite(file):
        return lite
    found = _SHELF.find(file)
    if found is None:
        return None
    net, prefix = found
    if file.table.container == "diffusers" and prefix == _COMPONENT:
        return None
    rarest = prefix + next(iter(net.requires))
    context = _context_width(file, net)
    algorithm = _DIFFERENCE if _DIFFERENCE in file.table.tensors else net.algorithm
    facts = stated(
        Kind.CONTROLNET,
        f"it has {rarest}",
        family=_family(file, net, prefix, context),
        variant=net.variant(file, prefix) or _size(file, net, prefix),
        format=Known(f"{file.table.container}/{net.layout}", Source.TENSORS, f"it bears names as {rarest}"),
        algorithm=Known(algorithm, Source.TENSORS, f"{', '.join(net.requires)} stand together there alone"),
        context_width=context,
    )
    return Claim(_BEYOND + len(net.requires), facts)


def _lllite(file: WeightFile) -> Claim | None:
    first = next(iter(file.table.tensors), "")
    family = next((family for front, family in _LLLITE.items() if first.startswith(front)), None)
    if family is None:
        return None
    facts = stated(
        Kind.CONTROLNET,
        f"its modules are called like {first}",
        family=Known(family, Source.TENSORS, f"{first} is a module of that family's denoiser"),
        format=Known(f"{file.table.container}/kohya", Source.TENSORS, f"modules are named like {first}"),
        algorithm=Known("lllite", Source.TENSORS, f"modules are named like {first}"),
    )
    return Claim(_BEYOND, facts)


def _context_width(file: WeightFile, net: Net) -> Known | None:
    if net.algorithm == "control-lora":
        return text_width(file, "down", "attn2.to_k.down")
    return text_width(file) if net.layout in ("ldm", "diffusers") and net.family in (None, "sd1") else None


def _family(file: WeightFile, net: Net, prefix: str, context: Known | None) -> Known | None:
    if net.family:
        return Known(net.family, Source.TENSORS, f"{', '.join(net.requires)} stand together in that family's alone")
    return unet_family(file, prefix, context) if net.layout in ("ldm", "diffusers") else header_family(file)


def _size(file: WeightFile, net: Net, prefix: str) -> Known | None:
    if net.layout != "diffusers" or prefix + _XL not in file.table.tensors:
        return None
    for size, tensor in _HALVES.items():
        if prefix + tensor not in file.table.tensors:
            return Known(size, Source.TENSORS, f"it has no {prefix}{tensor}")
    return None
