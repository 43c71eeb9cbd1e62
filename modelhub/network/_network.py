"""`Network`: asks other machines, on `requests`."""

import json
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

from modelhub import __version__
from modelhub.errors import Unreachable
from modelhub.network._answer import Answer, Reply
from modelhub.tokens import Grant

__all__ = ["USER_AGENT", "Network"]

USER_AGENT = f"modelhub-suite/{__version__}"
"""Civitai takes any name that holds that of a browser for one, and answers it with a page to log in."""
_REDIRECTS = 10
_STALL_SECONDS = 60.0


class Network:
    """One way out of this machine. Use it as a context manager; it may be used from several threads."""

    def __init__(self, *, allow: Collection[str] = (), stall_seconds: float = _STALL_SECONDS) -> None:
        import requests  # a third of a second, which only those who go out should pay

        self._session = requests.Session()
        self._allow = frozenset(allow)
        """Hosts (``nas.local`` or ``nas.local:8080``) that may be plain http or lie in a private network."""
        self._stall = stall_seconds

    def open(
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        grant: Grant | None = None,
        follow: bool = True,
    ) -> Answer:
        """Ask for `url`; the answer's body is read as it comes, never decoded from any compression.

        `headers` and the token of `grant` go to the origin of `url` only. A redirect that is not to be followed is an
        answer like any other. Raises `ForbiddenHost`, `Unreachable`.
        """
        import requests

        try:
            for _ in range(_REDIRECTS + 1):
                response = self._session.request(
                    method,
                    url,
                    params=dict(params or {}),
                    headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **(headers or {})}
                    | ({"Authorization": f"Bearer {grant.token.reveal()}"} if grant else {}),
                    data=body,
                    stream=True,
                    allow_redirects=False,
                    timeout=self._stall,
                )
                if not (follow and response.is_redirect):
                    return _Streamed(response)
                url, params = urljoin(response.url, response.headers["Location"]), None
                headers, grant = ({}, None) if urlsplit(url)[:2] != urlsplit(response.url)[:2] else (headers, grant)
                response.close()
        except requests.RequestException as error:
            raise Unreachable(f"{urlsplit(url).netloc} cannot be reached: {type(error).__name__}") from error
        raise Unreachable(f"{urlsplit(url).netloc} redirects without end")

    def json(
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        grant: Grant | None = None,
    ) -> Reply:
        """Ask a question whose answer is JSON, again after a pause where the machine asks for one or fails.

        Answers of status 400 to 499 are returned (but 408 and 429, which are asked again); raises `Unreachable` when
        it keeps failing, or answers 200 with something else, such as a page.
        """
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if sent else {}
        with self.open(url, method=method, params=params, headers=headers, body=sent, grant=grant) as answer:
            held = bytearray()
            view = memoryview(bytearray(1 << 16))
            while count := answer.readinto(view):
                held += view[:count]
        text = held.decode("utf-8", errors="replace")
        return Reply(answer.status, answer.headers, json.loads(text), text[:200])

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> "Network":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Streamed:
    def __init__(self, response: Any) -> None:
        self._response = response
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.url: str = response.url
        target = response.headers.get("Location")
        self.location: str | None = urljoin(response.url, target) if target else None

    def readinto(self, view: memoryview) -> int:
        got = self._response.raw.read(len(view))
        view[: len(got)] = got
        return len(got)

    def close(self) -> None:
        self._response.close()

    def __enter__(self) -> "_Streamed":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
