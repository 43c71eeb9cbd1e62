"""kohya's description of datasets, TOML or JSON: ``[general]``, ``[[datasets]]``, ``[[datasets.subsets]]``.

https://github.com/kohya-ss/sd-scripts/blob/main/docs/config_README-en.md; the nearest level wins, and what none says
stays as the recipe has it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelhub.errors import BadValue
from trainers.dataset.nouns import Described
from trainers.dataset.translation import Vocabulary, checked, located, notices, shown, sides, table, tables, translated
from trainers.recipe import DatasetOptions, SubsetOptions

__all__ = ["describes", "read_kohya"]

_SUBSET = Vocabulary(
    places={
        "image_dir": "images",
        "num_repeats": "repeats",
        "class_tokens": "caption",
        "is_reg": "regularisation",
        "alpha_mask": "alpha_mask",
        "conditioning_data_dir": "masks",
        "caption_extension": "captions.extensions",
        "shuffle_caption": "captions.shuffle",
        "caption_separator": "captions.separator",
        "keep_tokens": "captions.keep",
        "keep_tokens_separator": "captions.keep_separator",
        "secondary_separator": "captions.secondary_separator",
        "enable_wildcard": "captions.wildcards",
        "caption_prefix": "captions.prefix",
        "caption_suffix": "captions.suffix",
        "caption_dropout_rate": "captions.dropout",
        "caption_dropout_every_n_epochs": "captions.dropout_every_epochs",
        "caption_tag_dropout_rate": "captions.tag_dropout",
        "token_warmup_min": "captions.warmup_tags",
        "token_warmup_step": "captions.warmup_steps",
        "flip_aug": "augment.flip",
        "color_aug": "augment.color",
    },
)
_DATASET = Vocabulary(
    places={"enable_bucket": "buckets", "bucket_reso_steps": "bucket_step", "bucket_no_upscale": "upscale"},
    instead={
        "batch_size": "set batch in the recipe",
        "prior_loss_weight": "set prior.weight in the recipe",
        "network_multiplier": "set weight of the subset, which scales its losses",
        "resize_interpolation": "pictures are averaged when they shrink, and enlarged by Lanczos",
        "face_crop_aug_range": "cut the faces out beforehand, or set augment.crop to random",
        "validation_seed": "pictures are held out by their digests, so that a copy never stays behind",
        "custom_attributes": "set prior.frozen in the recipe to learn the untrained model's answers",
        "max_token_length": "set dataset.captions.tokens in the recipe",
        "weighted_captions": "set dataset.captions.weights in the recipe",
        "debug_dataset": "modelhub dataset check shows what is read",
    },
    neutral={"network_multiplier": 1, "prior_loss_weight": 1},
    known=frozenset(
        {*_SUBSET.places, "random_crop", "subsets", "metadata_file", "cache_info", "resolution",
         "min_bucket_reso", "max_bucket_reso", "validation_split", "skip_image_resolution"}
    ),
)  # fmt: skip
_LEVELS = ("general", "datasets")
_WHOLE = ("min_bucket_reso", "max_bucket_reso", "validation_split", *_DATASET.places)
"""What has a place in a dataset, and none in a subset."""


def describes(fields: Any) -> bool:
    """Whether a file's content is a description of this kind."""
    datasets = fields.get("datasets") if isinstance(fields, dict) else None
    return isinstance(datasets, list) and not any("folder_path" in one for one in datasets if isinstance(one, dict))


def read_kohya(file: Path, fields: Mapping[str, Any], options: DatasetOptions) -> Described:
    """What `fields`, the content of `file`, say over a recipe's own options."""
    general = table(fields.get("general", {}), f"{file}: general")
    told = [f"{file}: {name} means nothing here" for name in fields if name not in _LEVELS]
    subsets: list[SubsetOptions] = []
    datasets: list[dict[str, Any]] = []
    for where, dataset in tables(fields["datasets"], f"{file}: datasets"):
        merged = {**general, **dataset}
        told += notices(merged, _DATASET, str(file))
        datasets.append(_dataset(merged, where))
        for place, subset in _once(tables(dataset.get("subsets"), f"{where}.subsets"), told):
            told += notices(subset, _DATASET, str(file))
            told += [f"{place}: {name} is left out: it holds for a whole dataset" for name in _WHOLE if name in subset]
            subsets.append(_subset(file, {**merged, **subset}, options, place))
    shared, differing = _agreed(datasets)
    told += [f"{file}: datasets differ in {name}, and all take the first one's" for name in differing]
    held_out = shared.pop("validation_split", None)
    whole = options.model_copy(update={**shared, "images": None, "subsets": tuple(subsets)})
    return Described(whole, tuple(dict.fromkeys(told)), held_out)


