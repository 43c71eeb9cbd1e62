"""`modelhub sync`: make the workspace hold what models.toml says, and lock it to the byte."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.artifacts import artifacts_table
from cli.asking import agreed
from cli.checks import checks_table, exit_code
from cli.exits import end
from cli.options import DryRun, Yes
from cli.plans import plan_text, reason, refused, step_json
from cli.render import error_json
from cli.session import Session
from modelhub.errors import Conflict, MissingFile
from modelhub.kinds import Artifact

if TYPE_CHECKING:
    from modelhub.catalog import Catalog, Check
    from modelhub.hubs import Hub
    from modelhub.pull import Policy, PullPlan
    from modelhub.sync import Declared, SyncPlan, SyncReport

_SHOWN = 5
"""Differences that an error names."""


def command(
    session: Session,
    init: Annotated[bool, typer.Option("--init", help="Write models.toml from what the catalog has of hubs.")] = False,
    locked: Annotated[
        bool, typer.Option("--locked", help="Just what models.lock says; fail where it differs.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no network: read what is here again.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="What models.toml names no longer goes to the trash.")] = False,
    require: Annotated[
        str | None, typer.Option(help="What every licence must allow, e.g. commercial.", show_default=False)
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Make the workspace hold what models.toml says: pull what is missing, and lock it to the byte in models.lock."""
    from modelhub.sync import Declared, read_lock, read_manifest

    if init:
        _init(session)
        return
    workspace = session.workspace
    declared = Declared(read_manifest(workspace.manifest), read_lock(workspace.lock))
    if locked or offline:
        _check_locked(declared)
    with session.create_catalog() as catalog:
        if offline:
            _verify(session, catalog, declared)
        else:
            ways = _Ways(locked=locked, prune=prune, require=require, yes=yes, dry_run=dry_run)
            _sync(session, catalog, declared, ways)


@dataclass(frozen=True, slots=True)
class _Ways:
    """What the flags ask for, with a network."""

    locked: bool
    prune: bool
    require: str | None
    yes: bool
    dry_run: bool


def _init(session: Session) -> None:
    from modelhub.sync import entries_of, new_manifest
    from modelhub.workspace import publish

    path = session.workspace.manifest
    with session.open_catalog() as catalog:
        entries = entries_of(catalog)
    try:
        with publish(path, replace=False) as part:
            part.write_text(new_manifest(entries), encoding="utf-8", newline="\n")
    except FileExistsError:
        raise Conflict(f"{path} is there already", mend=f"edit {path}, or delete it first") from None
    told = f"wrote {path} with {len(entries)} models"
    session.output.show({"manifest": path, "models": len(entries)}, text=lambda: told, ids=[path])
    session.output.hint("next: modelhub sync, which locks them to the byte")


def _check_locked(declared: "Declared") -> None:
    """Raises `Conflict` where models.lock is not what models.toml asks for."""
    from modelhub.sync import differences

    if found := differences(declared.manifest, declared.lock):
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise Conflict(f"models.lock differs: {'; '.join(found[:_SHOWN])}{more}", mend="modelhub sync")


# Without a network


def _verify(session: Session, catalog: "Catalog", declared: "Declared") -> None:
    """Reads every locked file again; a model is whole when one of its places is. Raises `MissingFile`, `BrokenFile`."""
    from modelhub import sync
    from modelhub.upkeep.verify import verify

    held = sync.holdings(catalog)
    found = [sync.holding_of(one.listing, held) for one in declared.lock]
    if missing := [one for one, here in zip(declared.lock, found, strict=True) if not (here and here.is_present)]:
        names = ", ".join(one.name for one in missing)
        raise MissingFile(f"{len(missing)} of {len(found)} locked models are not here: {names}", mend="modelhub sync")
    checks = session.run(verify(catalog, [catalog.artifact(one.id) for one in found if one]))
    if altered := sync.altered(declared.lock, sync.holdings(catalog)):
        raise altered[0]
    whole = {one.artifact.id for one in checks if not exit_code(one)}
    wrong = [one for one in checks if one.artifact.id not in whole]
    session.output.show(checks, text=lambda: _verified(checks, wrong), ids=[one.artifact.id for one in wrong])
    if wrong:
        raise typer.Exit(max(map(exit_code, wrong)))


