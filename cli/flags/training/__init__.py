"""Options of a training: each group names the entries of a recipe that its flags give."""

from cli.flags.training.captions import CaptionFlags
from cli.flags.training.compute import ComputeFlags
from cli.flags.training.learning import LearningFlags
from cli.flags.training.methods import FullFlags, HypernetworkFlags, LoraFlags, WordFlags
from cli.flags.training.objective import ObjectiveFlags
from cli.flags.training.pictures import PictureFlags
from cli.flags.training.recipe import RecipeFlags
from cli.flags.training.running import RunningFlags

__all__ = [
    "CaptionFlags",
    "ComputeFlags",
    "FullFlags",
    "HypernetworkFlags",
    "LearningFlags",
    "LoraFlags",
    "ObjectiveFlags",
    "PictureFlags",
    "RecipeFlags",
    "RunningFlags",
    "WordFlags",
]
