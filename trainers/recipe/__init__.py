"""All that decides the weights of a training, as a TOML file says it (no torch): one file a table."""

from trainers.recipe.dataset import PLACES, AugmentOptions, CaptionOptions, DatasetOptions, SubsetOptions
from trainers.recipe.files import current, parse_recipe, read_fields, read_recipe, write_recipe
from trainers.recipe.learning import ComputeOptions, OptimizerOptions
from trainers.recipe.methods import (
    FullOptions,
    HypernetworkOptions,
    LoraOptions,
    MethodOptions,
    TextualInversionOptions,
)
from trainers.recipe.objective import LossOptions, NoiseOptions, PriorOptions
from trainers.recipe.recipe import SCHEMA, Recipe
from trainers.recipe.running import ExportOptions, LogOptions, PreviewOptions, SaveOptions, ValidationOptions

__all__ = [
    "PLACES",
    "SCHEMA",
    "AugmentOptions",
    "CaptionOptions",
    "ComputeOptions",
    "DatasetOptions",
    "ExportOptions",
    "FullOptions",
    "HypernetworkOptions",
    "LogOptions",
    "LoraOptions",
    "LossOptions",
    "MethodOptions",
    "NoiseOptions",
    "OptimizerOptions",
    "PreviewOptions",
    "PriorOptions",
    "Recipe",
    "SaveOptions",
    "SubsetOptions",
    "TextualInversionOptions",
    "ValidationOptions",
    "current",
    "parse_recipe",
    "read_fields",
    "read_recipe",
    "write_recipe",
]
