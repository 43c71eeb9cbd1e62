"""Tensor tables of LoRA-type files in real size: every algorithm, in the names of every tool; no torch needed.

Modules follow the published configurations of the models; their numbers are those that trainers print (see
`test_module_lists_are_as_long_as_trainers_print`).
"""

from collections.abc import Callable, Iterator, Mapping

from tests.tables import Shapes

__all__ = [
    "ALGORITHMS",
    "KOHYA",
    "Modules",
    "PEFT",
    "boft",
    "clip_modules",
    "dora",
    "flux2_modules",
    "flux_modules",
    "full",
    "full_lokr",
    "glora",
    "ia3",
    "kohya",
    "ldm_named",
    "locon",
    "loha",
    "lokr",
    "lora",
    "norms",
    "oft",
    "old_diffusers",
    "old_oft",
    "peft",
    "qwen_modules",
    "refiner_modules",
    "sd3_modules",
    "sd_modules",
    "sdxl_modules",
    "spelled",
    "t5_modules",
    "tucker",
    "twice_decomposed_lokr",
    "under",
    "xlabs",
    "z_image_modules",
]

Modules = Mapping[str, tuple[int, int]]
"""Dotted path -> [rows, columns] of its weight."""

Spelling = tuple[str, str]
"""Endings of the halves that take down and bring up."""
KOHYA: Spelling = ("lora_down.weight", "lora_up.weight")
PEFT: Spelling = ("lora_A.weight", "lora_B.weight")


# Modules of models


def sd_modules(context: int = 768) -> Modules:
    """Linear layers in the transformers of SD1's and SD2's UNets, in diffusers' names."""
    return dict(_unet((320, 640, 1280, 1280), (1, 1, 1, 0), context, middle=1))


def sdxl_modules() -> Modules:
    return dict(_unet((320, 640, 1280), (0, 2, 10), 2048, middle=10))


def refiner_modules() -> Modules:
    return dict(_unet((384, 768, 1536, 1536), (0, 4, 4, 0), 1280, middle=4))


def clip_modules(width: int = 768, layers: int = 12) -> Modules:
    found: dict[str, tuple[int, int]] = {}
    for layer in range(layers):
        at = f"text_model.encoder.layers.{layer}"
        found |= {f"{at}.self_attn.{part}": (width, width) for part in ("q_proj", "k_proj", "v_proj", "out_proj")}
        found |= {f"{at}.mlp.fc1": (4 * width, width), f"{at}.mlp.fc2": (width, 4 * width)}
    return found


def t5_modules(layers: int = 24) -> Modules:
    parts = ("q", "k", "v", "o")
    return {f"encoder.block.{n}.layer.0.SelfAttention.{part}": (4096, 4096) for n in range(layers) for part in parts}


def flux_modules(*, modulated: bool = True) -> Modules:
    """FLUX.1 in its own names; Chroma is the same without the layers that modulate."""
    found: dict[str, tuple[int, int]] = {}
    for block in range(19):
        for stream in ("img", "txt"):
            at = f"double_blocks.{block}.{stream}"
            found |= {f"{at}_attn.qkv": (9216, 3072), f"{at}_attn.proj": (3072, 3072)}
            found |= {f"{at}_mlp.0": (12288, 3072), f"{at}_mlp.2": (3072, 12288)}
            found |= {f"{at}_mod.lin": (18432, 3072)} if modulated else {}
    for block in range(38):
        at = f"single_blocks.{block}"
        found |= {f"{at}.linear1": (21504, 3072), f"{at}.linear2": (3072, 15360)}
        found |= {f"{at}.modulation.lin": (9216, 3072)} if modulated else {}
    return found


