"""Which files of a repository are one model: weight files, folders as diffusers and peft save them, taggers (pure).

Of the copies that repositories hold of the same weights (half precision, pickles, shards, other frameworks) a folder
takes each module's once: safetensors where there are any, one variant throughout.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from posixpath import basename, dirname, join

from modelhub.headers import NET, WEIGHT_SUFFIXES, WeightSet, holds_model, is_small_part, is_tagger, weight_sets

__all__ = ["Blob", "Model", "models_in"]

_PIPELINE = "model_index.json"
_HEADS = (_PIPELINE, "config.json", "adapter_config.json")
"""What stands at the top of a folder that is one model."""
_COMPONENT = ("scheduler_config.json", "tokenizer_config.json", "tokenizer.json", "preprocessor_config.json")
"""What the parts of a pipeline have that have no weights."""
_NOT_SMALL = re.compile(r".*\.index\b|openvino")
"""What tells of shards is taken with them; of other frameworks nothing is."""
_NO_MODEL = re.compile(
    r"(?:optimizer|scheduler|scaler|random_states|rng_state|training_args|openvino)|.*-\d{5}-of-\d{5}"
)
"""Beginnings of the names of what training leaves behind, and shards, which are none without the others."""
_PRECISION = re.compile(r"(?i)(?<![a-z0-9])(fp32|fp16|bf16|fp8|nf4|i?q\d(?:_[a-z0-9]+)*|f32|f16)(?![a-z0-9])")
_SPELLINGS = {"f32": "fp32", "f16": "fp16"}
_PREFERRED = ("fp16", "bf16", "", "fp32", "fp8")
_FORMATS = ("safetensors", "diffusers", "onnx", "gguf", "pickle")
_SUFFIXES = {"safetensors": "safetensors", "sft": "safetensors", "gguf": "gguf"}
_FULL = "full"


@dataclass(frozen=True, slots=True)
class Blob:
    """One file of a commit."""

    path: str
    size: int | None
    oid: str
    """What git calls these bytes."""
    sha256: str | None = None
    """Of large files only."""


@dataclass(frozen=True, slots=True)
class Model:
    """Files that become one artifact."""

    at: str
    """What the address says after the repository."""
    blobs: tuple[Blob, ...]
    folder: str | None
    """Where its files lie, for a folder (empty: the repository itself); None for a single file."""
    format: str
    precision: str

    @property
    def rank(self) -> tuple[int, int, bool, bool, int, bool, str]:
        """Less is better: what can run no code, what lies at the top, no add-ons, single files, half precision."""
        name = self.at.lower()
        preference = _PREFERRED.index(self.precision) if self.precision in _PREFERRED else len(_PREFERRED)
        risk = max(0, _FORMATS.index(self.format) - 2)
        return (risk, name.count("/"), "lora" in name, self.folder is not None, preference, "pruned" not in name, name)


Named = Mapping[str, Collection[str]]
"""Folder of a pipeline -> its parts, as its `model_index.json` names them; of one that was not read all are taken."""


def models_in(blobs: Sequence[Blob], at: str = "", named: Named | None = None) -> tuple[Model, ...]:
    """The models that `at` means (a file, a folder, a folder's head with its variant; empty: any), best first."""
    exact = next((one for one in blobs if one.path == at and _is_weights(at)), None)
    if exact:
        return (_single(exact),)
    below = [one for one in blobs if one.path.startswith(f"{at}/" if at else "")]
    meant = list(_Tree(below, named or {}).models()) if below else _headed(blobs, at, named or {})
    return tuple(sorted(meant, key=lambda one: one.rank))


def _headed(blobs: Sequence[Blob], at: str, named: Named) -> list[Model]:
    """The folder that the file at `at` heads, in the variant it names, else in all that there are."""
    folder = dirname(at)
    within = [one for one in blobs if one.path.startswith(f"{folder}/" if folder else "")]
    return [one for one in _Tree(within, named).models() if at in (one.at, one.at.partition("#")[0])]


class _Tree:
    """The files of one commit by their folders."""

    def __init__(self, blobs: Sequence[Blob], named: Named) -> None:
        self._named = named
        self._folders: dict[str, dict[str, Blob]] = {}
        for one in blobs:
            if not any(part.startswith(".") for part in one.path.split("/")):
                self._folders.setdefault(dirname(one.path), {})[basename(one.path)] = one
        self._pipelines = {folder for folder, names in self._folders.items() if _PIPELINE in names}
        self._parts = {part for folder in self._pipelines for part in self._parts_of(folder)}

    def models(self) -> Iterator[Model]:
        for folder, names in self._folders.items():
            if folder in self._parts:
                continue
            if folder in self._pipelines:
                yield from self._sets(folder, _PIPELINE, self._parts_of(folder))
            elif is_tagger(names):
                yield Model(join(folder, NET), tuple(self._small(names, {NET})), folder, "onnx", "")
            elif holds_model(names):
                yield from self._sets(folder, next(one for one in _HEADS if one in names), [folder])
            yield from map(_single, self._singles(names))

    def _singles(self, names: Mapping[str, Blob]) -> Iterator[Blob]:
        headed = {file for one in weight_sets(names) for file in _files(one)} if holds_model(names) else set()
        for name, blob in names.items():
            if _is_weights(name) and name not in headed and not _NO_MODEL.match(name):
                yield blob

    def _parts_of(self, pipeline: str) -> list[str]:
        below = [one for one in self._folders if one and dirname(one) == pipeline and one != pipeline]
        if pipeline in self._named:
            return [one for one in below if basename(one) in self._named[pipeline]]
        return [one for one in below if self._is_part(self._folders[one])]

    def _is_part(self, names: Mapping[str, Blob]) -> bool:
        return any(one in names for one in _COMPONENT) or bool(weight_sets(names))

    def _sets(self, folder: str, head: str, parts: Sequence[str]) -> Iterator[Model]:
        """The folder with each variant of weights that all of its parts have."""
        offered = {part: each for part in parts if (each := self._whole_sets(part))}
        if not offered:
            return
        variants = list(dict.fromkeys(one.variant for one in next(iter(offered.values()))))
        common = [one for one in variants if all(one in {each.variant for each in sets} for sets in offered.values())]
        for variant in common or [""]:  # a part without the variant comes as it is, as diffusers does it
            chosen = {part: _of_variant(variant, sets) for part, sets in offered.items()}
            yield Model(
                at=join(folder, head) + (f"#{variant or _FULL}" if len(common) > 1 else ""),
                blobs=self._taken(self._folders[folder][head], parts, chosen),
                folder=folder,
                format="diffusers" if all(one.suffix == "safetensors" for one in chosen.values()) else "pickle",
                precision=variant if variant in _PREFERRED else "",
            )

    def _taken(self, head: Blob, parts: Sequence[str], chosen: Mapping[str, WeightSet]) -> tuple[Blob, ...]:
        taken = [head]
        for part in parts:
            weights = _files(chosen[part]) if part in chosen else set()
            taken += self._small(self._folders[part], weights)
        return tuple(dict.fromkeys(taken))

    def _small(self, names: Mapping[str, Blob], weights: Collection[str]) -> Iterator[Blob]:
        """The weights of a module, and what belongs to them."""
        for name, blob in names.items():
            if name in weights or (is_small_part(name) and not _NOT_SMALL.match(name)):
                yield blob

    def _whole_sets(self, part: str) -> list[WeightSet]:
        names = self._folders[part]
        return [one for one in weight_sets(names) if one.whole or (one.shards and one.shards <= names.keys())]


def _of_variant(variant: str, sets: Sequence[WeightSet]) -> WeightSet:
    return next((one for one in sets if one.variant == variant), sets[0])


def _is_weights(name: str) -> bool:
    return name.lower().endswith(WEIGHT_SUFFIXES)


def _files(weights: WeightSet) -> set[str]:
    return {weights.whole} if weights.whole else {*weights.shards, *([weights.index] if weights.index else [])}


def _single(blob: Blob) -> Model:
    name = basename(blob.path)
    found = _PRECISION.search(name)
    said = found[1].lower() if found else ""
    container = _SUFFIXES.get(name.rpartition(".")[2], "pickle")
    return Model(blob.path, (blob,), None, container, _SPELLINGS.get(said, said))
