"""The text encoders of each family: which layer of them is read, and what stands behind a prompt's end (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass

from inference.prompt.tokenizer import EOS

__all__ = ["OPEN_CLIP_PADDING", "READERS", "Reader"]

OPEN_CLIP_PADDING = 0
"""What OpenCLIP's encoders (SD 2's, SDXL's larger one) have behind the end mark; the others repeat the mark."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A text encoder that reads every chunk."""

    name: str
    layer: str
    padding: int
    """The token that fills a chunk up behind the end mark."""


_LARGE = Reader("OpenCLIP bigG", "last layer but one", OPEN_CLIP_PADDING)
READERS: Mapping[str, tuple[Reader, ...]] = {
    "sd1": (Reader("CLIP-L", "last layer, or another by --clip-skip", EOS),),
    "sd2": (Reader("OpenCLIP H", "last layer but one", OPEN_CLIP_PADDING),),
    "sdxl": (Reader("CLIP-L", "last layer but one", EOS), _LARGE),
    "sdxl-refiner": (_LARGE,),
}
"""By family."""
