"""Addresses at Civitai in all the forms that people paste, and the one that is kept (pure)."""

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, urlsplit

from modelhub.errors import BadValue
from modelhub.hubs._address import HubRef
from modelhub.words.civitai import LARGEST

__all__ = ["NAME", "SITES", "address", "written"]

NAME = "civitai"
SITES = ("civitai.com", "civitai.red")
"""The same numbers mean the same models at both."""
_MEND = "write civitai:MODEL, civitai:MODEL@VERSION, or paste the model's page"
_DIGITS = (8, 10, 12, 64)
"""In the digests that Civitai knows."""
_OURS = re.compile(r"(?i)civitai:(?:model:)?(?P<model>\d+)?(?:@(?P<version>\d+))?(?:\+(?P<file>\d+))?(?:\.\w+)?")
_VERSION = re.compile(r"(?i)civitai:version:(?P<version>\d+)(?:\+(?P<file>\d+))?")
_DIGEST = re.compile(r"(?i)civitai:hash:(?P<digest>[0-9a-f]+)")
_AIR = re.compile(r"(?i)(?:(?:urn:)?air:|(?!hf:|https?:)[\w\-/]+:)(?:[\w\-/]+:){0,2}?(?=civitai:)")
"""What may stand before the source: neither the ecosystem nor the type says which model it is."""
_PATHS = tuple(
    re.compile(one)
    for one in (
        r"/models/(?P<model>\d+)(?:/[^/]*)?/?",
        r"/model-versions/(?P<version>\d+)/?",
        r"/api/download/models/(?P<version>\d+)/?",
        r"/api/v1/models/(?P<model>\d+)/?",
        r"/api/v1/model-versions/(?:mini/)?(?P<version>\d+)/?",
        r"/api/v1/model-versions/by-hash/(?P<digest>[0-9A-Fa-f]+)/?",
    )
)


def address(text: str) -> HubRef | None:
    """A reference with our prefix, an AIR, or a web address at one of the `SITES`; whatever else it holds is dropped.

    Raises `BadValue` for what is Civitai's and means no model.
    """
    if page := _page(text):
        return _checked(text, _in_page(page))
    air = _AIR.match(text)
    ours = text[air.end() :] if air else text
    if ours[: len(NAME) + 1].casefold() != f"{NAME}:":
        return None
    found = next((each for form in (_DIGEST, _VERSION, _OURS) if (each := form.fullmatch(ours))), None)
    return _checked(text, {name: one for name, one in found.groupdict().items() if one} if found else {})


def written(ref: HubRef) -> str:
    """``civitai:12@34+56`` with what is known of it, or ``civitai:hash:...``."""
    if ref.digest:
        return f"{NAME}:hash:{ref.digest}"
    version, file = f"@{ref.version}" if ref.version else "", f"+{ref.file}" if ref.file else ""
    return f"{NAME}:{ref.model}{version}{file}"


def _page(text: str) -> SplitResult | None:
    """The parts of a web address at one of the sites, with or without its scheme."""
    whole = text if re.match(r"(?i)https?://", text) else f"https://{text}" if _begins_as_site(text) else ""
    try:
        parts = urlsplit(whole)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    return parts if any(host == one or host.endswith(f".{one}") for one in SITES) else None


def _begins_as_site(text: str) -> bool:
    return text.casefold().removeprefix("www.").startswith(tuple(f"{one}/" for one in SITES))


def _in_page(page: SplitResult) -> dict[str, str]:
    asked = parse_qs(page.query)
    path = next((found for form in _PATHS if (found := form.fullmatch(page.path))), None)
    if path is None:
        return {}
    also = {"version": asked.get("modelVersionId"), "file": asked.get("fileId")}
    return {name: one[-1] for name, one in also.items() if one} | path.groupdict()


def _checked(text: str, held: dict[str, str]) -> HubRef:
    digest = held.pop("digest", "").lower()
    if digest and len(digest) not in _DIGITS:
        raise BadValue(
            f"{digest!r} is no digest that Civitai knows: it has {len(digest)} digits", mend="give 8, 10, 12 or 64"
        )
    numbers = dict(_numbers(held))
    if not digest and (not numbers.keys() & {"model", "version"} or numbers.keys() != held.keys()):
        raise BadValue(f"{_shown(text)} names no model at Civitai", mend=_MEND)
    return HubRef(NAME, digest=digest) if digest else HubRef(NAME, **numbers)


def _numbers(held: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Those of the parts that are numbers of Civitai's, without zeros before them."""
    for name, one in held.items():
        if one.isascii() and one.isdigit() and len(one) <= 20 and 0 < int(one) <= LARGEST:
            yield name, str(int(one))


def _shown(text: str) -> str:
    """Without what follows a question mark, where people paste tokens."""
    return repr(text.partition("?")[0][:100])
