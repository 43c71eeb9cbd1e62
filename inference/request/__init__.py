"""All that decides the pixels of a picture, and nothing else (no torch)."""

from inference.request.generation import SCHEMA, SEEDS, GenerationRequest
from inference.request.passes import Faces, Hires, Refiner, Tiles
from inference.request.pictures import Init, Mask, Outpaint, Soft
from inference.request.uses import ControlUse, ImageSeed, LoraUse, NetworkUse, Variation

__all__ = [
    "SCHEMA",
    "SEEDS",
    "ControlUse",
    "Faces",
    "GenerationRequest",
    "Hires",
    "ImageSeed",
    "Init",
    "LoraUse",
    "Mask",
    "NetworkUse",
    "Outpaint",
    "Refiner",
    "Soft",
    "Tiles",
    "Variation",
]
