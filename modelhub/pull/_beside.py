"""What lies beside a pulled model: where it comes from and what the hub says of it, and a picture of what it does.

The note holds all that the catalog knows of a pull, so that a scan rebuilds a catalog that was lost. It holds no token
and no address of a storage.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from modelhub.errors import ModelHubError, Unreachable
from modelhub.headers import WEIGHT_SUFFIXES
from modelhub.hubs import Listing, Preview, said
from modelhub.jobs import Notice
from modelhub.network import Network
from modelhub.workspace import publish

__all__ = ["NOTE", "bring_preview", "write_note"]

NOTE = ".modelhub.json"
_SCHEMA = 1
_SHOWN_TO_ALL = (1, 2)
"""PG and PG-13, as Civitai rates pictures."""
_MAX_PREVIEW = 20_000_000
"""Bytes."""
_PICTURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"RIFF": "webp", b"GIF8": "gif"}
"""First bytes -> ending."""


def write_note(target: Path, listing: Listing, sha256: Mapping[str, str]) -> None:
    """Beside the model; `sha256` by the names of its files."""
    content = {"schema": _SCHEMA, "ref": str(listing.ref), "said": said(listing), "sha256": dict(sha256)}
    with publish(target.with_name(f"{_stem(target)}{NOTE}")) as part:
        part.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")


def bring_preview(target: Path, listing: Listing, *, network: Network, nsfw: bool) -> Iterator[Notice]:
    """Fetch the first picture that may be shown, unless there is one; a model without it is whole all the same."""
    wanted = next((one for one in listing.previews if _is_showable(one, nsfw=nsfw)), None)
    if wanted is None or any(target.parent.glob(f"{_escaped(_stem(target))}.preview.*")):
        return
    try:
        content = _read(network, wanted.url)
        ending = next((ending for begins, ending in _PICTURES.items() if content.startswith(begins)), None)
        if ending is None:
            raise Unreachable(f"what {urlsplit(wanted.url).hostname} sent is no picture")
        with publish(target.with_name(f"{_stem(target)}.preview.{ending}")) as part:
            part.write_bytes(content)
    except ModelHubError as error:
        yield Notice(f"{target.name} has no preview: {error.message}")


def _is_showable(preview: Preview, *, nsfw: bool) -> bool:
    return not preview.is_film and (nsfw or preview.nsfw_level in _SHOWN_TO_ALL)


def _read(network: Network, url: str) -> bytes:
    host = urlsplit(url).hostname
    held = bytearray()
    with network.open(url) as answer:
        kind = {name.lower(): value for name, value in answer.headers.items()}.get("content-type", "")
        if answer.status != 200 or not kind.startswith("image/"):
            raise Unreachable(f"{host} answered {answer.status} with {kind or 'nothing'}, not with a picture")
        view = memoryview(bytearray(1 << 16))
        while count := answer.readinto(view):
            held += view[:count]
            if len(held) > _MAX_PREVIEW:
                raise Unreachable(f"{host} sends a picture of more than {_MAX_PREVIEW:,} bytes")
    return bytes(held)


def _stem(target: Path) -> str:
    return target.stem if target.name.lower().endswith(WEIGHT_SUFFIXES) else target.name


def _escaped(stem: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in stem)
