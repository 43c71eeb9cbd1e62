"""Models are recognised by their digests; what was heard once is never lost again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.errors import Unreachable
from modelhub.hubs import Access, Hub, connect
from modelhub.jobs import Job, Notice, drain
from modelhub.kinds import Artifact
from modelhub.network import Network
from modelhub.tokens import TokenStore
from modelhub.upkeep.recognise import Asking, RecognisedReport, planned, recognise
from tests import tables
from tests.servers.civitai import Civitai


@pytest.fixture
def server() -> Iterator[Civitai]:
    with Civitai() as running:
        yield running


@pytest.fixture
def hub(server: Civitai, tmp_path: Path) -> Iterator[Hub]:
    with Network(allow=("127.0.0.1",), sleep=lambda _: None) as network:
        yield connect("civitai", Access(network, TokenStore({}, tmp_path), server.settings))


@pytest.fixture
def kip(catalog: Catalog, tmp_path: Path) -> Artifact:
    """A LoRA that the hub knows, as soon as it is offered."""
    return catalog.add(tables.write(tmp_path / "kip.safetensors", tables.tiny_lora()))


def offered(server: Civitai, artifact: Artifact, **version: Any) -> dict[str, Any]:
    """The hub offers these very bytes; returns the model."""
    model = server.model(name="Kip the robot")
    server.version(model, files=[server.file(artifact.path.read_bytes())], **{"trainedWords": ["kip"], **version})
    return model


def asked(catalog: Catalog, hub: Hub, *wanted: Artifact, again: bool = False) -> RecognisedReport:
    return drain(recognise(catalog, hub, planned(catalog, "civitai", wanted or None, again=again)))


def notices(job: Job[Any]) -> list[str]:
    return [event.message for event in job if isinstance(event, Notice)]


def test_a_model_is_recognised_and_what_the_hub_says_is_kept(
    catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact
) -> None:
    model = offered(server, kip)
    (found,) = asked(catalog, hub).recognised
    assert (found.id, found.title, found.trigger_words) == (kip.id, "Kip the robot", ("kip",))
    (source,) = catalog.sources.of(kip.id)
    assert source.ref.startswith(f"civitai:{model['id']}@")
    assert (source.said["creator"], source.said["heard"]) == ("ada", "hub")
    assert catalog.artifact(kip.id).trigger_words == ("kip",)


def test_only_digests_leave_the_machine(catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact) -> None:
    asked(catalog, hub)
    assert [request.body for request in server.requests] == [[catalog.sha256(kip).upper()]]


def test_every_version_that_shares_the_bytes_becomes_a_source(
    catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact
) -> None:
    offered(server, kip, publishedAt="2025-01-02T00:00:00Z")
    first = offered(server, kip, publishedAt="2025-01-01T00:00:00Z")
    (found,) = asked(catalog, hub).recognised
    assert len(found.refs) == 2
    assert found.refs[0].startswith(f"civitai:{first['id']}@")


def test_what_is_known_or_ours_or_shipped_is_not_asked_for(
    catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact, tmp_path: Path
) -> None:
    offered(server, kip)
    asked(catalog, hub)
    mine = catalog.add(tables.write(tmp_path / "mine.safetensors", tables.tiny_lora(), fill=1))
    catalog.finish_run(catalog.begin_run("train", {}), outputs=[mine.id])
    catalog.add(starter.CHECKPOINT)
    assert planned(catalog, "civitai") == Asking()


def test_a_note_beside_a_file_does_not_count_as_known(catalog: Catalog, kip: Artifact) -> None:
    catalog.sources.note(kip.id, "civitai:12@34", {"name": "somebody's word"})
    assert planned(catalog, "civitai").artifacts == (catalog.artifact(kip.id),)


def test_what_the_hub_does_not_know_rests_for_a_month(catalog: Catalog, hub: Hub, kip: Artifact) -> None:
    assert asked(catalog, hub).unknown == (kip.id,)
    assert planned(catalog, "civitai") == Asking(resting=1)
    assert planned(catalog, "civitai", again=True).artifacts
    assert planned(catalog, "civitai", now=datetime.now(UTC) + timedelta(days=31)).artifacts


def test_a_stop_keeps_what_was_heard(catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact) -> None:
    second = catalog.add(tables.write(kip.path.with_name("two.safetensors"), tables.tiny_lora(), fill=2))
    offered(server, second)
    job = recognise(catalog, hub, planned(catalog, "civitai"))
    while not catalog.sources.of(second.id):
        next(job)
    job.close()  # type: ignore[attr-defined]
    assert planned(catalog, "civitai").artifacts == (catalog.artifact(kip.id),)


def test_a_hub_that_fails_is_an_error_and_nothing_is_called_unknown(
    catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact
) -> None:
    for _ in range(6):
        server.once("/api/v1", 503)
    with pytest.raises(Unreachable):
        asked(catalog, hub)
    assert planned(catalog, "civitai").artifacts


def test_what_a_hub_says_against_the_file_is_told(catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact) -> None:
    model = offered(server, kip, baseModel="SDXL 1.0")
    model["type"] = "Checkpoint"
    said = notices(recognise(catalog, hub, planned(catalog, "civitai")))
    assert len(said) == 2
    assert "calls it a checkpoint, by its tensors it is a lora" in said[0]
    assert "for SDXL 1.0, it is for sd1" in said[1]


def test_what_was_deleted_keeps_its_words_and_is_marked_once(
    catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact
) -> None:
    model = offered(server, kip)
    asked(catalog, hub)
    server.models.clear()
    report = asked(catalog, hub, again=True)
    (source,) = catalog.sources.of(kip.id)
    assert report.gone == (source.ref,)
    assert source.said["name"] == "Kip the robot"
    assert source.gone_at
    asked(catalog, hub, again=True)
    assert catalog.sources.of(kip.id)[0].gone_at == source.gone_at
    server.models[model["id"]] = model
    assert asked(catalog, hub, again=True).refreshed == 1
    assert catalog.sources.of(kip.id)[0].gone_at is None


def test_what_was_archived_keeps_its_digest(catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact) -> None:
    model = offered(server, kip)
    asked(catalog, hub)
    model["mode"] = "Archived"
    assert asked(catalog, hub, again=True).gone
    (source,) = catalog.sources.of(kip.id)
    assert (source.said["gate"], source.said["claimed_sha256"]) == ("gone", catalog.sha256(kip))


def test_what_the_author_relabels_is_heard(catalog: Catalog, server: Civitai, hub: Hub, kip: Artifact) -> None:
    model = offered(server, kip)
    asked(catalog, hub)
    model["modelVersions"][0]["baseModel"] = "Illustrious"
    assert asked(catalog, hub, again=True).refreshed == 1
    assert catalog.sources.of(kip.id)[0].said["base_model"] == "Illustrious"


def test_a_file_that_cannot_be_read_is_named(catalog: Catalog, hub: Hub, kip: Artifact) -> None:
    kip.path.unlink()
    report = asked(catalog, hub)
    assert [path for path, _ in report.failed] == [kip.path]
    assert report.unknown == ()
