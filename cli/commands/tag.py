"""`modelhub tag REF... [+TAG...] [-TAG...]`."""

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.core import TyperCommand

from cli.render import table
from cli.session import Session
from modelhub.errors import BadValue
from modelhub.kinds import Artifact

_HELP = "Models, then +TAG to add and -TAG to take away; without tags they are listed."
_OPTIONS = ("-q", "-v", "-vv", "-h", "-")


class _SignedWords(TyperCommand):
    """Reads ``-draft`` as a word, where any other command would look for options called d, r, a, f and t."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        signed = [each for each in args if each[:1] == "-" and each[:2] != "--" and each not in _OPTIONS]
        rest = [each for each in args if each not in signed]
        return super().parse_args(ctx, [*rest, "--", *signed] if signed else rest)


PARSING = {"cls": _SignedWords}


def command(
    session: Session, words: Annotated[list[str], typer.Argument(metavar="REF... [+TAG] [-TAG]", help=_HELP)]
) -> None:
    """Add tags to models and take them away, e.g. ``modelhub tag kip +style -draft``."""
    refs = [word for word in words if word[0:1] not in ("+", "-")]
    added, dropped = _tags(words, "+"), _tags(words, "-")
    if not refs:
        raise BadValue("no model was named", mend="modelhub tag REF +TAG")
    with session.open_catalog() as catalog:
        artifacts = [catalog.resolve(ref) for ref in refs]
        if added:
            artifacts = [catalog.tag(one.id, *added) for one in artifacts]
        if dropped:
            artifacts = [catalog.untag(one.id, *dropped) for one in artifacts]
    report = [{"id": one.id, "name": one.name, "tags": one.tags} for one in artifacts]
    session.output.show(report, text=lambda: _told(artifacts), ids=[one.id for one in artifacts])


def _tags(words: Sequence[str], sign: str) -> list[str]:
    tags = [word[1:].strip() for word in words if word[0:1] == sign]
    if not all(tags):
        raise BadValue(f"{sign!r} alone is no tag", mend=f"modelhub tag REF {sign}TAG")
    return tags


def _told(artifacts: Sequence[Artifact]) -> str:
    return table(("ID", "NAME", "TAGS"), [(one.id, one.name, " ".join(one.tags)) for one in artifacts])
