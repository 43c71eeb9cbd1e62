"""Every face of a picture, drawn again."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image

from inference.faces.align import cut_out, put_back, similarity
from inference.faces.detect import Detector, Face
from inference.faces.plan import FacesPlan
from inference.upscalers.enlarge import HasNets, pixels_of, to_picture
from inference.upscalers.nets import Nets, is_out_of_memory
from modelhub.errors import OutOfResources

__all__ = ["FaceRestorer", "restoring"]

_LEAST_EYE_DISTANCE = 5.0
"""Px: smaller faces are left as they are."""


class _Finds(Protocol):
    def faces(self, pixels: np.ndarray) -> list[Face]: ...


def restoring(plan: FacesPlan | None, engine: HasNets) -> Callable[[Image.Image], Image.Image]:
    """What draws the faces of a picture again; without a plan it leaves them. Raises `BrokenFile` for its detector."""
    return FaceRestorer(plan, engine).restored if plan else lambda image: image


class FaceRestorer:
    """Finds faces and draws them again; keeps its detector."""

    def __init__(self, plan: FacesPlan, engine: HasNets, *, detector: _Finds | None = None) -> None:
        self._plan, self._nets = plan, engine.nets
        self._detector = detector or Detector(plan.detector)

    def restored(self, image: Image.Image) -> Image.Image:
        """The picture with all of its faces drawn again, as visibly as the plan says; itself where there are none."""
        pixels = before = np.array(image.convert("RGB"))
        for face in self._detector.faces(before):
            if face.eye_distance >= _LEAST_EYE_DISTANCE:
                way = similarity(face.landmarks)
                pixels = put_back(_drawn_again(cut_out(pixels, way), self._plan.path, self._nets), pixels, way)
        if pixels is before:
            return image
        covered = Image.blend(Image.fromarray(before), Image.fromarray(pixels), self._plan.visibility)
        if "A" in image.getbands():
            covered.putalpha(image.getchannel("A"))
        return covered


@torch.inference_mode()
def _drawn_again(face: np.ndarray, path: Path, nets: Nets) -> np.ndarray:
    try:
        found = nets.load(path)(pixels_of(Image.fromarray(face), nets.device))
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise OutOfResources(f"no memory left for {path.name}", mend="--device cpu") from error
        raise
    return np.asarray(to_picture(found))
