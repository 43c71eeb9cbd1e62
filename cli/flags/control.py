"""Pictures that a drawing follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

__all__ = ["ControlFlags"]

_HELP = (
    "Follow a picture with a ControlNet, e.g. 'canny(100,200):REF=photo.png;weight=0.8;end=0.5'; may be repeated. "
    "Preprocessors: none, canny. Also mode=prompt or control (what is more important), resize=stretch or fill."
)


@dataclass(frozen=True, slots=True)
class ControlFlags:
    """Each one a ControlNet with its picture."""

    section: ClassVar = "ControlNets"

    control: Annotated[list[str] | None, typer.Option(metavar="[PRE:]REF=IMAGE", help=_HELP)] = None

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        if not self.control:
            return {}
        from inference.control.said import read_control

        return {"controls": [read_control(one) for one in self.control]}
