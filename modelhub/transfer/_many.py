"""Several files at a time."""

from collections.abc import Iterator, Sequence

from modelhub.errors import ModelHubError
from modelhub.jobs import Cancel, Done, Notice, Progress
from modelhub.network import Network
from modelhub.transfer._fetching import fetch
from modelhub.transfer._nouns import Failed, Pace, Received, Wanted

__all__ = ["fetch_all"]


def fetch_all(
    wanted: Sequence[Wanted], *, network: Network, pace: Pace | None = None, cancel: Cancel | None = None
) -> Iterator[Progress | Notice | Received | Failed]:
    """Bring several files, a few at a time, and tell of each as soon as it is there or has failed.

    A bar for each file, and one called ``all``. What fails stops no other file; closing the iterator stops the work and
    keeps what came.
    """
    for one in wanted:
        try:
            for event in fetch(one, network=network, pace=pace, cancel=cancel):
                if isinstance(event, Done):
                    yield event.result
                elif isinstance(event, Progress | Notice):
                    yield event
        except ModelHubError as error:
            yield Failed(one, error)
