"""A second pass at a higher size."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar

import typer

from modelhub.errors import BadValue

__all__ = ["HiresFlags"]

_SCALE = re.compile(r"(\d+(?:\.\d*)?)x?", re.ASCII)
_SIZE = re.compile(r"(\d+)[x×](\d+)", re.ASCII)
_LATENT_MODES = "Latent, Latent (antialiased, bicubic, bicubic antialiased, nearest or nearest-exact)"


@dataclass(frozen=True, slots=True)
class HiresFlags:
    """webui's Hires. fix; what is not said is the first pass's."""

    section: ClassVar = "A second pass, larger (Hires. fix)"

    hires: Annotated[
        str | None,
        typer.Option(metavar="2x|WxH", help="Draw the picture over at a higher size; 0 for a side keeps the aspect."),
    ] = None
    hires_upscaler: Annotated[
        str, typer.Option(help=f"What enlarges it: {_LATENT_MODES}, Lanczos, Nearest, or an upscaler's REF.")
    ] = "Latent"
    hires_denoise: Annotated[
        float, typer.Option(help="How far the second pass may change it: 0 keeps it, 1 keeps next to nothing.")
    ] = 0.7
    hires_steps: Annotated[
        int | None, typer.Option(help="Steps of the second pass; all are taken.", show_default="those of --steps")
    ] = None
    hires_cfg: Annotated[float | None, typer.Option(help="Its guidance.", show_default="that of --cfg")] = None
    hires_sampler: Annotated[str | None, typer.Option(help="Its sampler.", show_default="that of --sampler")] = None
    hires_schedule: Annotated[str | None, typer.Option(help="Its schedule.", show_default="that of --schedule")] = None
    hires_model: Annotated[
        str | None, typer.Option(metavar="REF", help="Its checkpoint.", show_default="that of --model")
    ] = None
    hires_prompt: Annotated[
        str | None, typer.Option(help="Its prompt, LoRAs and all.", show_default="the first one's")
    ] = None
    hires_negative: Annotated[
        str | None, typer.Option(help="Its negative prompt.", show_default="that of --negative")
    ] = None

    def fields(self) -> Mapping[str, Any]:
        """Of a request; raises `BadValue` for what is said of no second pass."""
        if self.hires is None:
            if self != HiresFlags():
                raise BadValue("there is no second pass to say this of", mend="modelhub generate ... --hires 2x")
            return {"hires": None}
        own = asdict(replace(self, hires=None))
        said = {name.removeprefix("hires_"): value for name, value in own.items() if name != "hires"}
        said["negative_prompt"] = said.pop("negative")
        return {"hires": {**said, **_target(str(self.hires))}}


def _target(said: str) -> Mapping[str, float | int | None]:
    """Scale, width and height; raises `BadValue`."""
    if scale := _SCALE.fullmatch(said.strip().lower()):
        return {"scale": float(scale[1]), "width": None, "height": None}
    if size := _SIZE.fullmatch(said.strip().lower()):
        width, height = (int(side) or None for side in size.groups())
        if width or height:
            return {"width": width, "height": height}
    raise BadValue(f"{said!r} is no scale and no size", mend="write --hires 2x, --hires 1024x1536 or --hires 1024x0")
