"""Figures of a whole dataset, for the top of a page and for programs."""

from collections import Counter

from trainers.doctor.nouns import Figures, Seen
from trainers.doctor.placing import placed

__all__ = ["head_figures"]


def head_figures(seen: Seen) -> Figures:
    """Counted as a training would count."""
    found = list(placed(seen))
    buckets = Counter(f"{one.placement.bucket[0]}x{one.placement.bucket[1]}" for one in found)
    return Figures(
        pictures=len({one.path for one in seen.learned}),
        class_pictures=len({one.path for one in seen.pictures if one.subset.regularisation}),
        epoch=sum(one.picture.subset.repeats for one in found if one.picture.is_learned),
        captions=sum(one.caption is not None for one in seen.pictures),
        resolutions=seen.orders.resolutions,
        buckets=dict(buckets.most_common()),
        enlarged=sum(one.enlarged > 1 for one in found),
        longest_caption=max(seen.tokens, default=0),
        copies=sum(len(group) - 1 for group in seen.look_alikes),
    )
