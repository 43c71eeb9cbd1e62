"""What has a part in a picture beside the models that denoise it: upscalers, a face restorer, ControlNets."""

from collections.abc import Mapping
from dataclasses import dataclass

from inference.control.plan import ControlPlan
from inference.faces.plan import FacesPlan, plan_faces, with_faces
from inference.plan.controls import plan_controls, with_controls
from inference.plan.upscalers import find_upscalers, used_upscalers, with_upscalers
from inference.request import GenerationRequest
from inference.upscalers.plan import UpscalerPlan
from inference.weights.parts import Part
from modelhub.catalog import Catalog
from modelhub.kinds import Artifact

__all__ = ["Beside", "find_beside"]


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it, found to fit."""

    upscalers: Mapping[str, UpscalerPlan]
    """Field of the request -> the one that it names."""
    faces: FacesPlan | None
    controls: tuple[ControlPlan, ...]

    @property
    def used(self) -> tuple[tuple[str, int], ...]:
        """(role, catalog ID) of each."""
        faces = self.faces.used if self.faces else ()
        return (*used_upscalers(self.upscalers), *faces, *(("control", one.number) for one in self.controls))

    def by_digest(self, request: GenerationRequest) -> GenerationRequest:
        """The request with their digests."""
        return with_faces(with_controls(with_upscalers(request, self.upscalers), self.controls), self.faces)


def find_beside(request: GenerationRequest, base: Artifact, unet: Part, catalog: Catalog) -> Beside:
    """Look them up; raises `UnknownRef`, `Incompatible`, `BadValue` or `MissingFile`."""
    return Beside(
        upscalers=find_upscalers(request, catalog),
        faces=plan_faces(request.faces, catalog) if request.faces else None,
        controls=plan_controls(request, base, unet, catalog),
    )
