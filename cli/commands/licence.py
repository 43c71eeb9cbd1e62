"""`modelhub licence REF|IMAGE...`: what may be done with models, alone and together, and with what they drew."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.pictures import is_picture, recorded
from cli.render import plain, table
from cli.session import Session
from modelhub.errors import NotFound, NoWorkspace, UnknownRef
from modelhub.licences import BURDENS, QUESTIONS, UNKNOWN, Answer, Named, Verdict, check, combined
from modelhub.refs import ModelRef, RefForm

if TYPE_CHECKING:
    from modelhub.catalog import Catalog
    from modelhub.hubs import Access

_ASKED = {
    "sell_images": "sell pictures",
    "use_commercially": "run as a service",
    "sell_model": "sell the model",
    "merge": "merge, fine-tune",
    "relicense": "another licence for that",
    "must_credit": "must name its author",
    "restricts_use": "forbids some uses",
}
_UNTOLD = "if you know it, say so: modelhub tag REF +licence:apache-2.0, or +licence:own"
_DISCLAIMER = "This is no legal advice: the licences themselves count, and some hold terms that no table shows."


def command(
    session: Session,
    refs: Annotated[
        list[str],
        typer.Argument(metavar="REF|IMAGE...", help="Models used together, held or at a hub; a picture's file is its."),
    ],
    require: Annotated[
        str | None,
        typer.Option(metavar="USE", help="Fail unless all allow it: commercial, service, credit-free or derivatives."),
    ] = None,
) -> None:
    """Show what the licences of models allow, alone and together: who says so, and what nobody says."""
    with ExitStack() as stack:
        catalog = _catalog(session, stack)
        models = [one for ref in refs for one in _meant(session, ref, catalog, stack)]
    if require:
        check(require, models)
    verdict = combined(models)
    session.output.show(
        {"models": [_document(one) for one in models], "together": _together(verdict)},
        text=lambda: "\n".join(_page(models, verdict)),
        ids=[verdict.licence.answer("sell_images").value],
    )


def _catalog(session: Session, stack: ExitStack) -> "Catalog | None":
    with suppress(NoWorkspace):
        return stack.enter_context(session.open_catalog())
    return None


def _meant(session: Session, ref: str, catalog: "Catalog | None", stack: ExitStack) -> Sequence[Named]:
    """The models that drew a picture; a model that is held; or else what a hub says of its own address."""
    from modelhub.upkeep.terms import named

    path = session.cwd / Path(ref).expanduser()
    at_hub = ModelRef.parse(ref).form is RefForm.HUB
    try:
        held = catalog or stack.enter_context(session.open_catalog())
        if is_picture(path) and not at_hub:
            return _of_picture(held, path)
        return [named(held, held.resolve(ref))]
    except (UnknownRef, NoWorkspace):
        if not at_hub:
            raise
    return [_offered(ref, stack.enter_context(session.access()))]


def _of_picture(catalog: "Catalog", path: Path) -> Sequence[Named]:
    """By the run that drew it, else by what its own text names."""
    from inference.images.texts import named_models, read_texts

    if image := recorded(catalog, path):
        run = catalog.run(image.run_id)
        names = catalog.names([used for _, used in run.inputs])
        return [_held(catalog, (used,), names[used]) for _, used in run.inputs]
    told = named_models(read_texts(path))
    if not told:
        raise NotFound(f"nothing tells what drew {path}", mend=f"modelhub where {path}")
    return [_held(catalog, catalog.find_digest(one.digest), f"{one.name} {one.digest}".strip()) for one in told]


def _held(catalog: "Catalog", artifact_ids: Sequence[int], name: str) -> Named:
    """The first of the artifacts that is held, or what is called `name` and is not."""
    from modelhub.upkeep.terms import named

    if held := catalog.held(artifact_ids):
        return named(catalog, catalog.artifact(min(held)))
    return Named(name, replace(UNKNOWN, because=("the catalog does not hold it",)))


def _offered(ref: str, access: "Access") -> Named:
    from modelhub import hubs

    address = hubs.parse(ref)
    listing = hubs.connect(address.hub, access).listings(address)[0]
    return Named(str(listing.ref), listing.licence)


def _page(models: Sequence[Named], verdict: Verdict) -> Iterator[str]:
    together = [("together", verdict.licence)] if len(models) > 1 else []
    columns = [*((one.model, one.licence) for one in models), *together]
    rows = [[_ASKED[one], *(licence.answer(one).value for _, licence in columns)] for one in QUESTIONS]
    yield table(("", *(name for name, _ in columns)), rows)
    for one in models:
        yield f"\n{plain(one.model)}: {plain(one.licence.name or 'no licence is named')}"
        yield from (
            f"  {plain(line)}" for line in (*one.licence.because, *([one.licence.url] if one.licence.url else []))
        )
    if together:
        yield from _decided(verdict)
    if any(not one.licence.name for one in models):
        yield f"\n{_UNTOLD}"
    yield f"\n{_DISCLAIMER}"


def _decided(verdict: Verdict) -> Iterator[str]:
    """Who stands in the way of a freer answer."""
    told = [
        f"  {_ASKED[question]}: {verdict.licence.answer(question).value}, because of {', '.join(models)}"
        for question, models in verdict.decided_by.items()
        if not _is_free(question, verdict.licence.answer(question))
    ]
    if told:
        yield "\ntogether"
        yield from map(plain, told)


def _is_free(question: str, answer: Answer) -> bool:
    return answer is (Answer.NO if question in BURDENS else Answer.YES)


def _document(one: Named) -> dict[str, Any]:
    return {"model": one.model, **asdict(one.licence)}


def _together(verdict: Verdict) -> dict[str, Any]:
    return {**asdict(verdict.licence), "decided_by": verdict.decided_by}
