"""All that decides the pixels of a picture, and nothing else (no torch)."""

from inference.request.generation import SCHEMA, SEEDS, GenerationRequest
from inference.request.passes import Faces, Hires, Refiner
from inference.request.pictures import Init, Mask, Soft
from inference.request.uses import ControlUse, LoraUse, NetworkUse, Variation

__all__ = [
    "SCHEMA",
    "SEEDS",
    "ControlUse",
    "Faces",
    "GenerationRequest",
    "Hires",
    "Init",
    "LoraUse",
    "Mask",
    "NetworkUse",
    "Refiner",
    "Soft",
    "Variation",
]
