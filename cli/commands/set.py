"""`modelhub set REF FIELD=VALUE...`."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from cli.render import plain, table
from cli.session import Session
from modelhub.errors import BadValue
from modelhub.kinds import Artifact

_MEND = "modelhub set REF family=sdxl; modelhub set REF family= takes it back"


def command(
    session: Session,
    ref: Annotated[str, typer.Argument(help="Which model.")],
    fields: Annotated[
        list[str],
        typer.Argument(
            metavar="FIELD=VALUE...",
            help="kind, family, variant, algorithm, prediction_type, zero_snr, resolution, name, weight; empty: back.",
        ),
    ],
) -> None:
    """Say what a model is where its file does not tell, or tells wrong: your word is believed above all."""
    from modelhub.catalog.saying import parsed

    said = dict(map(_pair, fields))
    name, weight = said.pop("name", None), said.pop("weight", None)
    values = {field: parsed(field, text) for field, text in said.items()}
    with session.open_catalog() as catalog:
        artifact = catalog.resolve(ref)
        if name is not None:
            artifact = catalog.rename(artifact.id, name)
        if weight is not None:
            artifact = catalog.set_weight(artifact.id, _weight(weight))
        if values:
            artifact = catalog.say(artifact.id, values)
    session.output.show(artifact, text=lambda: "\n".join(_told(artifact, list(values))), ids=[artifact.id])


def _weight(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise BadValue(f"{text!r} is no weight", mend="modelhub set REF weight=0.8") from None


def _pair(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals:
        raise BadValue(f"{text!r} sets nothing", mend=_MEND)
    return field.strip().replace("-", "_"), value.strip()


def _told(artifact: Artifact, fields: Sequence[str]) -> Iterator[str]:
    yield f"{artifact.id}  {plain(artifact.name)}"
    rows = [(field.replace("_", " "), _value(artifact, field), _why(artifact, field)) for field in fields]
    if rows:
        yield table(("FIELD", "VALUE", "WHY"), rows)
    yield from (f"contradiction: {plain(conflict)}" for conflict in artifact.facts.conflicts)


def _value(artifact: Artifact, field: str) -> object:
    value = getattr(artifact.facts, field)
    return "unknown" if value is None else value


def _why(artifact: Artifact, field: str) -> str:
    why = artifact.facts.evidence.get(field)
    return f"{why.source}: {why.detail}" if why else ""
