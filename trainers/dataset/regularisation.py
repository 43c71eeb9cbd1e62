"""How often pictures of the class are shown: together as often as what is learned (pure; kohya's rule)."""

from collections.abc import Sequence

__all__ = ["evened"]


def evened(repeats: Sequence[float], total: int) -> list[int]:
    """How often an epoch has each, so that all make `total`: first its own repeats, then all in turn, then cut."""
    found = [0] * len(repeats)
    left = total
    for index, wanted in enumerate(repeats):
        found[index] = min(left, max(1, round(wanted)))
        left -= found[index]
    for index in range(len(repeats)):
        found[index] += left // len(repeats) + (index < left % len(repeats))
    return found
