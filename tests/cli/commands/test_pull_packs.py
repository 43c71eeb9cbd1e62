"""`modelhub pull pack:NAME`: the files of a pack, and only with the bytes that it pins."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelhub.packs import read_pack
from tests import tables
from tests.cli.conftest import Run
from tests.servers.huggingface import HuggingFace

PACK = "pack:controlnet-sd15"
CANNY, TILE = "control_v11p_sd15_canny_fp16.safetensors", "control_v11f1e_sd15_tile_fp16.safetensors"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HuggingFace]:
    """Of the pack's files it has two, with bytes of its own; the pack pins those of one."""
    with HuggingFace() as hub:
        for name, value in hub.environ.items():
            monkeypatch.setenv(name, value)
        files = [tables.write(tmp_path / name, tables.tiny_lora()) for name in (CANNY, TILE)]
        repository = read_pack(PACK).wishes[0].ref.model
        hub.put(repository, {one.name: one.read_bytes() for one in files}, card={"license": "openrail"})
        yield hub


def test_a_pack_brings_its_models_and_refuses_other_bytes_than_it_pins(run: Run, hub: HuggingFace) -> None:
    ran = run("pull", PACK, "-y", "--json")
    assert ran.code == 5
    assert [one["artifact"]["name"] for one in ran.json["pulled"]] == [Path(TILE).stem]
    failed = {one["ref"].rpartition("/")[2]: one["code"] for one in ran.json["failed"]}
    assert failed.pop(CANNY) == "broken-file"
    assert set(failed.values()) == {"not-offered"}


def test_a_pack_is_a_plan_before_it_is_a_download(run: Run, hub: HuggingFace) -> None:
    ran = run("pull", PACK, "--dry-run", "--json")
    assert [one["files"][0]["path"] for one in ran.json["fetch"]] == [TILE]
    assert ran.json["fetch"][0]["licence"]["name"] == "openrail"
    assert hub.storage.requests == []


def test_a_pack_that_is_not_there_names_those_that_are(run: Run) -> None:
    ran = run("pull", "pack:sd9")
    assert ran.code == 2
    assert "pack:sd15" in ran.err
