"""ai-toolkit's ``datasets``, in its YAML or JSON configuration."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modelhub.errors import BadValue
from trainers.dataset.caption_files import read_text
from trainers.dataset.files import is_there
from trainers.dataset.nouns import Described
from trainers.dataset.translation import Vocabulary, checked, located, notices, sides, tables, translated
from trainers.recipe import DatasetOptions, SubsetOptions

__all__ = ["describes", "read_ai_toolkit"]

_PLACEHOLDER = "[trigger]"
_ALL = "default.txt"
"""A caption for the pictures of its folder that have none."""
_DATASET = Vocabulary(
    places={
        "folder_path": "images",
        "default_caption": "caption",
        "trigger_word": "trigger",
        "mask_path": "masks",
        "alpha_mask": "alpha_mask",
        "is_reg": "regularisation",
        "num_repeats": "repeats",
        "loss_multiplier": "weight",
        "resolution": "resolution",
        "caption_ext": "captions.extensions",
        "caption_dropout_rate": "captions.dropout",
        "token_dropout_rate": "captions.tag_dropout",
        "shuffle_tokens": "captions.shuffle",
        "keep_tokens": "captions.keep",
        "flip_x": "augment.flip",
    },
    instead={
        "random_triggers": "write {a|b} in the captions and set captions.wildcards",
        "flip_y": "turn the pictures beforehand",
        "scale": "resize the pictures beforehand",
        "random_scale": "set augment.crop to random",
        "prior_reg": "set prior.frozen in the recipe to learn the untrained model's answers",
        "mask_min_value": "set loss.unmasked_weight in the recipe",
        "invert_mask": "invert the masks beforehand: white is learned",
        "network_weight": "set weight, which scales the losses",
        "augmentations": "set augment.color, or change the pictures beforehand",
        "augments": "set augment.color, or change the pictures beforehand",
    },
    neutral={"scale": 1, "network_weight": 1},
    known=frozenset(
        {"dataset_path", "random_crop", "square_crop", "buckets", "bucket_tolerance", "cache_latents", "prior_reg",
         "cache_latents_to_disk", "cache_text_embeddings", "type", "num_workers", "prefetch_factor",
         "random_triggers_max", "shuffle_augmentations", "caption_type"}
    ),
)  # fmt: skip


def describes(fields: Any) -> bool:
    """Whether a file's content is a description of this kind."""
    return any(True for _ in _processes(fields, ""))


def read_ai_toolkit(file: Path, fields: Any, options: DatasetOptions) -> Described:
    """What the datasets of `file` say over a recipe's own options."""
    told: list[str] = []
    subsets, cuts = [], []
    for where, process in _processes(fields, str(file)):
        for place, dataset in tables(process["datasets"], f"{where}datasets"):
            values = {"trigger_word": process.get("trigger_word"), **dataset}
            told += notices(values, _DATASET, str(file))
            if values.get("prior_reg"):
                told.append(f"{place}: prior_reg: {_DATASET.instead['prior_reg']}")
            subsets.append(_subset(file, values, options, place))
            cuts.append(_buckets(values))
    if any(cut != cuts[0] for cut in cuts):
        told.append(f"{file}: datasets differ in their buckets, and all take the first one's")
    whole = options.model_copy(update={**cuts[0], "images": None, "subsets": tuple(subsets)})
    return Described(whole, tuple(dict.fromkeys(told)))


def _processes(fields: Any, file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables that hold `datasets`, and where each stands."""
    config = fields.get("config", fields) if isinstance(fields, dict) else {}
    listed = config.get("process", config) if isinstance(config, dict) else ()
    for index, one in enumerate(listed if isinstance(listed, list) else [listed]):
        if isinstance(one, dict) and "datasets" in one:
            yield f"{file}: process[{index}]." if isinstance(listed, list) else f"{file}: ", one


def _subset(file: Path, values: Mapping[str, Any], options: DatasetOptions, where: str) -> SubsetOptions:
    entries = translated(values, _DATASET)
    folder = located(values.get("folder_path") or values.get("dataset_path"), file, f"{where}.folder_path")
    augment = options.augment.model_dump() | entries.get("augment", {})
    if values.get("random_crop"):
        augment["crop"] = "random"
    entries |= {
        "images": folder,
        "caption": entries.get("caption") or _default(folder) or (_PLACEHOLDER if values.get("trigger_word") else ""),
        "masks": located(values["mask_path"], file, f"{where}.mask_path") if values.get("mask_path") else None,
        "regularisation": bool(values.get("is_reg") or values.get("prior_reg")),
        "recursive": False,
        "folder_names": False,
        "captions": options.captions.model_dump() | _captions(entries.get("captions", {})),
        "augment": augment,
    }
    if "resolution" in entries:
        entries["resolution"] = sides(entries["resolution"], f"{where}.resolution")
    return checked(SubsetOptions, entries, _DATASET, where)


def _captions(entries: Mapping[str, Any]) -> dict[str, Any]:
    ending = entries.get("extensions")
    return {**entries, "extensions": (f".{ending.removeprefix('.')}",)} if isinstance(ending, str) else {**entries}


def _default(folder: Path) -> str:
    return " ".join(read_text(folder / _ALL).split()) if is_there(folder / _ALL) else ""


def _buckets(values: Mapping[str, Any]) -> dict[str, Any]:
    """How pictures are cut, in the words of the whole dataset."""
    found: dict[str, Any] = {}
    if "buckets" in values or "square_crop" in values:
        found["buckets"] = bool(values.get("buckets", True)) and not values.get("square_crop", False)
    if isinstance(step := values.get("bucket_tolerance"), int):
        if not 8 <= step <= 256 or step % 8:
            raise BadValue(f"bucket_tolerance: {step} is no multiple of 8 from 8 to 256", mend="write it as 64")
        found["bucket_step"] = step
    return found
