"""`modelhub du`: how much room models take."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli.render import size_text, table
from cli.session import Session
from modelhub.errors import BadValue

if TYPE_CHECKING:
    from modelhub.upkeep.usage import Row, Usage


def command(
    session: Session,
    by: Annotated[str, typer.Option(metavar="kind|family|folder|tag", help="What to group by.")] = "kind",
) -> None:
    """Tell how much room models take, what is held twice, and what lies in the trash and the cache."""
    from modelhub.upkeep.usage import By, usage

    if by not in list(By):
        raise BadValue(f"nothing is grouped by {by!r}", mend=f"modelhub du --by {'|'.join(By)}")
    with session.open_catalog() as catalog:
        told = usage(catalog, By(by))
    session.output.show(told, text=lambda: "\n".join(_told(told, by)), ids=[row.name for row in told.rows])


def _told(usage: "Usage", by: str) -> Iterator[str]:
    rows = [_row(row) for row in (*usage.rows, usage.total)]
    yield table((by.upper(), "MODELS", "SIZE", "ON DISK"), rows)
    yield f"held more than once: {size_text(usage.duplicates)}"
    yield f"missing: {usage.missing} files"
    yield f"trash: {size_text(usage.trash)}"
    yield f"cache: {size_text(usage.cache)}"


def _row(row: "Row") -> tuple[object, ...]:
    return row.name, row.models, size_text(row.apparent), size_text(row.real)
