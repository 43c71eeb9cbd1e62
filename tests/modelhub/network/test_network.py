"""What is asked, where we go, and where secrets go: against machines on loopback."""

import logging
import socket
import time
import traceback
from pathlib import Path

import pytest

from modelhub.errors import ForbiddenHost, Unreachable
from modelhub.network import USER_AGENT, Network
from modelhub.tokens import Grant, Secret
from tests.modelhub.network.scripted import GRANT, TOKEN, answer, machine, read, redirect, reset

# --- what is asked


def test_a_question_says_who_we_are_and_wants_no_compression(network: Network) -> None:
    with machine({"/x": answer(b"hello")}) as hub:
        assert read(network.open(f"{hub.url}/x", params={"a": "1 2"}, headers={"accept-encoding": "gzip"})) == b"hello"
    asked = hub.asked[0]
    assert (asked.method, asked.path) == ("GET", "/x?a=1+2")
    assert asked.headers["user-agent"] == USER_AGENT
    assert asked.headers["accept-encoding"] == "identity"
    assert "cookie" not in asked.headers


def test_no_part_of_our_name_is_a_browsers() -> None:
    assert not any(one in USER_AGENT.lower() for one in ("mozilla", "chrome", "safari", "firefox", "opera", "edge"))


def test_cookies_are_not_kept(network: Network) -> None:
    with machine({"/x": answer(b"hello", Set_Cookie="a=b; Path=/")}) as hub:
        read(network.open(f"{hub.url}/x"))
        read(network.open(f"{hub.url}/x"))
    assert "cookie" not in hub.asked[1].headers


def test_a_connection_is_used_again(network: Network) -> None:
    with machine({"/x": answer(b"hello"), "/r": redirect("/x"), "/c": answer(b"")}) as hub:
        for path in ("/x", "/r", "/c", "/x"):
            read(network.open(f"{hub.url}{path}"))
    assert hub.connections == 1


