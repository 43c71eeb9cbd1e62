"""What is taken of a repository that diffusers wrote is what diffusers loads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline

from modelhub import hubs
from modelhub.headers import read_table
from modelhub.hubs import Hub, Listing
from modelhub.jobs import drain
from modelhub.network import Network
from modelhub.transfer import Wanted, fetch
from tests import tiny
from tests.servers.huggingface import HuggingFace

_SAVED: dict[str, list[dict[str, Any]]] = {
    "whole": [{}],
    "half": [{"variant": "fp16"}],
    "both": [{}, {"variant": "fp16"}],
    "shards": [{"max_shard_size": "20KB"}, {"max_shard_size": "20KB", "variant": "fp16"}],
    "pickles too": [{"safe_serialization": False}, {}],
}


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    without = dict.fromkeys(("tokenizer", "safety_checker", "feature_extractor"))
    scheduler = DDIMScheduler(steps_offset=1, clip_sample=False)
    modules = {role: module.half() for role, module in tiny.models().items()}
    return StableDiffusionPipeline(**modules, **without, scheduler=scheduler, requires_safety_checker=False)


def _read(folder: Path) -> dict[str, bytes | None]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _bring(hub: Hub, listing: Listing, to: Path) -> Path:
    with Network(allow=["127.0.0.1"]) as network:
        for file in listing.files:
            place = to / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            wanted = Wanted(
                file.key,
                place,
                lambda file=file: hub.locate(listing, file),  # type: ignore[misc]
                file.size,
                file.digests.get("sha256"),
                weights="sha256" in file.digests,
            )
            drain(fetch(wanted, network=network))
    return to


@pytest.mark.parametrize("saved", _SAVED.values(), ids=_SAVED)
def test_every_variant_of_a_pipeline_loads(
    saved: list[dict[str, Any]],
    pipeline: StableDiffusionPipeline,
    server: HuggingFace,
    connect: Callable[..., Hub],
    tmp_path: Path,
) -> None:
    for how in saved:
        pipeline.save_pretrained(tmp_path / "saved", **how)
    server.put("kip/kip", _read(tmp_path / "saved"))
    hub = connect()
    offered = hub.listings(hubs.parse("hf:kip/kip"))
    assert [one.precision for one in offered] == [how.get("variant", "") for how in saved[::-1]][: len(offered)]
    for one in offered:
        folder = _bring(hub, one, tmp_path / "got" / (one.precision or "full"))
        loaded = StableDiffusionPipeline.from_pretrained(
            folder, variant=one.precision or None, local_files_only=True, tokenizer=None
        )
        assert sum(part.numel() for part in loaded.unet.parameters()) == sum(
            part.numel() for part in pipeline.unet.parameters()
        )
        assert read_table(folder).container == "diffusers"
        assert {path.suffix for path in folder.rglob("*.*") if path.is_file()} <= {".json", ".safetensors"}


def test_a_component_alone_loads(
    pipeline: StableDiffusionPipeline, server: HuggingFace, connect: Callable[..., Hub], tmp_path: Path
) -> None:
    pipeline.save_pretrained(tmp_path / "saved")
    server.put("kip/kip", _read(tmp_path / "saved"))
    hub = connect()
    (one,) = hub.listings(hubs.parse("hf:kip/kip/vae"))
    AutoencoderKL.from_pretrained(_bring(hub, one, tmp_path / "vae"), local_files_only=True)
