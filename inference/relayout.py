"""A whole model -> how it is written in another layout: one file, or a pipeline's folder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.pipeline_folder import Pipeline, pipeline_texts, weights_name
from inference.weights.folder import model_parts, model_weights
from inference.weights.hints import hints_of, read_hints, write_hints
from inference.weights.part_rows import checkpoint_rows, component_rows
from inference.weights.parts import UNET, Part, Weights
from inference.weights.reduce import MARKERS
from inference.weights.rows import Content, Precision, RewritePlan, Row
from inference.weights.single_file import CALLED, checkpoint_parts, lacking
from modelhub.errors import BadValue, BrokenFile, Incompatible
from modelhub.families import Family, family
from modelhub.headers import TensorEntry, TensorTable, read_table
from modelhub.kinds import Facts

__all__ = ["plan_folder", "plan_single"]

_IMPLEMENTATION = "https://github.com/Stability-AI/generative-models"
_ARCHITECTURES: Mapping[tuple[str, str], str] = {
    ("sd1", "inpaint"): "stable-diffusion-v1-inpainting",
    ("sd2", "inpaint"): "stable-diffusion-v2-inpainting",
    ("sd2", "epsilon"): "stable-diffusion-v2-512",
    ("sd2", "v"): "stable-diffusion-v2-768-v",
    ("sdxl", "pix2pix"): "stable-diffusion-xl-v1-edit",
}
"""Family with variant or prediction -> the model spec's word, where it is not the family's first."""
_UNTOLD = ("sample_size", "upcast_attention", "pad_token_id")
"""What a configuration says that changes no number."""
_SIDES = (64, 8192)
"""Pixels that a side may have."""


@dataclass(frozen=True, slots=True)
class _Model:
    pipeline: Pipeline
    weights: Mapping[str, Weights]
    """Role -> the files of the part that plays it."""

    @classmethod
    def read(cls, path: Path, facts: Facts) -> "_Model":
        found = _family(path, facts)
        parts = model_parts(path, found)
        for role in lacking(parts, found):
            raise BrokenFile(path, f"it holds no {CALLED[role]}: only whole models change their layout")
        table = read_table(path)
        prediction = facts.prediction_type or found.prediction_type
        resolution = _resolution(path, table, facts, found)
        pipeline = Pipeline(found, prediction, facts.variant, bool(facts.zero_snr), resolution, parts)
        pipeline.class_name  # noqa: B018  # what is of no known kind ends here
        return cls(pipeline, {role: model_weights(path, role) for role in parts})

    def unread(self, names: Iterable[str], *, in_folder: bool) -> tuple[str, ...]:
        """Those of the tensors that no part is made of."""
        read = {
            f"{role}.{name}" if in_folder else name
            for role, part in self.pipeline.parts.items()
            for piece in part.keys.values()
            for name in (piece.tensor, piece.scale)
            if name
        }
        return tuple(name for name in names if name not in read and name not in MARKERS)


def plan_single(path: Path, facts: Facts, title: str, precision: Precision | None) -> RewritePlan:
    """One file in the latent-diffusion layout; raises `Incompatible` for a model that such a file cannot tell."""
    model = _Model.read(path, facts)
    pipeline = model.pipeline
    parts = pipeline.parts.items()
    rows = [
        row
        for role, part in parts
        for row in checkpoint_rows(part, model.weights[role], pipeline.family.name, precision)
    ]
    marked = (("v_pred", pipeline.prediction == "v"), ("ztsnr", pipeline.zero_snr))
    rows += [Row.marker(name) for name, holds in marked if holds]
    content = Content(tuple(rows), _metadata(pipeline, title))
    _check_told(path, content, pipeline)
    return RewritePlan(path, {"": content}, model.unread(read_table(path).tensors, in_folder=True))


def plan_folder(path: Path, facts: Facts, precision: Precision | None) -> RewritePlan:
    """A folder as diffusers saves a pipeline."""
    model = _Model.read(path, facts)
    parts = model.pipeline.parts.items()
    files = {
        weights_name(role): Content(component_rows(part, model.weights[role], precision), {"format": "pt"})
        for role, part in parts
    }
    dropped = model.unread(read_table(path).tensors, in_folder=False)
    return RewritePlan(path, files, dropped, pipeline_texts(model.pipeline))


def _family(path: Path, facts: Facts) -> Family:
    if facts.family is None:
        raise BadValue(f"the family of {path} is not known", mend=f"modelhub identify {path}")
    found = family(facts.family)
    if found.unet is None or UNET not in found.components:
        raise Incompatible(f"{found.title} models cannot be written in another layout")
    return found


def _resolution(path: Path, table: TensorTable, facts: Facts, found: Family) -> int:
    """By our own header, a folder's configuration, the model spec's word for a square, or as is usual."""
    written = read_hints(path, table.metadata, found).resolution or 0
    latents = table.metadata.get("unet.sample_size", "")
    width, height = facts.resolution or (0, 0)
    sides = (
        written,
        int(latents) * found.latent.downscale if latents.isdecimal() else 0,
        width if width == height else 0,
    )
    usual = found.resolutions.get(facts.prediction_type or "", found.resolution)
    return next((side for side in sides if _SIDES[0] <= side <= _SIDES[1]), usual)


def _metadata(pipeline: Pipeline, title: str) -> dict[str, str]:
    """The model spec's words, and our own for what neither it nor a shape can tell."""
    name, hints = pipeline.family.name, hints_of(pipeline.parts, pipeline.family)
    keys = ((name, pipeline.variant or ""), (name, pipeline.prediction))
    usual = pipeline.family.modelspec_architectures[0]
    return {
        "format": "pt",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": next((_ARCHITECTURES[key] for key in keys if key in _ARCHITECTURES), usual),
        "modelspec.implementation": _IMPLEMENTATION,
        "modelspec.title": title,
        "modelspec.resolution": f"{pipeline.resolution}x{pipeline.resolution}",
        "modelspec.prediction_type": pipeline.prediction,
        **({} if hints == read_hints(title, {}, pipeline.family) else write_hints(hints)),
    }


def _check_told(path: Path, content: Content, pipeline: Pipeline) -> None:
    """What will be written must be read as the model that it is, before anything is written."""
    rows = {row.name: TensorEntry(row.dtype, row.shape, (0, row.size)) for row in content.rows}
    read = checkpoint_parts(path, TensorTable(rows, content.metadata), pipeline.family)
    for role, part in pipeline.parts.items():
        if wrong := _differing(part, read[role]):
            raise Incompatible(
                f"the {CALLED[role]} of {path} has {wrong} = {part.config.get(wrong)}, which one file cannot tell: "
                f"tools would take it for {read[role].config.get(wrong)}"
            )


def _differing(ours: Part, theirs: Part) -> str | None:
    names = sorted({*ours.config, *theirs.config} - set(_UNTOLD))
    return next((name for name in names if _plain(ours.config.get(name)) != _plain(theirs.config.get(name))), None)


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value
