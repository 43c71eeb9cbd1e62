"""What every hub can do, and what it is given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from modelhub.hubs._address import HubRef
from modelhub.hubs._listing import Listing, RemoteFile
from modelhub.kinds import Kind
from modelhub.network import Network
from modelhub.settings import HubSettings
from modelhub.tokens import TokenStore
from modelhub.transfer import Located, Pace

__all__ = ["Access", "Account", "Hub", "Member", "Search"]


@dataclass(frozen=True, slots=True)
class Access:
    """What hubs are reached with."""

    network: Network
    tokens: TokenStore
    settings: HubSettings

    @property
    def pace(self) -> Pace:
        """How gently files are fetched, as the settings say."""
        said = self.settings
        return Pace(bytes_per_second=said.rate, at_once=said.at_once, ranges=said.connections)


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a hub takes us for."""

    hub: str
    name: str
    about: str = ""
    """For people: its tier, what the token may do."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for at a hub."""

    text: str = ""
    kinds: tuple[Kind, ...] = ()
    family: str | None = None
    sort: str = "downloads"
    """``downloads``, ``newest``, ``likes`` or ``relevance``."""
    nsfw: bool = False
    licence: str | None = None
    """``commercial`` asks for models whose pictures may be sold."""
    limit: int = 20


class Hub(Protocol):
    """One hub. Every method may raise `AccessDenied`, `Unreachable`; what it lists is harmless to store and show."""

    name: str

    def listings(self, ref: HubRef) -> tuple[Listing, ...]:
        """All that `ref` may mean, best choice first: the files of one version, each as it would become an artifact.

        Raises `NotOffered`, and `AmbiguousRef` when several models have the digest that was asked for.
        """

    def locate(self, listing: Listing, file: RemoteFile) -> Located:
        """Where the bytes are now: the hub's redirect is resolved here, so what refuses afterwards is the storage.

        Raises `AccessDenied` with the reason and the next step, `NotOffered`.
        """

    def search(self, query: Search) -> Iterator[Listing]:
        """The best hits, at most `query.limit`."""

    def account(self) -> Account:
        """Whom the token belongs to; raises `AccessDenied` when there is none, or it is not valid."""

    def latest(self, refs: Sequence[HubRef]) -> Mapping[HubRef, tuple[Listing, ...]]:
        """For each of `refs` all that its model offers now, newest version first, in as few questions as can be.

        What the hub has no longer is mapped to nothing at all (an empty tuple); what it could not be asked is left out.
        """

    def by_sha256(self, digests: Sequence[str]) -> Iterator[tuple[str, tuple[Listing, ...]]]:
        """What has these bytes, in as few questions as can be, and as soon as it is told.

        Only digests that it knows, each once; none where a hub cannot tell.
        """


class Member(Protocol):
    """What a file in `modelhub.hubs` declares. Importing it must not import any client."""

    NAME: str

    def address(self, text: str) -> HubRef | None:
        """`text` in any form that is this hub's (prefix, web page, AIR); None for others'. Raises `BadValue`."""

    def written(self, ref: HubRef) -> str:
        """The one form that is kept: ``address(written(ref)) == ref``."""

    def connect(self, access: Access) -> Hub: ...
