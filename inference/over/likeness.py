"""Noise in the likeness of a picture: its frequencies and its colours, for what lies beyond its edges (no torch).

After the shaped noise of g-diffuser-bot, which webui's second outpainting script made known.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["continued"]


def continued(image: Image.Image, mask: Image.Image, *, falloff: float = 1.0, colours: float = 0.05) -> Image.Image:
    """The RGB picture, with noise like it where the mask is white; always the same one."""
    picture = np.asarray(image, np.float64) / 255
    open_part = np.asarray(mask, np.float64)[..., None] / 255
    noise = _shaped(_tinted(picture.shape, colours), _spectrum(picture, open_part), falloff)
    inside = open_part[..., 0] > 0
    for channel in range(3):
        noise[inside, channel] = _matched(noise[inside, channel], picture[~inside, channel])
    mixed = picture * (1 - open_part) + noise * open_part
    return Image.fromarray((mixed.clip(0, 1) * 255).astype(np.uint8))


def _spectrum(picture: NDArray[np.float64], open_part: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Of the picture, brightest at 1 and with its mean colour where it is open."""
    known = picture * (1 - open_part)
    return _frequencies(known / max(known.max(), 1 / 255) + picture.mean() * open_part)


def _tinted(shape: tuple[int, ...], colours: float) -> NDArray[np.float64]:
    """Even noise, grey but for a share of colour; it depends on nothing but the size."""
    noise = np.random.default_rng(0).random(shape)
    tinted: NDArray[np.float64] = noise * colours + noise.mean(axis=2, keepdims=True) * (1 - colours)
    return tinted


def _shaped(noise: NDArray[np.float64], spectrum: NDArray[np.complex128], falloff: float) -> NDArray[np.float64]:
    """Low frequencies first, then each as strong as in the picture and at its phase; over 0..1."""
    smooth = _values(_frequencies(noise) * _window(noise.shape[:2]))
    strength = np.abs(spectrum)
    phase = spectrum / np.maximum(strength, np.finfo(np.float64).tiny)
    values = _values(np.abs(_frequencies(smooth)) ** 2 * strength**falloff * phase)
    values -= values.min()
    shaped: NDArray[np.float64] = values / max(float(values.max()), np.finfo(np.float64).tiny)
    return shaped


def _window(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """1 / ((x^2 + 1) (y^2 + 1)) over -1..1 along the shorter side."""
    y, x = ((np.arange(side) / side * 2 - 1) * (side / min(shape)) for side in shape)
    return 1 / ((y**2 + 1)[:, None] * (x**2 + 1)[None, :])[..., None]


def _matched(values: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each value becomes the reference's of the same quantile."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    levels, known = np.unique(reference, return_counts=True)
    found = np.interp(counts.cumsum() / values.size, known.cumsum() / reference.size, levels)
    matched: NDArray[np.float64] = found[places]
    return matched


def _frequencies(values: NDArray[np.float64]) -> NDArray[np.complex128]:
    """[h, w, 3] -> the same, the lowest in the middle."""
    return np.fft.ifftshift(np.fft.fft2(np.fft.fftshift(values, (0, 1)), axes=(0, 1), norm="ortho"), (0, 1))


def _values(frequencies: NDArray[np.complex128]) -> NDArray[np.float64]:
    turned = np.fft.ifft2(np.fft.fftshift(frequencies, (0, 1)), axes=(0, 1), norm="ortho")
    return np.real(np.fft.ifftshift(turned, (0, 1)))
