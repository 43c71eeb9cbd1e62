"""Asks before something is done, where somebody can answer."""

import sys

import typer

from cli.session import Session
from modelhub.errors import BadValue

__all__ = ["agreed", "confirmed"]


def confirmed(session: Session, about: str, question: str, *, yes: bool, unasked: str) -> bool:
    """Show what is `about` to happen, and ask unless the answer is `yes`: for what must not happen by accident.

    Where nobody can answer it is an error that names `unasked`, the command that does not ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise BadValue(f"this asks first ({question}), and nobody is there to answer", mend=unasked)
    session.output.hint(about)
    return typer.confirm(question, err=True)


def agreed(session: Session, about: str, question: str, *, yes: bool) -> bool:
    """Show what is `about` to happen, and ask unless the answer is `yes`: for what harms nothing.

    It goes on where nobody can answer, and where programs listen.
    """
    listened = session.output.json or session.output.jsonl
    if not listened:
        session.output.hint(about)
    return yes or listened or not sys.stdin.isatty() or typer.confirm(question, err=True, default=True)
