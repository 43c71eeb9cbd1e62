"""Hypernetworks that a prompt names, found and checked against the base."""

from typing import Any

from inference.adapters.hypernetwork import parse_hypernetwork
from inference.plan.models import check_readable, check_same_family
from inference.plan.nouns import HypernetworkPlan
from inference.prompt.networks import HypernetworkTag, hypernetwork_tags, with_hypernetworks
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.errors import BadValue
from modelhub.headers import read_table
from modelhub.kinds import Artifact, Kind
from modelhub.refs import ModelRef, RefForm

__all__ = ["hypernetworks_by_digest", "plan_hypernetworks"]


def hypernetworks_by_digest(request: GenerationRequest, catalog: Catalog) -> GenerationRequest:
    """With a SHA-256 wherever its prompts name a hypernetwork."""
    changes: dict[str, Any] = {"prompt": _by_digest(request.prompt, catalog)}
    if request.hires and request.hires.prompt:
        changes["hires"] = request.hires.model_copy(update={"prompt": _by_digest(request.hires.prompt, catalog)})
    return request.model_copy(update=changes)


def plan_hypernetworks(prompt: str, base: Artifact, catalog: Catalog) -> tuple[HypernetworkPlan, ...]:
    """Those of a prompt, in its order; raises `Incompatible` for one of another family."""
    return tuple(_planned(tag, base, catalog) for tag in hypernetwork_tags(prompt))


def _by_digest(prompt: str, catalog: Catalog) -> str:
    return with_hypernetworks(prompt, lambda name: catalog.sha256(_found(name, catalog)))


def _found(name: str, catalog: Catalog) -> Artifact:
    if ModelRef.parse(name).form in (RefForm.PATH, RefForm.HUB):
        raise BadValue(
            f"<hypernet:{name}>: a prompt names hypernetworks as the catalog knows them",
            mend=f"modelhub add {name}",
        )
    return catalog.resolve(name, kinds={Kind.HYPERNETWORK})


def _planned(tag: HypernetworkTag, base: Artifact, catalog: Catalog) -> HypernetworkPlan:
    found = _found(tag.name, catalog)
    check_readable(found)
    check_same_family(found, base)
    return HypernetworkPlan(
        name=found.name,
        sha256=catalog.sha256(found),
        path=found.path,
        strength=tag.strength,
        nets=parse_hypernetwork(found.path, read_table(found.path)),
    )
