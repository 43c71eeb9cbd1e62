"""ControlNets that a request names, found and checked against the base and the pictures that they follow."""

from collections.abc import Sequence
from dataclasses import replace

from inference.control.plan import ControlPlan
from inference.control.said import check_control
from inference.plan.models import check_readable, check_same_family
from inference.request import ControlUse, GenerationRequest
from inference.weights.controlnet import controlnet_part
from inference.weights.single_file import Part, Weights
from modelhub.catalog import Catalog
from modelhub.errors import Incompatible
from modelhub.headers import read_table
from modelhub.kinds import Artifact, Kind

__all__ = ["as_asked", "plan_controls", "with_controls"]

_DIFFERENCE = "difference"
_READ = ("controlnet", _DIFFERENCE)


def plan_controls(
    request: GenerationRequest, base: Artifact, unet: Part, catalog: Catalog
) -> tuple[ControlPlan, ...]:  # fmt: skip
    """In the request's order; raises `UnknownRef`, `Incompatible` or `BadValue`."""
    return tuple(_planned(use, base, unet, catalog) for use in request.controls)


def with_controls(request: GenerationRequest, controls: Sequence[ControlPlan]) -> GenerationRequest:
    """The request with digests for the ControlNets."""
    return request.model_copy(update={"controls": tuple(one.use for one in controls)})


def as_asked(controls: Sequence[ControlPlan], request: GenerationRequest) -> tuple[ControlPlan, ...]:
    """With what the resolved request says of each: digests for its pictures too."""
    return tuple(replace(one, use=use) for one, use in zip(controls, request.controls, strict=True))


def _planned(use: ControlUse, base: Artifact, unet: Part, catalog: Catalog) -> ControlPlan:
    check_control(use)
    net = catalog.resolve(use.ref, kinds={Kind.CONTROLNET})
    check_readable(net)
    check_same_family(net, base)
    if net.facts.algorithm not in _READ:
        raise Incompatible(
            f"{net.name} is a ControlNet of the sort {net.facts.algorithm or 'unknown'}: "
            "drawing with one is not possible yet",
            mend="modelhub ls --kind controlnet",
        )
    part = controlnet_part(Weights(net.path, read_table(net.path)), unet)
    _check_widths(part, unet, net, base)
    return ControlPlan(
        use=use.model_copy(update={"ref": catalog.sha256(net)}),
        part=part,
        number=net.id,
        pooled="shuffle" in net.path.stem.lower(),
        difference=net.facts.algorithm == _DIFFERENCE,
    )


def _check_widths(part: Part, unet: Part, net: Artifact, base: Artifact) -> None:
    """Its residuals are added to the UNet's, so the channels must be the same, and what both read of the text."""
    for what in ("block_out_channels", "cross_attention_dim"):
        if tuple(_row(part.config[what])) != tuple(_row(unet.config[what])):
            raise Incompatible(
                f"{net.name} does not fit {base.name}: its {what.replace('_', ' ')} are {part.config[what]}, "
                f"the base's {unet.config[what]}",
                mend="modelhub ls --kind controlnet",
            )


def _row(value: int | Sequence[int]) -> Sequence[int]:
    return [value] if isinstance(value, int) else value
