"""Packs name real addresses, and ship with the package."""

import re
from importlib import resources
from pathlib import Path

import pytest

from modelhub import hubs
from modelhub.errors import BadValue
from modelhub.packs import PREFIX, packs, read_pack

DIGEST = re.compile("[0-9a-f]{64}")


def test_the_packs_are_named_in_order() -> None:
    assert packs() == ("controlnet-sd15", "sd15", "sdxl", "upscalers", "vae")


@pytest.mark.parametrize("name", packs())
def test_every_wish_is_one_file_at_a_hub(name: str) -> None:
    pack = read_pack(PREFIX + name)
    assert pack == read_pack(name)
    assert pack.title
    assert pack.size > 0
    for wish in pack.wishes:
        assert hubs.parse(str(wish.ref)) == wish.ref
        assert wish.ref.file
        assert wish.ref.file.endswith(".safetensors")


@pytest.mark.parametrize("name", packs())
def test_digests_are_of_the_files_that_are_asked_for(name: str) -> None:
    for wish in read_pack(name).wishes:
        assert set(wish.sha256) <= {Path(wish.ref.file or "").name}
        assert all(DIGEST.fullmatch(one) for one in wish.sha256.values())


@pytest.mark.parametrize("name", packs())
def test_no_two_wishes_of_a_pack_are_alike(name: str) -> None:
    wishes = read_pack(name).wishes
    assert len({wish.ref for wish in wishes}) == len(wishes)
    names = [wish.name for wish in wishes if wish.name]
    assert len(set(names)) == len(names)


def test_all_fourteen_models_of_controlnet_1_1_are_there() -> None:
    assert len(read_pack("controlnet-sd15").wishes) == 14


def test_the_same_file_has_the_same_digest_in_every_pack() -> None:
    told: dict[hubs.HubRef, set[str]] = {}
    for wish in (wish for name in packs() for wish in read_pack(name).wishes if wish.sha256):
        told.setdefault(wish.ref, set()).update(wish.sha256.values())
    assert all(len(digests) == 1 for digests in told.values())


def test_a_pack_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(BadValue, match="no pack 'sd9'") as caught:
        read_pack("pack:sd9")
    assert "pack:sd15" in str(caught.value.mend)


def test_the_tables_lie_where_an_installed_package_finds_them() -> None:
    assert resources.files("modelhub.packs").joinpath("sd15.toml").is_file()
    assert resources.files("modelhub.licences").joinpath("known.toml").is_file()
