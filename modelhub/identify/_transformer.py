"""Diffusion transformers: every family's `transformer` and `variants`, tried under the prefixes that tools write."""

from collections.abc import Iterable, Sequence
from functools import cache

from modelhub.families import Family, Signature, known
from modelhub.identify._known import Denoiser, Known, WeightFile
from modelhub.kinds import Source

__all__ = ["read_transformer"]

_PREFIXES = (
    "model.diffusion_model.",
    "diffusion_model.",
    "model.model.",
    "net.",
    "model.",
    "transformer.",
    "unet.",
    "prior.",
    "",
)


def read_transformer(file: WeightFile) -> Denoiser | None:
    """The file's diffusion transformer, or None when it has none that we know."""
    tensors = file.table.tensors
    if not _anchor_names() & tensors.keys():
        return None
    fitting = [
        (prefix, family, layout)
        for anchor, prefix, family, layout in _anchors()
        if anchor in tensors and file.fits(layout, prefix)
    ]
    if not fitting:
        return None
    prefix, family, layout = max(fitting, key=lambda found: len(found[2].requires))
    return Denoiser(
        what="a diffusion transformer",
        layout=layout.name,
        prefix=prefix,
        strength=len(layout.requires),
        family=Known(family.name, Source.TENSORS, f"{_listed(layout)}, as {family.title} has"),
        variant=_variant(file, family.variants, prefix),
        context_width=_text_width(file, family, prefix),
        takes_latents_only=False,
    )


@cache
def _anchor_names() -> frozenset[str]:
    return frozenset(anchor for anchor, *_ in _anchors())


@cache
def _anchors() -> Sequence[tuple[str, str, Family, Signature]]:
    """Every layout of every family under every prefix, by the first tensor that it requires: one look-up tells most
    of them off."""
    return tuple(
        (prefix + next(iter(layout.requires)), prefix, family, layout)
        for prefix in _PREFIXES
        for family in known().values()
        for layout in family.transformer
    )


def _listed(signature: Signature) -> str:
    first, second, *more = signature.requires
    return f"it holds {first}, {second} and {len(more)} more"


def _variant(file: WeightFile, variants: Iterable[Signature], prefix: str) -> Known | None:
    fitting = [one for one in variants if file.fits(one, prefix)]
    best = max(fitting, key=lambda one: len(one.requires), default=None)
    return Known(best.name, Source.TENSORS, _because(file, best, prefix)) if best else None


def _because(file: WeightFile, variant: Signature, prefix: str) -> str:
    held = (f"{name} is {list(file.table.tensors[prefix + name].shape)}" for name in variant.requires)
    return ", ".join([*held, *(f"it has no {name}" for name in variant.absent)])


def _text_width(file: WeightFile, family: Family, prefix: str) -> Known | None:
    for name in family.text_entry:
        if width := file.columns(prefix + name):
            return Known(width, Source.TENSORS, f"columns of {name}")
    return None
