"""Certificates are always looked at."""

import ssl
import subprocess
from pathlib import Path

import pytest

from modelhub.errors import BadValue, ForbiddenHost, Unreachable
from modelhub.network import Network
from tests.modelhub.network.scripted import GRANT, TOKEN, Machine, answer, machine, read, redirect


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Self-signed, for 127.0.0.1; key and certificate in one file."""
    both = tmp_path_factory.mktemp("tls") / "both.pem"
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", "-", "-out", "-"),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl is needed to make a certificate")
    both.write_bytes(made.stdout)
    return both


def encrypted(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PYTHONHTTPSVERIFY"])
def test_a_certificate_nobody_vouches_for_is_refused_with_what_may_mend_it(
    network: Network, certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "0" if variable.startswith("PYTHON") else "")
    with (
        machine({"/x": answer(b"hello")}, tls=encrypted(certificate)) as hub,
        pytest.raises(Unreachable, match="certificate that is not valid") as caught,
    ):
        network.open(f"https://127.0.0.1:{hub.port}/x", grant=GRANT)
    assert "REQUESTS_CA_BUNDLE" in str(caught.value.mend)
    assert not caught.value.retryable
    assert hub.asked == []


def test_a_certificate_the_user_names_is_believed(
    network: Network, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    body = bytes(range(256)) * 1000
    with machine({"/x": answer(body), "/y": redirect("/x")}, tls=encrypted(certificate)) as hub:
        assert read(network.open(f"https://127.0.0.1:{hub.port}/y", grant=GRANT), 1 << 20) == body
    assert [one.headers["authorization"] for one in hub.asked] == [f"Bearer {TOKEN}"] * 2


def test_certificates_that_are_not_there_are_named(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(BadValue, match=r"/nowhere/ca\.pem"):
        network.open("http://127.0.0.1:1/")


def test_encryption_is_not_given_up_on_the_way(
    network: Network, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    plain: Machine
    with machine({"/f": answer(b"")}) as plain, machine({}, tls=encrypted(certificate)) as hub:
        hub.answers = {"/x": redirect(f"{plain.url}/f")}
        with pytest.raises(ForbiddenHost, match="without encryption"):
            network.open(f"https://127.0.0.1:{hub.port}/x")
    assert plain.connections == 0
