"""How far an answer is from its target, element by element; kohya's `loss_type`, `huber_c` and `huber_schedule`."""

from collections.abc import Callable, Mapping

from torch import Tensor

from trainers.recipe import LossOptions

__all__ = ["HUBERS", "errors", "huber_c"]


def errors(output: Tensor, target: Tensor, c: Tensor | None, kind: str) -> Tensor:
    """Of each element, [B, C, h, w], in float32; `c` is where one of `HUBERS` turns, [B, 1, 1, 1], for others None."""
    difference = output.float() - target.float()
    return _OTHERS[kind](difference) if c is None else HUBERS[kind](difference, c)


def huber_c(course: Tensor, signal: Tensor, spread: Tensor, options: LossOptions) -> Tensor:
    """Where Huber's losses turn, [B], by sd-scripts' schedules.

    `course` is t / T, and the shares of signal and noise stand for sigma = spread / signal, which may have no end.
    `huber_scale` multiplies what does not follow from sigma, as there.
    """
    return _SCHEDULES[options.huber_schedule](course, signal / (signal + spread), options)


def _constant(course: Tensor, clean: Tensor, options: LossOptions) -> Tensor:
    return course * 0 + options.huber_c * options.huber_scale


def _exponential(course: Tensor, clean: Tensor, options: LossOptions) -> Tensor:
    """c^(t / T): squares where there is little noise."""
    return options.huber_c**course * options.huber_scale


def _by_snr(course: Tensor, clean: Tensor, options: LossOptions) -> Tensor:
    """(1 - c) / (1 + sigma)^2 + c; `clean` is 1 / (1 + sigma)."""
    return (1 - options.huber_c) * clean**2 + options.huber_c


def _l2(difference: Tensor) -> Tensor:
    return difference.square()


def _l1(difference: Tensor) -> Tensor:
    return difference.abs()


def _huber(difference: Tensor, c: Tensor) -> Tensor:
    """2 c (sqrt(d^2 + c^2) - c): squares near 0, and 2 c times the size far from it."""
    return c * _smooth_l1(difference, c)


def _smooth_l1(difference: Tensor, c: Tensor) -> Tensor:
    """2 (sqrt(d^2 + c^2) - c), as 2 d^2 / (sqrt(d^2 + c^2) + c): near 0 the difference of two roots is noise."""
    squares = difference.square()
    return 2 * squares / ((squares + c.square()).sqrt() + c)


HUBERS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"huber": _huber, "smooth_l1": _smooth_l1}
"""Losses that are squares near 0 and sizes far from it, and where they turn."""
_OTHERS: Mapping[str, Callable[[Tensor], Tensor]] = {"l2": _l2, "l1": _l1}
_SCHEDULES: Mapping[str, Callable[[Tensor, Tensor, LossOptions], Tensor]] = {
    "constant": _constant, "exponential": _exponential, "snr": _by_snr,
}  # fmt: skip
