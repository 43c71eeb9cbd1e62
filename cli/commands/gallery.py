"""`modelhub gallery [list|show|rate|add]`: the pictures that were made, here and elsewhere."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.pictures import recorded
from cli.render import plain, shortened, table
from cli.session import Session
from modelhub.errors import BadValue, NotFound

if TYPE_CHECKING:
    from modelhub.catalog import Catalog, Image, PictureQuery, Run

_SHOWN_CHARACTERS = 60
"""Of a prompt."""
_STARS = 5


class Action(StrEnum):
    """What a gallery does."""

    LIST = "list"
    SHOW = "show"
    RATE = "rate"
    ADD = "add"


class By(StrEnum):
    """What pictures are counted by."""

    MODEL = "model"
    DATE = "date"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known of one picture."""

    image: "Image"
    models: tuple[str, ...]
    inputs: tuple[tuple[str, str, Path | None], ...]
    """(role, SHA-256, where it lies) of the pictures that it was drawn from."""
    drew: "tuple[Image, ...]"
    """Pictures that were drawn from it."""
    run: "Run"


def command(
    session: Session,
    action: Annotated[str, typer.Argument(metavar="[list|show|rate|add]", help="What to do.")] = "list",
    things: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WHAT...]", help="Words to list by; a picture, with its stars to rate it; folders to add."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="REF", help="Only those that it had a part in.")] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Made on this day or later, as 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Made on this day or earlier.")] = None,
    rating: Annotated[int | None, typer.Option(min=1, max=_STARS, help="With so many stars or more.")] = None,
    by: Annotated[By | None, typer.Option(help="Count them by this.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show no more than so many.")] = 50,
) -> None:
    """List, search, group, rate and show pictures, and take in folders of them, where they are."""
    from modelhub.catalog import PictureQuery

    given = things or []
    with session.open_catalog() as catalog:
        if action == Action.ADD:
            _add(session, catalog, given)
        elif action == Action.RATE:
            _rate(session, catalog, given)
        elif action == Action.SHOW:
            _show(session, catalog, given)
        elif action != Action.LIST:
            raise BadValue(f"{action!r} is nothing that a gallery does", mend=f"modelhub gallery list {action}")
        else:
            number = catalog.resolve(model).id if model else None
            query = PictureQuery(" ".join(given), number, _day(since), _day(until), rating, None if by else limit)
            _list(session, catalog, query, by)


def _day(text: str | None) -> str | None:
    try:
        return text and date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadValue(f"{text!r} is no day", mend="write it as 2026-01-31") from None


def _list(session: Session, catalog: "Catalog", query: "PictureQuery", by: By | None) -> None:
    found = catalog.pictures.list(query)
    if by is None:
        session.output.show(found, text=lambda: _listing(found), ids=[one.path for one in found])
        if len(found) == query.limit:
            session.output.hint(f"these are the newest {query.limit}; --limit shows more")
        return
    counted = Counter(group for one in found for group in _groups(catalog, one, by)).most_common()
    rows = [{by.value: group, "pictures": count} for group, count in counted]
    headers = (by.upper(), "PICTURES")
    session.output.show(rows, text=lambda: table(headers, counted), ids=[group for group, _ in counted])


def _groups(catalog: "Catalog", image: "Image", by: By) -> list[str]:
    if by is By.DATE:
        return [f"{image.made_at:%Y-%m-%d}"]
    return [_prompt(image)] if by is By.PROMPT else list(_checkpoints(catalog, image)) or ["?"]


def _checkpoints(catalog: "Catalog", image: "Image") -> Iterator[str]:
    used = [number for role, number in catalog.run(image.run_id).inputs if role == "model"]
    yield from catalog.names(used).values()
    for role, name, digest in catalog.pictures.named(image.id):
        if role == "model":
            held = catalog.find_digest(digest)
            yield catalog.names(held[:1])[held[0]] if held else name or digest


def _listing(found: "Sequence[Image]") -> str:
    if not found:
        return "no pictures; modelhub gallery add FOLDER takes some in"
    rows = [
        (one.id, f"{one.made_at:%Y-%m-%d %H:%M}", f"{one.width}x{one.height}", _stars(one), _prompt(one), one.path)
        for one in found
    ]
    return table(("ID", "MADE", "SIZE", "RATING", "PROMPT", "PATH"), rows)


