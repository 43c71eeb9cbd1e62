"""What a redirect takes along."""

import pytest

from modelhub.errors import ForbiddenHost, Unreachable
from modelhub.network._steps import Step
from modelhub.tokens import Grant, Secret

GRANT = Grant(Secret("sentinel-0001"), ("hub.example", "storage.example"))
HERE = "https://hub.example/file?version=1"


def step(method: str = "GET", body: bytes | None = None) -> Step:
    headers = {"Cookie": "yes", "Content-Type": "text/plain"}
    return Step(HERE, method, {"version": 1}, headers, body, GRANT)


def test_within_one_origin_everything_goes_along_but_the_parameters() -> None:
    then = step().after(302, HERE, "https://hub.example:443/other?signed=1")
    assert (then.url, then.params) == ("https://hub.example:443/other?signed=1", {})
    assert then.grant is GRANT
    assert then.headers["Cookie"] == "yes"


@pytest.mark.parametrize(
    "target", ["https://storage.example/x", "https://www.hub.example/x", "https://hub.example:8443/x"]
)
def test_to_another_origin_nothing_goes_along(target: str) -> None:
    then = step().after(302, HERE, target)
    assert (then.url, then.headers, then.grant, then.params) == (target, {}, None, {})


def test_nothing_comes_back_to_the_first_origin() -> None:
    away = step().after(302, HERE, "https://elsewhere.example/")
    assert away.after(302, away.url, HERE).grant is None


def test_encryption_is_never_given_up() -> None:
    with pytest.raises(ForbiddenHost, match="without encryption"):
        step().after(302, HERE, "http://hub.example/file")


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirected_post_reads_without_its_body(status: int) -> None:
    then = step("POST", b"x").after(status, HERE, "https://hub.example/answer")
    assert (then.method, then.body, then.headers) == ("GET", None, {"Cookie": "yes"})


@pytest.mark.parametrize("status", [307, 308])
def test_a_post_that_is_to_be_repeated_is_repeated_at_home_only(status: int) -> None:
    assert step("POST", b"x").after(status, HERE, "https://hub.example/answer").body == b"x"
    with pytest.raises(Unreachable):
        step("POST", b"x").after(status, HERE, "https://elsewhere.example/answer")


def test_a_head_stays_a_head() -> None:
    assert step("HEAD").after(303, HERE, "https://hub.example/answer").method == "HEAD"


@pytest.mark.parametrize(
    ("host", "seen"),
    [
        ("hub.example", True),
        ("WWW.hub.example.", True),
        ("nothub.example", False),
        ("hub.example.evil.net", False),
        ("", False),
    ],
)
def test_a_token_is_for_the_hosts_of_its_grant(host: str, seen: bool) -> None:
    assert step().bearer(host) == ("sentinel-0001" if seen else None)
