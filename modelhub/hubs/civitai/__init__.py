"""Civitai: models by number, their versions, and each version's files; civitai.com and civitai.red are one."""

from typing import TYPE_CHECKING

from modelhub.hubs.civitai._addresses import NAME, address, written

if TYPE_CHECKING:
    from modelhub.hubs._hub import Access, Hub

__all__ = ["NAME", "address", "connect", "written"]


def connect(access: "Access") -> "Hub":
    """Civitai, asked one question at a time."""
    from modelhub.hubs.civitai._client import Civitai

    return Civitai(access)
