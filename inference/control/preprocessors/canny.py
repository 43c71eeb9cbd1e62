"""Edges (Canny 1986), white on black; of the two thresholds the upper one begins an edge, the lower one goes on."""

from inference.control.preprocessors._preprocessor import Number, Picture, Preprocessor

__all__ = ["PREPROCESSOR"]


def _canny(picture: Picture, low: float, high: float) -> Picture:
    import cv2
    import numpy as np

    edges = cv2.Canny(picture, low, high)
    return np.repeat(np.asarray(edges, np.uint8)[..., None], 3, axis=-1)


PREPROCESSOR = Preprocessor("canny", (Number("low", 100, 1, 255), Number("high", 200, 1, 255)), _canny)
