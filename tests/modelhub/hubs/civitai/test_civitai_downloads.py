"""Downloads lead to the storage without the token, and every refusal says what to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelhub import hubs
from modelhub.errors import AccessDenied, NotOffered, Unreachable
from modelhub.hubs import Listing
from modelhub.jobs import drain
from modelhub.network import Network
from modelhub.transfer import Located, Wanted, fetch
from tests.modelhub.hubs.civitai.conftest import asking
from tests.servers.civitai import Civitai

BYTES = b"\x02\0\0\0\0\0\0\0{}"


@pytest.fixture
def running() -> Iterator[Civitai]:
    with Civitai(tokens={"t0ken-t0ken": "ada"}) as hub:
        hub.version(hub.model(), files=[hub.file(b"other"), hub.file(BYTES, name="kip.safetensors")])
        yield hub


def version_of(hub: Civitai) -> dict[str, Any]:
    (model,) = hub.models.values()
    return model["modelVersions"][0]  # type: ignore[no-any-return]


def located(hub: Civitai, network: Network, folder: Path, token: str = "t0ken-t0ken") -> tuple[Listing, Located]:
    client = asking(hub, network, folder, token)
    (model,) = hub.models
    listing = client.listings(hubs.parse(f"civitai:{model}+{version_of(hub)['files'][1]['id']}"))[0]
    return listing, client.locate(listing, listing.files[0])


def test_the_files_own_number_is_asked_for_and_the_token_stays_at_the_hub(
    running: Civitai, network: Network, tmp_path: Path
) -> None:
    listing, place = located(running, network, tmp_path)
    wanted = Wanted("1", tmp_path / "kip.safetensors", lambda: place, sha256=listing.files[0].digests["sha256"])
    drain(fetch(wanted, network=network))
    assert (tmp_path / "kip.safetensors").read_bytes() == BYTES
    asked = running.requests[-1]
    assert (asked.query, asked.headers["range"]) == ({"fileId": [listing.files[0].key]}, "bytes=0-0")
    assert asked.headers["authorization"] == "Bearer t0ken-t0ken"
    assert all(one.headers["Authorization"] is None for one in running.storage.requests)
    assert "s1" not in repr(place)


def test_a_vae_of_another_version_is_asked_for_by_its_sort(running: Civitai, network: Network, tmp_path: Path) -> None:
    vae = running.file(b"vae", name="kip.vae.safetensors", type="VAE", isLinked=True)
    version_of(running)["files"].append(vae)
    client = asking(running, network, tmp_path)
    listing = client.listings(hubs.parse(f"civitai:@{version_of(running)['id']}+{vae['id']}"))[0]
    assert f"/{vae['id']}/" in client.locate(listing, listing.files[0]).url
    assert running.requests[-1].query == {"type": ["VAE"]}


def test_each_answer_names_a_link_of_its_own(running: Civitai, network: Network, tmp_path: Path) -> None:
    assert located(running, network, tmp_path)[1].url != located(running, network, tmp_path)[1].url


def test_our_name_is_no_browsers(running: Civitai, network: Network, tmp_path: Path) -> None:
    located(running, network, tmp_path)
    agent = running.requests[-1].headers["user-agent"].lower()
    assert not any(one in agent for one in ("mozilla", "chrome", "safari", "firefox", "opera", "edge"))


@pytest.mark.parametrize(
    ("version", "error", "says", "mend"),
    [
        ({"usageControl": "Generation"}, AccessDenied, "disabled", "open http"),
        ({"paidAccess": {"endsAt": "2026-02-01T00:00:00Z"}}, AccessDenied, "until 2026-02-01 00:00 UTC", "buy it"),
        ({"paidAccess": {"permanent": True}}, AccessDenied, "those who pay", "buy it"),
    ],
)
def test_what_the_author_does_not_give_is_explained(
    running: Civitai, network: Network, tmp_path: Path, version: dict[str, Any], error: type, says: str, mend: str
) -> None:
    version_of(running).update(version)
    with pytest.raises(error, match=says) as refused:
        located(running, network, tmp_path)
    assert mend in refused.value.mend


@pytest.mark.parametrize("token", ["", "wrong-token"])
def test_what_needs_a_token_says_how_to_log_in(running: Civitai, network: Network, tmp_path: Path, token: str) -> None:
    running.needs_token = True
    with pytest.raises(AccessDenied, match="token") as refused:
        located(running, network, tmp_path, token)
    assert refused.value.mend == "modelhub login civitai"


@pytest.mark.parametrize("page", ["/login?returnUrl=/", "https://civitai.com/login", "https://auth.civitai.com/login"])
def test_a_page_to_log_in_is_no_file(running: Civitai, network: Network, tmp_path: Path, page: str) -> None:
    running.once("/api/download", 302, Location=page)
    with pytest.raises(AccessDenied) as refused:
        located(running, network, tmp_path)
    assert refused.value.mend == "modelhub login civitai"


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (410, {"error": "Model archived"}, NotOffered, "archived"),
        (429, {"error": "unusual amount of downloading"}, Unreachable, "too much"),
        (503, "<html>", Unreachable, "status 503"),
        (200, "<html>Just a moment...</html>", Unreachable, "status 200"),
        (403, {"message": "You do not have access"}, AccessDenied, "do not have access"),
    ],
)
def test_other_refusals_keep_their_reason(
    running: Civitai, network: Network, tmp_path: Path, status: int, body: Any, error: type, says: str
) -> None:
    running.once("/api/download", status, body)
    with pytest.raises(error, match=says):
        located(running, network, tmp_path)


def test_a_file_that_is_not_found_for_a_moment_is_asked_for_again(
    running: Civitai, network: Network, tmp_path: Path
) -> None:
    for _ in range(2):
        running.once("/api/download", 404, {"error": "File not found"})
    assert located(running, network, tmp_path)[1].url.startswith(running.storage.origin)


def test_a_page_to_pay_is_early_access(running: Civitai, network: Network, tmp_path: Path) -> None:
    running.once("/api/download", 302, Location="/pricing?reason=early-access&returnUrl=/models/1")
    with pytest.raises(AccessDenied, match="those who pay"):
        located(running, network, tmp_path)


def test_a_redirect_within_the_hub_is_followed(running: Civitai, network: Network, tmp_path: Path) -> None:
    running.once("/api/download", 308, Location=f"/api/download/models/{version_of(running)['id']}?fileId=300002")
    assert located(running, network, tmp_path)[1].url.startswith(running.storage.origin)


def test_a_redirect_in_circles_ends(running: Civitai, network: Network, tmp_path: Path) -> None:
    for _ in range(5):
        running.once("/api/download", 308, Location="/api/download/models/1")
    with pytest.raises(Unreachable, match="in circles"):
        located(running, network, tmp_path)


def test_a_file_that_is_never_found_is_not_offered(running: Civitai, network: Network, tmp_path: Path) -> None:
    for _ in range(3):
        running.once("/api/download", 404, {"error": "File not found"})
    with pytest.raises(NotOffered, match="does not find its file"):
        located(running, network, tmp_path)
