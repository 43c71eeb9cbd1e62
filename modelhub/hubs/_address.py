"""Addresses at hubs, in any form that people paste."""

import re
from dataclasses import dataclass

__all__ = ["HubRef", "shown"]

_LONGEST_SHOWN = 120


@dataclass(frozen=True, slots=True)
class HubRef:
    """One address at one hub: of a model, of one of its versions, or of one file; ``hubs.parse(str(ref)) == ref``."""

    hub: str
    """Name of the member of `modelhub.hubs`: ``civitai``, ``hf``, ``folder``, ``web``."""
    model: str = ""
    """The hub's number or path for it, e.g. ``4384``, ``stabilityai/sdxl-vae``; empty when only a version is known."""
    version: str | None = None
    """The hub's number for a version, or a revision; None is the newest."""
    file: str | None = None
    """The hub's number for a file, or a path within the model; None leaves the choice."""
    digest: str | None = None
    """Lower-case hex digits instead of all that: whatever has these bytes."""

    def __str__(self) -> str:
        from modelhub.hubs import member  # which imports this module

        return member(self.hub).written(self)

    def covers(self, other: "HubRef") -> bool:
        """Whether `other` is what this address means, or a part of it."""
        asked = ((self.model, other.model), (self.version, other.version), (self.file, other.file))
        return self.hub == other.hub and not self.digest and all(mine in ("", None, its) for mine, its in asked)


def shown(text: str) -> str:
    """What somebody gave for an address, for an error: without the places where people paste tokens."""
    return re.sub(r"//[^/]*@", "//", text.partition("?")[0])[:_LONGEST_SHOWN]