def _once(subsets: Sequence[tuple[str, dict[str, Any]]], told: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Without those that a dataset lists again, which are told."""
    seen: set[Any] = set()
    for where, one in subsets:
        if (pictures := (str(one.get("image_dir", "")), str(one.get("metadata_file", "")))) in seen:
            told.append(f"{where}: {pictures[0] or pictures[1]} is listed twice in one dataset, and taken once")
        else:
            seen.add(pictures)
            yield where, one


def _subset(file: Path, values: Mapping[str, Any], options: DatasetOptions, where: str) -> SubsetOptions:
    entries: dict[str, Any] = translated(values, _SUBSET)
    place = {name: located(values[name], file, f"{where}.{name}") for name in _paths(values)}
    if not place.keys() & {"image_dir", "metadata_file"}:
        raise BadValue(f"{where}: image_dir: it names no pictures", mend='image_dir = "folder of pictures"')
    captions = {**options.captions.model_dump(), **_captions(entries.get("captions", {}))}
    augment = {**options.augment.model_dump(), **entries.get("augment", {})}
    if "random_crop" in values:
        augment["crop"] = "random" if values["random_crop"] else "center"
    entries |= {"captions": captions, "augment": augment, "recursive": False, "folder_names": False}
    entries["images"] = place.get("metadata_file") or place["image_dir"]
    entries["masks"] = place.get("conditioning_data_dir")
    if "metadata_file" in place:
        entries["root"] = place.get("image_dir")
    if "resolution" in values:
        entries["resolution"] = _resolution(values["resolution"], where)
    return checked(SubsetOptions, entries, _SUBSET, where)


def _paths(values: Mapping[str, Any]) -> list[str]:
    return [name for name in ("image_dir", "metadata_file", "conditioning_data_dir") if values.get(name)]


def _captions(entries: Mapping[str, Any]) -> dict[str, Any]:
    """In our types: one ending is a list of them, and a warm-up begins with one tag."""
    found = dict(entries)
    if isinstance(ending := found.get("extensions"), str):
        found["extensions"] = (ending,)
    if found.get("warmup_steps"):
        found.setdefault("warmup_tags", 1)
    return found


def _dataset(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What a dataset says of its buckets, in our words."""
    found: dict[str, Any] = translated(values, _DATASET)
    if "upscale" in found:
        found["upscale"] = not found["upscale"]
    if "min_bucket_reso" in values or "max_bucket_reso" in values:
        found["bucket_sides"] = (values.get("min_bucket_reso", 256), values.get("max_bucket_reso", 1024))
    if values.get("validation_split"):
        found["validation_split"] = values["validation_split"]
    known = {name: value for name, value in found.items() if name != "validation_split"}
    options = checked(DatasetOptions, {"images": "here", **known}, _DATASET, where)
    return {name: getattr(options, name) for name in known} | _share(found.get("validation_split"), where)


def _share(value: Any, where: str) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(value, int | float) or not 0 < value <= 0.5:
        raise BadValue(
            f"{where}.validation_split: {shown(value)} is no share of the pictures up to 0.5", mend="write it as 0.1"
        )
    return {"validation_split": float(value)}


def _resolution(value: Any, where: str) -> Any:
    """One side; a list or text of two is a width and a height."""
    pair = value.split(",") if isinstance(value, str) else value
    if isinstance(pair, list | tuple) and len(pair) == 2:
        return sides(f"{pair[0]}x{pair[1]}", f"{where}.resolution")
    return sides(value, f"{where}.resolution")


def _agreed(datasets: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """The first value of every entry, and the entries that others have otherwise."""
    names = dict.fromkeys(name for one in datasets for name in one)
    first = {name: next(one[name] for one in datasets if name in one) for name in names}
    return first, [name for name in names if any(one.get(name) != first[name] for one in datasets)]
