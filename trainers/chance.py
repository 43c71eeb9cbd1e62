"""Everything random in a training, as a function of what it is for: nothing depends on what was drawn before."""

import hashlib
import random

import torch

__all__ = ["dice", "generator"]


def generator(*purpose: object) -> torch.Generator:
    """For tensors: the same whenever the same is asked, e.g. (seed, step, place in the step, "noise")."""
    return torch.Generator().manual_seed(int.from_bytes(_digest(purpose)[:7]))


def dice(*purpose: object) -> random.Random:
    """For everything else."""
    return random.Random(_digest(purpose))


def _digest(purpose: tuple[object, ...]) -> bytes:
    return hashlib.sha256("/".join(map(str, purpose)).encode()).digest()
