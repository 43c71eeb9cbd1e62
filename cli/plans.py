"""How plans of pulls and syncs are written: for people, and for programs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.render import error_json, size_text, table
from modelhub.errors import ModelHubError

if TYPE_CHECKING:
    from modelhub.hubs import Listing
    from modelhub.pull import PullPlan, Refuse
    from modelhub.sync import Step, SyncPlan

__all__ = ["listing_row", "listings_table", "plan_text", "reason", "refused", "step_json"]


def listing_row(what: str, listing: "Listing") -> tuple[object, ...]:
    """What is done about a listing, and what it is."""
    from cli.offers import base_text, gate_text, licence_text, listing_size, title_text

    told = (title_text(listing), listing.kind or "?", base_text(listing), listing_size(listing))
    return (what, *told, licence_text(listing.licence), gate_text(listing), listing.ref)


def listings_table(rows: Sequence[tuple[object, ...]]) -> list[str]:
    """Of such rows; nothing where there are none."""
    return [table(("", "MODEL", "KIND", "BASE", "SIZE", "LICENCE", "NEEDS", "FROM"), rows)] if rows else []


def step_json(step: "Step") -> dict[str, object]:
    """A step for programs, whatever it does."""
    told = {name: getattr(step, name) for name in ("id", "was", "name", "tags") if hasattr(step, name)}
    entry, listing, error = (getattr(step, name, None) for name in ("entry", "listing", "error"))
    told |= {"asked": str(entry.ref), "called": entry.name} if entry else {}
    told |= {"ref": str(listing.ref), "size": listing.size} if listing else {}
    return {"step": type(step).__name__.lower(), **told, **(error_json(error) if error else {})}


def plan_text(planned: "SyncPlan", pulls: "PullPlan") -> str:
    lines = listings_table([listing_row("pull", one.listing) for one in pulls.fetches])
    lines += [line for one in planned.changes if (line := _line(one))]
    lines += [f"refuse {one.offer.wish.ref}: {reason(one.error)}" for one in refused(pulls)]
    lines += [f"note: {warning}" for warning in pulls.warnings]
    return "\n".join([*lines, _totals(planned, pulls)])


def _line(step: "Step") -> str:
    """A change that fetches nothing, in one line."""
    from modelhub.sync import Adopt, Blocked, Drop, Prune, Rename, Tag, Untag

    match step:
        case Adopt():
            return f"adopt {step.id} as {step.listing.ref}: the same bytes"
        case Rename():
            return f"rename {step.id} from {step.was} to {step.name}"
        case Tag():
            return f"tag {step.id} ({step.name}) {' '.join(f'+{one}' for one in step.tags)}"
        case Untag():
            return f"tag {step.id} ({step.name}) {' '.join(f'-{one}' for one in step.tags)}"
        case Drop():
            return f"unlock {step.locked.name}: models.toml asks for it no longer"
        case Prune():
            return f"trash {step.id} ({step.locked.name})"
        case Blocked():
            return f"blocked {step.entry.title}: {reason(step.error)}"
        case _:
            return ""


def _totals(planned: "SyncPlan", pulls: "PullPlan") -> str:
    from modelhub.sync import Keep

    kept = sum(isinstance(one, Keep) for one in planned.steps)
    free = f"; {size_text(pulls.free)} free" if pulls.free is not None and pulls.fetches else ""
    return f"{len(pulls.fetches)} to pull, {size_text(pulls.size)}{free}; {kept} as they shall be"


def refused(pulls: "PullPlan") -> "list[Refuse]":
    from modelhub.pull import Refuse

    return [one for one in pulls.steps if isinstance(one, Refuse)]


def reason(error: ModelHubError) -> str:
    return error.message + (f" (try: {error.mend})" if error.mend else "")
