"""Requests on their way: `requests` for proxies and certificates, with the peer of every connection looked at."""

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from modelhub.errors import BadValue
from modelhub.network._addresses import is_public
from modelhub.network._failures import FAILURES, explained
from modelhub.network._rules import Allowed, checked, private_host
from modelhub.network._steps import USER_AGENT, Step

__all__ = ["Wire"]

_CONNECT_SECONDS = 15.0
_HOSTS, _CONNECTIONS = 16, 32

PeerCheck = Callable[[str, int, str], None]
"""Given host, port and the address that was connected to; raises what forbids it."""


class Wire:
    """Sends steps, one answer each: no redirects followed, no cookies kept, no credentials found in ``.netrc``."""

    def __init__(self, allowed: Allowed, stall_seconds: float) -> None:
        self._allowed = allowed
        self._timeout = (min(_CONNECT_SECONDS, stall_seconds), stall_seconds)
        self._environment = requests.Session()
        self._adapter = _guarded_adapter(self._check_peer)
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its lines hold signed addresses

    def send(self, step: Step) -> requests.Response:
        """The answer to one step, its body unread; raises `ForbiddenHost`, `Unreachable`."""
        checked(step.url, self._allowed)
        try:
            request = self._prepared(step)
            return self._adapter.send(request, timeout=self._timeout, **self._surroundings(request.url or ""))
        except FAILURES as error:
            failure = explained(error, step.url)
        raise failure

    def close(self) -> None:
        self._adapter.close()

    def _prepared(self, step: Step) -> requests.PreparedRequest:
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", **step.headers, "Accept-Encoding": "identity"}
        request = requests.Request(step.method, step.url, headers, params=dict(step.params), data=step.body).prepare()
        parts = checked(request.url or "", self._allowed)
        # What passed is encrypted, or at a host of which the user said that it need not be.
        if bearer := step.bearer(parts.hostname or ""):
            request.headers["Authorization"] = f"Bearer {bearer}"
        return request

    def _surroundings(self, url: str) -> dict[str, Any]:
        """Proxies and certificates as the environment names them, for `url`."""
        found: Any = self._environment.merge_environment_settings(url, {}, True, None, None)
        bundle = found["verify"] or True  # never is nothing verified
        if isinstance(bundle, str) and not Path(bundle).exists():
            raise BadValue(f"there are no certificates in {bundle}", mend="correct or unset REQUESTS_CA_BUNDLE")
        return {**found, "verify": bundle}

    def _check_peer(self, host: str, port: int, address: str) -> None:
        if not self._allowed.covers(host, port) and not is_public(address):
            raise private_host(host, port, address)


def _guarded_adapter(check: PeerCheck) -> HTTPAdapter:
    """One that looks at the peer of each connection of its own before anything is sent; proxies are not asked after.

    What a name resolves to can change between two questions: only the address at the other end is the truth.
    """
    adapter = HTTPAdapter(pool_connections=_HOSTS, pool_maxsize=_CONNECTIONS)
    pools: dict[str, Any] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
    adapter.poolmanager.pool_classes_by_scheme = {
        scheme: type("Pool", (pool,), {"ConnectionCls": _guarded(pool.ConnectionCls, check)})
        for scheme, pool in pools.items()
    }
    return adapter


def _guarded(base: Any, check: PeerCheck) -> type:
    class Guarded(base):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            try:
                check(self.host, self.port, connected.getpeername()[0])
            except BaseException:
                connected.close()
                raise
            return connected

    return Guarded
