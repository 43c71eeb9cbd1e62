"""Which models draw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

__all__ = ["ModelFlags"]


@dataclass(frozen=True, slots=True)
class ModelFlags:
    """The checkpoint, what replaces parts of it, what is added to it."""

    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="REF", help="Checkpoint to draw with.", show_default="the last used"),
    ] = None
    vae: Annotated[str | None, typer.Option(metavar="REF", help="VAE in place of the checkpoint's own.")] = None
    lora: Annotated[
        list[str] | None,
        typer.Option(metavar="REF[=W[,TE]]", help="LoRA, its weight, and the text encoder's; may be repeated."),
    ] = None

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        from inference.request import LoraUse

        return {"model": self.model, "vae": self.vae, "loras": [LoraUse.parse(one) for one in self.lora or []]}
