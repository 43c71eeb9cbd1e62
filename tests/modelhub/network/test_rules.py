"""What may be asked at all, and what is shown of it."""

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as some
from requests.adapters import HTTPAdapter

from modelhub.errors import ForbiddenHost
from modelhub.network._failures import FAILURES
from modelhub.network._rules import Allowed, checked, origin, where

NOBODY = Allowed()


@pytest.mark.parametrize(
    ("entry", "host", "port", "covered"),
    [
        ("nas.local", "nas.local", 80, True),
        ("nas.local", "NAS.LOCAL.", 8080, True),
        ("NAS.local:8080", "nas.local", 8080, True),
        ("nas.local:8080", "nas.local", 80, False),
        ("nas.local", "evil-nas.local", 80, False),
        ("nas.local", "x.nas.local", 80, False),
        ("::1", "::1", 443, True),
        ("[::1]", "::1", 443, True),
        ("[::1]:8080", "::1", 8080, True),
        ("[::1]:8080", "::1", 8081, False),
        (" ", "", 80, False),
    ],
)
def test_hosts_are_allowed_by_name_and_port(entry: str, host: str, port: int, covered: bool) -> None:
    assert Allowed.of([entry]).covers(host, port) is covered


@pytest.mark.parametrize(
    "url",
    [
        "http://civitai.com/x",
        "ftp://civitai.com/x",
        "file:///etc/passwd",
        "//civitai.com/x",
        "civitai.com",
        "https://",
        "https:///x",
        "https://name@civitai.com/x",
        "https://name:word@civitai.com/x",
        "https://@civitai.com/x",
        "https://civitai.com\\@evil.example/",
        "https://civitai.com/\r\nHost: evil",
        "https://civitai.com:port/",
        "https://civitai.com:99999/",
        "https://[::1/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::ffff:10.0.0.1]/",
    ],
)
def test_what_is_no_https_address_of_the_world_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenHost) as caught:
        checked(url, NOBODY)
    assert caught.value.mend


@pytest.mark.parametrize("url", ["https://civitai.com/x?y=1", "https://civitai.com:8443/", "https://8.8.8.8/a b"])
def test_https_anywhere_in_the_world_is_asked(url: str) -> None:
    assert checked(url, NOBODY).scheme == "https"


def test_a_refusal_names_what_to_type() -> None:
    with pytest.raises(ForbiddenHost) as caught:
        checked("http://nas.local:8080/x", NOBODY)
    assert caught.value.mend == "if you trust it: export MODELHUB_ALLOW_HOSTS=nas.local:8080"
    assert checked("http://nas.local:8080/x", Allowed.of(["nas.local:8080"])).port == 8080


def test_an_origin_has_its_port_even_when_none_is_written() -> None:
    assert origin("https://Civitai.com/x") == origin("https://civitai.com.:443/y")
    assert origin("https://civitai.com/") != origin("https://civitai.com:8443/")
    assert origin("https://civitai.com/") != origin("http://civitai.com/")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h.example/a/b?token=secret#part", "h.example/a/b"),
        ("https://name:secret@h.example/a", "h.example/a"),
        ("https://h.example:8443?secret", "h.example:8443"),
        ("https://h.example/\x1b[2J", "h.example/\N{REPLACEMENT CHARACTER}[2J"),
        ("h.example/a?secret", "h.example/a"),
        ("https://h.example/" + "a" * 999, "h.example/" + "a" * 110 + "..."),
    ],
)
def test_only_host_and_path_are_shown(url: str, shown: str) -> None:
    assert where(url) == shown


PIECES = (
    *("civitai.com", "evil.example", "127.0.0.1", "::1", "[", "]", ":", "443", "80", "@", "/", "//", "?", "#", "&"),
    *("\\", "%5c", "%2e", "%40", "%00", ".", "..", "xn--", "\t", "\n", " "),
    *("\u3002", "\uff0e", "\u2100", "\u24d2", "\u00e9"),
)


@given(some.lists(some.sampled_from(PIECES), min_size=1, max_size=7).map("".join))
@settings(max_examples=300, deadline=None)
def test_the_host_that_was_checked_is_the_host_that_is_asked(rest: str) -> None:
    """Two readings of one address are how secrets come to the wrong host."""
    try:
        checked(f"https://{rest}", NOBODY)
        request = requests.Request("GET", f"https://{rest}").prepare()
        seen = checked(request.url or "", NOBODY)
        asked = HTTPAdapter().get_connection_with_tls_context(request, True)
    except (ForbiddenHost, *FAILURES):
        return
    assert asked.host.strip("[]") == seen.hostname
    assert (asked.port or 443, asked.scheme) == (seen.port or 443, seen.scheme)
