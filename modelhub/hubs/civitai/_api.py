"""Asks Civitai's interface, one question at a time, and tells what its refusals mean."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from modelhub.errors import AccessDenied, NetworkError, NotOffered, Unreachable
from modelhub.hubs._hub import Access
from modelhub.hubs.civitai._addresses import NAME, SITES
from modelhub.network import Reply
from modelhub.tokens import Grant
from modelhub.words.civitai import inner, name_in

__all__ = ["LOGIN", "Api", "explained", "grant_for"]

LOGIN = "modelhub login civitai"
_GONE = (404, 410)


class Api:
    """Its own docs ask for no more than that; it may be used from several threads."""

    def __init__(self, access: Access) -> None:
        self.site = access.settings.civitai.rstrip("/")
        self.grant = grant_for(access)
        self._network = access.network
        self._lock = threading.Lock()
        self._token_is_known: bool | None = None

    def ask(self, path: str, query: Mapping[str, str | Sequence[str]] | None = None, *, body: Any = None) -> Any:
        """The answer; None where the hub has no such thing. Raises `AccessDenied`, `Unreachable`."""
        asked = f"?{urlencode(query, doseq=True)}" if query else ""
        with self._lock:
            reply = self._network.json(
                f"{self.site}/api/v1/{path}{asked}",
                method="GET" if body is None else "POST",
                body=body,
                grant=self.grant,
            )
        if reply.status in _GONE:
            return None
        if reply.status != 200:
            raise self._refusal(reply)
        return reply.content

    def missing(self, what: str) -> NotOffered:
        """Why there is no such thing, as far as we can tell: a token that is not valid hides things without a word."""
        if self.grant and not self._knows_token():
            return NotOffered(f"Civitai shows no {what}; it does not know the token that it was asked with", mend=LOGIN)
        return NotOffered(f"Civitai has no {what}, or shows it no longer", mend=self._elsewhere())

    def _elsewhere(self) -> str:
        """One of its sites is for all ages, and does not show everything."""
        is_for_all = urlsplit(self.site).hostname in (SITES[0], f"www.{SITES[0]}")
        search = "modelhub search WORDS --hub civitai"
        return (
            f"{search}; if it is for adults, first: export MODELHUB_CIVITAI=https://{SITES[1]}"
            if is_for_all
            else search
        )

    def _knows_token(self) -> bool:
        if self._token_is_known is None:
            try:
                self._token_is_known = self.ask("me") is not None
            except AccessDenied:
                self._token_is_known = False
            except NetworkError:
                return True  # which is not known, and not what to speak of now
        return self._token_is_known

    def _refusal(self, reply: Reply) -> NetworkError:
        said = explained(reply.content)
        if reply.status == 401:
            return AccessDenied(f"Civitai wants a valid token{said}", mend=LOGIN)
        if reply.status == 403:
            return AccessDenied(f"Civitai refuses this account or this machine{said}", mend=f"open {self.site}")
        return Unreachable(f"Civitai answers with status {reply.status}{said}", mend="try again later")


def grant_for(access: Access) -> Grant | None:
    """The token, for Civitai's own sites, and for another one where the user trusts it."""
    token = access.tokens.find(NAME)
    host = urlsplit(access.settings.civitai).hostname or ""
    ours = any(host == one or host.endswith(f".{one}") for one in SITES)
    if token is None or not (ours or access.settings.trust_mirrors):
        return None
    return Grant(token, SITES if ours else (*SITES, host))


def explained(content: Any) -> str:
    """What the body of a refusal says, after a colon; its forms are many."""
    held = content if isinstance(content, dict) else {}
    issues = inner(held, "error").get("issues") or held.get("issues")
    first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
    said = name_in(held.get("message")) or name_in(held.get("error")) or name_in(first.get("message"))
    return f": {said}" if said else ""
