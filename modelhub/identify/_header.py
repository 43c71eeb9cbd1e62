"""What a file's ``__metadata__`` says of itself, in our own keys, kohya's and the model spec's.

Metadata is text by strangers: every value is checked against what we know, and never believed against the shapes.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from modelhub.families import Family, known
from modelhub.kinds import Kind

__all__ = ["Header", "Statement"]

_SCHEMA = 1
_PREDICTION_TYPES = {
    "v": "v",
    "v_prediction": "v",
    "epsilon": "epsilon",
    "eps": "epsilon",
    "flow": "flow",
    "flow_prediction": "flow",
}
_ARCHITECTURES = {"stable-diffusion-v2-768-v": "v", "stable-diffusion-v2-512": "epsilon"}
"""``modelspec.architecture`` -> what it predicts, where the name tells."""
_BASES = {"sd_v2_v": "v", "sd_v1_v": "v"}
"""Likewise kohya's ``ss_base_model_version``."""
_TRUE = {"True": "yes", "true": "yes", "1": "yes"}
_NUMBER = re.compile(r"[0-9]{1,9}")
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Statement:
    """One entry, and what it means to us."""

    key: str
    text: str
    meaning: str | None
    """None when it says something that we do not know."""


@dataclass(frozen=True, slots=True)
class Header:
    """A file's metadata, read with suspicion."""

    metadata: Mapping[str, str]

    @property
    def is_newer(self) -> bool:
        """Whether our own keys were written by a ModelHub that we do not understand."""
        schema = self.metadata.get("modelhub.schema", "1")
        return _NUMBER.fullmatch(schema) is None or int(schema) > _SCHEMA

    def kind(self) -> Statement | None:
        kinds = {kind.value: kind.value for kind in Kind if kind is not Kind.UNKNOWN}
        return self._ours("modelhub.kind", kinds)

    def own_family(self) -> Statement | None:
        """The family in our own key: enough for any width."""
        return self._ours("modelhub.family", {name: name for name in known()})

    def families(self) -> Iterator[Statement]:
        """Every statement about the family, most trusted first."""
        if ours := self.own_family():
            yield ours
        for key, beginnings in (("ss_base_model_version", _kohya), ("modelspec.architecture", _modelspec)):
            if (text := self.metadata.get(key, "None")) not in ("", "None"):
                yield Statement(key, text, _longest(beginnings, text.partition("/")[0]))

    def prediction_type(self) -> Statement | None:
        """What the model predicts: as such, in the name of its architecture, or in a folder's scheduler."""
        said = (
            self._stated("modelspec.prediction_type", _PREDICTION_TYPES),
            self._stated("modelspec.architecture", _ARCHITECTURES),
            self._stated("ss_base_model_version", _BASES),
            self._stated("scheduler.prediction_type", _PREDICTION_TYPES),
        )
        return next((one for one in said if one and one.meaning), said[0])

    def zero_snr(self) -> Statement | None:
        """Whether it was trained down to zero terminal signal."""
        keys = ("scheduler.rescale_betas_zero_snr", "ss_zero_terminal_snr")
        return next((said for key in keys if (said := self._stated(key, _TRUE)) and said.meaning), None)

    def resolution(self) -> tuple[int, int] | None:
        """Width and height in ``modelspec.resolution``."""
        size = _SIZE.fullmatch(self.metadata.get("modelspec.resolution", ""))
        return (int(size[1]), int(size[2])) if size else None

    def _ours(self, key: str, meanings: Mapping[str, str]) -> Statement | None:
        return None if self.is_newer else self._stated(key, meanings)

    def _stated(self, key: str, meanings: Mapping[str, str]) -> Statement | None:
        text = self.metadata.get(key)
        return Statement(key, text, meanings.get(text)) if text else None


def _kohya(family: Family) -> tuple[str, ...]:
    return family.base_versions


def _modelspec(family: Family) -> tuple[str, ...]:
    return family.modelspec_architectures


def _longest(beginnings: Callable[[Family], tuple[str, ...]], text: str) -> str | None:
    """The family with the longest beginning of `text`."""
    found = [(len(start), one.name) for one in known().values() for start in beginnings(one) if text.startswith(start)]
    return max(found)[1] if found else None
