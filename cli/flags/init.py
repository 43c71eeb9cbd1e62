"""The picture that another is drawn over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from cli.flags.mask import MaskFlags
from cli.flags.numbers import named_numbers
from modelhub.errors import BadValue

__all__ = ["InitFlags"]

_OUTPAINT = {name: name for name in ("left", "right", "up", "down", "blur", "falloff", "colours")}


@dataclass(frozen=True, slots=True)
class InitFlags:
    """img2img; its size is the picture's own where none is given."""

    section: ClassVar = "Over a picture (img2img)"

    init: Annotated[str | None, typer.Option(metavar="FILE", help="Picture to draw over.")] = None
    denoise: Annotated[float, typer.Option(help="How far it may change: 0 keeps it, 1 keeps next to nothing.")] = 0.75
    resize_mode: Annotated[
        str, typer.Option(help="How it comes to another --size: stretch, crop, fill, or latent.")
    ] = "stretch"
    init_upscaler: Annotated[
        str | None, typer.Option(metavar="REF", help="What enlarges it.", show_default="Lanczos")
    ] = None
    noise_multiplier: Annotated[float, typer.Option(help="Factor on the noise that is laid over it.")] = 1.0
    extra_noise: Annotated[float, typer.Option(help="Noise beyond what the sampler takes away: more detail.")] = 0.0
    exact_steps: Annotated[bool, typer.Option("--exact-steps", help="Take all the steps, whatever --denoise is.")] = (
        False
    )
    colour_correction: Annotated[
        bool, typer.Option("--colour-correction", help="Give the result the picture's colours.")
    ] = False
    background: Annotated[
        str, typer.Option(metavar="#RRGGBB", help="Colour behind the picture's transparent parts.")
    ] = "#ffffff"
    outpaint: Annotated[
        str | None,
        typer.Option(metavar="SIDE=N,...", help=f"Px that the picture grows by; {', '.join(_OUTPAINT)}."),
    ] = None
    outpaint_method: Annotated[
        str, typer.Option(help="mk2 goes on with noise like the picture; poor smears its colours.")
    ] = "mk2"
    image_cfg: Annotated[float, typer.Option(help="How closely instruct-pix2pix checkpoints follow the picture.")] = 1.5

    def fields(self, mask: MaskFlags) -> Mapping[str, Any]:
        """Of a request; raises `BadValue` for what is said of no picture."""
        masked = mask.field()
        if self.init is None:
            if masked or self != InitFlags():
                raise BadValue("there is no picture to draw over", mend="modelhub generate ... --init FILE")
            return {}
        init = {
            "image": self.init,
            "denoise": self.denoise,
            "resize": self.resize_mode,
            "upscaler": self.init_upscaler,
            "noise_multiplier": self.noise_multiplier,
            "extra_noise": self.extra_noise,
            "exact_steps": self.exact_steps,
            "colour_correction": self.colour_correction,
            "background": self.background,
            "mask": masked,
            "outpaint": self._outpaint(),
        }
        return {"init": init, "image_cfg": self.image_cfg}

    def _outpaint(self) -> Mapping[str, Any] | None:
        if self.outpaint is None:
            if self.outpaint_method != "mk2":
                raise BadValue("no side is said to grow", mend="modelhub generate ... --outpaint left=128")
            return None
        return {"method": self.outpaint_method, **named_numbers(self.outpaint, _OUTPAINT, "--outpaint")}
