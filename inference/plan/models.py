"""The checkpoint that draws and the parts that take the place of its own, found and checked against one another."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from inference.plan.assembly import assembled
from inference.plan.noise import noise_range
from inference.plan.nouns import ModelPlan, NamedModel
from inference.request import GenerationRequest
from inference.weights.hints import read_hints
from inference.weights.single_file import TEXT_ROLES, Part
from modelhub.catalog import Catalog, Query
from modelhub.errors import BadValue, Incompatible
from modelhub.families import Family, family
from modelhub.headers import TensorTable, read_table
from modelhub.kinds import Artifact, Kind

__all__ = ["Models", "check_readable", "check_same_family", "default_model", "find_models", "plan_model"]

_UNREAD = {"gguf": "a GGUF file", "diffusers": "a diffusers folder"}
_PACKED = ("bnb-", "sdnq")
"""How weights are called of which several stand in a byte."""
_SAMPLE_SIZES = ("unet.sample_size", "sample_size")
"""Where a diffusers folder says the side of its latents."""
_BY_PICTURES = ("unclip-l", "unclip-h", "zero123")
"""Variants that are told what to draw by a picture's encoding."""


@dataclass(frozen=True, slots=True)
class Models:
    """The artifacts that together are one model."""

    base: Artifact
    vae: Artifact | None = None
    unet: Artifact | None = None
    text_encoders: tuple[Artifact, ...] = ()

    @property
    def used(self) -> tuple[tuple[str, int], ...]:
        """(role, catalog ID) of each."""
        text_encoders = (("text_encoder", one) for one in self.text_encoders)
        named = (("model", self.base), ("unet", self.unet), ("vae", self.vae), *text_encoders)
        return tuple((role, one.id) for role, one in named if one)

    @property
    def denoiser(self) -> Artifact:
        """What holds the UNet: by it goes what is predicted."""
        return self.unet or self.base


def default_model(catalog: Catalog) -> str:
    """The checkpoint to draw with where nobody says which: the only one, or the one that was drawn with last.

    Raises `BadValue` naming those that there are.
    """
    checkpoints = catalog.list(Query(kinds=(Kind.CHECKPOINT,)))
    if len(checkpoints) == 1:
        return str(checkpoints[0].id)
    last = catalog.last_run("generate")
    for role, number in last.inputs if last else ():
        if role == "model" and number in {one.id for one in checkpoints}:
            return str(number)
    if not checkpoints:
        raise BadValue("the catalog holds no checkpoint", mend="modelhub add FILE, or modelhub pull REF")
    names = ", ".join(f"{one.name} ({one.id})" for one in checkpoints[:5])
    raise BadValue(f"which model shall draw? There are {names}", mend="modelhub generate ... --model REF")


def find_models(request: GenerationRequest, catalog: Catalog) -> Models:
    """The request's checkpoint and what replaces parts of it; raises `UnknownRef` or `Incompatible`."""
    base = catalog.resolve(request.model, kinds={Kind.CHECKPOINT, Kind.UNET})
    check_readable(base, folders=True)
    _check_drawable(base)

    def found(ref: str | None, kind: Kind) -> Artifact | None:
        artifact = catalog.resolve(ref, kinds={kind, Kind.CHECKPOINT}) if ref else None
        if artifact:
            check_readable(artifact, folders=True)
        return artifact

    unet, vae = found(request.unet, Kind.UNET), found(request.vae, Kind.VAE)
    text_encoders = tuple(one for ref in request.text_encoders if (one := found(ref, Kind.TEXT_ENCODER)))
    for part in (*text_encoders, *((unet,) if unet else ())):
        check_same_family(part, base)
    if vae:
        _check_vae(vae, base)
    return Models(base, vae, unet, text_encoders)


