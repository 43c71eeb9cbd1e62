"""What a sync can do, one noun each, and what a plan must know of what is held."""

from dataclasses import dataclass

from modelhub.errors import ModelHubError
from modelhub.hubs import HubRef, Listing
from modelhub.pull import Offer
from modelhub.sync.lock import Locked
from modelhub.sync.manifest import Entry

__all__ = ["Adopt", "Blocked", "Drop", "Holding", "Keep", "Prune", "Pull", "Rename", "Step", "SyncPlan", "Tag", "Untag"]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a plan must know of one artifact in the catalog."""

    id: int
    name: str
    tags: frozenset[str] = frozenset()
    sha256: str | None = None
    """None while nobody has computed it."""
    sources: frozenset[HubRef] = frozenset()
    is_present: bool = True
    """Whether its file is on disk."""


@dataclass(frozen=True, slots=True)
class Pull:
    """Bring it."""

    entry: Entry
    listing: Listing
    offer: Offer


@dataclass(frozen=True, slots=True)
class Keep:
    """It is here."""

    entry: Entry
    listing: Listing
    id: int


@dataclass(frozen=True, slots=True)
class Adopt:
    """Its very bytes are here, and nobody knew that they come from there: write it down."""

    entry: Entry
    listing: Listing
    id: int


@dataclass(frozen=True, slots=True)
class Rename:
    """Call it as the manifest says."""

    id: int
    was: str
    name: str


@dataclass(frozen=True, slots=True)
class Tag:
    """Add tags that the manifest names."""

    id: int
    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Untag:
    """Take tags away that the manifest named once; the owner's own stay."""

    id: int
    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """The manifest asks for it no longer: it leaves the lock, and its file stays."""

    locked: Locked


@dataclass(frozen=True, slots=True)
class Prune:
    """The manifest asks for it no longer: to the trash."""

    locked: Locked
    id: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """It cannot be had as the manifest says, and why."""

    entry: Entry
    error: ModelHubError


Step = Pull | Keep | Adopt | Rename | Tag | Untag | Drop | Prune | Blocked


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """All that a sync will do, in the order of doing it."""

    steps: tuple[Step, ...] = ()

    @property
    def changes(self) -> tuple[Step, ...]:
        """What is not yet as it shall be."""
        return tuple(one for one in self.steps if not isinstance(one, Keep))

    @property
    def pulls(self) -> tuple[Pull, ...]:
        return tuple(one for one in self.steps if isinstance(one, Pull))

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        return tuple(one for one in self.steps if isinstance(one, Blocked))

    @property
    def settled(self) -> tuple[Keep | Adopt, ...]:
        """Entries whose bytes are here."""
        return tuple(one for one in self.steps if isinstance(one, Keep | Adopt))
