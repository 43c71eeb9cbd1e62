"""What a denoiser is asked for: noise, timesteps, targets, losses, weights (pure tensor functions, one file each)."""

from trainers.objective.chosen import objective_of
from trainers.objective.masks import drawn_mask
from trainers.objective.noise import Drawn, drawn
from trainers.objective.objective import Objective
from trainers.objective.targets import TARGETS
from trainers.objective.timesteps import Timesteps

__all__ = ["TARGETS", "Drawn", "Objective", "Timesteps", "drawn", "drawn_mask", "objective_of"]
