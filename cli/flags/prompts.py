"""What to draw, in words."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from cli.flags.text import TextFlags
from cli.session import Session
from cli.translations import shown_translation
from modelhub.errors import BadValue

__all__ = ["PromptFlags", "typed"]


@dataclass(frozen=True, slots=True)
class PromptFlags:
    """Both prompts, as they are typed."""

    prompt: Annotated[
        str | None, typer.Argument(help="What to draw; - reads it from stdin.", show_default="that of --from")
    ] = None
    negative: Annotated[str, typer.Option("--negative", "-n", help="What to keep out.")] = ""
    translate: Annotated[
        bool, typer.Option("--translate", help="Put Chinese in the prompts into tags first, and show them.")
    ] = False

    def fields(self, *, is_told: bool) -> Mapping[str, Any]:
        """Of a request; raises `BadValue` where there is no prompt, unless one `is_told` elsewhere."""
        if self.prompt is None and not is_told:
            mend = 'modelhub generate "PROMPT", --from IMAGE, or --prompts FILE'
            raise BadValue("nobody says what to draw", mend=mend)
        return {"prompt": typed(self.prompt or ""), "negative_prompt": self.negative}

    def worded(self, session: Session, text: TextFlags, fields: Mapping[str, Any]) -> Mapping[str, str]:
        """Both prompts as they are drawn: translated on request, and in the styles that were asked for."""
        prompt, negative = (fields.get(name) or "" for name in ("prompt", "negative_prompt"))
        if self.translate:
            prompt, negative = shown_translation(session, prompt), shown_translation(session, negative)
        prompt, negative = text.styled(prompt, negative, session.workspace.root / "styles.csv")
        return {"prompt": prompt, "negative_prompt": negative}


def typed(prompt: str) -> str:
    """The prompt itself; ``-`` reads it from stdin."""
    return sys.stdin.read().strip() if prompt == "-" else prompt
