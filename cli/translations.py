"""Prompts in Chinese, put into English where a command asks for it, and shown before they are used."""

from pathlib import Path
from typing import TYPE_CHECKING

from cli.render import table
from cli.session import Session

if TYPE_CHECKING:
    from inference.prompt.translation import Translation

__all__ = ["OWN_TERMS", "shown_translation", "told", "translated"]

OWN_TERMS = "terms.csv"
"""A workspace's own phrases, in the format of tag-completion files."""


def translated(session: Session, prompt: str, terms: Path | None = None) -> "Translation":
    """The prompt by our table and the user's `terms`, or those of the workspace."""
    from inference.prompt.phrases import read_terms
    from inference.prompt.translation import translate

    own = session.workspace.root / OWN_TERMS
    path = (terms and session.cwd / terms.expanduser()) or (own if own.is_file() else None)
    return translate(prompt, read_terms(path) if path else None)


def shown_translation(session: Session, prompt: str) -> str:
    """The prompt in English, after it and the words that were not known were shown."""
    translation = translated(session, prompt)
    if translation.prompt != prompt:
        session.output.hint(f"translated: {translation.prompt}")
    if translation.unknown:
        session.output.hint(_unknown(translation))
    return translation.prompt


def told(translation: "Translation") -> str:
    """The English prompt, what each phrase became, and what is unknown."""
    mapping = [table(("TERM", "TAG"), translation.terms)] if translation.terms else []
    unknown = [_unknown(translation)] if translation.unknown else []
    return "\n\n".join([translation.prompt, *mapping, *unknown])


def _unknown(translation: "Translation") -> str:
    return f"unknown, left as they are: {'、'.join(translation.unknown)}"
