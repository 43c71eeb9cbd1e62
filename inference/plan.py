"""Request + catalog -> plan: every reference looked up and every pairing checked before a weight is read (no torch)."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from inference.adapters.lora import LoraLayer, Target, parse_lora
from inference.prompt.networks import LoraTag, lora_tags, renamed, without_comments
from inference.request import SEEDS, GenerationRequest, LoraUse
from inference.samplers import find
from inference.weights.hints import read_hints
from inference.weights.single_file import TEXT_ENCODER, VAE, Part, checkpoint_parts, vae_part
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible
from modelhub.families import Family, NoiseSchedule, family
from modelhub.headers import TensorTable, data_digest, read_table
from modelhub.kinds import Artifact, Kind
from modelhub.refs import ModelRef, RefForm

__all__ = ["AdapterPlan", "LoadPlan", "NamedModel", "plan_adapter", "resolve"]

_DIGEST_OF_NOTHING = "e3b0c44298fc"
_UNREAD = {"gguf": "a GGUF file", "diffusers": "a diffusers folder"}


@dataclass(frozen=True, slots=True)
class NamedModel:
    """What a picture's parameters say of a model: names and hashes, never catalog IDs or paths."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class AdapterPlan:
    """One adapter, found to fit."""

    name: str
    path: Path
    layers: Mapping[Target, LoraLayer]
    unet: float
    text_encoder: float
    addnet_hash: str
    """SHA-256 of the tensors alone: by its first 12 digits webui knows a LoRA."""

    def tensor_names(self) -> list[str]:
        """The file's tensors that merging reads."""
        alphas = [layer.alpha for layer in self.layers.values() if isinstance(layer.alpha, str)]
        return [name for layer in self.layers.values() for name in (layer.down, layer.up)] + alphas


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A request that can be carried out."""

    request: GenerationRequest
    """Resolved: digests for references, also for those in the prompt; no comments; a seed, a size, a schedule."""
    family: Family
    prediction: str
    parts: Mapping[str, Part]
    adapters: tuple[AdapterPlan, ...]
    model: NamedModel
    vae: NamedModel | None
    used: tuple[tuple[str, int], ...]
    """(role, catalog ID) of every artifact that has a part in the pixels."""

    @property
    def seeds(self) -> list[int]:
        """One an image."""
        return [(self.request.seed + index) % SEEDS for index in range(self.request.images)]

    @property
    def noise(self) -> NoiseSchedule:
        """The forward process that the model learned to undo."""
        if self.family.noise is None:
            raise Incompatible(f"{self.family.title} models have no noise schedule to sample from")
        return self.family.noise

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = self.request.width, self.request.height
        if width is None or height is None:
            raise ValueError("an unresolved request has no size")
        return width, height


def resolve(request: GenerationRequest, catalog: Catalog) -> LoadPlan:
    """Look everything up and check that it belongs together.

    Raises `UnknownRef`, `Incompatible` or `BadValue` with the next thing to type; reads headers only, and hashes
    a file the first time it is used.
    """
    base = catalog.resolve(request.model, kinds={Kind.CHECKPOINT})
    base_family = _family_of(base)
    _check_readable(base)
    _check_drawable(base_family)
    table = read_table(base.path)
    parts = checkpoint_parts(base.path, table, base_family)
    _check_clip_skip(request.clip_skip, parts[TEXT_ENCODER], base)
    vae = catalog.resolve(request.vae, kinds={Kind.VAE, Kind.CHECKPOINT}) if request.vae else None
    if vae:
        _check_readable(vae)
        _check_vae(vae, base)
        parts = {**parts, VAE: vae_part(vae.path, read_table(vae.path), base_family)}
    request = _without_comments(request)
    uses = (*map(_tagged, lora_tags(request.prompt)), *request.loras)
    loras = [(use, catalog.resolve(use.ref, kinds={Kind.LORA})) for use in uses]
    for _, lora in loras:
        _check_readable(lora)
        _check_family(lora, base)
    resolution = read_hints(base.path, table.metadata, base_family).resolution
    return LoadPlan(
        request=_resolved(request, base, vae, loras, resolution, catalog),
        family=base_family,
        prediction=base.facts.prediction_type or base_family.prediction_type,
        parts=parts,
        adapters=tuple(
            plan_adapter(lora.path, parts, name=lora.name, unet=use.unet, text_encoder=use.text_encoder)
            for use, lora in loras
        ),
        model=NamedModel(base.name, catalog.sha256(base)),
        vae=NamedModel(vae.path.name, catalog.sha256(vae)) if vae else None,
        used=(("model", base.id), *((("vae", vae.id),) if vae else ()), *(("lora", lora.id) for _, lora in loras)),
    )


def plan_adapter(
    path: Path, parts: Mapping[str, Part], *, name: str, unet: float = 1.0, text_encoder: float = 1.0
) -> AdapterPlan:  # fmt: skip
    """A LoRA file checked against the modules of a base; raises `Incompatible`."""
    table = read_table(path)
    return AdapterPlan(
        name=name,
        path=path,
        layers=parse_lora(path, table, parts),
        unet=unet,
        text_encoder=text_encoder,
        addnet_hash=_addnet_hash(path, table),
    )


def _resolved(
    request: GenerationRequest, base: Artifact, vae: Artifact | None, loras: list[tuple[LoraUse, Artifact]],
    resolution: int, catalog: Catalog,
) -> GenerationRequest:  # fmt: skip
    sampler, schedule = find(request.sampler, request.schedule)
    if sampler.adaptive and request.batch > 1:
        raise BadValue(
            f"{sampler.name} takes each image's own steps, so it draws one at a time, not {request.batch}",
            mend=f"modelhub generate ... --batch 1 --count {request.images}",
        )
    digests = [catalog.sha256(lora) for _, lora in loras]
    tags = len(loras) - len(request.loras)
    return request.model_copy(
        update={
            "model": catalog.sha256(base),
            "vae": catalog.sha256(vae) if vae else None,
            "prompt": renamed(request.prompt, digests[:tags]),
            "loras": tuple(
                use.model_copy(update={"ref": digest})
                for use, digest in zip(request.loras, digests[tags:], strict=True)
            ),
            "sampler": sampler.name,
            "schedule": schedule,
            "seed": random.randrange(SEEDS) if request.seed == -1 else request.seed,
            "width": request.width or resolution,
            "height": request.height or resolution,
        }
    )


def _without_comments(request: GenerationRequest) -> GenerationRequest:
    texts = {field: without_comments(getattr(request, field)) for field in ("prompt", "negative_prompt")}
    return request.model_copy(update=texts)


def _tagged(tag: LoraTag) -> LoraUse:
    """A LoRA that the prompt names: by name, ID or digest, since paths and addresses belong on the command line."""
    if ModelRef.parse(tag.name).form in (RefForm.PATH, RefForm.HUB):
        raise BadValue(
            f"<lora:{tag.name}>: a prompt names LoRAs as the catalog knows them",
            mend=f"modelhub generate ... --lora {tag.name}={tag.unet:g},{tag.text_encoder:g}",
        )
    return LoraUse(ref=tag.name, unet=tag.unet, text_encoder=tag.text_encoder)


def _family_of(artifact: Artifact) -> Family:
    if artifact.facts.family is None:
        raise BadValue(f"the family of {artifact.name} is not known", mend=f"modelhub show {artifact.id}")
    return family(artifact.facts.family)


def _check_readable(artifact: Artifact) -> None:
    """Weights are read from safetensors files alone."""
    container = (artifact.facts.format or read_table(artifact.path).container).partition("/")[0]
    if container == "pickle":
        raise Incompatible(
            f"{artifact.name} is a pickle: it is only read after it was converted",
            mend=f"modelhub convert {artifact.id}",
        )
    if container in _UNREAD:
        raise Incompatible(
            f"{artifact.name} is {_UNREAD[container]}: generating with one is not possible yet",
            mend=f"modelhub ls --kind {artifact.facts.kind}",
        )


def _check_drawable(base: Family) -> None:
    if not resources.files("inference.configs").joinpath(f"{base.name}.json").is_file():
        raise Incompatible(f"generating with {base.title} is not possible yet", mend="modelhub ls --kind checkpoint")


def _check_vae(vae: Artifact, base: Artifact) -> None:
    """Several families share one VAE: those whose latents mean the same."""
    if vae.facts.family and _latents_of(vae.facts.family) != _latents_of(base.facts.family):
        raise _of_another_family(vae, base)


def _latents_of(name: str | None) -> str | None:
    """The family that made the VAE which the family `name` uses."""
    return name and (family(name).vae_of or name)


def _of_another_family(part: Artifact, base: Artifact) -> Incompatible:
    return Incompatible(
        f"{part.name} is made for {part.facts.family}, {base.name} is {base.facts.family}",
        mend=f"modelhub ls --family {base.facts.family} --kind {part.facts.kind}",
    )


def _check_family(part: Artifact, base: Artifact) -> None:
    """Family and width of the text encodings must agree where both are known."""
    if part.facts.family and part.facts.family != base.facts.family:
        raise _of_another_family(part, base)
    ours, theirs = part.facts.context_width, base.facts.context_width
    if ours and theirs and ours != theirs and part.facts.kind is Kind.LORA:
        raise Incompatible(
            f"{part.name} was trained on text encodings {ours} wide, {base.name} has {theirs}: "
            "it belongs to another base model",
            mend="modelhub ls --kind checkpoint",
        )


def _check_clip_skip(clip_skip: int, text_encoder: Part, base: Artifact) -> None:
    layers = text_encoder.config["num_hidden_layers"]
    if clip_skip > layers:
        raise BadValue(
            f"clip skip {clip_skip} passes over the whole text encoder of {base.name}: it has {layers} layers"
        )


def _addnet_hash(path: Path, table: TensorTable) -> str:
    """What the header says, as webui takes it; some trainers once wrote the digest of nothing there."""
    written = table.metadata.get("sshs_model_hash", "")
    return data_digest(path, table) if not written or written.startswith(_DIGEST_OF_NOTHING) else written
