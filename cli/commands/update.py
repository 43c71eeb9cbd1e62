"""`modelhub update [REF...]`: bring the newer versions of what is held."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import agreed
from cli.exits import end
from cli.options import DryRun, SomeModels, Yes
from cli.plans import reason, refused
from cli.render import error_json, size_text, table
from cli.session import Session
from modelhub.errors import BadValue

if TYPE_CHECKING:
    from modelhub.catalog import Catalog
    from modelhub.pull import PullPlan, PullReport
    from modelhub.sync import Declared, Entry, Finding, Update


def command(
    session: Session,
    refs: SomeModels = None,
    replace_old: Annotated[bool, typer.Option("--replace", help="The older versions go to the trash.")] = False,
    unpin: Annotated[
        bool, typer.Option("--unpin", help="Also where models.toml asks for just the held version: it is edited.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Pull newer versions of what came from hubs. The new one takes name and tags; the old one stays beside it."""
    from modelhub import hubs
    from modelhub import pull as pulling
    from modelhub.sync import look, offer_of, read_declared

    if unpin and not refs:
        raise BadValue("--unpin edits models.toml for models that are named, and none is", mend="modelhub outdated")
    declared = read_declared(session.workspace)
    with session.open_catalog() as catalog, session.access() as access:
        connect = hubs.connected(access)
        wanted = [catalog.resolve(ref) for ref in refs] if refs else catalog.list()
        found = session.run(look(catalog, wanted, hubs=connect))
        findings = _unpinned(session, found, declared, unpin)
        offers = [offer_of(one) for one in findings]
        held, room = pulling.holdings(catalog, offers), pulling.room(catalog.workspace, offers)
        policy = pulling.Policy(require=declared.manifest.require or None, tokens=hubs.with_tokens(access))
        todo = pulling.plan(offers, held=held, free=room, policy=policy)
        if dry_run or (todo.fetches and not agreed(session, _plan_text(todo, findings), "Update?", yes=yes)):
            _show_plan(session, todo, findings)
            return
        job = pulling.pull(todo, catalog=catalog, hubs=connect, network=access.network, pace=access.pace)
        report = session.run(job)
        updates = _settled(catalog, declared, findings, report, trash=replace_old)
    _show(session, updates, report)


def _unpinned(session: Session, findings: Sequence["Finding"], declared: "Declared", unpin: bool) -> "list[Finding]":
    """Those that may be updated; of the others it is said why not. Of a pickle and its conversion only the latter."""
    from modelhub.sync import entry_of, is_pinned

    found = []
    for one in findings:
        entry = entry_of(one, declared)
        if one.newest and entry and is_pinned(entry, one) and not unpin:
            artifact = one.source.artifact
            session.output.hint(
                f"{artifact.id} ({artifact.name}) is left: models.toml asks for {entry.ref}; "
                f"modelhub update {artifact.id} --unpin"
            )
        elif one.newest:
            found.append(one)
    usable = sorted(found, key=lambda one: not session.workspace.is_quarantined(one.source.artifact.path))
    return list({one.newest.ref: one for one in usable if one.newest}.values())


# What will be done


def _show_plan(session: Session, todo: "PullPlan", findings: Sequence["Finding"]) -> None:
    document = {
        "update": [
            {"id": one.source.artifact.id, "from": str(one.source.ref), "to": str(one.newest.ref)}
            for one in findings
            if one.newest
        ],
        "refused": [{"ref": str(one.offer.wish.ref), **error_json(one.error)} for one in refused(todo)],
        "warnings": todo.warnings,
        "size": todo.size,
    }
    ids = [one.source.artifact.id for one in findings]
    session.output.show(document, text=lambda: _plan_text(todo, findings), ids=ids)


def _plan_text(todo: "PullPlan", findings: Sequence["Finding"]) -> str:
    from cli.offers import listing_size

    if not findings:
        return "nothing to update"
    rows = [
        (held.artifact.id, held.artifact.name, held.version, new.version or "?", listing_size(new), new.ref)
        for held, new in ((one.source, one.newest) for one in findings)
        if new
    ]
    lines = [table(("ID", "NAME", "HELD", "NEWEST", "SIZE", "FROM"), rows)]
    lines += [f"refuse {one.offer.wish.ref}: {reason(one.error)}" for one in refused(todo)]
    lines += [f"note: {warning}" for warning in todo.warnings]
    return "\n".join([*lines, f"{len(todo.fetches)} to pull, {size_text(todo.size)}"])


# What was done


def _settled(
    catalog: "Catalog", declared: "Declared", findings: Sequence["Finding"], report: "PullReport", *, trash: bool
) -> "list[Update]":
    """Names change places, and both of the manifest's files follow."""
    from modelhub.sync import entry_of, relocked, replaced, write_lock

    by_ref = {one.newest.ref: one for one in findings if one.newest}
    updates: list[Update] = []
    entries: dict[Entry, Update] = {}
    for new in (*report.pulled, *report.kept):
        finding = by_ref[new.listing.ref]
        entry = entry_of(finding, declared)
        updates.append(update := replaced(catalog, finding, new, trash=trash))
        if entry:
            entries[_unpin(catalog, entry, finding)] = update
    if entries:
        write_lock(catalog.workspace.lock, relocked(declared, entries, catalog, datetime.now(UTC).date()))
    return updates


def _unpin(catalog: "Catalog", entry: "Entry", finding: "Finding") -> "Entry":
    """The entry as it asks for any version, in the file too; one that does so already stays."""
    from modelhub.sync import is_pinned, repointed
    from modelhub.workspace import publish

    if not is_pinned(entry, finding):
        return entry
    path = catalog.workspace.manifest
    by_number = (entry.ref.file or "").isdigit()
    ref = replace(entry.ref, version=None, file=None if by_number else entry.ref.file)
    text = repointed(path.read_text(encoding="utf-8"), entry, ref)
    with publish(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return replace(entry, ref=ref)


def _show(session: Session, updates: Sequence["Update"], report: "PullReport") -> None:
    if len(report.failed) == 1 and not updates:
        raise report.failed[0][1]
    document = {
        "updated": [
            {"id": one.new.artifact.id, "name": one.new.artifact.name, "ref": str(one.new.listing.ref)}
            | {"old": one.finding.source.artifact.id, "old_name": one.old_name}
            for one in updates
        ],
        "failed": [{"ref": str(wish.ref), **error_json(error)} for wish, error in report.failed],
    }
    ids = [one.new.artifact.id for one in updates]
    session.output.show(document, text=lambda: _told(updates), ids=ids)
    for wish, error in report.failed:
        session.output.hint(f"not updated: {wish.ref}: {reason(error)}")
    end(report.failed, done=updates)


def _told(updates: Sequence["Update"]) -> str:
    if not updates:
        return "nothing updated"
    return table(("ID", "NAME", "VERSION", "OLD"), [_row(one) for one in updates])


def _row(update: "Update") -> tuple[object, ...]:
    artifact, listing = update.new.artifact, update.new.listing
    old = f"{update.finding.source.artifact.id} ({update.old_name})" if update.old_name else "in the trash"
    return (artifact.id, artifact.name, listing.version or listing.ref.version or "?", old)
