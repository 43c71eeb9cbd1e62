"""OneTrainer's concepts, JSON: a list, or the configuration that holds one."""

from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

from modelhub.errors import BadValue
from trainers.dataset.caption_files import read_text
from trainers.dataset.folder import in_folder
from trainers.dataset.nouns import Described
from trainers.dataset.translation import (
    CORRECTED,
    Vocabulary,
    checked,
    located,
    notices,
    shown,
    sides,
    table,
    tables,
    translated,
)
from trainers.recipe import DatasetOptions, SubsetOptions

__all__ = ["describes", "read_onetrainer"]

_PRIOR = "PRIOR_PREDICTION"
_CONCEPT = Vocabulary(
    places={
        "repeats": "repeats",
        "balancing": "repeats",
        "loss_weight": "weight",
        "include_subdirectories": "recursive",
        "image_variations": "augment.variations",
    },
    known=frozenset(
        {"__version", "name", "path", "seed", "enabled", "type", "validation_concept", "balancing_strategy",
         "text_variations", "image", "text", "concept_stats"}
    ),
)  # fmt: skip
_IMAGE = Vocabulary(
    places={"enable_random_flip": "augment.flip"},
    instead=dict.fromkeys(
        ("enable_random_brightness", "enable_random_contrast", "enable_random_saturation", "enable_random_hue"),
        "set augment.color, which turns hues or bends gamma",
    )
    | dict.fromkeys(
        ("enable_fixed_flip", "enable_random_rotate", "enable_fixed_rotate", "enable_fixed_brightness",
         "enable_fixed_contrast", "enable_fixed_saturation", "enable_fixed_hue"),
        "change the pictures beforehand",
    )
    | {
        "enable_random_circular_mask_shrink": "masks are taken as they are",
        "enable_random_mask_rotate_crop": "masks are taken as they are",
    },
    known=frozenset(
        {"__version", "enable_crop_jitter", "enable_resolution_override", "resolution_override",
         "random_rotate_max_angle", "random_brightness_max_strength", "random_contrast_max_strength",
         "random_saturation_max_strength", "random_hue_max_strength"}
    ),
)  # fmt: skip
_TEXT = Vocabulary(
    places={"enable_tag_shuffling": "shuffle", "tag_delimiter": "separator", "keep_tags_count": "keep"},
    instead={
        "tag_dropout_special_tags": "tags are dropped alike, but for the first `keep`",
        "caps_randomize_enable": "CLIP reads capitals as small letters",
    },
    known=frozenset(
        {"__version", "prompt_source", "prompt_path", "tag_dropout_enable", "tag_dropout_mode",
         "tag_dropout_probability", "tag_dropout_special_tags_mode", "tag_dropout_special_tags_regex",
         "caps_randomize_mode", "caps_randomize_probability", "caps_randomize_lowercase"}
    ),
)  # fmt: skip
_SOURCES = {"sample": "file", "filename": "name", "concept": "none"}


def describes(fields: Any) -> bool:
    """Whether a file's content is a description of this kind."""
    concepts = fields.get("concepts") if isinstance(fields, dict) else fields
    return isinstance(concepts, list)


def read_onetrainer(file: Path, fields: Any, options: DatasetOptions) -> Described:
    """What the concepts of `file` say over a recipe's own options."""
    inline = isinstance(fields, dict)
    told: list[str] = []
    subsets = [
        _subset(file, concept, options, where, told)
        for where, concept in tables(fields["concepts"] if inline else fields, f"{file}: concepts")
        if concept.get("enabled", True)
    ]
    if not subsets:
        raise BadValue(f"{file}: no concept is enabled", mend='set "enabled": true')
    whole = options.model_copy(update={"images": None, "subsets": tuple(subsets)})
    return Described(whole, tuple(dict.fromkeys(told)))


def _subset(
    file: Path, concept: Mapping[str, Any], options: DatasetOptions, where: str, told: list[str]
) -> SubsetOptions:
    image, text = table(concept.get("image", {}), f"{where}.image"), table(concept.get("text", {}), f"{where}.text")
    for values, words in ((concept, _CONCEPT), (image, _IMAGE), (text, _TEXT)):
        told += notices(values, words, str(file))
    entries = translated(concept, _CONCEPT)
    kind = concept.get("type", "VALIDATION" if concept.get("validation_concept") else "STANDARD")
    if kind == _PRIOR:
        told.append(f"{where}: set prior.frozen = true in the recipe to learn the untrained model's answers")
    augment = options.augment.model_dump() | entries.get("augment", {}) | _augment(image)
    captions = options.captions.model_dump() | _captions(text, where, told)
    entries |= {
        "images": located(concept.get("path"), file, f"{where}.path"),
        "caption": _caption(file, text, where),
        "recursive": concept.get("include_subdirectories", False),
        "folder_names": False,
        "held_out": kind == "VALIDATION",
        "regularisation": kind == _PRIOR,
        "captions": captions,
        "augment": augment,
    }
    if image.get("enable_resolution_override"):
        entries["resolution"] = sides(image.get("resolution_override"), f"{where}.image.resolution_override")
    subset = checked(SubsetOptions, {**entries, "repeats": 1.0 if _counts(concept) else entries.get("repeats", 1.0)},
                     _CONCEPT, where)  # fmt: skip
    return _balanced(subset, concept, where) if _counts(concept) else subset


def _counts(concept: Mapping[str, Any]) -> bool:
    """Whether `balancing` is a number of pictures an epoch, in place of repeats."""
    return concept.get("balancing_strategy") == "SAMPLES"


def _balanced(subset: SubsetOptions, concept: Mapping[str, Any], where: str) -> SubsetOptions:
    wanted = concept.get("balancing", 1)
    if not isinstance(wanted, int | float) or not 0 < wanted < inf:
        raise BadValue(f"{where}.balancing: {shown(wanted)} is no number of pictures", mend=CORRECTED)
    return subset.model_copy(update={"repeats": wanted / len(in_folder(subset))})


def _augment(image: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = translated(image, _IMAGE).get("augment", {})
    if "enable_crop_jitter" in image:
        found["crop"] = "random" if image["enable_crop_jitter"] else "center"
    return found


def _captions(text: Mapping[str, Any], where: str, told: list[str]) -> dict[str, Any]:
    source = text.get("prompt_source", "sample")
    if not isinstance(source, str) or source not in _SOURCES:
        told_by = ", ".join(_SOURCES)
        raise BadValue(f"{where}.text.prompt_source: {shown(source)} is none of {told_by}", mend=CORRECTED)
    found = translated(text, _TEXT) | {"source": _SOURCES[source]}
    if source == "concept":
        found["wildcards"] = True
    if text.get("tag_dropout_enable") and (share := text.get("tag_dropout_probability")):
        mode = str(text.get("tag_dropout_mode", "FULL"))
        found["dropout" if mode == "FULL" else "tag_dropout"] = share
        if mode == "FULL":
            told.append(f"{where}: tag_dropout_mode = FULL leaves out whole captions, the kept tags too")
        elif mode != "RANDOM":
            told.append(f"{where}: tag_dropout_mode = {mode} leaves out every tag as often as any other")
    return found


def _caption(file: Path, text: Mapping[str, Any], where: str) -> str:
    """The lines that all pictures of a concept have in common, one of which is said."""
    if text.get("prompt_source") != "concept":
        return ""
    lines = read_text(located(text.get("prompt_path"), file, f"{where}.text.prompt_path")).splitlines()
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())
