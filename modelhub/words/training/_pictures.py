"""What a training's pictures and captions were, and which words they teach."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from modelhub.words.strangers import cleaned, distinct, parsed, texts_in
from modelhub.words.training import _values as read
from modelhub.words.training._nouns import Bucket, Folder

__all__ = ["of_pictures", "trigger_words"]

_MAX_TAGS = 200
_MAX_WORDS = 50
_PEOPLE = ("1girl", "1boy", "solo", "girl", "boy", "man", "woman", "male", "female", "person", "people", "character")
_COMMON = frozenset((*_PEOPLE, "style", "img", "image", "images", "photo"))
"""Names of folders that call nothing in particular."""
_NEARLY_ALL = 0.9
_FEWEST = 3
"""Captions, below which a tag in all of them is chance."""


def of_pictures(said: Mapping[str, Any]) -> dict[str, Any]:
    """What the pictures and their captions were; kohya tells it per dataset when there are several."""
    first = next(iter(_rows(parsed(said.get("ss_datasets"), read.MAX_JSON))), {})
    counts = _tag_counts(said)
    total: Counter[str] = Counter()
    for tags in counts.values():
        total.update(tags)
    return {
        "resolution": read.size(said.get("ss_resolution") or str(first.get("resolution", ""))),
        "batch": read.count(said.get("ss_total_batch_size")) or read.count(first.get("batch_size_per_device")),
        "folders": tuple(_folders(parsed(said.get("ss_dataset_dirs"), read.MAX_JSON))),
        "buckets": tuple(_buckets(parsed(said.get("ss_bucket_info"), read.MAX_JSON) or first.get("bucket_info"))),
        "tags": tuple((tag, count) for name, count in total.most_common(_MAX_TAGS) if (tag := read.name(name))),
        "different_tags": len(total) or None,
        "captions": sum(max(tags.values()) for tags in counts.values()) or None,
    }


def trigger_words(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """What the header wants in a prompt: stated outright, or the name of a folder that nearly all its captions hold."""
    listed = parsed(metadata.get("modelhub.trigger_words"), read.MAX_TEXT)
    ours = texts_in(listed, limit=read.MAX_NAME, count=_MAX_WORDS)
    stated = cleaned(metadata.get("modelspec.trigger_phrase"), read.MAX_NAME)
    return distinct((*ours, stated)) or distinct(_named_by_folders(metadata))


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _named_rows(value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The maps within a map, by their cleaned names."""
    for key, row in list(value.items())[: read.MAX_ROWS] if isinstance(value, dict) else ():
        if isinstance(row, dict) and (name := read.file_name(key)):
            yield name, row


def _folders(value: object) -> Iterator[Folder]:
    for name, row in _named_rows(value):
        yield Folder(name, read.count(row.get("n_repeats")), read.count(row.get("img_count")))


def _buckets(value: object) -> Iterator[Bucket]:
    for _, row in _named_rows(value.get("buckets") if isinstance(value, dict) else None):
        size, count = read.size(str(row.get("resolution", ""))), read.count(row.get("count"))
        if size and count:
            yield Bucket(*size, count)


def _tag_counts(said: Mapping[str, Any]) -> Mapping[str, Mapping[str, int]]:
    """Folder -> tag -> how many captions hold it."""
    folders = _named_rows(parsed(said.get("ss_tag_frequency"), read.MAX_JSON))
    counted = {
        name: {tag.strip(): count for tag, count in tags.items() if type(count) is int and 0 < count < 2**31}
        for name, tags in folders
    }
    return {name: tags for name, tags in counted.items() if tags}


def _named_by_folders(metadata: Mapping[str, str]) -> Iterator[str]:
    """Tags in nearly all captions of a folder ``N_token class`` that are its name, or the token in it."""
    known = {one.name: one.images for one in _folders(parsed(metadata.get("ss_dataset_dirs"), read.MAX_JSON))}
    others = dict(_named_rows(parsed(metadata.get("ss_reg_dataset_dirs"), read.MAX_JSON)))
    for folder, tags in _tag_counts(metadata).items():
        if folder in others or not (named := re.fullmatch(r"\d+_(.+)", folder)):
            continue
        whole = _alike(named[1])
        pictures = max(known.get(folder) or 0, *tags.values())
        for tag, count in tags.items():
            calls = _alike(tag) in (whole, whole.split()[0]) if whole else False
            if calls and _alike(tag) not in _COMMON and count >= max(_FEWEST, _NEARLY_ALL * pictures):
                yield read.name(tag)


def _alike(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split())
