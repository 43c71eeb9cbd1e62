"""Hubs that know us by tokens: which variables hold them, and where people make them."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PLACES", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """What there is to know of one hub's tokens."""

    title: str
    """Of the hub, for people."""
    page: str
    """Where people make a token."""
    variables: tuple[str, ...]
    """Of the environment; the first one that is set holds the token."""


PLACES: Mapping[str, Place] = {
    "civitai": Place(
        "Civitai",
        "https://civitai.com/user/account",
        ("CIVITAI_API_TOKEN", "CIVITAI_TOKEN", "CIVITAI_API_KEY"),
    ),
    "hf": Place("HuggingFace", "https://huggingface.co/settings/tokens", ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")),
}
"""By the name of the hub."""