def _stars(image: "Image") -> str:
    return "*" * (image.rating or 0)


def _prompt(image: "Image") -> str:
    from inference.infotext import read_infotext

    return shortened(read_infotext(image.infotext).prompt, _SHOWN_CHARACTERS)


def _rate(session: Session, catalog: "Catalog", given: Sequence[str]) -> None:
    if len(given) < 2 or not given[-1].isdecimal() or int(given[-1]) > _STARS:
        raise BadValue("a rating is a picture and 1 to 5 stars, or 0 for none", mend="modelhub gallery rate IMAGE 4")
    stars = int(given[-1]) or None
    images = [_picture(session, catalog, one) for one in given[:-1]]
    for image in images:
        catalog.pictures.rate(image.id, stars)
    session.output.show(
        [{"id": image.id, "path": image.path, "rating": stars} for image in images],
        text=lambda: "\n".join(f"{image.path}  {'*' * (stars or 0) or 'no stars'}" for image in images),
        ids=[image.id for image in images],
    )


def _picture(session: Session, catalog: "Catalog", thing: str) -> "Image":
    """By its number in the gallery, its path, or its bytes."""
    found = catalog.pictures.number(int(thing)) if thing.isdecimal() else None
    found = found or recorded(catalog, session.cwd / Path(thing).expanduser())
    if found is None:
        raise NotFound(f"the gallery holds no picture {thing}", mend="modelhub gallery add FOLDER")
    return found


def _show(session: Session, catalog: "Catalog", given: Sequence[str]) -> None:
    if len(given) != 1:
        raise BadValue("which picture?", mend="modelhub gallery show IMAGE")
    known = _known(catalog, _picture(session, catalog, given[0]))
    session.output.show(known, text=lambda: "\n".join(_told(known)), ids=[known.image.id])


def _known(catalog: "Catalog", image: "Image") -> _Known:
    from inference.images.inputs import Inputs

    run = catalog.run(image.run_id)
    names = catalog.names([number for _, number in run.inputs])
    drew = [f"{role} {number} ({names[number]})" for role, number in run.inputs]
    inputs = Inputs(catalog.workspace.inputs)
    return _Known(
        image=image,
        models=(*drew, *(_named(catalog, *one) for one in catalog.pictures.named(image.id))),
        inputs=tuple((role, digest, inputs.path(digest)) for role, digest in catalog.pictures.inputs(image.id)),
        drew=catalog.pictures.drawn_from(image.sha256),
        run=run,
    )


def _named(catalog: "Catalog", role: str, name: str, digest: str) -> str:
    for number in catalog.find_digest(digest):
        return f"{role} {number} ({catalog.names([number])[number]})"
    return f"{role} {name} {digest}, which the catalog does not hold: modelhub pull civitai:hash:{digest[:12]}"


def _told(known: _Known) -> Iterator[str]:
    image, run = known.image, known.run
    yield f"{image.id}  {image.path}"
    yield f"  {image.width}x{image.height}, made {image.made_at:%Y-%m-%d %H:%M}, {_stars(image) or 'no stars'}"
    yield f"  {'drawn' if run.kind == 'generate' else 'found'} by run {run.id} ({run.state})"
    yield from (f"  {plain(one)}" for one in known.models)
    for role, digest, path in known.inputs:
        yield f"  {role:<6} {path or f'{digest[:12]}, which is gone'}"
    yield from (f"  drew   {one.path}" for one in known.drew)
    yield from (f"  {plain(line)}" for line in image.infotext.splitlines())


def _add(session: Session, catalog: "Catalog", given: Sequence[str]) -> None:
    from inference.gallery import index

    if not given:
        raise BadValue("which folder?", mend="modelhub gallery add FOLDER")
    results = [session.run(index(session.cwd / Path(one).expanduser(), catalog)) for one in given]
    session.output.show(
        results,
        text=lambda: "\n".join(
            f"{folder}: {one.added} added, {one.moved} moved, {one.known} known already"
            + (f", {one.silent} without parameters" if one.silent else "")
            + (f", {len(one.unreadable)} unreadable" if one.unreadable else "")
            for folder, one in zip(given, results, strict=True)
        ),
        ids=given,
    )