def flux2_modules(width: int = 3072, doubles: int = 5, singles: int = 20) -> Modules:
    """FLUX.2 in its own names: klein's 4B unless said otherwise."""
    found: dict[str, tuple[int, int]] = {}
    for block in range(doubles):
        for stream in ("img", "txt"):
            at = f"double_blocks.{block}.{stream}"
            found |= {f"{at}_attn.qkv": (3 * width, width), f"{at}_attn.proj": (width, width)}
            found |= {f"{at}_mlp.0": (6 * width, width), f"{at}_mlp.2": (width, 3 * width)}
    for block in range(singles):
        at = f"single_blocks.{block}"
        found |= {f"{at}.linear1": (9 * width, width), f"{at}.linear2": (width, 4 * width)}
    return found


def sd3_modules(width: int = 1536, blocks: int = 24) -> Modules:
    found: dict[str, tuple[int, int]] = {}
    for block in range(blocks):
        for stream in ("x_block", "context_block"):
            at = f"joint_blocks.{block}.{stream}"
            found |= {f"{at}.attn.qkv": (3 * width, width), f"{at}.attn.proj": (width, width)}
            found |= {f"{at}.mlp.fc1": (4 * width, width), f"{at}.mlp.fc2": (width, 4 * width)}
            found |= {f"{at}.adaLN_modulation.1": (6 * width, width)}
    return found


def qwen_modules(blocks: int = 60) -> Modules:
    found: dict[str, tuple[int, int]] = {}
    for block in range(blocks):
        at = f"transformer_blocks.{block}"
        heads = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
        found |= {f"{at}.attn.{part}": (3072, 3072) for part in heads}
        for stream in ("img", "txt"):
            found |= {f"{at}.{stream}_mlp.net.0.proj": (12288, 3072), f"{at}.{stream}_mlp.net.2": (3072, 12288)}
            found |= {f"{at}.{stream}_mod.1": (18432, 3072)}
    return found


def z_image_modules(blocks: int = 30, width: int = 3840, qkv: int = 11520) -> Modules:
    """Z-Image in its own names; Lumina 2 is 2304 wide with a qkv of 3840 rows."""
    found: dict[str, tuple[int, int]] = {}
    for block in range(blocks):
        at = f"layers.{block}"
        found |= {f"{at}.attention.qkv": (qkv, width), f"{at}.attention.out": (width, width)}
        inner = width * 8 // 3
        found |= {f"{at}.feed_forward.w1": (inner, width), f"{at}.feed_forward.w2": (width, inner)}
    return found


# Names of tools


def under(prefix: str, modules: Modules) -> Modules:
    return {prefix + name: size for name, size in modules.items()}


def spelled(prefix: str, modules: Modules) -> Modules:
    """With dots as underscores, as kohya and LyCORIS name modules."""
    return {prefix + name.replace(".", "_"): size for name, size in modules.items()}


def ldm_named(modules: Modules) -> Modules:
    """SDXL's modules under the names of Stability's own UNet, as sd-scripts trains them."""
    return {_ldm(name): size for name, size in modules.items()}


def xlabs(rank: int = 16) -> Shapes:
    """The processors of x-flux: both streams' attention."""
    shapes: Shapes = {}
    for block in range(19):
        for name, rows in (("qkv_lora1", 9216), ("qkv_lora2", 9216), ("proj_lora1", 3072), ("proj_lora2", 3072)):
            at = f"double_blocks.{block}.processor.{name}"
            shapes |= {f"{at}.down.weight": (rank, 3072), f"{at}.up.weight": (rows, rank)}
    return shapes


def old_diffusers(modules: Modules, rank: int = 4) -> Shapes:
    """As `save_attn_procs` wrote it: a LoRA within the attention's processor."""
    shapes: Shapes = {}
    for name, (rows, columns) in modules.items():
        if ".attn" in name:
            at, _, part = name.replace(".to_out.0", ".to_out").rpartition(".")
            base = f"unet.{at}.processor.{part}_lora"
            shapes |= {f"{base}.down.weight": (rank, columns), f"{base}.up.weight": (rows, rank)}
    return shapes


# Algorithms


def lora(modules: Modules, rank: int = 16, spelling: Spelling = KOHYA, *, alpha: bool = True) -> Shapes:
    shapes: Shapes = {}
    for name, (rows, columns) in modules.items():
        shapes |= {f"{name}.{spelling[0]}": (rank, columns), f"{name}.{spelling[1]}": (rows, rank)}
        shapes |= {f"{name}.alpha": ()} if alpha else {}
    return shapes