def plan_model(models: Models, catalog: Catalog, *, clip_skip: int = 1) -> ModelPlan:
    """Their headers read, and every part's sizes known; raises `BrokenFile` or `Incompatible` for what is missing."""
    base, vae, denoiser = models.base, models.vae, models.denoiser
    base_family = _family_of(base)
    parts = assembled(base, base_family, unet=models.unet, vae=vae, text_encoders=models.text_encoders)
    _check_clip_skip(clip_skip, parts, base)
    table = read_table(denoiser.path)
    prediction = denoiser.facts.prediction_type or base_family.prediction_type
    return ModelPlan(
        family=base_family,
        prediction=prediction,
        resolution=_resolution(denoiser, table, base_family, prediction),
        parts=parts,
        model=NamedModel(base.name, catalog.sha256(base)),
        vae=NamedModel(vae.path.name, catalog.sha256(vae)) if vae else None,
        zero_snr=bool(denoiser.facts.zero_snr),
        noise_range=noise_range(denoiser.path, table),
    )


def check_readable(artifact: Artifact, *, folders: bool = False) -> None:
    """Weights are read from safetensors files alone, and with `folders` from folders of them."""
    container = (artifact.facts.format or read_table(artifact.path).container).partition("/")[0]
    if container == "pickle":
        raise Incompatible(
            f"{artifact.name} is a pickle: it is only read after it was converted",
            mend=f"modelhub convert {artifact.id}",
        )
    if container in _UNREAD and not (folders and artifact.path.is_dir()):
        raise Incompatible(
            f"{artifact.name} is {_UNREAD[container]}: generating with one is not possible yet",
            mend=f"modelhub ls --kind {artifact.facts.kind}",
        )
    if (artifact.facts.precision or "").startswith(_PACKED):
        raise Incompatible(
            f"the weights of {artifact.name} are packed ({artifact.facts.precision}): generating with such is not "
            "possible yet",
            mend=f"modelhub ls --kind {artifact.facts.kind}",
        )


def check_same_family(part: Artifact, base: Artifact) -> None:
    """Raises `Incompatible` where both families are known and differ."""
    if part.facts.family and part.facts.family != base.facts.family:
        raise _of_another_family(part, base)


def _family_of(artifact: Artifact) -> Family:
    if artifact.facts.family is None:
        raise BadValue(f"the family of {artifact.name} is not known", mend=f"modelhub show {artifact.id}")
    return family(artifact.facts.family)


def _check_drawable(base: Artifact) -> None:
    title = _family_of(base).title
    if not resources.files("inference.configs").joinpath(f"{base.facts.family}.json").is_file():
        raise Incompatible(f"generating with {title} is not possible yet", mend="modelhub ls --kind checkpoint")
    if base.facts.variant in _BY_PICTURES:
        raise Incompatible(
            f"{base.name} is told by a picture what to draw ({title} {base.facts.variant}), which is not possible yet",
            mend=f"modelhub ls --family {base.facts.family} --kind checkpoint",
        )


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


def _check_clip_skip(clip_skip: int, parts: Mapping[str, Part], base: Artifact) -> None:
    layers = min(parts[role].config["num_hidden_layers"] for role in TEXT_ROLES if role in parts)
    if clip_skip > layers:
        raise BadValue(
            f"clip skip {clip_skip} passes over the whole text encoder of {base.name}: it has {layers} layers",
            mend=f"take --clip-skip {layers} or less",
        )


def _resolution(denoiser: Artifact, table: TensorTable, base: Family, prediction: str) -> int:
    """By our own header, a folder's configuration, the model spec's word for a square, or as is usual."""
    written = read_hints(denoiser.path, table.metadata, base).resolution
    if written:
        return written
    latents = next((text for key in _SAMPLE_SIZES if (text := table.metadata.get(key, "")).isdecimal()), "0")
    width, height = denoiser.facts.resolution or (0, 0)
    sides = (int(latents) * base.latent.downscale, width if width == height else 0)
    return next(filter(_is_side, sides), base.resolutions.get(prediction, base.resolution))


def _is_side(side: int) -> bool:
    return side % 8 == 0 and 64 <= side <= 8192
