"""LoRA and its relatives, in the dialects of kohya, LyCORIS, peft, diffusers, ComfyUI, OneTrainer and XLabs."""

import json
from collections.abc import Iterator, Mapping, Sequence

from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._lora_layouts import Deltas, deltas_of, magnitudes
from modelhub.identify._lora_modules import families_of, modules_of
from modelhub.identify._names import families_named
from modelhub.kinds import Kind, Source

_REQUIRED = 3
"""Tensors that take a width down, tensors that bring it up again, and hardly anything else."""
_DIALECTS = (
    ("lora_transformer_", "onetrainer"),
    ("lora_", "kohya"),
    ("oft_", "kohya"),
    ("lycoris_", "lycoris"),
    ("base_model.", "peft"),
)
"""How the first module's name begins -> who names modules so."""
_XLABS = ("double_blocks.", "single_blocks.")
_NATIVE = ("diffusion_model.", "model.diffusion_model.", "text_encoders.")
_ALGOS = {"locon": "lora", "dylora": "lora", "tlora": "lora", "diag-oft": "oft"}
"""What ``ss_network_args`` calls an algorithm, where it differs from what its tensors are."""
_TUCKER_CORES = ("lora_mid.weight", "hada_t1", "lokr_t2")
_CONTROL = {("flux1", 128): "control", ("flux1", 384): "fill"}
"""Columns of the entry that it trains -> the variant of the base that it makes."""
_ENTRIES = ("img_in", "x_embedder")
_ENTRY_FRONTS = ("", "diffusion_model.", "transformer.", "lora_unet_", "lora_transformer_")
_ONE_TEXT_ENCODER = ("lora_te_", "text_encoder_text_model_")


def claim(file: WeightFile) -> Claim | None:
    found = deltas_of(file)
    if not found:
        return None
    deltas = found[0]
    modules = modules_of(deltas)
    family = _family(file, deltas, modules)
    facts = stated(
        Kind.LORA,
        ", ".join(f"{len(one.names)} modules have {one.layout.main}" for one in found) + _bundled(file),
        family=family,
        variant=_variant(file, deltas, family),
        format=_format(file, deltas),
        algorithm=_algorithm(file, found),
        rank=_rank(file, found),
        prediction_type=_prediction_type(file),
        context_width=_context_width(file, deltas, modules),
    )
    return Claim(_REQUIRED, facts)


def _format(file: WeightFile, deltas: Deltas) -> Known:
    first = deltas.names[0]
    detail = f"modules are named like {first}"
    if _bundles(file):
        return Known(f"{file.table.container}/onetrainer", Source.TENSORS, f"{detail}, with {_bundles(file)[0]}")
    return Known(f"{file.table.container}/{_dialect(deltas, first)}", Source.TENSORS, detail)


def _dialect(deltas: Deltas, first: str) -> str:
    """ComfyUI writes any tool's endings behind the dotted names of the model itself."""
    if first.startswith(_NATIVE):
        return "native"
    if deltas.layout.dialect == "diffusers" and first.startswith(_XLABS):
        return "xlabs"
    told = deltas.layout.dialect or next((dialect for front, dialect in _DIALECTS if first.startswith(front)), None)
    return told or "native"


def _bundles(file: WeightFile) -> Sequence[str]:
    """Embeddings that OneTrainer puts beside the deltas."""
    endings = ("clip_l", "clip_g", "t5", "string_to_param", "*", "emb_params")
    found = (name for ending in endings for name in file.endings.get(ending, ()))
    return [name for name in found if name.startswith("bundle_emb.")]


def _bundled(file: WeightFile) -> str:
    words = {name.split(".")[1] for name in _bundles(file)}
    return f"; it bundles the embeddings {', '.join(sorted(words))}" if words else ""


def _algorithm(file: WeightFile, found: Sequence[Deltas]) -> Known:
    main = found[0]
    algorithm, detail = main.layout.algorithm, f"{len(main.names)} modules have {main.layout.main}"
    if algorithm == "lora" and (wide := _wide(file, main)):
        algorithm, detail = "locon", f"{wide} is a convolution"
    if any(core in file.endings for core in _TUCKER_CORES):
        detail += ", some through a Tucker core"
    if count := magnitudes(file):
        detail += f", {count} store magnitudes"
        algorithm = "dora" if main.layout.algorithm == "lora" else algorithm
    others = {one.layout.algorithm: one for one in found if one.layout.algorithm != main.layout.algorithm}
    detail += "".join(f"; {len(one.names)} are {name}" for name, one in others.items())
    return Known(algorithm, Source.TENSORS, detail + _said_otherwise(file, main.layout.algorithm))