def peft(modules: Modules, rank: int = 16, spelling: Spelling = PEFT) -> Shapes:
    return lora(modules, rank, spelling, alpha=False)


def locon(modules: Modules, rank: int = 16) -> Shapes:
    return lora(modules, rank) | _convolution({"lora_down.weight": (8, 320, 3, 3), "lora_up.weight": (320, 8, 1, 1)})


def tucker(modules: Modules, rank: int = 16) -> Shapes:
    halves: Shapes = {"lora_down.weight": (8, 320, 1, 1), "lora_up.weight": (320, 8, 1, 1)}
    return lora(modules, rank) | _convolution({**halves, "lora_mid.weight": (8, 8, 3, 3)})


def loha(modules: Modules, rank: int = 8) -> Shapes:
    shapes: Shapes = {}
    for name, (rows, columns) in modules.items():
        shapes |= {f"{name}.hada_w{n}_a": (rows, rank) for n in (1, 2)} | {f"{name}.alpha": ()}
        shapes |= {f"{name}.hada_w{n}_b": (rank, columns) for n in (1, 2)}
    return shapes


def lokr(modules: Modules, rank: int = 8, factor: int = 8) -> Shapes:
    """The second factor of low rank, as LyCORIS stores it unless the rank is as large as the factor."""
    shapes: Shapes = {}
    for name, (rows, columns) in modules.items():
        shapes |= {f"{name}.lokr_w1": (factor, factor), f"{name}.alpha": ()}
        shapes |= {f"{name}.lokr_w2_a": (rows // factor, rank), f"{name}.lokr_w2_b": (rank, columns // factor)}
    return shapes


def full_lokr(modules: Modules, factor: int = 8) -> Shapes:
    shapes: Shapes = {}
    for name, (rows, columns) in modules.items():
        shapes |= {f"{name}.lokr_w1": (factor, factor), f"{name}.lokr_w2": (rows // factor, columns // factor)}
    return shapes


def twice_decomposed_lokr(modules: Modules, rank: int = 2, factor: int = 16) -> Shapes:
    shapes = {name: shape for name, shape in lokr(modules, rank, factor).items() if not name.endswith(".lokr_w1")}
    for name in modules:
        shapes |= {f"{name}.lokr_w1_a": (factor, rank), f"{name}.lokr_w1_b": (rank, factor)}
    return shapes


def dora(modules: Modules, rank: int = 16) -> Shapes:
    return lora(modules, rank) | {f"{name}.dora_scale": (1, columns) for name, (_, columns) in modules.items()}


def glora(modules: Modules, rank: int = 8) -> Shapes:
    shapes: Shapes = {}
    for name, (rows, columns) in modules.items():
        shapes |= {f"{name}.a1.weight": (rank, columns), f"{name}.a2.weight": (columns, rank), f"{name}.alpha": ()}
        shapes |= {f"{name}.b1.weight": (rank, columns), f"{name}.b2.weight": (rows, rank)}
    return shapes


def oft(modules: Modules, blocks: int = 8) -> Shapes:
    """Blocks that turn what comes out of a module."""
    shapes: Shapes = {}
    for name, (rows, _) in modules.items():
        shapes |= {f"{name}.oft_blocks": (blocks, rows // blocks, rows // blocks), f"{name}.alpha": ()}
    return shapes


def old_oft(modules: Modules) -> Shapes:
    return {name.replace("oft_blocks", "oft_diag"): shape for name, shape in oft(modules).items()}


def boft(modules: Modules, blocks: int = 8, stages: int = 4) -> Shapes:
    shapes: Shapes = {}
    for name, (rows, _) in modules.items():
        shapes |= {f"{name}.oft_blocks": (stages, blocks, rows // blocks, rows // blocks), f"{name}.alpha": ()}
    return shapes


def ia3(modules: Modules) -> Shapes:
    shapes: Shapes = {}
    for name, (rows, _) in modules.items():
        shapes |= {f"{name}.weight": (rows, 1), f"{name}.on_input": ()}
    return shapes


def full(modules: Modules) -> Shapes:
    return {f"{name}.diff": size for name, size in modules.items()} | {
        f"{name}.diff_b": size[:1] for name, size in modules.items()
    }


def norms(modules: Modules) -> Shapes:
    """Only the norms before the layers that the others change."""
    shapes: Shapes = {}
    for name, (rows, _) in modules.items():
        shapes |= {f"{name}_norm.w_norm": (rows,), f"{name}_norm.b_norm": (rows,)}
    return shapes


ALGORITHMS: Mapping[str, tuple[Callable[[Modules], Shapes], str, int | None]] = {
    "lora": (lora, "lora", 16),
    "locon": (locon, "locon", 16),
    "tucker": (tucker, "locon", 16),
    "loha": (loha, "loha", 8),
    "lokr": (lokr, "lokr", 8),
    "full lokr": (full_lokr, "lokr", None),
    "twice decomposed lokr": (twice_decomposed_lokr, "lokr", 2),
    "dora": (dora, "dora", 16),
    "glora": (glora, "glora", 8),
    "oft": (oft, "oft", None),
    "old oft": (old_oft, "oft", None),
    "boft": (boft, "boft", None),
    "ia3": (ia3, "ia3", None),
    "full": (full, "full", None),
    "norms": (norms, "norm", None),
}
"""Name -> how its tensors look, what it is called, its rank."""


def kohya(unet: Modules, *texts: Modules, front: str = "lora_unet_") -> Modules:
    """The UNet's modules and those of its text encoders, one being ``te``, several ``te1``, ``te2``, ..."""
    fronts = ["lora_te_"] if len(texts) == 1 else [f"lora_te{n}_" for n in range(1, len(texts) + 1)]
    found = dict(spelled(front, unet))
    for prefix, modules in zip(fronts, texts, strict=True):
        found |= spelled(prefix, modules)
    return found


def _convolution(tensors: Shapes) -> Shapes:
    at = "lora_unet_down_blocks_0_resnets_0_conv1"
    return {f"{at}.{name}": shape for name, shape in tensors.items()}


def _unet(
    widths: tuple[int, ...], depths: tuple[int, ...], context: int, *, middle: int
) -> Iterator[tuple[str, tuple[int, int]]]:
    last = len(widths) - 1
    for level, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for layer in range(2 if depth else 0):
            yield from _transformer(f"down_blocks.{level}.attentions.{layer}", width, depth, context)
    yield from _transformer("mid_block.attentions.0", widths[-1], middle, context)
    for level, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for layer in range(3 if depth else 0):
            yield from _transformer(f"up_blocks.{last - level}.attentions.{layer}", width, depth, context)


def _transformer(at: str, width: int, depth: int, context: int) -> Iterator[tuple[str, tuple[int, int]]]:
    yield f"{at}.proj_in", (width, width)
    for block in range(depth):
        inner = f"{at}.transformer_blocks.{block}"
        for part in ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "attn2.to_q", "attn2.to_out.0"):
            yield f"{inner}.{part}", (width, width)
        yield f"{inner}.attn2.to_k", (width, context)
        yield f"{inner}.attn2.to_v", (width, context)
        yield f"{inner}.ff.net.0.proj", (8 * width, width)
        yield f"{inner}.ff.net.2", (width, 4 * width)
    yield f"{at}.proj_out", (width, width)


def _ldm(name: str) -> str:
    """Two layers a level on the way down, three on the way up, and a sampler after each level's."""
    part, _, rest = name.partition(".attentions.")
    layer, _, inner = rest.partition(".")
    if part == "mid_block":
        return f"middle_block.1.{inner}"
    side, level = part.split(".")
    index = 3 * int(level) + int(layer)
    return f"input_blocks.{index + 1}.1.{inner}" if side == "down_blocks" else f"output_blocks.{index}.1.{inner}"
