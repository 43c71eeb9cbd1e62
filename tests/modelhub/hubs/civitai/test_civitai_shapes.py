"""Answers become listings, in whichever year's form they come."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.hubs import Gate, HubRef, Listing, Scan
from modelhub.hubs._said import said
from modelhub.hubs.civitai._shapes import best_first, listings, newest_first
from modelhub.kinds import Kind
from modelhub.licences import Answer
from tests.servers.civitai_shapes import drifted

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = "https://civitai.com"
SHA = "AB" * 32
FILE: dict[str, Any] = {
    "id": 56,
    "name": "kip.safetensors",
    "type": "Model",
    "sizeKB": 144.5,
    "primary": True,
    "metadata": {"format": "SafeTensor", "size": "pruned", "fp": "fp16"},
    "hashes": {"SHA256": SHA, "AutoV2": SHA[:10], "AutoV3": "CDEF01234567", "CRC32": "85114A0D"},
    "pickleScanResult": "Success",
    "virusScanResult": "Success",
}
VERSION: dict[str, Any] = {
    "id": 34,
    "name": "v2",
    "baseModel": "SDXL 1.0",
    "status": "Published",
    "publishedAt": "2025-06-01T10:00:00.000Z",
    "trainedWords": ["kip, robot <lora:kip:1>", "red scarf"],
    "stats": {"downloadCount": 7},
    "images": [
        {"url": "https://image.civitai.com/a/original=true/1.jpeg", "width": 512, "height": 768, "nsfwLevel": 4}
    ],
    "files": [FILE],
}
MODEL: dict[str, Any] = {
    "id": 12,
    "name": "Kip",
    "type": "LORA",
    "nsfw": False,
    "tags": ["robot"],
    "description": "<p>A <b>robot</b><script>alert(1)</script></p>",
    "creator": {"username": "ada"},
    "allowNoCredit": False,
    "allowCommercialUse": ["Image"],
    "allowDerivatives": True,
    "allowDifferentLicense": False,
    "modelVersions": [VERSION],
}


def listed(model: dict[str, Any] | None = None, **version: Any) -> tuple[Listing, ...]:
    return listings(MODEL if model is None else model, {**VERSION, **version}, site=SITE, now=NOW)


def one(model: dict[str, Any] | None = None, **version: Any) -> Listing:
    return listed(model, **version)[0]


def with_file(**fields: Any) -> Listing:
    return one(files=[{**FILE, **fields}])


def test_a_version_says_all_that_a_person_asks() -> None:
    found = one()
    assert found.ref == HubRef("civitai", "12", "34", "56")
    assert (found.name, found.title, found.version, found.creator) == ("kip", "Kip", "v2", "ada")
    assert (found.kind, found.family, found.base) == (Kind.LORA, "sdxl", "SDXL 1.0")
    assert (found.precision, found.format, found.pruned) == ("fp16", "safetensors", True)
    assert (found.trigger_words, found.tags) == (("kip, robot", "red scarf"), ("robot",))
    assert (found.description, found.downloads, found.gate) == ("A robot", 7, Gate.OPEN)
    assert found.published_at == datetime(2025, 6, 1, 10, tzinfo=UTC)
    assert found.page == "https://civitai.com/models/12?modelVersionId=34"
    assert [(each.width, each.height, each.nsfw_level) for each in found.previews] == [(512, 768, 4)]


def test_a_files_size_is_about_right_and_its_digests_are_lower_case() -> None:
    (file,) = one().files
    assert (file.path, file.key, file.size, file.about) == ("kip.safetensors", "56", None, 147968)
    assert file.digests == {"sha256": SHA.lower(), "autov2": SHA[:10].lower(), "autov3": "cdef01234567"}
    assert file.scan is Scan.SAFE


def test_what_is_kept_of_it_reads_as_sidecars_do() -> None:
    kept = said(one())
    assert {
        "name": "Kip",
        "version": "v2",
        "base_model": "SDXL 1.0",
        "creator": "ada",
        "heard": "hub",
    }.items() <= kept.items()
    assert (kept["file"], kept["claimed_sha256"], kept["type"]) == ("kip.safetensors", SHA.lower(), "lora")
    assert kept["licence"]["sell_images"] == "yes"


@pytest.mark.parametrize(
    "worthless", ["0" * 64, "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "no", 7]
)
def test_a_digest_that_stands_for_no_bytes_is_none(worthless: object) -> None:
    found = with_file(hashes={"SHA256": worthless, "AutoV3": "e3b0c44298fc", "AutoV2": "0" * 10, 5: None})
    assert found.files[0].digests == {}


@pytest.mark.parametrize(
    ("pickle", "virus", "scan"),
    [
        ("Success", "Success", Scan.SAFE),
        ("Success", "Pending", Scan.PENDING),
        ("Danger", "Pending", Scan.DANGER),
        ("Success", "Error", Scan.DANGER),
        ("Success", None, Scan.UNKNOWN),
        ("Brilliant", "Success", Scan.UNKNOWN),
    ],
)
def test_the_worse_scan_counts(pickle: object, virus: object, scan: Scan) -> None:
    found = with_file(pickleScanResult=pickle, virusScanResult=virus, pickleScanMessage="os.system")
    assert (found.files[0].scan, found.files[0].scan_said) == (scan, "os.system")


def test_the_best_file_comes_first_and_two_of_one_name_are_told_apart() -> None:
    files = [
        {**FILE, "id": 1, "name": "kip.ckpt", "metadata": {"format": "PickleTensor"}},
        {**FILE, "id": 2, "metadata": {"format": "SafeTensor", "size": "pruned", "fp": "fp8"}},
        {**FILE, "id": 3, "metadata": {"format": "SafeTensor", "size": "full", "fp": "fp16"}},
        {**FILE, "id": 4, "primary": None},
        {**FILE, "id": 5, "name": "kip.vae.safetensors", "type": "VAE"},
    ]
    found = listed(files=files)
    assert [each.ref.file for each in found] == ["4", "2", "3", "1", "5"]
    assert [each.name for each in found] == ["kip", "kip-2", "kip-3", "kip-1", "kip.vae"]
    assert found[-1].kind is Kind.VAE


@pytest.mark.parametrize(
    ("type", "name"),
    [
        ("Training Data", "x.safetensors"),
        ("Config", "x.yaml"),
        ("Archive", "x.zip"),
        ("Workflow", "x.bin"),
        ("Model", "x.zip"),
    ],
)
def test_what_is_no_model_is_not_listed(type: str, name: str) -> None:
    assert listed(files=[{**FILE, "type": type, "name": name}]) == ()


def test_a_name_that_leads_out_of_its_folder_is_made_harmless() -> None:
    found = with_file(name="..\\../etc/\x1b[31mNUL.safetensors")
    assert (found.files[0].path, found.name) == ("NUL_.safetensors", "NUL_")


@pytest.mark.parametrize(
    ("version", "gate", "says"),
    [
        ({"paidAccess": {"permanent": False, "endsAt": "2026-02-01T00:00:00Z"}}, Gate.EARLY_ACCESS, "until 2026-02-01"),
        ({"paidAccess": {"permanent": True, "endsAt": None}}, Gate.EARLY_ACCESS, "for good"),
        ({"paidAccess": {}, "availability": "EarlyAccess"}, Gate.EARLY_ACCESS, "those who pay"),
        ({"paidAccess": {"permanent": False, "endsAt": "2025-02-01T00:00:00Z"}}, Gate.OPEN, ""),
        ({"earlyAccessEndsAt": "2026-02-01T00:00:00.000Z"}, Gate.EARLY_ACCESS, "until 2026-02-01"),
        ({"earlyAccessDeadline": "2025-02-01T00:00:00.000Z"}, Gate.OPEN, ""),
        ({"earlyAccessTimeFrame": 7, "publishedAt": "2025-12-30T00:00:00Z"}, Gate.EARLY_ACCESS, "until 2026-01-06"),
        ({"availability": "Private"}, Gate.APPROVAL, "private"),
        ({"usageControl": "Generation"}, Gate.NO_DOWNLOAD, "at Civitai only"),
        ({"requireAuth": True}, Gate.TOKEN, "logged in"),
        ({"paidAccess": None, "usageControl": "Download"}, Gate.OPEN, ""),
    ],
)
def test_every_years_word_for_a_gate_is_understood(version: dict[str, Any], gate: Gate, says: str) -> None:
    found = one(**version)
    assert found.gate is gate
    assert says in found.gate_said


@pytest.mark.parametrize("mode", ["Archived", "TakenDown"])
def test_what_is_gone_is_listed_without_a_file(mode: str) -> None:
    found = one({**MODEL, "mode": mode}, files=[], images=[])
    assert (found.gate, found.files, found.ref) == (Gate.GONE, (), HubRef("civitai", "12", "34"))


@pytest.mark.parametrize("told", [["Image", "RentCivit"], "{Image,RentCivit}", "Image", "Sell"])
def test_every_form_of_the_permissions_is_understood(told: object) -> None:
    licence = one({**MODEL, "allowCommercialUse": told}, baseModel="Other").licence
    assert licence.sell_images is Answer.YES
    assert licence.must_credit is Answer.YES


def test_permissions_that_are_not_told_are_unknown() -> None:
    assert one({"id": 12}, baseModel=None).licence.sell_images is Answer.UNKNOWN


def test_a_film_is_told_from_a_picture_and_an_odd_address_is_dropped() -> None:
    images = [
        {"url": "https://x/1.mp4"},
        {"url": "https://x/2", "type": "video"},
        {"url": "javascript:x"},
        {"url": 5},
        None,
    ]
    assert [each.is_film for each in one(images=images).previews] == [True, True]


def test_versions_go_by_their_day_and_open_ones_come_first() -> None:
    days = {1: "2025-01-01", 2: "2025-03-01", 3: "2025-02-01", 4: "2025-04-01"}
    each = [{"id": number, "publishedAt": f"{day}T00:00:00Z", "status": "Published"} for number, day in days.items()]
    each[1]["paidAccess"] = {"permanent": True}
    each[3]["status"] = "Draft"
    model = {"modelVersions": each}
    assert [one["id"] for one in newest_first(model)] == [2, 3, 1]
    assert [one["id"] for one in best_first(model, NOW)] == [3, 1, 2]


def test_a_version_alone_knows_its_model() -> None:
    alone = {
        **VERSION,
        "modelId": 12,
        "model": {"name": "Kip", "type": "LORA", "nsfw": True, "mode": "Archived"},
        "files": [],
    }
    (found,) = listings({}, alone, site=SITE, now=NOW)
    assert (found.title, found.kind, found.nsfw, found.gate) == ("Kip", Kind.LORA, True, Gate.GONE)


@given(st.integers())
def test_no_form_of_an_answer_loses_the_file(seed: int) -> None:
    model = drifted(MODEL, random.Random(seed))
    (found,) = listings(model, model["modelVersions"][0], site=SITE, now=NOW)
    assert (found.ref, found.files[0].path) == (HubRef("civitai", "12", "34", "56"), "kip.safetensors")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(sorted(MODEL)), JSON),
    st.dictionaries(st.sampled_from([*sorted(VERSION), "model", "paidAccess", "usageControl", "modelId"]), JSON),
    st.dictionaries(st.sampled_from(sorted(FILE)), JSON),
)
def test_nothing_that_a_hub_may_say_breaks_it(model: Any, version: Any, file: Any) -> None:
    for each in ({**VERSION, **version}, {**VERSION, "files": [{**FILE, **file}]}):
        for found in listings({**MODEL, **model}, each, site=SITE, now=NOW):
            assert found.name
            assert "/" not in found.name
            said(found)
    newest_first({"modelVersions": [version]})
