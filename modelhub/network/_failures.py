"""What libraries raise when a connection fails, as sentences: host and path only, and nothing of the original.

Their exceptions hold whole addresses, with signatures, and requests with their headers. So none is chained to ours.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

import requests
import urllib3.exceptions

from modelhub.errors import Unreachable
from modelhub.network._asking import Offline, final
from modelhub.network._rules import where

__all__ = ["FAILURES", "explained"]

FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)

_LATER = "run it again: what came is kept"
_BUNDLE = "check this machine's clock; where a proxy reads along: export REQUESTS_CA_BUNDLE=/path/to/its/ca.pem"


class _Cause(NamedTuple):
    errors: tuple[type[BaseException], ...]
    says: str
    mend: str = _LATER
    is_final: bool = False
    ours: type[Unreachable] = Unreachable


_CAUSES = (
    _Cause((ssl.SSLCertVerificationError,), "{host} shows a certificate that is not valid: {why}", _BUNDLE, True),
    _Cause((urllib3.exceptions.ProxyError,), "the proxy before {host} fails", "check HTTPS_PROXY", ours=Offline),
    _Cause(
        (
            requests.exceptions.InvalidSchema,
            requests.exceptions.InvalidProxyURL,
            urllib3.exceptions.ProxySchemeUnknown,
        ),
        "the proxy before {host} is of no kind that we speak",
        "check HTTPS_PROXY; for SOCKS: pip install pysocks",
        True,
    ),
    _Cause(
        (
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
            requests.exceptions.InvalidHeader,
            urllib3.exceptions.LocationValueError,
            http.client.InvalidURL,
            UnicodeError,
        ),
        "{where} is nothing that can be asked",
        "check the address",
        True,
    ),
    _Cause(
        (socket.gaierror,),
        "{host} is not found: there is no such name, or this machine is offline",
        "check the connection (and HTTPS_PROXY), then run it again",
        ours=Offline,
    ),
    _Cause((ConnectionRefusedError,), "{host} refuses connections", ours=Offline),
    _Cause((TimeoutError, urllib3.exceptions.TimeoutError, requests.Timeout), "{where} does not answer in time"),
    _Cause((ssl.SSLError,), "{host} breaks off an encrypted connection"),
    _Cause((Exception,), "{where} breaks off the connection"),
)
"""The first that is found in an error explains it."""


def explained(error: Exception, url: str) -> Unreachable:
    """Our error for theirs; raise it outside of their `except`, so that nothing of theirs comes along."""
    found = list(_within(error))
    cause, one = next((cause, one) for cause in _CAUSES for one in found if isinstance(one, cause.errors))
    why = getattr(one, "verify_message", "")
    said = cause.says.format(host=where(url).partition("/")[0], where=where(url), why=why)
    ours = cause.ours(said, mend=cause.mend)
    return final(ours) if cause.is_final else ours


def _within(error: BaseException) -> Iterator[BaseException]:
    """`error` and all that it was made of, outermost first."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__)
        waiting += [each for each in inner if isinstance(each, BaseException)]
