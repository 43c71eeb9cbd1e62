"""Phrases that a new word is learned in, so that it comes to mean what the pictures share and not what surrounds it."""

from collections.abc import Mapping, Sequence

__all__ = ["TEMPLATES"]

_OBJECT = (
    "a photo of {}", "one photo of {}", "my photo of {}", "a good photo of {}", "a sharp photo of {}",
    "a blurry photo of {}", "a bright photo of {}", "a dark photo of {}", "a close-up of {}", "{} seen from afar",
    "{} seen from the side", "{} seen from above", "a cropped photo of {}", "a centered photo of {}",
    "a small photo of {}", "a large photo of {}", "a black and white photo of {}", "a colorful photo of {}",
    "a photo of clean {}", "a photo of old {}", "a photo of new {}", "a photo of beautiful {}", "a photo of odd {}",
    "{} on a plain background", "{} outdoors", "{} in a room", "a drawing of {}",
)  # fmt: skip
_STYLE = (
    "a painting in the style of {}", "a drawing in the style of {}", "a sketch in the style of {}",
    "a picture in the style of {}", "a portrait in the style of {}", "a landscape in the style of {}",
    "a still life in the style of {}", "an illustration in the style of {}", "a poster in the style of {}",
    "a print in the style of {}", "a close-up in the style of {}", "a small picture in the style of {}",
    "a large picture in the style of {}", "a dark picture in the style of {}", "a bright picture in the style of {}",
    "a colorful picture in the style of {}", "a quiet picture in the style of {}",
    "a detailed picture in the style of {}", "a simple picture in the style of {}",
)  # fmt: skip

TEMPLATES: Mapping[str, Sequence[str]] = {"object": _OBJECT, "style": _STYLE}
"""What is learned -> phrases with a place for its token."""
