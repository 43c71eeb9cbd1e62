"""`modelhub pull REF...`: bring models from hubs into the catalog."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli.artifacts import artifacts_table
from cli.asking import agreed
from cli.exits import end
from cli.options import DryRun, Yes
from cli.plans import listing_row, listings_table, reason, refused
from cli.render import error_json, jsonable, size_text
from cli.session import Session
from modelhub.errors import BadValue, ModelHubError, UnknownRef
from modelhub.kinds import Artifact
from modelhub.refs import ModelRef, RefForm, check_name

if TYPE_CHECKING:
    from modelhub.catalog import Catalog
    from modelhub.hubs import Access
    from modelhub.pull import Choice, Fetch, Keep, Policy, PullPlan, PullReport, Refuse, Wish

_PACK = "pack:"


def command(
    session: Session,
    refs: Annotated[
        list[str],
        typer.Argument(metavar="REF...", help="hf:OWNER/REPO, civitai:MODEL, its page, pack:NAME, a digest."),
    ],
    name: Annotated[str | None, typer.Option(help="Name in the catalog, for one model.", show_default=False)] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag; may be repeated.", show_default=False)] = None,
    file: Annotated[str, typer.Option(metavar="PATTERN", help="Its file, e.g. *fp16*.", show_default="the best")] = "",
    precision: Annotated[str, typer.Option(help="fp16, bf16, fp32, fp8.", show_default="the best")] = "",
    format: Annotated[str, typer.Option(help="safetensors, diffusers, gguf, pickle.", show_default="the best")] = "",
    pruned: Annotated[
        bool | None, typer.Option("--pruned/--full", help="What its author left in.", show_default=False)
    ] = None,
    for_base: Annotated[
        str | None, typer.Option(metavar="REF", help="Warn of what does not go with this model.", show_default=False)
    ] = None,
    require: Annotated[
        str | None, typer.Option(help="What its licence must allow, e.g. commercial.", show_default=False)
    ] = None,
    nsfw: Annotated[bool, typer.Option("--nsfw", help="Take previews that are not for everybody, too.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Bring models from hubs: resumed where it stopped, verified, identified, registered. Pickles go to quarantine."""
    from modelhub.hubs import connected
    from modelhub.pull import Choice, holdings, plan, room, survey
    from modelhub.pull import pull as pulled

    wished = _wished(refs, Choice(file, precision, format, pruned), tuple(tag or ()))
    with session.create_catalog() as catalog, session.access() as access:
        asked = _asked(catalog, wished, name)
        hubs = connected(access)
        offers = session.run(survey(asked.wishes, hubs=hubs))
        policy = _policy(catalog, access, for_base, require)
        held, free = holdings(catalog, offers), room(catalog.workspace, offers)
        todo = plan(offers, held=held, free=free, policy=policy)
        if dry_run:
            _show_plan(session, todo, asked.held)
            return
        if todo.fetches and not agreed(session, _plan_text(todo), "Fetch?", yes=yes):
            return
        job = pulled(todo, catalog=catalog, hubs=hubs, network=access.network, pace=access.pace, nsfw=nsfw)
        report = session.run(job)
    _show(session, todo, report, asked.held)


# What is asked for


@dataclass(frozen=True, slots=True)
class _Asked:
    wishes: tuple["Wish", ...]
    held: tuple[Artifact, ...]
    """What was asked for by a digest that the catalog knows."""


def _wished(refs: Sequence[str], choice: "Choice", tags: tuple[str, ...]) -> "Mapping[str, tuple[Wish, ...]]":
    """What each reference, or pack of references, asks for."""
    return {text: tuple(replace(one, tags=(*one.tags, *tags)) for one in _wishes(text, choice)) for text in refs}


def _asked(catalog: "Catalog", wished: "Mapping[str, tuple[Wish, ...]]", name: str | None) -> _Asked:
    held: list[Artifact] = []
    wishes: list[Wish] = []
    for text, each in wished.items():
        if found := _held(catalog, text):
            held.append(found)
        else:
            wishes += each
    if name is not None and len(wishes) != 1:
        raise BadValue(f"--name {name!r} cannot name {len(wishes)} models", mend="modelhub pull ONE-REF --name NAME")
    named = [replace(one, name=check_name(name)) for one in wishes] if name else wishes
    return _Asked(tuple(named), tuple(held))


def _held(catalog: "Catalog", text: str) -> Artifact | None:
    """What the catalog has under a digest."""
    if ModelRef.parse(text).form is not RefForm.DIGEST:
        return None
    try:
        return catalog.resolve(text)
    except UnknownRef:
        return None


