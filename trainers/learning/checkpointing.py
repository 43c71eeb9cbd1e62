"""Activations that are computed again on the way back, in place of being kept."""

from collections.abc import Mapping

from torch import nn

from inference.weights.parts import UNET

__all__ = ["checkpoint_activations"]

_NAMES = ("activation_checkpointing_enable", "gradient_checkpointing_enable")
"""Of newer transformers, and of older ones."""


def checkpoint_activations(models: Mapping[str, nn.Module], *, text_encoders: bool) -> None:
    """Of the UNet, and of text encoders where they learn; transformers does so only of modules in training mode."""
    models[UNET].enable_gradient_checkpointing()  # type: ignore[operator]
    for role, model in models.items():
        if text_encoders and role.startswith("text_encoder"):
            model.train()
            enable = next(getattr(model, name) for name in _NAMES if hasattr(model, name))
            enable({"use_reentrant": False})
