"""How the prompts are read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

__all__ = ["TextFlags"]


@dataclass(frozen=True, slots=True)
class TextFlags:
    """Named as the fields of a request are."""

    clip_skip: Annotated[int, typer.Option(help="Layer of the text encoder to read, from its end.")] = 1
    emphasis: Annotated[
        str, typer.Option(help="What weights in prompts do: Original, No norm, Ignore or None (as webui names them).")
    ] = "Original"
    comma_backtrack: Annotated[
        int, typer.Option(help="Tokens that may move on, so that 75 of them end at a comma; 0 is never.")
    ] = 20

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        return asdict(self)
