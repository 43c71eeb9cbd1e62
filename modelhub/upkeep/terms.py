"""What the licence of a model that we hold allows: as hubs and its header tell, and as far as its base binds it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from modelhub.catalog import Account, Catalog, Heard, Run
from modelhub.errors import UnknownRef
from modelhub.kinds import Artifact
from modelhub.licences import (
    QUESTIONS,
    UNKNOWN,
    Answer,
    Licence,
    Named,
    agreed,
    bound_by,
    combined,
    from_civitai,
    from_json,
    known,
    of_family,
    strictures,
)

__all__ = ["OWNERS_TAG", "licence_of", "named"]

OWNERS_TAG = "licence:"
"""Begins a tag by which the owner says what a model's licence is, e.g. ``licence:mit``; ``licence:own`` is own work."""

_OWN = Licence(
    sell_images=Answer.YES,
    use_commercially=Answer.YES,
    sell_model=Answer.YES,
    merge=Answer.YES,
    relicense=Answer.YES,
    must_credit=Answer.NO,
    restricts_use=Answer.NO,
)


def named(catalog: Catalog, artifact: Artifact) -> Named:
    """An artifact with its licence, called as messages and commands call it."""
    return Named(f"{artifact.id} ({artifact.name})", licence_of(catalog, artifact))


def licence_of(catalog: Catalog, artifact: Artifact) -> Licence:
    """What all that tell of it agree on; the terms of what it was trained on flow down to it."""
    return _licence(catalog, artifact.id, frozenset())


def _licence(catalog: Catalog, artifact_id: int, derived: frozenset[int]) -> Licence:
    """`derived` are those that ask for their base's licence: a header may name its own descendant."""
    account = catalog.account(artifact_id)
    if said := tuple(_owner_said(account.artifact)):
        return agreed(said)
    made_by = account.lineage.made_by
    if made_by and made_by.kind == "train":
        return _of_training(catalog, made_by, derived | {artifact_id})
    told = agreed(list(_told(account)))
    base = account.base.artifact if account.base and account.base.found_by != "name" else None
    if base and base.id not in derived:
        terms = _said_of(_licence(catalog, base.id, derived | {artifact_id}), f"its base {base.id} ({base.name})")
        return bound_by(told, terms) if terms.name else agreed([told, strictures(terms)])
    return told if _answers(told) else agreed([told, _hint(account.artifact)])


def _of_training(catalog: Catalog, run: Run, derived: frozenset[int]) -> Licence:
    base = next((used for role, used in run.inputs if role == "base" and used not in derived), None)
    try:
        licence = _licence(catalog, base, derived) if base else UNKNOWN
    except UnknownRef:
        licence = replace(UNKNOWN, because=("it was removed: what it allows is not known any more",))
    own = replace(_OWN, because=("it was trained here: as free as its base and its pictures let it be",))
    return combined([Named("", own), Named("", _said_of(licence, f"its base {base}"))]).licence


def _owner_said(artifact: Artifact) -> Iterator[Licence]:
    """Believed above all."""
    for tag in artifact.tags:
        if tag.startswith(OWNERS_TAG):
            name = tag.removeprefix(OWNERS_TAG)
            yield replace(_OWN if name == "own" else known(name), name=name, because=(f"you tagged it {tag}",))


def _told(account: Account) -> Iterator[Licence]:
    yield from (_said_of(_heard(one), one.ref) for one in account.sources)
    if account.training and account.training.licence:
        yield _said_of(known(account.training.licence), "its header")


def _heard(heard: Heard) -> Licence:
    """A hub's words; notes of other tools hold what Civitai's authors ticked."""
    said: Mapping[str, Any] = heard.said
    if "licence" in said or not heard.ref.startswith("civitai:"):
        return from_json(said.get("licence"))
    return from_civitai(
        allow_no_credit=said.get("allow_no_credit"),
        allow_commercial_use=said.get("allow_commercial_use"),
        allow_derivatives=said.get("allow_derivatives"),
        allow_different_licence=said.get("allow_different_license"),
        base=str(said.get("base_model", "")),
    )


def _hint(artifact: Artifact) -> Licence:
    """What the first weights of its family forbid binds all that came of them; what they allow proves nothing."""
    first = of_family(artifact.facts.family)
    if first is None:
        return replace(UNKNOWN, because=("nobody here told what it allows",))
    why = f"nobody here told what it allows; what its family {artifact.facts.family} began with carries {first.name}"
    return replace(strictures(first), name="", url=first.url, because=(why,))


def _said_of(licence: Licence, who: str) -> Licence:
    return replace(licence, because=tuple(f"{who}: {reason}" for reason in licence.because))


def _answers(licence: Licence) -> bool:
    return any(licence.answer(one) is not Answer.UNKNOWN for one in QUESTIONS)