def test_credentials_in_a_netrc_file_are_never_used(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password sentinel\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with machine({"/x": answer(b""), "/r": redirect("/x")}) as hub:
        read(network.open(f"{hub.url}/r"))
        read(network.open(f"{hub.url}/x", grant=GRANT))
    assert [one.headers.get("authorization") for one in hub.asked] == [None, None, f"Bearer {TOKEN}"]


def test_a_proxy_of_the_environment_is_used_and_may_lie_in_a_private_network(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = answer(status=403, Connection="close")
    with machine({"hub.example:443": refusal}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(Unreachable, match=r"proxy before hub\.example"):
            network.open("https://hub.example/x", grant=Grant(Secret(TOKEN), ("hub.example",)))
        with pytest.raises(ForbiddenHost):
            network.open("https://169.254.169.254/latest")
    assert [one.method for one in proxy.asked] == ["CONNECT"]
    assert TOKEN.encode() not in proxy.raw


def test_a_proxy_is_asked_for_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with machine({"http://nas.local/x": answer(b"hello")}) as proxy, Network(allow=["nas.local"]) as network:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert read(network.open("http://nas.local/x")) == b"hello"


def test_a_proxy_of_a_kind_we_do_not_speak_is_named(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://me:sentinel@127.0.0.1:1")
    with pytest.raises(Unreachable, match=r"proxy before hub\.example") as caught:
        network.open("https://hub.example/x")
    assert "sentinel" not in str(caught.value)


# --- where we go


def test_the_address_that_answers_is_looked_at_before_anything_is_sent() -> None:
    with machine({}) as trap, Network(stall_seconds=1) as network:
        with pytest.raises(ForbiddenHost, match=r"localhost \(127\.0\.0\.1\)") as caught:
            network.open(f"https://localhost:{trap.port}/x?sig=1", grant=Grant(Secret(TOKEN), ("localhost",)))
        time.sleep(0.05)
    assert caught.value.mend == f"if you trust it: export MODELHUB_ALLOW_HOSTS=localhost:{trap.port}"
    assert trap.raw == b""


def test_a_redirect_into_a_private_network_is_refused(network: Network) -> None:
    with machine({"/m": redirect("https://169.254.169.254/latest"), "/n": redirect("http://localhost:1/")}) as hub:
        for path in ("/m", "/n"):
            with pytest.raises(ForbiddenHost):
                network.open(hub.url + path)


def test_one_port_can_be_allowed_alone() -> None:
    with (
        machine({"/x": answer(b"a")}) as one,
        machine({"/x": answer(b"b")}) as other,
        Network(allow=[f"127.0.0.1:{one.port}"]) as network,
    ):
        assert read(network.open(f"{one.url}/x")) == b"a"
        with pytest.raises(ForbiddenHost):
            network.open(f"{other.url}/x")
    assert other.connections == 0


# --- where secrets go


def test_a_token_stays_with_the_first_origin(network: Network) -> None:
    with machine({"/f": answer(b"bytes")}) as storage, machine({}) as hub:
        hub.answers = {"/a": redirect("/b"), "/b": redirect(f"{storage.url}/f?signed=1", status=307)}
        opened = network.open(f"{hub.url}/a", headers={"X-Own": "1", "Cookie": "mine"}, grant=GRANT)
        assert read(opened) == b"bytes"
    assert [one.headers.get("authorization") for one in hub.asked] == [f"Bearer {TOKEN}"] * 2
    assert not {"authorization", "x-own", "cookie"} & storage.asked[0].headers.keys()


def test_a_token_goes_to_no_host_that_its_grant_does_not_name(network: Network) -> None:
    with machine({"/x": answer(b"")}) as hub:
        read(network.open(f"{hub.url}/x", grant=Grant(Secret(TOKEN), ("hub.example", "27.0.0.1"))))
    assert "authorization" not in hub.asked[0].headers


def test_a_redirect_can_be_left_to_the_caller(network: Network) -> None:
    target = "f%20x?signed=é#part".encode().decode("latin-1")
    with machine({"/a": redirect(target, status=307)}) as hub, network.open(f"{hub.url}/a", follow=False) as opened:
        assert opened.status == 307
        assert opened.location == f"{hub.url}/f%20x?signed=é#part"


def test_redirects_without_end_have_one(network: Network) -> None:
    with machine({"/a": redirect("/a")}) as hub, pytest.raises(Unreachable, match="without end"):
        network.open(f"{hub.url}/a")
    assert len(hub.asked) == 11


def test_the_body_of_a_redirect_is_not_waited_for(network: Network) -> None:
    endless = answer(b"x" * 1000, status=302, length=1 << 40, Location="/b", Connection="close")
    with machine({"/a": endless, "/b": answer(b"there")}) as hub:
        assert read(network.open(f"{hub.url}/a")) == b"there"


def test_a_token_that_a_machine_repeats_is_not_seen_again(network: Network) -> None:
    body = f'{{"error": "bad token {TOKEN}"}}'.encode()
    with machine({"/x": answer(body, status=401, X_Error_Message=f"bad {TOKEN}")}) as hub:
        reply = network.json(f"{hub.url}/x", grant=GRANT)
        refusal = read(network.open(f"{hub.url}/x", grant=GRANT), 5)
        without = read(network.open(f"{hub.url}/x"))
    assert (refusal, without) == (body.replace(TOKEN.encode(), b"..."), body)
    assert TOKEN not in repr(reply)
    assert reply.content == {"error": "bad token ..."}


@pytest.mark.parametrize("room", range(0, len(TOKEN) + 1, 3))
def test_a_token_at_the_end_of_what_is_read_of_a_refusal_is_not_seen_in_part(network: Network, room: int) -> None:
    body = b"x" * ((1 << 16) - room) + TOKEN.encode() + b"x" * 99
    with machine({"/x": answer(body, status=403)}) as hub:
        assert TOKEN[:1].encode() not in read(network.open(f"{hub.url}/x", grant=GRANT))


def test_nothing_that_failed_shows_a_signature_or_a_token(network: Network, caplog: pytest.LogCaptureFixture) -> None:
    def half(peer: socket.socket) -> None:
        peer.sendall(answer(b"half", length=8))
        reset(peer)

    signature = "SIGN" + "ATURE"  # which then stands in no line of this file
    with machine({"/half": half, "/reset": reset, "/bad": b"HTTP/1.1 nonsense\r\n\r\n"}) as hub:
        for url in (*(hub.url + one for one in hub.answers), "http://127.0.0.1:1/", "https://no.invalid/"):
            with caplog.at_level(logging.DEBUG), pytest.raises(Unreachable) as caught:
                read(network.open(f"{url}?sig={signature}", grant=GRANT, headers={"X-Own": signature}))
            told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value.mend)
            assert signature not in told + caplog.text
            assert TOKEN not in told + caplog.text
            assert caught.value.__context__ is None
