"""The client asks as little as it can, and says plainly why something cannot be had."""

from pathlib import Path
from typing import Any

import pytest

from modelhub import hubs
from modelhub.errors import AccessDenied, AmbiguousRef, NotOffered, Unreachable
from modelhub.hubs import Gate, HubRef, Search
from modelhub.hubs.civitai._client import Civitai as Client
from modelhub.kinds import Kind
from modelhub.network import Network
from modelhub.settings import HubSettings
from modelhub.tokens import TokenStore
from tests.modelhub.hubs.civitai.conftest import asking
from tests.servers.civitai import Civitai

LORA = b"\x02\0\0\0\0\0\0\0{}" + b"k" * 50


def paths(hub: Civitai) -> list[str]:
    return [asked.path.removeprefix("/api/v1/") for asked in hub.requests]


@pytest.fixture
def kip(hub: Civitai) -> dict[str, Any]:
    """A model of two versions; the newer one stands first."""
    model, image = hub.model(), hub.image(meta={"prompt": "kip"})
    hub.version(model, files=[hub.file(b"old")], images=[image])
    full = hub.file(b"full", name="kip-full.safetensors", metadata={"size": "full"})
    hub.version(model, files=[hub.file(LORA), full], images=[image])
    return model


# Listings


def test_a_model_means_its_newest_version_in_one_question(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    found = client.listings(hubs.parse(f"civitai:{kip['id']}"))
    assert [one.name for one in found] == ["kip", "kip-full"]
    assert {one.ref.version for one in found} == {str(kip["modelVersions"][0]["id"])}
    assert len(hub.requests) == 1


def test_an_early_access_version_waits_behind_what_everybody_may_have(hub: Civitai, client: Client, kip: Any) -> None:
    hub.version(kip, files=[hub.file(b"paid")], paidAccess={"permanent": False, "endsAt": "2026-06-01T00:00:00Z"})
    (first, *_) = client.listings(hubs.parse(f"civitai:{kip['id']}"))
    assert first.version == "v2"
    pinned = client.listings(hubs.parse(f"civitai:@{kip['modelVersions'][0]['id']}"))
    assert pinned[0].gate is Gate.EARLY_ACCESS


def test_a_version_alone_leads_to_its_model(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    old = kip["modelVersions"][1]
    (found,) = client.listings(hubs.parse(f"civitai:version:{old['id']}"))
    assert (found.creator, found.tags, found.ref.model) == ("ada", ("robot",), str(kip["id"]))
    assert paths(hub) == [f"model-versions/{old['id']}", f"models/{kip['id']}"]


def test_a_file_is_found_by_its_number_alone(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    file = kip["modelVersions"][1]["files"][0]["id"]
    (found,) = client.listings(HubRef("civitai", str(kip["id"]), file=str(file)))
    assert (found.version, found.ref.file) == ("v1", str(file))


def test_a_model_without_versions_still_gives_a_version_that_is_named(hub: Civitai, client: Client, kip: Any) -> None:
    version = kip["modelVersions"][0]["id"]
    hub.once(f"/api/v1/models/{kip['id']}", 200, {"id": kip["id"], "name": "Kip", "type": "LORA", "modelVersions": []})
    assert client.listings(hubs.parse(f"civitai:{kip['id']}@{version}"))[0].title == "Kip"


def test_a_version_outlives_its_models_page(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    version = kip["modelVersions"][0]["id"]
    hub.once(f"/api/v1/models/{kip['id']}", 404, {"error": "No model"})
    assert client.listings(hubs.parse(f"civitai:@{version}"))[0].title == "Kip"


def test_a_version_of_another_model_is_not_taken_for_this_ones(hub: Civitai, client: Client, kip: Any) -> None:
    other = hub.version(hub.model(name="Other"), files=[hub.file(b"x")])
    with pytest.raises(NotOffered, match="is of model"):
        client.listings(hubs.parse(f"civitai:{kip['id']}@{other['id']}"))


@pytest.mark.parametrize("ref", ["civitai:7", "civitai:@7", "civitai:hash:abcdef0123", "civitai:hash:" + "ab" * 32])
def test_what_is_not_there_is_said_to_be_not_there(client: Client, ref: str) -> None:
    with pytest.raises(NotOffered, match="Civitai has no"):
        client.listings(hubs.parse(ref))


def test_an_archived_model_is_listed_as_gone(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    kip["mode"] = "Archived"
    version = kip["modelVersions"][0]
    for ref in (f"civitai:{kip['id']}", f"civitai:{kip['id']}@{version['id']}+{version['files'][0]['id']}"):
        (found,) = client.listings(hubs.parse(ref))
        assert (found.gate, found.files) == (Gate.GONE, ())


def test_a_version_without_models_says_so(hub: Civitai, client: Client) -> None:
    model = hub.model(type="Wildcards")
    hub.version(model, files=[hub.file(b"PK", name="words.zip", type="Archive")])
    with pytest.raises(NotOffered, match="no model file"):
        client.listings(hubs.parse(f"civitai:{model['id']}"))


def test_drifting_shapes_lead_to_the_same_file(network: Network, tmp_path: Path) -> None:
    with Civitai(seed=5) as hub:
        model = hub.model()
        version = hub.version(model, files=[hub.file(LORA)])
        each = {asking(hub, network, tmp_path).listings(hubs.parse(f"civitai:{model['id']}"))[0].ref for _ in range(20)}
    assert each == {HubRef("civitai", str(model["id"]), str(version["id"]), str(version["files"][0]["id"]))}


# Digests


@pytest.mark.parametrize("name", ["SHA256", "AutoV2", "AutoV3", "BLAKE3", "CRC32"])
def test_any_digest_leads_to_its_file(client: Client, kip: dict[str, Any], name: str) -> None:
    file = kip["modelVersions"][0]["files"][0]
    (found,) = client.listings(hubs.parse(f"civitai:hash:{file['hashes'][name]}"))
    assert (found.ref.file, found.creator) == (str(file["id"]), "ada")


def test_versions_that_share_their_bytes_come_oldest_first(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    hub.version(kip, files=[hub.file(LORA)], publishedAt="2020-01-01T00:00:00Z", name="first")
    digest = kip["modelVersions"][1]["files"][0]["hashes"]["SHA256"]
    assert [one.version for one in client.listings(hubs.parse(f"civitai:hash:{digest}"))] == ["first", "v2"]


def test_bytes_of_two_models_are_not_guessed_between(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    other = hub.model(name="Copy")
    hub.version(other, files=[hub.file(LORA)])
    digest = kip["modelVersions"][0]["files"][0]["hashes"]["SHA256"].lower()
    with pytest.raises(AmbiguousRef) as refused:
        client.listings(HubRef("civitai", digest=digest))
    assert f"civitai:{kip['id']}@" in refused.value.message
    assert f"civitai:{other['id']}@" in refused.value.message
    assert client.listings(HubRef("civitai", str(other["id"]), digest=digest))[0].title == "Copy"


def test_many_digests_cost_two_questions(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    mine = kip["modelVersions"][0]["files"][0]["hashes"]["SHA256"].lower()
    strange = [f"{number:064x}" for number in range(1, 500)]
    found = dict(client.by_sha256([*strange, mine]))
    assert list(found) == [mine]
    assert found[mine][0].creator == "ada"
    assert paths(hub) == ["model-versions/by-hash/ids", "models"]


def test_digests_are_asked_for_in_batches_that_the_hub_takes(hub: Civitai, client: Client) -> None:
    model = hub.model()
    files = [hub.file(f"{number}".encode()) for number in range(101)]
    for file in files:
        hub.version(model, files=[file], publishedAt="2025-01-01T00:00:00Z")
    model["nsfw"] = hub.is_for_all_ages = True
    for _ in range(2):
        hub.once(f"/api/v1/models/{model['id']}", 404)
    digests = [file["hashes"]["SHA256"].lower() for file in files]
    found = dict(client.by_sha256([*digests, *(f"{one:064x}" for one in range(9_900))]))
    assert all(each[0].files for each in found.values())
    assert len(found) == 101
    assert [len(asked.body) for asked in hub.requests if asked.body] == [10_000, 1, 100, 1]


def test_versions_that_are_named_without_their_model_are_looked_up(
    client: Client, kip: dict[str, Any], hub: Civitai
) -> None:
    version = kip["modelVersions"][0]
    digest = version["files"][0]["hashes"]["SHA256"].lower()
    hub.once("/api/v1/model-versions/by-hash/ids", 200, [{"modelVersionId": version["id"], "hash": digest.upper()}])
    assert dict(client.by_sha256([digest]))[digest][0].creator == "ada"


def test_a_version_whose_digests_are_not_shown_is_named_nonetheless(
    client: Client, kip: dict[str, Any], hub: Civitai
) -> None:
    version = kip["modelVersions"][0]
    digest = version["files"][0]["hashes"]["SHA256"].lower()
    hub.once("/api/v1/model-versions/by-hash/ids", 200, [{"modelId": 5, "modelVersionId": 6, "hash": digest.upper()}])
    (found,) = dict(client.by_sha256([digest]))[digest]
    assert (str(found.ref), found.files) == ("civitai:5@6", ())


# Many models


def test_what_is_new_is_asked_for_many_models_at_once(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    adult = hub.model(name="Adult", nsfw=True)
    hub.version(adult, files=[hub.file(b"adult")])
    refs = [hubs.parse(f"civitai:{one}") for one in (kip["id"], adult["id"], 7)]
    found = client.latest(refs)
    assert [one.version for one in found[refs[0]]] == ["v2", "v2", "v1"]
    assert found[refs[1]][0].nsfw
    assert found[refs[2]] == ()
    assert paths(hub) == ["models", "models/7"]


def test_what_a_list_hides_is_asked_for_alone(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    kip["nsfw"] = hub.is_for_all_ages = True
    ref = hubs.parse(f"civitai:{kip['id']}")
    assert [one.version for one in client.latest([ref])[ref]] == ["v2", "v2", "v1"]
    digest = kip["modelVersions"][0]["files"][0]["hashes"]["SHA256"].lower()
    assert dict(client.by_sha256([digest]))[digest][0].creator == "ada"


def test_what_could_not_be_asked_is_left_out(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    gone, unheard, hidden = (hubs.parse(f"civitai:{one}") for one in ("7", "8", "@9"))
    hub.once("/api/v1/models/8", 403, {"error": "Forbidden"})
    assert client.latest([gone, unheard, hidden, hubs.parse("civitai:hash:abcdef0123")]) == {gone: ()}


def test_a_search_goes_by_cursor_and_never_keeps_the_hubs_own_next_address(network: Network, tmp_path: Path) -> None:
    with Civitai(tokens={"t0ken": "ada"}, page_size=2) as hub:
        for number in range(5):
            model = hub.model(name=f"Kip {number}")
            hub.version(model, files=[hub.file(str(number).encode())])
        found = list(asking(hub, network, tmp_path, "t0ken").search(Search("kip", limit=4)))
        assert [one.title for one in found] == ["Kip 0", "Kip 1", "Kip 2", "Kip 3"]
        assert [asked.query.get("cursor") for asked in hub.requests] == [None, ["2"]]
        assert not any("token" in asked.query or "page" in asked.query for asked in hub.requests)


def test_an_empty_page_is_not_the_end(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    hub.once("/api/v1/models", 200, {"items": [], "metadata": {"nextCursor": 0, "nextPage": f"{hub.url}?token=x"}})
    hub.once("/api/v1/models", 200, {"items": [], "metadata": {"nextCursor": "0|1", "nextPage": None}})
    assert list(client.search(Search("kip"))) == []
    hub.once("/api/v1/models", 200, {"items": [], "metadata": {"nextCursor": "0"}})
    assert [one.title for one in client.search(Search("kip"))] == ["Kip"]


def test_a_search_speaks_the_hubs_words(hub: Civitai, client: Client, kip: dict[str, Any]) -> None:
    wanted = Search("kip", (Kind.LORA,), "sd1", "newest", nsfw=True, licence="commercial", limit=3)
    assert [one.title for one in client.search(wanted)] == ["Kip"]
    asked = hub.requests[-1].query
    assert asked["types"] == ["LORA", "LoCon", "DoRA"]
    assert "SD 1.5" in asked["baseModels"]
    assert (asked["sort"], asked["nsfw"], asked["allowCommercialUse"]) == (["Newest"], ["true"], ["Image"])


def test_a_search_for_what_the_hub_has_no_word_for_asks_nothing(hub: Civitai, client: Client) -> None:
    assert list(client.search(Search("kip", (Kind.FACE_RESTORER,)))) == []
    assert hub.requests == []


# Tokens


def test_a_token_says_whose_it_is_in_a_header_only(network: Network, tmp_path: Path) -> None:
    with Civitai(tokens={"t0ken": "ada"}) as hub:
        account = asking(hub, network, tmp_path, "t0ken").account()
        assert (account.name, account.about) == ("ada", "free, active")
        assert hub.requests[0].headers["authorization"] == "Bearer t0ken"
        assert hub.requests[0].query == {}


@pytest.mark.parametrize("token", ["", "wrong-token"])
def test_without_a_good_token_there_is_no_account(hub: Civitai, network: Network, tmp_path: Path, token: str) -> None:
    with pytest.raises(AccessDenied) as refused:
        asking(hub, network, tmp_path, token).account()
    assert refused.value.mend == "modelhub login civitai"


def test_a_mirror_that_is_not_trusted_sees_no_token(hub: Civitai, network: Network, tmp_path: Path, kip: Any) -> None:
    store = TokenStore({"CIVITAI_TOKEN": "t0ken"}, tmp_path)
    access = hubs.Access(network, store, HubSettings(civitai=hub.url))
    Client(access).listings(hubs.parse(f"civitai:{kip['id']}"))
    assert "authorization" not in hub.requests[0].headers


def test_what_a_bad_token_hides_is_not_said_to_be_deleted(hub: Civitai, network: Network, tmp_path: Path) -> None:
    with pytest.raises(NotOffered, match="does not know the token"):
        asking(hub, network, tmp_path, "wrong-token").listings(hubs.parse("civitai:7"))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, "<html>Just a moment...</html>", AccessDenied),
        (200, "<html>Just a moment...</html>", Unreachable),
        (401, {"error": "Unauthorized"}, AccessDenied),
        (400, {"error": {"issues": [{"message": "too big"}], "name": "ZodError"}}, Unreachable),
    ],
)
def test_a_refusal_is_an_error_with_a_reason(hub: Civitai, client: Client, status: int, body: Any, error: type) -> None:
    for _ in range(6):
        hub.once("/api/v1/models/7", status, body)
    with pytest.raises(error):
        client.listings(hubs.parse("civitai:7"))
