"""Taggers of pictures: a net and the list of tags that its answers stand for, in one folder."""

import re

from modelhub.headers import BESIDE, INPUTS, OUTPUTS, TAGS
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.kinds import Kind, Source

_REQUIRED = 4
"""The list, a net that goes by it, and what the net takes and gives: more than any net has alone."""
_PICTURES = re.compile(r"F(?:16|32) \[[^,;]+, [^,;]+, [^,;]+, 3\]")
_LIKELY = re.compile(r"F(?:16|32) \[[^,;]+, [^,;]+\]")


def claim(file: WeightFile) -> Claim | None:
    metadata = file.table.metadata
    if TAGS not in metadata.get(BESIDE, "").split():
        return None
    if INPUTS in metadata:
        return _onnx(metadata[INPUTS], metadata.get(OUTPUTS, ""))
    return _timm(file) if "num_classes" in metadata and "architecture" in metadata else None


def _onnx(takes: str, gives: str) -> Claim | None:
    if not (_PICTURES.fullmatch(takes) and _LIKELY.fullmatch(gives)):
        return None
    because = f"it has a list of tags, takes pictures ({takes}) and answers for each tag ({gives})"
    return Claim(
        _REQUIRED,
        stated(Kind.TAGGER, because, format=Known("onnx/wd14", Source.TENSORS, "its channels are the last side")),
    )


def _timm(file: WeightFile) -> Claim:
    """The same net in the layout of its training; only its authors' library runs it."""
    architecture = file.table.metadata["architecture"]
    said = f"config.json says {architecture}"
    return Claim(
        _REQUIRED,
        stated(
            Kind.TAGGER,
            f"it has a list of tags, and {said}",
            format=Known(f"{file.table.container}/timm", Source.HEADER, said),
            algorithm=Known(architecture, Source.HEADER, said),
        ),
    )
