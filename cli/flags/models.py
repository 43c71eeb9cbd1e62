"""Which models draw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

__all__ = ["ModelFlags"]


@dataclass(frozen=True, slots=True)
class ModelFlags:
    """The checkpoint, what replaces parts of it, what is added to it."""

    section: ClassVar = "Models"

    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="REF", help="Checkpoint to draw with.", show_default="the last used"),
    ] = None
    vae: Annotated[str | None, typer.Option(metavar="REF", help="VAE in place of the checkpoint's own.")] = None
    unet: Annotated[str | None, typer.Option(metavar="REF", help="UNet in place of the checkpoint's own.")] = None
    text_encoder: Annotated[
        list[str] | None,
        typer.Option(metavar="REF", help="Text encoder in place of the checkpoint's own; may be repeated."),
    ] = None
    lora: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REF[=W[,TE][@BLOCKS]]",
            help="LoRA, its weight, and the text encoder's; may be repeated. BLOCKS is a preset (ALL, NONE, INS, IND, "
            "INALL, MIDD, OUTD, OUTS, OUTALL) or numbers block by block, the text encoder's first: 17, or 12 for SDXL.",
        ),
    ] = None

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        from inference.request import LoraUse

        return {
            "model": self.model,
            "unet": self.unet,
            "vae": self.vae,
            "text_encoders": tuple(self.text_encoder or ()),
            "loras": [LoraUse.parse(one) for one in self.lora or []],
        }
