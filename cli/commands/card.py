"""`modelhub card REF`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.session import Session
from modelhub.errors import Conflict
from modelhub.workspace import publish


def command(
    session: Session,
    ref: Annotated[str, typer.Argument(help="Which model.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there, e.g. to kip.md.", show_default="shown")
    ] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Replace a file that is there.")] = False,
) -> None:
    """Write a model card: Markdown with how to use it, how it was trained, its digests and where it comes from."""
    from modelhub.upkeep.card import card

    with session.open_catalog() as catalog:
        account = catalog.account(catalog.resolve(ref).id)
    target = None if out is None else session.cwd / out
    text = card(account, beside=target.parent if target else None)
    if target is not None:
        _write(target, text, replace=yes)
    session.output.show(
        {"id": account.artifact.id, "path": target, "card": text},
        text=lambda: f"wrote {target}" if target else text.rstrip("\n"),
        ids=[target or account.artifact.id],
    )


def _write(target: Path, text: str, *, replace: bool) -> None:
    try:
        with publish(target, replace=replace) as part:
            part.write_text(text, encoding="utf-8")
    except FileExistsError:
        raise Conflict(f"{target} is there already", mend="modelhub card REF --out FILE -y replaces it") from None
