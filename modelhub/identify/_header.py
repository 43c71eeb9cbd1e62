"""What a file's ``__metadata__`` says of itself, in our own keys, kohya's and the model spec's.

Metadata is text by strangers: every value is checked against what we know, and never believed against the shapes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modelhub.families import Family, known
from modelhub.kinds import Kind

__all__ = ["Header", "Statement"]

_SCHEMA = 1
_PREDICTION_TYPES = {"v": "v", "v_prediction": "v", "epsilon": "epsilon", "eps": "epsilon"}
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")


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
        return not schema.isdigit() or int(schema) > _SCHEMA

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
        for key, means in (("ss_base_model_version", _kohya_says), ("modelspec.architecture", _modelspec_says)):
            if (text := self.metadata.get(key, "None")) not in ("", "None"):
                yield Statement(key, text, next((one.name for one in known().values() if means(one, text)), None))

    def prediction_type(self) -> Statement | None:
        return self._stated("modelspec.prediction_type", _PREDICTION_TYPES)

    def resolution(self) -> tuple[int, int] | None:
        """Width and height in ``modelspec.resolution``."""
        size = _SIZE.fullmatch(self.metadata.get("modelspec.resolution", ""))
        return (int(size[1]), int(size[2])) if size else None

    def _ours(self, key: str, meanings: Mapping[str, str]) -> Statement | None:
        return None if self.is_newer else self._stated(key, meanings)

    def _stated(self, key: str, meanings: Mapping[str, str]) -> Statement | None:
        text = self.metadata.get(key)
        return Statement(key, text, meanings.get(text)) if text else None


def _kohya_says(family: Family, text: str) -> bool:
    return text.startswith(family.base_versions)


def _modelspec_says(family: Family, text: str) -> bool:
    return text.partition("/")[0].startswith(family.modelspec_architectures)
