"""What shall come, what is offered, what will be done about it, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelhub.errors import ModelHubError
from modelhub.hubs import HubRef, Listing
from modelhub.kinds import Artifact

__all__ = ["Choice", "Fetch", "Keep", "Offer", "PullPlan", "PullReport", "Pulled", "Refuse", "Wish"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a version's files; None and empty leave it to the usual order: safetensors, pruned, fp16."""

    file: str = ""
    """A file's name, or a pattern of one (``*fp16*``)."""
    precision: str = ""
    format: str = ""
    pruned: bool | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """One model that somebody wants."""

    ref: HubRef
    name: str | None = None
    """In the catalog."""
    tags: tuple[str, ...] = ()
    choice: Choice = Choice()
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Path within the listing -> the digest that its bytes must have, where something else than the hub says so."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A wish, and what the hub answered: a listing that was chosen, or the reason why there is none."""

    wish: Wish
    listing: Listing | None = None
    others: tuple[Listing, ...] = ()
    """What else the version offers."""
    error: ModelHubError | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bring it."""

    offer: Offer
    listing: Listing


@dataclass(frozen=True, slots=True)
class Keep:
    """It is here already: under this source, or with these very bytes."""

    offer: Offer
    listing: Listing
    artifact_id: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """It will not be fetched, and why."""

    offer: Offer
    error: ModelHubError


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What a pull will do, before it does anything."""

    steps: tuple[Fetch | Keep | Refuse, ...] = ()
    warnings: tuple[str, ...] = ()
    """A sentence each: a scan that is pending, a base that does not fit, a licence that nobody told."""
    free: int | None = None
    """Bytes on the disk that it goes to."""

    @property
    def fetches(self) -> tuple[Fetch, ...]:
        return tuple(one for one in self.steps if isinstance(one, Fetch))

    @property
    def size(self) -> int:
        """Bytes to fetch, as far as the hubs tell."""
        return sum(one.listing.size or 0 for one in self.fetches)


@dataclass(frozen=True, slots=True)
class Pulled:
    """One model that is here now."""

    wish: Wish
    listing: Listing
    artifact: Artifact
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Path within the listing -> the file's measured sha256."""
    fetched: int = 0
    """Bytes that came over the wire: 0 for what was here."""


@dataclass(frozen=True, slots=True)
class PullReport:
    """What came of a plan."""

    pulled: tuple[Pulled, ...] = ()
    kept: tuple[Pulled, ...] = ()
    failed: tuple[tuple[Wish, ModelHubError], ...] = ()
