"""Missing digests are computed once, kept as each file is done, and dropped when the file changed meanwhile."""

from pathlib import Path

from modelhub.catalog import Catalog
from modelhub.digests import Hashed, file_digests, hash_files
from modelhub.fingerprint import Fingerprint
from modelhub.jobs import drain
from modelhub.upkeep.scan.hashing import hash_missing
from tests import tables


def lora(path: Path, *, fill: int = 0) -> Path:
    return tables.write(path, tables.tiny_lora(), fill=fill)


def test_every_model_gets_its_digests_once(catalog: Catalog, tmp_path: Path) -> None:
    paths = [lora(tmp_path / f"{fill}.safetensors", fill=fill) for fill in range(3)]
    for path in paths:
        catalog.add(path)
    assert drain(hash_missing(catalog, workers=2)).hashed == 3
    assert {one.path: one.digests for one in catalog.list()} == {path: file_digests(path) for path in paths}
    assert drain(hash_missing(catalog)).hashed == 0


def test_a_lora_gets_its_autov3_and_a_checkpoints_sized_kind_does_not(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "kip.safetensors"))
    catalog.add(tables.write(tmp_path / "unet.safetensors", tables.diffusers_unet(channels=320)))
    assert catalog.artifact(2).facts.kind == "unet"
    drain(hash_missing(catalog))
    assert "autov3" in catalog.artifact(1).digests
    assert "autov3" not in catalog.artifact(2).digests


def test_one_of_two_places_is_read(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    (tmp_path / "link.safetensors").hardlink_to(path)
    catalog.add(path)
    catalog.add(tmp_path / "link.safetensors")
    assert drain(hash_missing(catalog)).hashed == 1


def test_what_fails_is_told_and_the_rest_is_done(catalog: Catalog, tmp_path: Path) -> None:
    gone = lora(tmp_path / "gone.safetensors")
    catalog.add(gone)
    catalog.add(lora(tmp_path / "kip.safetensors", fill=1))
    gone.unlink()
    report = drain(hash_missing(catalog))
    assert (report.hashed, [path for path, _ in report.failed]) == (1, [gone])


def test_digests_of_a_file_that_changed_meanwhile_are_dropped(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path)
    done = next(event for event in hash_files([path]) if isinstance(event, Hashed))
    assert done.seen is not None
    older = Fingerprint(done.seen.size, done.seen.mtime_ns - 1, done.seen.file_key)
    assert not catalog.files.note_digests(path, older, done.digests)
    assert catalog.artifact(1).digests == {}
    assert catalog.files.note_digests(path, done.seen, done.digests)


def test_what_was_done_before_a_stop_stays(catalog: Catalog, tmp_path: Path) -> None:
    for fill in range(4):
        catalog.add(lora(tmp_path / f"{fill}.safetensors", fill=fill))
    job = hash_missing(catalog, workers=1)
    next(job)
    next(job)
    job.close()  # type: ignore[attr-defined]
    kept = sum(bool(one.digests) for one in catalog.list())
    assert kept >= 1
    assert drain(hash_missing(catalog)).hashed == 4 - kept
