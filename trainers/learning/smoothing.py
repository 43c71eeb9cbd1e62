"""Courses of losses, without their noise (pure)."""

from collections.abc import Sequence

__all__ = ["smoothed"]


def smoothed(points: Sequence[tuple[float, float]], *, share: float) -> list[tuple[float, float]]:
    """Each value as the mean of those before it, the newest counting most; about `share` of all take part.

    Corrected for its start, so that the first is itself.
    """
    keep = 1 - 1 / max(1.0, share * len(points))
    mean, weight = 0.0, 0.0
    course = []
    for place, value in points:
        mean, weight = keep * mean + (1 - keep) * value, keep * weight + (1 - keep)
        course.append((place, mean / weight))
    return course
