"""LoRAs that a request and its prompt name, found and checked against the base."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from inference.adapters.blocks import factors_of
from inference.adapters.lora import parse_lora
from inference.plan.models import check_readable, check_same_family
from inference.plan.nouns import AdapterPlan
from inference.prompt.networks import LoraTag, lora_tags
from inference.request import GenerationRequest, LoraUse
from inference.weights.single_file import Part
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible
from modelhub.headers import TensorTable, data_digest, read_table
from modelhub.kinds import Artifact, Kind
from modelhub.refs import ModelRef, RefForm

__all__ = ["find_loras", "plan_adapter", "plan_loras"]

_DIGEST_OF_NOTHING = "e3b0c44298fc"


def find_loras(request: GenerationRequest, base: Artifact, catalog: Catalog) -> list[tuple[LoraUse, Artifact]]:
    """The LoRAs of the prompt, in its order, then those of the request."""
    uses = (*map(_tagged, lora_tags(request.prompt)), *request.loras)
    named = [(use, catalog.resolve(use.ref, kinds={Kind.LORA})) for use in uses]
    found = [(_as_preferred(use, lora), lora) for use, lora in named]
    for _, lora in found:
        check_readable(lora)
        check_same_family(lora, base)
        _check_width(lora, base)
    return found


def plan_loras(loras: Sequence[tuple[LoraUse, Artifact]], parts: Mapping[str, Part]) -> tuple[AdapterPlan, ...]:
    """Each against the modules of the base; raises `Incompatible`."""
    return tuple(
        replace(
            plan_adapter(lora.path, parts, name=lora.name, unet=use.unet, text_encoder=use.text_encoder),
            factors=factors_of(use.blocks, parts),
            rank=use.rank,
        )
        for use, lora in loras
    )


def plan_adapter(
    path: Path, parts: Mapping[str, Part], *, name: str, unet: float = 1.0, text_encoder: float = 1.0
) -> AdapterPlan:  # fmt: skip
    """A LoRA file checked against the modules of a base; raises `Incompatible`."""
    table = read_table(path)
    parsed = parse_lora(path, table, parts)
    return AdapterPlan(
        name=name,
        path=path,
        layers=parsed.layers,
        unet=unet,
        text_encoder=text_encoder,
        addnet_hash=_addnet_hash(path, table),
        skipped=parsed.skipped,
    )


def _as_preferred(use: LoraUse, lora: Artifact) -> LoraUse:
    """With numbers for its strength."""
    if not use.preferred:
        return use
    weight = 1.0 if lora.weight is None else lora.weight
    return use.model_copy(update={"unet": weight, "text_encoder": weight, "preferred": False})


def _tagged(tag: LoraTag) -> LoraUse:
    """A LoRA that the prompt names: by name, ID or digest, since paths and addresses belong on the command line."""
    if ModelRef.parse(tag.name).form in (RefForm.PATH, RefForm.HUB):
        raise BadValue(
            f"<lora:{tag.name}>: a prompt names LoRAs as the catalog knows them",
            mend=f"modelhub generate ... --lora {tag.name}={tag.unet:g},{tag.text_encoder:g}",
        )
    return LoraUse(ref=tag.name, unet=tag.unet, text_encoder=tag.text_encoder, rank=tag.rank, blocks=tag.blocks)


def _check_width(lora: Artifact, base: Artifact) -> None:
    """The width of the text encodings must agree where both are known."""
    ours, theirs = lora.facts.context_width, base.facts.context_width
    if ours and theirs and ours != theirs:
        raise Incompatible(
            f"{lora.name} was trained on text encodings {ours} wide, {base.name} has {theirs}: "
            "it belongs to another base model",
            mend="modelhub ls --kind checkpoint",
        )


def _addnet_hash(path: Path, table: TensorTable) -> str:
    """What the header says, as webui takes it; some trainers once wrote the digest of nothing there."""
    written = table.metadata.get("sshs_model_hash", "")
    return data_digest(path, table) if not written or written.startswith(_DIGEST_OF_NOTHING) else written