def _wishes(text: str, choice: "Choice") -> "tuple[Wish, ...]":
    from modelhub import hubs
    from modelhub.pull import Wish

    if text.startswith(_PACK):
        from modelhub.packs import read_pack

        return read_pack(text.removeprefix(_PACK)).wishes
    form = ModelRef.parse(text).form
    if form is RefForm.ID:
        raise BadValue(
            f"{text} is a catalog ID; civitai:{text} is the model of that number at Civitai",
            mend=f"modelhub pull civitai:{text}",
        )
    return (Wish(hubs.parse(f"civitai:hash:{text}" if form is RefForm.DIGEST else text), choice=choice),)


def _policy(catalog: "Catalog", access: "Access", for_base: str | None, require: str | None) -> "Policy":
    from modelhub import hubs
    from modelhub.families import known
    from modelhub.licences import requirement
    from modelhub.pull import Policy

    if require:
        requirement(require)
    family = for_base if for_base in known() else catalog.resolve(for_base).facts.family if for_base else None
    return Policy(family, require, hubs.with_tokens(access))


# What will be done


def _show_plan(session: Session, todo: "PullPlan", held: Sequence[Artifact]) -> None:
    text = "\n".join([*(_here(one) for one in held), _plan_text(todo)])
    session.output.show(_plan_json(todo, held), text=lambda: text, ids=[one.listing.ref for one in todo.fetches])
    not_taken = refused(todo)
    if not_taken and not (todo.fetches or held):
        raise typer.Exit(not_taken[0].error.exit_code)


def _plan_text(todo: "PullPlan") -> str:
    lines = listings_table([listing_row(_what(one), one.offer.listing) for one in todo.steps if one.offer.listing])
    lines += [f"note: {warning}" for warning in todo.warnings]
    lines += (_refusal(one.offer.wish, one.error) for one in refused(todo))
    return "\n".join([*lines, _totals(todo)])


def _what(step: "Fetch | Keep | Refuse") -> str:
    from modelhub.pull import Keep, Refuse

    return f"have {step.artifact_id}" if isinstance(step, Keep) else "refuse" if isinstance(step, Refuse) else "fetch"


def _totals(todo: "PullPlan") -> str:
    free = f"; {size_text(todo.free)} free" if todo.free is not None else ""
    if not todo.fetches:
        return "nothing to fetch"
    sizes = size_text(todo.size) if all(one.listing.size for one in todo.fetches) else f"{size_text(todo.size)} or more"
    return f"{len(todo.fetches)} to fetch, {sizes}{free}"


def _refusal(wish: "Wish", error: ModelHubError) -> str:
    return f"not pulled: {wish.ref}: {reason(error)}"


def _plan_json(todo: "PullPlan", held: Sequence[Artifact]) -> dict[str, object]:
    from modelhub.pull import Keep

    return {
        "fetch": [
            {"ref": str(one.listing.ref), "files": one.listing.files, "size": one.listing.size}
            | {"title": one.listing.title, "kind": one.listing.kind, "family": one.listing.family}
            | {"licence": one.listing.licence, "gate": one.listing.gate, "scan": one.listing.scan}
            for one in todo.fetches
        ],
        "keep": [
            *({"id": one.id, "ref": None} for one in held),
            *({"id": one.artifact_id, "ref": str(one.listing.ref)} for one in todo.steps if isinstance(one, Keep)),
        ],
        "refuse": [{"ref": str(one.offer.wish.ref), **error_json(one.error)} for one in refused(todo)],
        "warnings": todo.warnings,
        "size": todo.size,
        "free": todo.free,
    }


# What was done


def _show(session: Session, todo: "PullPlan", report: "PullReport", held: Sequence[Artifact]) -> None:
    there = [*held, *(one.artifact for one in report.kept)]
    came = [one.artifact for one in report.pulled]
    if len(report.failed) == 1 and not (came or there):
        raise report.failed[0][1]
    document = {
        "pulled": [
            {"ref": str(one.listing.ref), "fetched": one.fetched, "artifact": jsonable(one.artifact)}
            for one in report.pulled
        ],
        "kept": [jsonable(one) for one in there],
        "failed": [{"ref": str(wish.ref), **error_json(error)} for wish, error in report.failed],
        "warnings": todo.warnings,
    }
    text = "\n".join(_told(came, there))
    session.output.show(document, text=lambda: text, ids=[one.id for one in (*came, *there)])
    for wish, error in report.failed:
        session.output.hint(_refusal(wish, error))
    end(report.failed, done=came or there)


def _told(came: Sequence[Artifact], there: Sequence[Artifact]) -> Iterator[str]:
    yield from map(_here, there)
    if came:
        yield artifacts_table(came)
    elif not there:
        yield "nothing pulled"


def _here(one: Artifact) -> str:
    return f"{one.id} ({one.name}) is here already: {one.path}"
