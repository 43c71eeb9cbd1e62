"""Where a file's bytes are: the redirect to the storage is resolved here, and what refuses it is explained.

The token goes to the hub and no further: the storage refuses a request that has both its own signature and a token.
Asked with HEAD the hub refuses valid tokens, so it is asked for one byte.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from modelhub.errors import AccessDenied, ModelHubError, NotOffered, Unreachable
from modelhub.hubs._listing import Listing
from modelhub.hubs.civitai._addresses import SITES
from modelhub.hubs.civitai._api import LOGIN, explained
from modelhub.hubs.civitai._gates import when
from modelhub.network import Answer, Network
from modelhub.tokens import Grant
from modelhub.transfer import Located
from modelhub.words.civitai import name_in

__all__ = ["locate"]

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_HOPS = 5
_PAUSES = (0.0, 1.0, 3.0)
"""Seconds before each attempt: a file that is listed and not found may be so for a moment, by fault of its storage."""
_MAX_BODY = 1 << 16
"""Bytes of a refusal that are read."""


class _NotThere(NotOffered):
    """It is listed, and was not found."""


def locate(
    urls: Sequence[str],
    listing: Listing,
    *,
    network: Network,
    grant: Grant | None,
    sleep: Callable[[float], None],
) -> Located:
    """Resolve the first of a file's download addresses that leads to it.

    Raises `AccessDenied`, `NotOffered`, `Unreachable`.
    """
    for pause in _PAUSES:
        sleep(pause)
        for url in urls:
            with suppress(_NotThere):
                return _resolved(url, listing, network, grant)
    raise NotOffered(f"Civitai lists {_named(listing)}, and does not find its file", mend="try again later")


def _resolved(url: str, listing: Listing, network: Network, grant: Grant | None) -> Located:
    home = _host(url)
    for _ in range(_MAX_HOPS):
        with network.open(url, headers={"Range": "bytes=0-0"}, grant=grant, follow=False) as answer:
            if answer.status in (200, 206) and not _is_page(answer):
                return Located(url, grant=grant)
            if answer.status not in _REDIRECTS or not answer.location:
                raise _refusal(answer, listing, has_token=grant is not None)
            url = answer.location
        if _is_page_of_hub(url, home):
            raise _page_means(url, listing, has_token=grant is not None)
        if _host(url) not in (home, *SITES):
            return Located(url)
    raise Unreachable(f"Civitai redirects {_named(listing)} in circles", mend="try again later")


def _is_page_of_hub(url: str, home: str) -> bool:
    """Whether a redirect leads to where a browser would log in, or pay."""
    host = _host(url)
    is_page = host in (home, *SITES) and not urlsplit(url).path.startswith("/api/")
    return is_page or host in tuple(f"auth.{one}" for one in SITES)


def _host(url: str) -> str:
    """With its port, which tells the hub from its storage where both are on one machine."""
    return urlsplit(url).netloc.lower().removeprefix("www.")


def _is_page(answer: Answer) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html")


def _refusal(answer: Answer, listing: Listing, *, has_token: bool) -> ModelHubError:
    content = _content(answer)
    said, what = explained(content), _named(listing)
    if answer.status == 401 and "disabled" in said:
        return AccessDenied(f"{what} cannot be downloaded by anybody{said}", mend=f"open {listing.page}")
    if answer.status == 401:
        return _wants_login(listing, said, has_token=has_token)
    if answer.status == 403:
        return _forbidden(content, said, listing)
    if answer.status == 404:
        return _NotThere(f"Civitai does not find {what}{said}")
    if answer.status == 410:
        return NotOffered(f"{what} was archived by its author: Civitai gives it no longer{said}")
    if answer.status == 429:
        return Unreachable(f"Civitai finds that too much is downloaded from here{said}", mend="try again in an hour")
    return Unreachable(f"Civitai answers with status {answer.status} for {what}{said}", mend="try again later")


def _wants_login(listing: Listing, said: str, *, has_token: bool) -> AccessDenied:
    why = "the token that Civitai was asked with is not valid for" if has_token else "Civitai wants a token for"
    return AccessDenied(f"{why} {_named(listing)}{said}", mend=LOGIN)


def _page_means(url: str, listing: Listing, *, has_token: bool) -> AccessDenied:
    if "early-access" in url:
        return _forbidden({"error": "Early Access"}, "", listing)
    return _wants_login(listing, "", has_token=has_token)


def _forbidden(content: Any, said: str, listing: Listing) -> AccessDenied:
    held = content if isinstance(content, dict) else {}
    until = when(held.get("deadline"))
    if until or "early access" in name_in(held.get("error")).casefold():
        day = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        return AccessDenied(f"{_named(listing)} is for those who pay{day}", mend=f"wait, or buy it at {listing.page}")
    return AccessDenied(f"Civitai does not let this account have {_named(listing)}{said}", mend=f"open {listing.page}")


def _content(answer: Answer) -> Any:
    """The JSON of a refusal; None where it is none."""
    held, view = bytearray(), memoryview(bytearray(_MAX_BODY))
    while len(held) < _MAX_BODY and (count := answer.readinto(view)):
        held += view[:count]
    try:
        return json.loads(held)
    except (ValueError, RecursionError):
        return None


def _named(listing: Listing) -> str:
    return f"{listing.title or listing.name} {listing.version}".strip() + f" ({listing.ref})"
