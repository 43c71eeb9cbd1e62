"""`modelhub logout HUB`."""

from typing import Annotated

import typer

from cli.session import Session
from modelhub.errors import BadValue


def command(session: Session, hub: Annotated[str, typer.Argument(metavar="civitai|hf", help="The hub.")]) -> None:
    """Delete the token that was kept for a hub; at the hub itself it stays valid until it is deleted there."""
    from modelhub.tokens import PLACES

    if hub not in PLACES:
        raise BadValue(f"nobody logs in at {hub!r}", mend=f"modelhub logout {'|'.join(PLACES)}")
    place, forgotten = PLACES[hub], session.tokens.forget(hub)
    line = f"the token for {place.title} is deleted" if forgotten else f"no token for {place.title} was kept"
    session.output.show({"hub": hub, "deleted": forgotten}, text=lambda: line, ids=[hub] if forgotten else [])
    if forgotten:
        session.output.hint(f"it is valid until you delete it at {place.page}")
    if still := session.tokens.in_environment(hub):
        session.output.hint(f"{still.origin} is still set: unset {still.origin}")
