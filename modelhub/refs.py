"""Addresses of models, as a person types them."""

import re
from dataclasses import dataclass
from enum import StrEnum

from modelhub.errors import BadValue

__all__ = ["ModelRef", "RefForm", "WeightedRef", "check_name"]


class RefForm(StrEnum):
    """Which of the forms of address a reference is written in."""

    ID = "id"
    """``12``: a catalog ID. A bare number is always one."""
    DIGEST = "digest"
    """``0a1b2c3d``: at least 8 hex digits that begin a SHA-256 or an AutoV1/2/3."""
    PATH = "path"
    """``./lora/kip.safetensors``: anything with a slash, or with a weight file's ending."""
    HUB = "hub"
    """``hf:owner/repo``, ``civitai:12@34``, an AIR URN, or a hub's web address."""
    NAME = "name"
    """``dreamshaper-8``: the catalog's own readable name, or an alias."""


_HUB = re.compile(r"(hf:|civitai:|folder:|file:|urn:air:|air:|https?://)", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-fA-F]{8,64}")
_SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf")
_RESERVED = re.compile(r"[:=@/\\<>\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class ModelRef:
    """One reference to a model; ``ModelRef.parse(str(ref)) == ref``."""

    form: RefForm
    text: str

    @classmethod
    def parse(cls, text: str) -> "ModelRef":
        """Tell the form of `text` by its looks alone; raises `BadValue` when it is empty."""
        text = text.strip()
        if not text:
            raise BadValue("a model reference is empty", mend="modelhub ls")
        return cls(_form_of(text), text)

    def __str__(self) -> str:
        return self.text


def _form_of(text: str) -> RefForm:
    if text.isascii() and text.isdigit():
        return RefForm.ID
    if _HUB.match(text):
        return RefForm.HUB
    if "/" in text or "\\" in text or text.startswith("~") or text.lower().endswith(_SUFFIXES):
        return RefForm.PATH
    if _HEX.fullmatch(text):
        return RefForm.DIGEST
    return RefForm.NAME


@dataclass(frozen=True, slots=True)
class WeightedRef:
    """``REF[=UNET[,TEXT_ENCODER]]``: an adapter and how strongly each part of the model gets it."""

    ref: ModelRef
    unet: float = 1.0
    text_encoder: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "WeightedRef":
        """Weights follow an equals sign, since references hold colons; one weight serves both parts."""
        ref, equals, weights = text.rpartition("=")
        if not equals:
            return cls(ModelRef.parse(text))
        try:
            numbers = [float(part) for part in weights.split(",")]
        except ValueError:
            numbers = []
        if not 1 <= len(numbers) <= 2:
            raise BadValue(f"{text!r}: {weights!r} is no weight", mend="write REF=0.8 or REF=0.8,0.6")
        return cls(ModelRef.parse(ref), numbers[0], numbers[-1])

    def __str__(self) -> str:
        if self.unet == self.text_encoder:
            return f"{self.ref}={self.unet:g}"
        return f"{self.ref}={self.unet:g},{self.text_encoder:g}"


def check_name(name: str) -> str:
    """Return `name` if it may name an artifact, so that no name can be mistaken for another form of reference."""
    if not name or name != name.strip() or _RESERVED.search(name):
        raise BadValue(f"{name!r} is no model name: it holds a space at an end, or one of : = @ / \\ < >")
    if _form_of(name) is not RefForm.NAME:
        raise BadValue(f"{name!r} is no model name: it would be read as {_form_of(name).value}")
    return name
