"""How the prompts are read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

__all__ = ["TextFlags"]


@dataclass(frozen=True, slots=True)
class TextFlags:
    """Named as the fields of a request are."""

    section: ClassVar = "Prompts"

    style: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Words around the prompts, from styles.csv; may be repeated."),
    ] = None
    clip_skip: Annotated[int, typer.Option(help="Layer of the text encoder to read, from its end.")] = 1
    emphasis: Annotated[
        str, typer.Option(help="What weights in prompts do: Original, No norm, Ignore or None (as webui names them).")
    ] = "Original"
    comma_backtrack: Annotated[
        int, typer.Option(help="Tokens that may move on, so that 75 of them end at a comma; 0 is never.")
    ] = 20
    pad: Annotated[
        str, typer.Option(help="Bring prompt and negative prompt to one length: none, empty (chunks) or repeat.")
    ] = "none"

    def fields(self) -> Mapping[str, Any]:
        """Of a request; styles are in its prompts by then."""
        return {name: value for name, value in asdict(self).items() if name != "style"}

    def styled(self, prompt: str, negative: str, file: Path) -> tuple[str, str]:
        """Both prompts with the styles that were asked for."""
        if not self.style:
            return prompt, negative
        from inference.prompt.styles import read_styles, styled

        return styled(prompt, negative, self.style, read_styles(file))