def _said_otherwise(file: WeightFile, algorithm: str) -> str:
    """LyCORIS writes its algorithm into the header as JSON; sd-scripts does so with all arguments."""
    try:
        arguments = json.loads(file.header.metadata.get("ss_network_args") or "{}")
        said = arguments.get("algo") if isinstance(arguments, dict) else None
    except (ValueError, RecursionError):
        return ""
    agrees = not isinstance(said, str) or _ALGOS.get(said, said) == algorithm
    return "" if agrees else f"; the header's ss_network_args says {said}"


def _wide(file: WeightFile, deltas: Deltas) -> str | None:
    tensors = file.table.tensors
    names = (*file.endings.get("lora_mid.weight", ()), *deltas.names)
    sided = [name for name in names if len(tensors[name].shape) > 2]
    return next((name for name in sided if any(side > 1 for side in tensors[name].shape[2:])), None)


def _rank(file: WeightFile, found: Sequence[Deltas]) -> Known | None:
    algorithm = found[0].layout.algorithm
    ranks = (one.rank(file.table.tensors) for one in found if one.layout.algorithm == algorithm)
    largest = max((rank for rank in ranks if rank), default=None)
    return Known(largest[0], Source.TENSORS, f"it shows in {largest[1]}") if largest else None


def _family(file: WeightFile, deltas: Deltas, modules: Mapping[str, str]) -> Known | None:
    """Names and sizes tell it; where they fit several families, the header chooses one of them, or the file's name."""
    tensors = file.table.tensors
    fitting = families_of(modules, deltas, tensors)
    if len(fitting) != 1:
        fitting = families_of(modules_of(deltas, every=True), deltas, tensors)
    if len(fitting) == 1:
        family, name = next(iter(fitting.items()))
        return Known(family, Source.TENSORS, f"{name} is for {_spelled(deltas.size(tensors, name) or ())}")
    for said in file.header.families():
        if said.meaning and (not fitting or said.meaning in fitting):
            return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}")
    named = [family for family in families_named(file.name) if family in fitting]
    told = f"its tensors fit {' and '.join(sorted(fitting))}, its name says this one"
    return Known(named[0], Source.NAME, told) if len(named) == 1 else None


def _spelled(size: Sequence[int | None]) -> str:
    """A size for people: what is unknown is a question mark."""
    return "x".join("?" if side is None else str(side) for side in size) + " weights"


def _variant(file: WeightFile, deltas: Deltas, family: Known | None) -> Known | None:
    for name in (front + entry + deltas.layout.main for front in _ENTRY_FRONTS for entry in _ENTRIES):
        if family and name in file.table.tensors:
            _, columns = deltas.size(file.table.tensors, name) or (None, None)
            if variant := _CONTROL.get((family.value, columns or 0)):
                return Known(variant, Source.TENSORS, f"{name} takes {columns} columns")
    return None


def _context_width(file: WeightFile, deltas: Deltas, modules: Mapping[str, str]) -> Known | None:
    """The UNet's cross-attention tells it; else a single text encoder, whose width it is."""
    for name in _width_tellers(modules):
        _, columns = deltas.size(file.table.tensors, name) or (None, None)
        if columns:
            return Known(columns, Source.TENSORS, f"columns of {name}")
    return None


def _width_tellers(modules: Mapping[str, str]) -> Iterator[str]:
    if "attn2_to_k" in modules:
        yield modules["attn2_to_k"]
    elif all(path.startswith(_ONE_TEXT_ENCODER) for path in modules):
        yield from (name for path, name in modules.items() if path.endswith("self_attn_q_proj"))


def _prediction_type(file: WeightFile) -> Known | None:
    said = file.header.prediction_type()
    if said and said.meaning:
        return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}")
    version = file.header.metadata.get("ss_base_model_version", "")
    if version in ("sd_v1_v", "sd_v2_v"):
        return Known("v", Source.HEADER, f"ss_base_model_version is {version}")
    return None
