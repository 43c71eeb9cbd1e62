"""A search names only what the hub takes: one name that it has dropped would have all of it refused."""

from typing import Any

import pytest

from modelhub.errors import Unreachable
from modelhub.hubs import Search
from modelhub.hubs.civitai._asking import as_listed
from modelhub.hubs.civitai._client import Civitai as Client
from modelhub.kinds import Kind
from tests.servers.civitai import Civitai

SD1 = ["SD 1.4", "SD 1.5", "SD 1.5 LCM", "SD 1.5 Hyper"]


@pytest.fixture(autouse=True)
def _kip(hub: Civitai) -> None:
    hub.version(hub.model(), files=[hub.file(b"kip")])


def paths(hub: Civitai) -> list[str]:
    return [asked.path.removeprefix("/api/v1/") for asked in hub.requests]


def test_a_base_that_the_hub_has_dropped_is_left_out(hub: Civitai, client: Client) -> None:
    hub.bases.remove("SD 1.5 LCM")
    assert [one.title for one in client.search(Search("kip", family="sd1"))] == ["Kip"]
    assert hub.requests[-1].query["baseModels"] == ["SD 1.4", "SD 1.5", "SD 1.5 Hyper"]


def test_a_type_that_the_hub_has_dropped_is_left_out(hub: Civitai, client: Client) -> None:
    hub.types.remove("DoRA")
    assert [one.title for one in client.search(Search("kip", (Kind.LORA,)))] == ["Kip"]
    assert hub.requests[-1].query["types"] == ["LORA", "LoCon"]


def test_a_family_of_which_the_hub_knows_no_base_any_more_is_not_searched_for(hub: Civitai, client: Client) -> None:
    hub.bases[:] = ["SDXL 1.0"]
    assert list(client.search(Search("kip", family="sd1"))) == []
    assert paths(hub) == ["enums"]


def test_the_hub_is_asked_for_its_names_once_and_only_where_names_are_sent(hub: Civitai, client: Client) -> None:
    for wanted in (Search("kip"), Search("kip", family="sd1"), Search("kip", (Kind.LORA,)), Search("kip")):
        assert [one.title for one in client.search(wanted)] == ["Kip"]
    assert paths(hub) == ["models", "enums", "models", "models", "models"]


@pytest.mark.parametrize("status", [404, 403, 400])
def test_where_the_hub_does_not_tell_its_names_ours_are_sent(hub: Civitai, client: Client, status: int) -> None:
    hub.once("/api/v1/enums", status, {"error": "no"})
    for _ in range(2):
        assert [one.title for one in client.search(Search("kip", family="sd1"))] == ["Kip"]
        assert hub.requests[-1].query["baseModels"] == SD1
    assert paths(hub).count("enums") == 1


def test_a_hub_that_fails_to_tell_its_names_is_searched_all_the_same(hub: Civitai, client: Client) -> None:
    for _ in range(6):
        hub.once("/api/v1/enums", 503)
    assert [one.title for one in client.search(Search("kip", family="sd1"))] == ["Kip"]


@pytest.mark.parametrize(
    "told",
    [
        [],
        "SD 1.5",
        {},
        {"BaseModel": None, "ActiveBaseModel": ["Other"]},
        {"BaseModel": []},
        {"BaseModel": "Other"},
        {"BaseModel": {"SD_1_5": "SD 1.5"}},
        {"BaseModel": [{"name": "SD 1.5"}, 7, None, ["Other"]]},
    ],
)
def test_names_in_a_form_that_we_do_not_know_drop_none_of_ours(hub: Civitai, client: Client, told: Any) -> None:
    hub.once("/api/v1/enums", 200, told)
    assert [one.title for one in client.search(Search("kip", family="sd1"))] == ["Kip"]
    assert hub.requests[-1].query["baseModels"] == SD1


def test_each_sort_of_names_is_held_against_its_own_list() -> None:
    asked = {"query": "kip", "types": ["LORA", "DoRA"], "baseModels": SD1}
    assert as_listed(asked, {"ModelType": ["LORA"], "BaseModel": 5}) == {**asked, "types": ("LORA",)}
    assert as_listed(asked, {"ModelType": ["LORA"], "BaseModel": ["LORA"]}) is None
    assert as_listed({"query": "kip"}, {"BaseModel": ["Other"]}) == {"query": "kip"}


@pytest.mark.parametrize("kind", Kind)
def test_a_search_for_any_kind_of_ours_is_understood(hub: Civitai, client: Client, kind: Kind) -> None:
    list(client.search(Search("kip", (kind,))))
    assert set(paths(hub)) <= {"enums", "models"}


def test_a_model_of_a_type_that_we_do_not_know_is_found_without_a_kind(hub: Civitai, client: Client) -> None:
    hub.version(hub.model(name="Kip of tomorrow", type="Hologram"), files=[hub.file(b"new")])
    assert {one.title: one.kind for one in client.search(Search("kip"))} == {"Kip": Kind.LORA, "Kip of tomorrow": None}


def test_the_hub_of_these_tests_refuses_a_base_that_it_does_not_list(hub: Civitai, client: Client) -> None:
    hub.once("/api/v1/enums", 404)
    hub.bases.remove("SD 1.5 LCM")
    with pytest.raises(Unreachable, match="Invalid option: SD 1"):
        list(client.search(Search("kip", family="sd1")))
