"""What counts as held: what the catalog knows, and whose file is there."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.hubs import HubRef, Listing, RemoteFile
from modelhub.kinds import Artifact
from modelhub.pull import Held, Offer, Wish, holdings, room
from modelhub.pull._incoming import incoming
from tests import tables

REF = HubRef("civitai", "12", "34", "56")


@pytest.fixture
def kip(catalog: Catalog, tmp_path: Path) -> Artifact:
    held = catalog.add(tables.write(tmp_path / "kip.safetensors", tables.tiny_lora()))
    catalog.sha256(held)
    return catalog.artifact(held.id)


@pytest.fixture
def offer(kip: Artifact) -> Offer:
    """Of the very bytes of `kip`."""
    file = RemoteFile("kip.safetensors", "56", size=kip.size, digests={"sha256": kip.digests["sha256"]})
    return Offer(Wish(REF), Listing(REF, "kip", (file,)))


def test_equal_bytes_are_held_wherever_they_came_from(catalog: Catalog, kip: Artifact, offer: Offer) -> None:
    assert holdings(catalog, [offer]) == Held(by_sha256={kip.digests["sha256"]: kip.id})


def test_what_came_from_there_is_held_with_what_was_claimed_then(catalog: Catalog, kip: Artifact, offer: Offer) -> None:
    catalog.sources.note(kip.id, REF, {"claimed_sha256": "cd" * 32})
    held = holdings(catalog, [offer])
    assert (held.by_ref, held.claimed) == ({str(REF): kip.id}, {str(REF): "cd" * 32})


def test_what_is_missing_is_not_held(catalog: Catalog, kip: Artifact, offer: Offer) -> None:
    catalog.sources.note(kip.id, REF, {})
    kip.path.unlink()
    held = holdings(catalog, [offer])
    assert (held.by_sha256, held.by_ref) == ({}, {})


def test_what_was_removed_is_not_held(catalog: Catalog, kip: Artifact, offer: Offer) -> None:
    catalog.sources.note(kip.id, REF, {})
    catalog.remove(kip.id)
    assert holdings(catalog, [offer]) == Held()


def test_what_was_converted_is_held_rather_than_what_is_under_quarantine(
    catalog: Catalog, kip: Artifact, offer: Offer
) -> None:
    place = catalog.workspace.quarantine / "lora" / "old.safetensors"
    pickle = catalog.add(tables.write(place, tables.tiny_lora(rank=2)))
    for one in (pickle, kip):
        catalog.sources.note(one.id, REF, {})
    assert holdings(catalog, [offer]).by_ref == {str(REF): kip.id}


def test_what_has_come_already_needs_no_room(catalog: Catalog, offer: Offer) -> None:
    assert offer.listing
    part = incoming(catalog.workspace, offer.listing) / "kip.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 5_000)
    assert room(catalog.workspace, [offer], free=lambda _: 1_000_000) == 1_005_000
