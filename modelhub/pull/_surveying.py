"""Asks the hubs what they offer, and chooses among it."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from modelhub.errors import ModelHubError, NotOffered
from modelhub.hubs import Hub, Listing
from modelhub.jobs import Done, Job, Progress
from modelhub.pull._nouns import Choice, Offer, Wish

__all__ = ["choose", "offered", "survey"]

_NAMED = 8
"""So many of what there is are named when nothing fits."""


def survey(wishes: Sequence[Wish], *, hubs: Callable[[str], Hub]) -> Job[tuple[Offer, ...]]:
    """What there is for each wish; a hub that does not answer, or has nothing, spoils no other wish."""
    offers = []
    for number, wish in enumerate(wishes, start=1):
        offers.append(offered(wish, hubs=hubs))
        if len(wishes) > 1:
            yield Progress("ask", number, len(wishes), "models")
    yield Done(tuple(offers))


def offered(wish: Wish, *, hubs: Callable[[str], Hub]) -> Offer:
    """What there is for one."""
    listings: Sequence[Listing] = ()
    try:
        listings = hubs(wish.ref.hub).listings(wish.ref)
        best = choose(listings, wish.choice)
    except ModelHubError as error:
        return Offer(wish, others=tuple(listings), error=error)
    return Offer(wish, best, tuple(one for one in listings if one is not best))


def choose(listings: Sequence[Listing], choice: Choice) -> Listing:
    """The best of `listings`, which come best first, that `choice` allows; raises `NotOffered` naming all."""
    fitting = [one for one in listings if _fits(one, choice)]
    if not fitting:
        there = "; ".join(_described(one) for one in listings[:_NAMED])
        raise NotOffered(f"no file is as you want it; there is {there or 'none'}", mend="modelhub show REF")
    return fitting[0]


def _fits(listing: Listing, choice: Choice) -> bool:
    names = [listing.name, *(name for file in listing.files for name in (file.path, PurePosixPath(file.path).name))]
    return (
        (not choice.file or any(_matches(name, choice.file) for name in names))
        and (not choice.precision or _is_said(listing.precision, choice.precision, names))
        and (not choice.format or _is_said(listing.format, choice.format, names))
        and choice.pruned in (None, listing.pruned)
    )


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name.casefold(), pattern.casefold())


def _is_said(told: str, wanted: str, names: Sequence[str]) -> bool:
    """By the hub, or where it does not tell by a name."""
    return told.casefold() == wanted.casefold() if told else any(wanted.casefold() in one.casefold() for one in names)


def _described(listing: Listing) -> str:
    names = listing.name if listing.is_folder else ", ".join(file.path for file in listing.files) or listing.name
    pruned = {True: "pruned", False: "full", None: ""}[listing.pruned]
    told = " ".join(part for part in (listing.precision, listing.format, pruned) if part)
    return f"{names} ({told})" if told else names
