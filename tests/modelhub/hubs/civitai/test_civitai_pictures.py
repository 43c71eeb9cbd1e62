"""Pictures and prompts come with the version that was asked for: its own first, then those of the gallery."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub import hubs
from modelhub.hubs import Listing, Search
from modelhub.hubs._said import said
from modelhub.hubs.civitai._client import Civitai as Client
from modelhub.hubs.civitai._pictures import examples, previews
from modelhub.network import Network
from tests.modelhub.hubs.civitai.conftest import asking
from tests.servers.civitai import Civitai

META: dict[str, Any] = {"prompt": "kip, red scarf", "seed": 7, "steps": 20, "sampler": "Euler a"}
TOLD = "kip, red scarf  (seed 7, 20 steps, Euler a)"


def told(**meta: Any) -> tuple[str, ...]:
    return examples([{"nsfwLevel": 1, "meta": meta}])


def offered(hub: Civitai, *images: dict[str, Any]) -> dict[str, Any]:
    """The version of a new model, with these pictures of its own."""
    return hub.version(hub.model(), files=[hub.file(b"kip"), hub.file(b"2", name="2.safetensors")], images=[*images])


def listed(client: Client, version: dict[str, Any]) -> tuple[Listing, ...]:
    return client.listings(hubs.parse(f"civitai:{version['modelId']}"))


def asked_for_pictures(hub: Civitai) -> list[Any]:
    return [dict(asked.query) for asked in hub.requests if asked.path == "/api/v1/images"]


# What a picture tells


@pytest.mark.parametrize("meta", [META, {"meta": META}, {"id": 5, "meta": META}, {**META, "meta": None}])
def test_an_example_is_a_prompt_and_how_it_was_drawn(meta: dict[str, Any]) -> None:
    assert examples([{"nsfwLevel": 1, "meta": meta}]) == (TOLD,)


@pytest.mark.parametrize("meta", [None, {}, {"meta": None}, {"meta": {}}, [META], "kip", {"seed": 7}, {"prompt": 7}])
def test_a_picture_without_a_prompt_is_no_example(meta: Any) -> None:
    assert examples([{"nsfwLevel": 1, "meta": meta}, {"nsfwLevel": 1}, None]) == ()


@pytest.mark.parametrize(
    ("settings", "how"),
    [
        ({}, ""),
        ({"seed": 2**63 + 11, "steps": "30"}, "  (seed 9223372036854775819, 30 steps)"),
        ({"seed": 0, "sampler": "DPM++ 2M\nKarras"}, "  (seed 0, DPM++ 2M Karras)"),
        ({"seed": -1, "steps": 20.5, "sampler": 5}, ""),
        ({"seed": True, "steps": 10**5000, "sampler": None}, ""),
        ({"seed": "9" * 50, "sampler": "x" * 99}, f"  ({'x' * 40})"),
    ],
)
def test_only_what_is_told_of_the_settings_is_shown(settings: dict[str, Any], how: str) -> None:
    assert told(prompt="kip", **settings) == (f"kip{how}",)


def test_a_prompt_is_one_harmless_line() -> None:
    evil = "\n\n kip\x1b[31m,\n\n\tred\u202e scarf https://x/?token=s3cret \n"
    assert told(prompt=evil) == ("kip, red scarf https://x/?token=...",)


def test_a_long_prompt_is_cut() -> None:
    assert told(prompt="kip, " * 100) == ("kip, " * 29 + "kip…",)
    assert told(prompt="k" * 150) == ("k" * 150,)


def test_there_are_three_examples_at_most_and_no_two_of_one_prompt() -> None:
    images = [{"nsfwLevel": 1, "meta": {"prompt": f"kip {one // 2}", "seed": one}} for one in range(10)]
    assert examples(images) == ("kip 0  (seed 0)", "kip 1  (seed 2)", "kip 2  (seed 4)")


@pytest.mark.parametrize(
    ("image", "is_for_all"),
    [
        ({"nsfwLevel": 1}, True),
        ({"nsfwLevel": 2}, True),
        ({"nsfwLevel": 4}, False),
        ({"nsfwLevel": 32}, False),
        ({"nsfwLevel": "None", "browsingLevel": 1, "nsfw": False}, True),
        ({"nsfwLevel": "Soft", "browsingLevel": 2, "nsfw": True}, True),
        ({"nsfwLevel": "None", "browsingLevel": 16}, False),
        ({"nsfwLevel": "X"}, False),
        ({"nsfw": "None"}, True),
        ({"nsfw": "Mature"}, False),
        ({}, False),
    ],
)
def test_an_example_is_for_everybody(image: dict[str, Any], is_for_all: bool) -> None:
    assert bool(examples([{**image, "meta": META}])) is is_for_all


def test_a_previews_level_is_understood_in_either_form() -> None:
    url = "https://x/1.jpeg"
    images = [{"url": url, "nsfwLevel": 8}, {"url": url, "nsfwLevel": "X", "browsingLevel": 16}, {"url": url}]
    assert [one.nsfw_level for one in previews(images)] == [8, 16, 0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*META, "meta"]), inner, max_size=4),
    max_leaves=4,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["meta", "nsfwLevel", "browsingLevel", "url"]), JSON), max_size=2) | JSON
)
def test_nothing_that_a_hub_may_tell_of_pictures_breaks_it(images: Any) -> None:
    assert all("\n" not in one and one.isprintable() for one in examples(images))
    list(previews(images))


# Which pictures


def test_a_version_that_tells_its_own_costs_no_question(hub: Civitai, client: Client) -> None:
    version = offered(hub, hub.image(meta=META))
    hub.post(version, hub.image(meta={"prompt": "by another"}))
    assert [one.examples for one in listed(client, version)] == [(TOLD,), (TOLD,)]
    assert asked_for_pictures(hub) == []


def test_without_pictures_of_its_own_they_come_from_the_gallery(hub: Civitai, client: Client) -> None:
    version, posted = offered(hub), hub.image(meta=META, nsfwLevel=2)
    hub.post(version, posted, hub.image(meta={"prompt": "adults"}, nsfwLevel=8))
    for one in listed(client, version):
        assert [(each.url, each.nsfw_level) for each in one.previews] == [(posted["url"], 2)]
        assert one.examples == (TOLD,)
    (asked,) = asked_for_pictures(hub)
    assert asked["modelVersionId"] == [str(version["id"])]


def test_its_own_pictures_stay_where_only_their_prompts_are_not_told(hub: Civitai, client: Client) -> None:
    mine = hub.image(hasMeta=True)
    version = offered(hub, mine)
    hub.post(version, hub.image(meta=META))
    (found, _) = listed(client, version)
    assert ([each.url for each in found.previews], found.examples) == ([mine["url"]], (TOLD,))


@pytest.mark.parametrize(
    ("status", "body"), [(503, None), (403, "<html>"), (404, None), (400, {}), (200, [7]), (200, {})]
)
def test_a_gallery_that_fails_costs_no_listing(hub: Civitai, client: Client, status: int, body: Any) -> None:
    version = offered(hub)
    for _ in range(6):
        hub.once("/api/v1/images", status, body)
    assert [(one.previews, one.examples) for one in listed(client, version)] == [((), ())] * 2


def test_a_gallery_that_failed_once_is_not_waited_for_again(hub: Civitai, client: Client) -> None:
    hub.once("/api/v1/images", 403)
    listed(client, offered(hub))
    listed(client, offered(hub))
    assert len(asked_for_pictures(hub)) == 1


def test_what_is_gone_has_no_gallery(hub: Civitai, client: Client) -> None:
    version = offered(hub)
    hub.models[version["modelId"]]["mode"] = "Archived"
    assert listed(client, version)[0].examples == ()
    assert asked_for_pictures(hub) == []


def test_many_models_at_once_come_without_examples(hub: Civitai, client: Client) -> None:
    version = offered(hub, hub.image(meta=META))
    ref = hubs.parse(f"civitai:{version['modelId']}")
    digest = version["files"][0]["hashes"]["SHA256"].lower()
    found = [*client.search(Search("kip")), *client.latest([ref])[ref], *dict(client.by_sha256([digest]))[digest]]
    assert {one.examples for one in found} == {()}
    assert asked_for_pictures(hub) == []


def test_examples_are_shown_and_not_kept(hub: Civitai, client: Client) -> None:
    assert "Euler" not in str(said(listed(client, offered(hub, hub.image(meta=META)))[0]))


def test_galleries_of_any_form_are_understood(network: Network, tmp_path: Path) -> None:
    with Civitai(seed=11) as hub:
        version = offered(hub)
        hub.post(version, *(hub.image(meta=META) for _ in range(5)))
        for _ in range(5):
            found = asking(hub, network, tmp_path).listings(hubs.parse(f"civitai:{version['modelId']}"))
            assert (len(found[0].previews), found[0].examples) == (5, (TOLD,))
