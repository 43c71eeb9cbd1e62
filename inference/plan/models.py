"""The checkpoint that draws and the parts that take the place of its own, found and checked against one another."""

from dataclasses import dataclass
from importlib import resources

from inference.plan.nouns import ModelPlan, NamedModel
from inference.request import GenerationRequest
from inference.weights.hints import read_hints
from inference.weights.single_file import TEXT_ENCODER, VAE, Part, checkpoint_parts, vae_part
from modelhub.catalog import Catalog, Query
from modelhub.errors import BadValue, Incompatible
from modelhub.families import Family, family
from modelhub.headers import read_table
from modelhub.kinds import Artifact, Kind

__all__ = ["Models", "check_readable", "check_same_family", "default_model", "find_models", "plan_model"]

_UNREAD = {"gguf": "a GGUF file", "diffusers": "a diffusers folder"}


@dataclass(frozen=True, slots=True)
class Models:
    """The artifacts that together are one model."""

    base: Artifact
    vae: Artifact | None

    @property
    def used(self) -> tuple[tuple[str, int], ...]:
        """(role, catalog ID) of each."""
        return (("model", self.base.id), *((("vae", self.vae.id),) if self.vae else ()))


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
    base = catalog.resolve(request.model, kinds={Kind.CHECKPOINT})
    check_readable(base)
    _check_drawable(_family_of(base))
    vae = catalog.resolve(request.vae, kinds={Kind.VAE, Kind.CHECKPOINT}) if request.vae else None
    if vae:
        check_readable(vae)
        _check_vae(vae, base)
    return Models(base, vae)


def plan_model(models: Models, catalog: Catalog, *, clip_skip: int = 1) -> ModelPlan:
    """Their headers read, and every part's sizes known; raises `BrokenFile` for what is missing."""
    base, vae = models.base, models.vae
    base_family = _family_of(base)
    table = read_table(base.path)
    parts = checkpoint_parts(base.path, table, base_family)
    _check_clip_skip(clip_skip, parts[TEXT_ENCODER], base)
    if vae:
        parts = {**parts, VAE: vae_part(vae.path, read_table(vae.path), base_family)}
    return ModelPlan(
        family=base_family,
        prediction=base.facts.prediction_type or base_family.prediction_type,
        resolution=read_hints(base.path, table.metadata, base_family).resolution,
        parts=parts,
        model=NamedModel(base.name, catalog.sha256(base)),
        vae=NamedModel(vae.path.name, catalog.sha256(vae)) if vae else None,
    )


def check_readable(artifact: Artifact) -> None:
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


def check_same_family(part: Artifact, base: Artifact) -> None:
    """Raises `Incompatible` where both families are known and differ."""
    if part.facts.family and part.facts.family != base.facts.family:
        raise _of_another_family(part, base)


def _family_of(artifact: Artifact) -> Family:
    if artifact.facts.family is None:
        raise BadValue(f"the family of {artifact.name} is not known", mend=f"modelhub show {artifact.id}")
    return family(artifact.facts.family)


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


def _check_clip_skip(clip_skip: int, text_encoder: Part, base: Artifact) -> None:
    layers = text_encoder.config["num_hidden_layers"]
    if clip_skip > layers:
        raise BadValue(
            f"clip skip {clip_skip} passes over the whole text encoder of {base.name}: it has {layers} layers"
        )
