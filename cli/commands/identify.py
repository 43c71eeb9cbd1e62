"""`modelhub identify [REF...]`: ask Civitai what the models here are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import confirmed
from cli.exits import PARTIAL
from cli.options import SomeModels
from cli.render import error_json, jsonable, size_text, table
from cli.session import Session

if TYPE_CHECKING:
    from modelhub.upkeep.recognise import Asking, Recognised, RecognisedReport

_HUB = "civitai"
_SHOWN = 60
"""Characters of the trigger words."""


def command(
    session: Session,
    refs: SomeModels = None,
    again: Annotated[
        bool, typer.Option("--again", help="Ask for what was unknown lately, and look up again what is known.")
    ] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask before digests are sent.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be asked.")] = False,
) -> None:
    """Ask Civitai what your models are, by their digests: where they are from, their trigger words, their licence."""
    from modelhub.hubs import connect
    from modelhub.upkeep.recognise import RecognisedReport, planned, recognise

    with session.open_catalog() as catalog:
        wanted = [catalog.resolve(ref) for ref in refs] if refs else None
        asking = planned(catalog, _HUB, wanted, again=again)
        if dry_run:
            session.output.show(_plan(asking), text=lambda: _sent(asking), ids=_ids(asking))
            return
        if asking.is_empty:
            _show(session, asking, RecognisedReport())
            return
        unasked, yes = "modelhub identify --yes", yes or not asking.artifacts
        if not confirmed(session, _sent(asking), "Send them?", yes=yes, unasked=unasked):
            return
        with session.access() as access:
            report = session.run(recognise(catalog, connect(_HUB, access), asking))
    _show(session, asking, report)
    if report.failed:
        raise typer.Exit(PARTIAL)


def _sent(asking: "Asking") -> str:
    """What leaves this machine."""
    return "\n".join(_told_before(asking))


def _told_before(asking: "Asking") -> Iterator[str]:
    if asking.artifacts:
        yield f"sha256 digests of {len(asking.artifacts)} models go to Civitai; no file does, and no name"
    if asking.unhashed:
        size = size_text(sum(one.size for one in asking.unhashed))
        yield f"{len(asking.unhashed)} of them are read first, to compute it: {size}"
    if asking.sources:
        yield f"{len(asking.sources)} models that it once told of are looked up there again"
    if asking.resting:
        yield f"{asking.resting} models it did not know in the last 30 days: --again asks for them, too"
    if asking.is_empty and not asking.resting:
        yield "nothing to ask: every model is known, or was made here; --again looks up what is known"


def _plan(asking: "Asking") -> dict[str, object]:
    return {
        "ask": [one.id for one in asking.artifacts],
        "read_first": [one.id for one in asking.unhashed],
        "look_up_again": list(asking.sources),
        "resting": asking.resting,
    }


def _ids(asking: "Asking") -> list[int]:
    return [one.id for one in asking.artifacts]


def _show(session: Session, asking: "Asking", report: "RecognisedReport") -> None:
    failed = [{"path": jsonable(path), **error_json(error)} for path, error in report.failed]
    document = {**jsonable(report), "failed": failed, "resting": asking.resting}
    told = "\n".join(_told(asking, report))
    session.output.show(document, text=lambda: told, ids=[one.id for one in report.recognised])
    for _, error in report.failed:
        session.output.hint(f"not read: {error.message}")


def _told(asking: "Asking", report: "RecognisedReport") -> Iterator[str]:
    if asking.is_empty:
        yield _sent(asking)
        return
    if report.recognised:
        yield table(("ID", "NAME", "AT CIVITAI", "TITLE", "TRIGGER WORDS"), [_row(one) for one in report.recognised])
    counts = {
        "recognised": len(report.recognised),
        "unknown to Civitai": len(report.unknown),
        "looked up again": report.refreshed,
        "gone from Civitai, its words kept": len(report.gone),
    }
    yield ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing was asked"


def _row(one: "Recognised") -> tuple[object, ...]:
    more = f" and {len(one.refs) - 1} more" if len(one.refs) > 1 else ""
    words = ", ".join(one.trigger_words)
    shown = words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."
    return one.id, one.name, f"{one.refs[0]}{more}", f"{one.title} {one.version}".strip(), shown
