"""What a hub says of a model before we hold it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from modelhub.hubs._address import HubRef
from modelhub.kinds import Kind
from modelhub.licences import UNKNOWN, Licence

__all__ = ["Gate", "Listing", "Preview", "RemoteFile", "Scan"]


class Scan(StrEnum):
    """What the hub's own scanners found in a file."""

    SAFE = "safe"
    PENDING = "pending"
    """Not looked at yet."""
    DANGER = "danger"
    """Something was found, or the scan failed on it."""
    UNKNOWN = "unknown"
    """The hub does not scan, or does not say."""


class Gate(StrEnum):
    """What stands between us and the bytes."""

    OPEN = "open"
    TOKEN = "token"
    """Any account will do."""
    APPROVAL = "approval"
    """Its authors let people in, on the hub's page."""
    EARLY_ACCESS = "early-access"
    """Those who pay have it first."""
    NO_DOWNLOAD = "no-download"
    """It may be used at the hub only."""
    GONE = "gone"
    """Archived or taken down: the hub tells of it and has no file."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a listing."""

    path: str
    """Its name; within a folder its path, with slashes. Already made harmless."""
    key: str
    """The hub's own mark for just these bytes, e.g. a Civitai file ID or ``COMMIT/PATH``."""
    size: int | None = None
    """Bytes, exactly; None when the hub only tells about how many."""
    about: int | None = None
    """Bytes, more or less."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """As the hub tells them, lower case: ``sha256``, ``autov1``, ``autov2``, ``autov3``, ``blake3``."""
    scan: Scan = Scan.UNKNOWN
    scan_said: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture or film that shows what a model does."""

    url: str
    width: int | None = None
    height: int | None = None
    """Pixels."""
    nsfw_level: int = 0
    """Civitai's: 1 PG, 2 PG-13, 4 R, 8 X, 16 XXX; 0 is unknown."""
    is_film: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What a hub offers as one model: a file, or a folder of files, that becomes one artifact."""

    ref: HubRef
    """With its version, and its file if it is one."""
    name: str
    """What to call it on disk: a file's stem or a folder's name, made harmless."""
    files: tuple[RemoteFile, ...] = ()
    """Empty in the results of a search where the hub does not tell."""
    is_folder: bool = False
    title: str = ""
    """Of the model, for people."""
    version: str = ""
    """Of the version, for people."""
    kind: Kind | None = None
    family: str | None = None
    """Name of a `modelhub.families` member, where the hub's word for the base means one."""
    base: str = ""
    """The hub's own word for what it is based on, e.g. ``SDXL 1.0``."""
    precision: str = ""
    """``fp32``, ``fp16``, ``bf16``, ``fp8``, ... where the hub tells."""
    format: str = ""
    """``safetensors``, ``pickle``, ``gguf``, ``diffusers`` or ``other``."""
    pruned: bool | None = None
    creator: str = ""
    description: str = ""
    """Plain text, made harmless."""
    tags: tuple[str, ...] = ()
    trigger_words: tuple[str, ...] = ()
    licence: Licence = UNKNOWN
    gate: Gate = Gate.OPEN
    gate_said: str = ""
    """For people: until when, whom to ask, at which address."""
    previews: tuple[Preview, ...] = ()
    examples: tuple[str, ...] = ()
    """Prompts for everybody's eyes, each with how it was drawn, made harmless; only of a version that was asked for."""
    nsfw: bool = False
    downloads: int | None = None
    published_at: datetime | None = None
    page: str = ""
    """Where a person reads of it."""
    total: int | None = None
    """Bytes of the whole, in the results of a search where the files are not told."""

    @property
    def size(self) -> int | None:
        """Bytes, as exactly as the hub tells."""
        sizes = [one.size or one.about for one in self.files]
        return sum(one or 0 for one in sizes) if sizes and all(sizes) else self.total

    @property
    def scan(self) -> Scan:
        """The worst of its files."""
        found = {one.scan for one in self.files} or {Scan.UNKNOWN}
        return next(one for one in (Scan.DANGER, Scan.PENDING, Scan.UNKNOWN, Scan.SAFE) if one in found)
