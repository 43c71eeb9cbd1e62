"""What ships with the product, so that everything can be tried offline: a small checkpoint, and a character to learn.

The checkpoint is a toy that the project trained itself (`examples/starter`): Stable Diffusion 1's layout, small
sizes, emoji on white. The character is drawn by code (`examples/character`).
"""

from pathlib import Path

__all__ = ["CHECKPOINT", "HELD_OUT", "PROMPTS", "RECIPE"]

_HERE = Path(__file__).parent

CHECKPOINT = _HERE / "starter.safetensors"
RECIPE = _HERE / "mimo.toml"
"""Trains a LoRA on the character."""
HELD_OUT = _HERE / "character" / "held_out"
"""Pictures of the character that the recipe does not train on, with their captions."""

PROMPTS = (
    "red apple, noto style",
    "bullseye, noto style",
    "sandwich, noto style",
    "ok hand, noto style",
    "seedling, noto style",
    "cat with wry smile, flat style",
    "police car, flat style",
    "wine glass, flat style",
)
"""What the checkpoint can draw: names of emoji, and one of its two styles."""