def _verified(checks: Sequence["Check"], wrong: Sequence["Check"]) -> str:
    every, broken = ({one.artifact.id for one in each} for each in (checks, wrong))
    summary = f"{len(every - broken)} of {len(every)} models are here as models.lock says"
    return "\n".join([*checks_table(wrong), summary])


# With one


def _sync(session: Session, catalog: "Catalog", declared: "Declared", ways: _Ways) -> None:
    from modelhub import hubs
    from modelhub.pull import Policy, pull
    from modelhub.sync import apply, pinned_hubs, write_lock

    with session.access() as access:
        mirrors = declared.manifest.mirrors
        pinned = pinned_hubs(hubs.connected(access), lock=declared.lock, mirrors=mirrors, network=access.network)
        policy = Policy(tokens=hubs.with_tokens(access))
        planned, pulls = _planned(session, catalog, declared, pinned, ways, policy)
        if ways.dry_run:
            _show_plan(session, planned, pulls)
            return
        if planned.changes and not agreed(session, plan_text(planned, pulls), "Go on?", yes=ways.yes):
            return
        job = pull(pulls, catalog=catalog, hubs=pinned, network=access.network, pace=access.pace)
        report = session.run(apply(declared, planned, job, catalog=catalog, today=datetime.now(UTC).date()))
    written = not ways.locked and write_lock(catalog.workspace.lock, report.lock)
    _show(session, catalog, report, written=written)


def _planned(
    session: Session,
    catalog: "Catalog",
    declared: "Declared",
    pinned: "Callable[[str], Hub]",
    ways: _Ways,
    policy: "Policy",
) -> "tuple[SyncPlan, PullPlan]":
    from modelhub import pull as pulling
    from modelhub import sync

    offers = session.run(sync.survey(declared, catalog=catalog, hubs=pinned))
    held = sync.holdings(catalog)
    if ways.locked and (altered := sync.altered(declared.lock, held)):
        raise altered[0]
    forbids = sync.forbidder(ways.require or declared.manifest.require)
    planned = sync.plan(declared.manifest, declared.lock, offers, held, prune=ways.prune, forbids=forbids)
    wanted = [one.offer for one in planned.pulls]
    return planned, pulling.plan(wanted, free=pulling.room(catalog.workspace, wanted), policy=policy)


# What will be done


def _show_plan(session: Session, planned: "SyncPlan", pulls: "PullPlan") -> None:
    document = {
        "steps": [step_json(one) for one in planned.steps],
        "refused": [{"ref": str(one.offer.wish.ref), **error_json(one.error)} for one in refused(pulls)],
        "warnings": pulls.warnings,
        "size": pulls.size,
        "free": pulls.free,
    }
    ids = [one.listing.ref for one in planned.pulls]
    session.output.show(document, text=lambda: plan_text(planned, pulls), ids=ids)
    failed = [*(one.error for one in planned.blocked), *(one.error for one in refused(pulls))]
    if failed and not (pulls.fetches or planned.settled):
        raise typer.Exit(failed[0].exit_code)


# What was done


def _show(session: Session, catalog: "Catalog", report: "SyncReport", *, written: bool) -> None:
    if len(report.failed) == 1 and not (report.pulled or report.plan.settled):
        raise report.failed[0][1]
    came = [catalog.artifact(one.artifact.id) for one in report.pulled]
    document = {
        "pulled": came,
        "here": [one.id for one in report.plan.settled],
        "changes": [step_json(one) for one in report.plan.changes],
        "failed": [{"ref": str(entry.ref), **error_json(error)} for entry, error in report.failed],
        "lock": catalog.workspace.lock,
        "locked": written,
    }
    session.output.show(document, text=lambda: _told(came, report, written), ids=[one.id for one in came])
    for entry, error in report.failed:
        session.output.hint(f"not synced: {entry.title}: {reason(error)}")
    end(report.failed, done=came or report.plan.settled)


def _told(came: Sequence[Artifact], report: "SyncReport", written: bool) -> str:
    here = len(came) + len(report.plan.settled)
    wanted = here + len(report.failed)
    lock = "models.lock written" if written else "models.lock as it was"
    summary = f"{here} of {wanted} models are here; {lock}"
    return "\n".join([*([artifacts_table(came)] if came else []), summary])
