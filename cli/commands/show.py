"""`modelhub show REF`: a model that the catalog holds, or one that a hub offers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from cli.render import plain
from cli.session import Session
from modelhub.errors import ModelHubError, NotFound, NoWorkspace, UnknownRef
from modelhub.kinds import Artifact
from modelhub.refs import ModelRef, RefForm

if TYPE_CHECKING:
    from cli.model_pages import ModelPage


def command(
    session: Session,
    ref: Annotated[str, typer.Argument(help="Which model; a hub's address too.")],
    metadata: Annotated[bool, typer.Option("--metadata", help="The raw entries of its header too.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only the path of its preview.")] = False,
) -> None:
    """Show all that is known of a model: what it is and why, how it was trained, what made it and what it made."""
    from cli.model_pages import model_json, model_text

    page = _held(session, ref)
    if page is None:
        _show_offer(session, ref)
        return
    artifact = page.account.artifact
    if preview:
        _show_preview(session, artifact)
        return
    header = _header(artifact) if metadata or session.output.json or session.output.jsonl else {}
    session.output.show(model_json(page, header), text=lambda: model_text(page, header), ids=[artifact.id])


def _held(session: Session, ref: str) -> "ModelPage | None":
    """None for what no catalog holds, but a hub may have."""
    from cli.model_pages import model_page

    try:
        with session.open_catalog() as catalog:
            return model_page(catalog, ref)
    except (UnknownRef, NoWorkspace):
        if ModelRef.parse(ref).form is not RefForm.HUB:
            raise
        return None


def _show_offer(session: Session, ref: str) -> None:
    """What the hub says of a model that is not here."""
    from cli.offer_pages import offer_json, offer_page, offer_text

    with session.access() as access:
        page = offer_page(ref, access)
    session.output.show(offer_json(page), text=lambda: offer_text(page), ids=[page.listing.ref])


def _show_preview(session: Session, artifact: Artifact) -> None:
    path = artifact.preview
    if path is None:
        raise NotFound(
            f"{artifact.id} ({artifact.name}) has no preview",
            mend=f"put a picture beside it: {artifact.path.stem}.preview.png, then modelhub scan",
        )
    session.output.show({"preview": path}, text=lambda: plain(str(path)), ids=[path])


def _header(artifact: Artifact) -> Mapping[str, str]:
    """As far as the file can be read now."""
    from modelhub.headers import read_table

    try:
        return read_table(artifact.path).metadata
    except (ModelHubError, OSError):
        return {}
