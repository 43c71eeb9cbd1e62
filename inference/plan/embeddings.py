"""Embeddings that the prompts of a request name, found among those of the catalog and checked against its models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inference.plan.models import check_readable
from inference.plan.nouns import EmbeddingPlan, ModelPlan
from inference.prompt.attention import read_runs
from inference.prompt.chunks import CHUNK, chunk_runs
from inference.prompt.composition import split_parts
from inference.prompt.embeddings import Embedding, EmbeddingNames
from inference.prompt.networks import without_networks
from inference.prompt.schedule import schedule
from inference.prompt.tokenizer import tokenize
from inference.request import GenerationRequest, NetworkUse
from inference.samplers import find
from modelhub.catalog import Catalog, Query
from modelhub.errors import Incompatible
from modelhub.headers import TensorTable, read_table
from modelhub.kinds import Artifact, Kind

__all__ = ["plan_embedding", "plan_embeddings", "with_embeddings"]

_SMALL, _LARGE = "text_encoder", "text_encoder_2"
_TENSORS = {"clip_l": _SMALL, "clip_g": _LARGE}
"""Tensors of embeddings for several text encoders -> whose rows they are."""
_TABLE = "embeddings.token_embedding.weight"
_RELATED = {"sdxl-refiner": "sdxl"}
"""Family -> the one whose embeddings it reads too: they share a text encoder."""


@dataclass(frozen=True, slots=True)
class _Named:
    """An embedding under one of its names."""

    name: str
    artifact: Artifact


def plan_embeddings(request: GenerationRequest, model: ModelPlan, catalog: Catalog) -> ModelPlan:
    """The model with the embeddings that the request's prompts name, as far as they are made for its family.

    Raises `Incompatible` for one whose vectors are of another width than the model's.
    """
    candidates = list(_candidates(request, model, catalog))
    if not candidates:
        return model
    # how many vectors each has is in its file, which is read only when it is named
    names = EmbeddingNames([Embedding(one.name, 1) for one in candidates])
    named = {one.name for one in _named(request, names)}
    found = [one for one in candidates if one.name in named]
    return replace(model, embeddings=tuple(_planned(one, model, catalog) for one in found))


def plan_embedding(path: Path, model: ModelPlan, *, name: str, sha256: str = "") -> EmbeddingPlan:
    """A file's vectors under a name; raises `Incompatible` for those that the model has no place for."""
    table = read_table(path)
    rows = _rows(table, model)
    _check(path, table, rows, model)
    counts = {_count(table.tensors[tensor].shape) for tensor in rows.values()}
    if len(counts) != 1 or not 0 < (count := counts.pop()) <= CHUNK:
        raise Incompatible(
            f"{path.name} has not 1 to {CHUNK} vectors for each text encoder: prompts have no room for it"
        )
    return EmbeddingPlan(name, sha256, path, rows, count)


def with_embeddings(request: GenerationRequest, models: Sequence[ModelPlan | None]) -> GenerationRequest:
    """With what the names stand for, so that it is drawn again whatever the catalog calls them then."""
    uses = [NetworkUse(name=one.name, ref=one.sha256) for model in models if model for one in model.embeddings]
    return request.model_copy(update={"embeddings": tuple(dict.fromkeys(uses))})


def _candidates(request: GenerationRequest, model: ModelPlan, catalog: Catalog) -> Iterator[_Named]:
    """What words may mean: what the request says, or all names in the catalog and then all aliases.

    A pickle is only meant where nothing that was converted from it goes by its name.
    """
    families = {None, model.family.name, _RELATED.get(model.family.name)}
    if request.embeddings is not None:
        given = [_Named(use.name, catalog.resolve(use.ref, kinds={Kind.EMBEDDING})) for use in request.embeddings]
        yield from (one for one in given if one.artifact.facts.family in families)
        return
    held = [one for one in catalog.list(Query(kinds=(Kind.EMBEDDING,))) if one.facts.family in families]
    by_name: dict[str, Artifact] = {}
    for name, artifact in sorted(_names(held), key=lambda named: _is_pickle(named[1])):
        by_name.setdefault(name, artifact)
    yield from (_Named(name, artifact) for name, artifact in by_name.items())


def _names(held: Sequence[Artifact]) -> Iterator[tuple[str, Artifact]]:
    yield from ((one.name, one) for one in held)
    yield from ((alias, one) for one in held for alias in one.aliases)


def _is_pickle(artifact: Artifact) -> bool:
    return (artifact.facts.format or "").startswith("pickle")


def _named(request: GenerationRequest, names: EmbeddingNames) -> Iterator[Embedding]:
    for text in _texts(request):
        for chunk in chunk_runs(read_runs(text, request.emphasis), tokenize, embeddings=names):
            yield from (slot.embedding for slot in chunk.slots)


def _texts(request: GenerationRequest) -> set[str]:
    """All that the text encoders will be given, in both passes."""
    calls = request.steps * find(request.sampler)[0].calls
    texts = set(_in_a_pass(request.prompt, request.negative_prompt, calls))
    if hires := request.hires:
        sampler, _ = find(hires.sampler or request.sampler)
        second = (hires.steps or request.steps) * sampler.calls
        said = hires.prompt or request.prompt, hires.negative_prompt or request.negative_prompt
        texts.update(_in_a_pass(*said, second, before=calls))
    return texts


def _in_a_pass(prompt: str, negative: str, calls: int, before: int = 0) -> Iterator[str]:
    for text in (*(part.text for part in split_parts(without_networks(prompt))), negative):
        yield from (span.text for span in schedule(text, calls, before))


def _planned(named: _Named, model: ModelPlan, catalog: Catalog) -> EmbeddingPlan:
    check_readable(named.artifact)
    return plan_embedding(named.artifact.path, model, name=named.name, sha256=catalog.sha256(named.artifact))


def _rows(table: TensorTable, model: ModelPlan) -> dict[str, str]:
    """Text encoder of the model -> tensor; one that stands alone, whatever its name, is for the only text encoder."""
    roles = [role for role in (_SMALL, _LARGE) if role in model.parts]
    if len(table.tensors) == 1 and len(roles) == 1:
        return {roles[0]: next(iter(table.tensors))}
    return {_TENSORS[name]: name for name in table.tensors if _TENSORS.get(name) in roles}


def _check(path: Path, table: TensorTable, rows: dict[str, str], model: ModelPlan) -> None:
    """Raises `Incompatible` unless there are vectors of the right width for every text encoder."""
    for role, part in model.parts.items():
        if role not in (_SMALL, _LARGE):
            continue
        width = next(shape[1] for name, shape in part.shapes.items() if name.endswith(_TABLE))
        ours = table.tensors[rows[role]].shape[-1] if role in rows else None
        if ours != width:
            found = f"are {ours} wide" if ours else "are missing"
            raise Incompatible(
                f"{path.stem} does not fit {model.model.name}: its vectors for the {role.replace('_', ' ')} {found}, "
                f"those of the model are {width} wide",
                mend=f"modelhub ls --kind embedding --family {model.family.name}",
            )


def _count(shape: tuple[int, ...]) -> int:
    return shape[0] if len(shape) == 2 else 1
