"""What is asked, and what a redirect makes of it: pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from modelhub import __version__
from modelhub.errors import ForbiddenHost, Unreachable
from modelhub.network._rules import origin, where
from modelhub.tokens import Grant

__all__ = ["REDIRECTS", "USER_AGENT", "Step"]

USER_AGENT = f"modelhub-suite/{__version__}"
"""Civitai takes any name that holds that of a browser for one, and answers it with a page to log in."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_READING = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Step:
    """One question to one machine."""

    url: str = field(repr=False)
    method: str = "GET"
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of the caller: for the first origin only."""
    body: bytes | None = field(default=None, repr=False)
    grant: Grant | None = field(default=None, repr=False)

    def bearer(self, host: str) -> str | None:
        """The token to send, if `host` may see it."""
        return self.grant.token.reveal() if self.grant and self.grant.covers(host) else None

    def after(self, status: int, here: str, target: str) -> "Step":
        """The step that a redirect from `here` to `target` asks for: what was meant for one origin stays there."""
        if origin(here)[0] == "https" and origin(target)[0] != "https":
            raise ForbiddenHost(
                f"{where(here)} sends us on to {where(target)} without encryption", mend="ask who runs it"
            )
        moved = self if status in _KEEP_METHOD or self.method in _READING else _read_instead(self)
        if origin(here) == origin(target):
            return replace(moved, url=target, params={})
        if moved.body is not None:
            raise Unreachable(f"{where(here)} sends what we asked on to another machine, {where(target)}")
        return Step(target, moved.method)


def _read_instead(step: Step) -> Step:
    """As every client does after a redirected POST."""
    headers = {name: value for name, value in step.headers.items() if not name.lower().startswith("content-")}
    return replace(step, method="GET", body=None, headers=headers)
