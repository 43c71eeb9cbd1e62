"""What a denoiser is asked for: noised latents, target, loss and weights (pure tensor functions)."""

from trainers.objective.objective import TARGETS, Objective

__all__ = ["TARGETS", "Objective"]
