"""`modelhub outdated [REF...]`: which models have a newer version at their hub."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import SomeModels
from cli.render import table
from cli.session import Session

if TYPE_CHECKING:
    from modelhub.hubs import Listing
    from modelhub.sync import Declared, Finding

_HEADERS = ("ID", "NAME", "HELD", "NEWEST", "BASE", "PUBLISHED", "SIZE", "NEEDS", "FROM")


def command(
    session: Session,
    refs: SomeModels = None,
    all_bases: Annotated[
        bool, typer.Option("--all-bases", help="Also newer versions for other bases than the one that is held.")
    ] = False,
) -> None:
    """Ask the hubs for newer versions of what came from there; each hub is asked once for all."""
    from modelhub import hubs
    from modelhub.sync import look, read_declared

    declared = read_declared(session.workspace)
    with session.open_catalog() as catalog, session.access() as access:
        wanted = [catalog.resolve(ref) for ref in refs] if refs else catalog.list()
        findings = session.run(look(catalog, wanted, hubs=hubs.connected(access)))
    newer = [one for one in findings if one.newest or (all_bases and one.others)]
    text = "\n".join(_told(findings, declared, all_bases))
    document = [_json(one, declared) for one in findings]
    session.output.show(document, text=lambda: text, ids=[one.source.artifact.id for one in newer])


def _json(finding: "Finding", declared: "Declared") -> dict[str, object]:
    source, newest = finding.source, finding.newest
    return {
        "id": source.artifact.id,
        "name": source.artifact.name,
        "ref": str(source.ref),
        "version": source.version,
        "state": finding.state,
        "pinned": _is_pinned(finding, declared),
        "newest": _listing_json(newest) if newest else None,
        "others": [_listing_json(one) for one in finding.others],
        "relabelled": finding.relabelled,
    }


def _listing_json(listing: "Listing") -> dict[str, object]:
    told = {"ref": str(listing.ref), "version": listing.version, "base": listing.base, "size": listing.size}
    return {**told, "published_at": listing.published_at, "gate": listing.gate, "licence": listing.licence}


def _told(findings: Sequence["Finding"], declared: "Declared", all_bases: bool) -> Iterator[str]:
    from modelhub.sync import State

    if rows := [_row(one, one.newest) for one in findings if one.newest]:
        yield table(_HEADERS, rows)
    if others := [_row(one, listing) for one in findings for listing in one.others if all_bases]:
        yield "for other bases:"
        yield table(_HEADERS, others)
    for one in findings:
        title = f"{one.source.artifact.id} ({one.source.artifact.name})"
        if one.state is State.GONE:
            yield f"{title}: {one.source.ref} is gone from the hub; what it said last is kept"
        if one.relabelled:
            before = one.source.said["base_model"]
            yield f"{title}: the hub calls its base {one.relabelled} now, and called it {before} before"
        if one.newest and _is_pinned(one, declared):
            yield f"{title}: models.toml asks for just this version; modelhub update {one.source.artifact.id} --unpin"
    if not rows and not others:
        yield f"nothing newer for {len(findings)} models from hubs"


def _row(finding: "Finding", listing: "Listing") -> tuple[object, ...]:
    from cli.offers import base_text, gate_text, listing_size

    source = finding.source
    day = f"{listing.published_at:%Y-%m-%d}" if listing.published_at else "?"
    newest = _short(listing.version or listing.ref.version or "?")
    held = (source.artifact.id, source.artifact.name, _short(source.version))
    return (*held, newest, base_text(listing), day, listing_size(listing), gate_text(listing), listing.ref)


def _short(version: str) -> str:
    """A commit's beginning tells it from others."""
    is_commit = len(version) == 40 and not set(version) - set("0123456789abcdef")
    return version[:10] if is_commit else version


def _is_pinned(finding: "Finding", declared: "Declared") -> bool:
    from modelhub.sync import entry_of, is_pinned

    entry = entry_of(finding, declared)
    return entry is not None and is_pinned(entry, finding)
