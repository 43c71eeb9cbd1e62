"""A face moved to where restorers were trained to see it, and back."""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from inference.faces.detect import opencv

__all__ = ["SIDE", "TEMPLATE", "cut_out", "put_back", "similarity"]

SIDE = 512
"""Px of a straightened face."""
TEMPLATE = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
"""Where the five landmarks lie in FFHQ's faces at 512 px: the mean that GFPGAN and RestoreFormer were trained on."""
_GREY = (135, 133, 132)
"""What they were shown beyond the picture's edge."""
_EDGE = 20
"""The seam is as many times narrower than the face."""

_Pixels = NDArray[np.uint8]


def similarity(landmarks: NDArray[np.float64], template: NDArray[np.float64] = TEMPLATE) -> NDArray[np.float64]:
    """Turn, uniform scale and shift, [2, 3], that bring the landmarks nearest to the template (Umeyama 1991)."""
    source, target = landmarks - landmarks.mean(0), template - template.mean(0)
    left, sizes, right = np.linalg.svd(target.T @ source)
    flip = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = left @ np.diag(flip) @ right * ((sizes * flip).sum() / np.square(source).sum())
    return np.column_stack([turn, template.mean(0) - turn @ landmarks.mean(0)])


def cut_out(pixels: _Pixels, way: NDArray[np.float64]) -> _Pixels:
    """The face of an RGB picture [h, w, 3], straightened: [512, 512, 3]."""
    cv2 = opencv()
    found: _Pixels = cv2.warpAffine(pixels, way, (SIDE, SIDE), borderMode=cv2.BORDER_CONSTANT, borderValue=_GREY)
    return found


def put_back(face: _Pixels, pixels: _Pixels, way: NDArray[np.float64]) -> _Pixels:
    """The picture with the straightened `face` where it came from; its seam is soft, and lies within it."""
    cv2 = opencv()
    size = (pixels.shape[1], pixels.shape[0])
    back = cv2.invertAffineTransform(way)
    placed = cv2.warpAffine(face, back, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = _softened(cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), back, size))[..., None]
    blended: _Pixels = np.rint(placed * cover + pixels * (1 - cover)).clip(0, 255).astype(np.uint8)
    return blended


def _softened(cover: NDArray[np.float32]) -> NDArray[np.float32]:
    """Drawn in by twice a twentieth of the face's side, and blurred by as much."""
    cv2 = opencv()
    edge = 2 * (isqrt(int(cover.sum())) // _EDGE)
    if not edge:
        return cover
    inner = cv2.erode(cover, np.ones((edge, edge), np.uint8))
    softened: NDArray[np.float32] = cv2.GaussianBlur(inner, (edge + 1, edge + 1), 0)
    return softened
