"""Any other address in the web that leads straight to a weight file, e.g. of a release at GitHub.

Such an address has no versions: what lies there is told by its strong ETag, and by its length.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from modelhub.errors import AccessDenied, BadValue, ModelHubError, NetworkError, NotOffered, Unreachable
from modelhub.headers import WEIGHT_SUFFIXES
from modelhub.hubs._address import HubRef
from modelhub.hubs._hub import Access, Account, Hub, Search
from modelhub.hubs._listing import Listing, RemoteFile
from modelhub.network import Answer, Network
from modelhub.transfer import Located
from modelhub.words.file_names import safe_name

__all__ = ["NAME", "address", "connect", "name_told", "written"]

NAME = "web"
_SECRETS = re.compile(
    r"(?i)(?:.*[-_])?(?:token|secret|password|passwd|auth|authorization|jwt|session|sig|signature|credential)"
    r"|(?:(?:api|access|auth|private)[-_]?)?key"
)
"""Names in a query whose values let in whoever has them."""
_EXTENDED = re.compile(r"(?i)\bfilename\*\s*=\s*(utf-8|iso-8859-1)'[^']*'([^;\s]+)")
_PLAIN = re.compile(r'(?i)\bfilename\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;\s]+))')
_TOTAL = re.compile(r"bytes \d+-\d+/(\d+)")
_PAGES = ("text/html", "application/json", "application/xhtml+xml")
_FORMATS = {"safetensors": "safetensors", "sft": "safetensors", "gguf": "gguf"}
_BY_HAND = "download it in a browser, then: modelhub add FILE"


def address(text: str) -> HubRef | None:
    """An ``https:`` address; ``http:`` is for hosts that the user allows. Raises `BadValue` for one with a secret."""
    if not text.lower().startswith(("https://", "http://")):
        return None
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not text.isprintable() or " " in text:
        raise BadValue("that is no address in the web", mend="write https://HOST/PATH/NAME.safetensors")
    secrets = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if _SECRETS.fullmatch(name)]
    if secrets or "@" in parts.netloc:
        what = f"{secrets[0]}=" if secrets else "a password"
        raise BadValue(f"the address holds a secret ({what}), which would be kept with the model", mend=_BY_HAND)
    return HubRef(NAME, urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, parts.query, "")))


def written(ref: HubRef) -> str:
    """The address itself."""
    return ref.model


def connect(access: Access) -> Hub:
    """No token goes anywhere."""
    return Web(access.network)


class Web:
    """Everything that is no hub."""

    name = NAME

    def __init__(self, network: Network) -> None:
        self._network = network

    def listings(self, ref: HubRef) -> tuple[Listing, ...]:
        with self._network.open(ref.model, headers={"Range": "bytes=0-0"}) as answer:
            _check(ref, answer)
            name = name_told(answer.headers.get("Content-Disposition", "")) or unquote(urlsplit(ref.model).path)
            return (_listing(ref, safe_name(name), _size(answer), _strong(answer.headers.get("ETag", ""))),)

    def locate(self, listing: Listing, file: RemoteFile) -> Located:
        return Located(listing.ref.model)

    def search(self, query: Search) -> Iterator[Listing]:
        return iter(())

    def account(self) -> Account:
        raise AccessDenied("plain addresses in the web have no accounts")

    def latest(self, refs: Sequence[HubRef]) -> Mapping[HubRef, tuple[Listing, ...]]:
        """What lies there now; one question an address."""
        return {ref: listed for ref in refs for listed in self._latest(ref)}

    def by_sha256(self, digests: Sequence[str]) -> Iterator[tuple[str, tuple[Listing, ...]]]:
        return iter(())

    def _latest(self, ref: HubRef) -> Iterator[tuple[Listing, ...]]:
        try:
            yield self.listings(ref)
        except NotOffered:
            yield ()
        except NetworkError:
            return


def name_told(disposition: str) -> str:
    """The file's name in a ``Content-Disposition``, as it was meant; empty when it tells none."""
    if found := _EXTENDED.search(disposition):
        return unquote(found[2], encoding=found[1])
    if not (found := _PLAIN.search(disposition)):
        return ""
    name = re.sub(r"\\(.)", r"\1", found[1] or found[2] or "")
    try:
        return name.encode("latin-1").decode("utf-8")  # headers are read as Latin-1, and written as UTF-8
    except UnicodeError:
        return name


def _check(ref: HubRef, answer: Answer) -> None:
    host, status = urlsplit(ref.model).netloc, answer.status
    refused: dict[int, ModelHubError] = {
        401: AccessDenied(f"{host} wants to know who asks", mend=_BY_HAND),
        403: AccessDenied(f"{host} does not give this to us", mend=_BY_HAND),
        404: NotOffered(f"{host} has nothing at this address", mend="look at it in a browser"),
        410: NotOffered(f"{host} has taken this down", mend="look at it in a browser"),
    }
    if status in refused:
        raise refused[status]
    if status not in (200, 206):
        raise Unreachable(f"{host} answers with status {status}", mend="try again later")
    if answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() in _PAGES:
        raise NotOffered(f"{host} shows a page at this address, no file", mend="paste the address of the file itself")


def _listing(ref: HubRef, name: str, size: int | None, etag: str) -> Listing:
    if not name.lower().endswith(WEIGHT_SUFFIXES):
        raise NotOffered(f"{name} is no weight file by its name", mend=_BY_HAND)
    return Listing(
        ref=ref,
        name=safe_name(name.rpartition(".")[0]),
        files=(RemoteFile(name, f"{ref.model}#{etag or size}", size),),
        title=name,
        format=_FORMATS.get(name.rpartition(".")[2].lower(), "pickle"),
        page=ref.model,
    )


def _size(answer: Answer) -> int | None:
    """Of the whole file, whether a part of it came or all."""
    part = _TOTAL.fullmatch(answer.headers.get("Content-Range", ""))
    told = part[1] if part else answer.headers.get("Content-Length", "") if answer.status == 200 else ""
    return int(told) if told.isdecimal() else None


def _strong(etag: str) -> str:
    return "" if etag.startswith("W/") else etag
