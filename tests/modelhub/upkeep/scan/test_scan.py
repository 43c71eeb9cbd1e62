"""The catalog follows what happens on the disks, whatever that is, and nothing but the catalog is written."""

import json
import os
import shutil
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelhub.catalog import Catalog, scanned
from modelhub.errors import BadValue, Interrupted, MissingFile
from modelhub.jobs import Cancel, Done, Notice, Progress, drain
from modelhub.kinds import Kind
from modelhub.upkeep.scan import ScanReport, scan
from modelhub.workspace import Workspace
from tests import tables


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def lora(path: Path, *, fill: int = 0, metadata: Mapping[str, str] | None = None) -> Path:
    return tables.write(path, tables.tiny_lora(), metadata, fill=fill)


def scanning(catalog: Catalog, *roots: Path, dry_run: bool = False) -> ScanReport:
    return drain(scan(catalog, roots, dry_run=dry_run))


def told(report: ScanReport) -> dict[str, object]:
    """What is not empty, by the names of the files."""
    sorts = ("new", "copies", "moved", "changed", "returned", "reread", "missing", "failed", "unreachable")
    counts = ("unchanged", "skipped")
    named = {sort: [one.path.name for one in getattr(report, sort)] for sort in sorts}
    every = {**named, **{count: getattr(report, count) for count in counts}}
    return {name: value for name, value in every.items() if value}


def held(catalog: Catalog) -> dict[str, tuple[int, str]]:
    """Path -> catalog ID and state."""
    return {str(at.path): (one.id, at.state) for one in catalog.list() for at in one.locations}


def test_new_files_are_registered_where_they_lie(catalog: Catalog, root: Path) -> None:
    paths = [lora(root / "kip.safetensors"), lora(root / "deep" / "模型.safetensors", fill=1)]
    report = scanning(catalog, root)
    assert sorted((one.name, one.kind, one.family) for one in report.new) == [
        ("kip", Kind.LORA, "sd1"),
        ("模型", Kind.LORA, "sd1"),
    ]
    assert sorted(held(catalog)) == sorted(map(str, paths))
    assert told(scanning(catalog, root)) == {"unchanged": 2}


def test_a_scan_leaves_every_byte_and_time_as_it_was(catalog: Catalog, root: Path) -> None:
    lora(root / "kip.safetensors")
    lora(root / "copy.safetensors")
    (root / "kip.json").write_text('{"activation text": "kip"}')
    before = {path: (path.stat(), path.read_bytes()) for path in root.iterdir()}
    scanning(catalog, root)
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in root.iterdir()} == {
        path: (there.st_mtime_ns, content) for path, (there, content) in before.items()
    }


def test_a_moved_file_keeps_its_id_name_and_tags(catalog: Catalog, root: Path) -> None:
    path = lora(root / "kip.safetensors")
    scanning(catalog, root)
    catalog.rename(1, "robot")
    catalog.tag(1, "mine")
    (root / "sorted").mkdir()
    path.rename(root / "sorted" / "kop.safetensors")
    report = scanning(catalog, root)
    assert told(report) == {"moved": ["kop.safetensors"]}
    assert report.moved[0].was == path
    one = catalog.artifact(1)
    assert (one.name, one.tags, set(one.aliases)) == ("robot", ("mine",), {"kip", "kop"})
    assert held(catalog) == {str(root / "sorted" / "kop.safetensors"): (1, "present")}


def test_a_file_that_is_copied_with_its_time_and_deleted_has_moved(catalog: Catalog, root: Path) -> None:
    path = lora(root / "a" / "kip.safetensors")
    scanning(catalog, root)
    (root / "b").mkdir()
    shutil.copy2(path, root / "b")
    path.unlink()
    assert told(scanning(catalog, root)) == {"moved": ["kip.safetensors"]}


def test_a_folder_that_is_renamed_moves_all_in_it(catalog: Catalog, root: Path) -> None:
    for fill in range(3):
        lora(root / "old" / f"{fill}.safetensors", fill=fill)
    scanning(catalog, root)
    (root / "old").rename(root / "new")
    assert len(scanning(catalog, root).moved) == 3
    assert {number for number, _ in held(catalog).values()} == {1, 2, 3}


def test_a_file_moves_from_one_root_to_another_that_alone_is_scanned(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "a" / "kip.safetensors")
    lora(tmp_path / "a" / "other.safetensors", fill=1)
    (tmp_path / "b").mkdir()
    scanning(catalog, tmp_path / "a")
    path.rename(tmp_path / "b" / "kip.safetensors")
    assert told(scanning(catalog, tmp_path / "b")) == {"moved": ["kip.safetensors"]}
    assert told(scanning(catalog)) == {"unchanged": 2}


def test_a_file_that_is_moved_to_a_name_that_is_no_text_is_reported(catalog: Catalog, root: Path) -> None:
    path = lora(root / "a.safetensors")
    lora(root / "b.safetensors", fill=1)
    scanning(catalog, root)
    path.rename(root / os.fsdecode(b"a\xff.safetensors"))
    for _ in range(2):
        report = scanning(catalog, root)
        assert (len(report.failed), report.unchanged, report.moved) == (1, 1, ())
    assert held(catalog)[str(path)] == (1, "missing")


def test_what_was_known_of_the_bytes_goes_when_a_moved_file_was_touched_and_stays_when_not(
    catalog: Catalog, root: Path
) -> None:
    path = lora(root / "a.safetensors")
    scanning(catalog, root)
    catalog.sha256(catalog.artifact(1))
    path = path.rename(root / "b.safetensors")
    assert told(scanning(catalog, root)) == {"moved": ["b.safetensors"]}
    assert catalog.artifact(1).digests
    path = path.rename(root / "c.safetensors")
    os.utime(path, ns=(5, 5))
    assert told(scanning(catalog, root)) == {"moved": ["c.safetensors"]}
    assert (catalog.artifact(1).digests, catalog.artifact(1).locations[0].mtime_ns) == ({}, 5)


def test_a_changed_file_is_identified_anew(catalog: Catalog, root: Path) -> None:
    path = lora(root / "kip.safetensors")
    scanning(catalog, root)
    catalog.sha256(catalog.artifact(1))
    tables.write(path, tables.ldm_vae(width=1))
    assert told(scanning(catalog, root)) == {"changed": ["kip.safetensors"]}
    one = catalog.artifact(1)
    assert (one.facts.kind, one.digests, one.size) == (Kind.VAE, {}, path.stat().st_size)


def test_a_missing_file_is_marked_and_comes_back_as_itself(catalog: Catalog, root: Path, tmp_path: Path) -> None:
    path = lora(root / "kip.safetensors")
    lora(root / "other.safetensors", fill=1)
    scanning(catalog, root)
    path.rename(tmp_path / "away")
    report = scanning(catalog, root)
    assert (told(report), report.missing[0].name) == ({"missing": ["kip.safetensors"], "unchanged": 1}, "kip")
    assert told(scanning(catalog, root)) == {"unchanged": 1}
    assert catalog.artifact(1).locations[0].state == "missing"
    (tmp_path / "away").rename(path)
    assert told(scanning(catalog, root)) == {"returned": ["kip.safetensors"], "unchanged": 1}
    assert held(catalog)[str(path)] == (1, "present")


def test_a_missing_file_that_turns_up_elsewhere_is_known_again(catalog: Catalog, root: Path, tmp_path: Path) -> None:
    path = lora(root / "kip.safetensors")
    lora(root / "other.safetensors", fill=1)
    scanning(catalog, root)
    path.rename(tmp_path / "away")
    scanning(catalog, root)
    (tmp_path / "away").rename(root / "kop.safetensors")
    assert told(scanning(catalog, root)) == {"moved": ["kop.safetensors"], "unchanged": 1}
    assert held(catalog)[str(root / "kop.safetensors")] == (1, "present")


def test_a_copy_is_another_place_of_the_same_model(catalog: Catalog, root: Path) -> None:
    lora(root / "a.safetensors")
    lora(root / "b.safetensors")
    report = scanning(catalog, root)
    assert (len(report.new), len(report.copies), catalog.count()) == (1, 1, 1)
    assert catalog.artifact(1).digests["sha256"]


def test_a_real_path_counts_before_a_link_whatever_their_names(catalog: Catalog, root: Path) -> None:
    path = lora(root / "z" / "kip.safetensors")
    (root / "a.safetensors").symlink_to(path)
    report = scanning(catalog, root)
    assert ([one.path for one in report.new], [one.path.name for one in report.copies]) == ([path], ["a.safetensors"])


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_two_names_of_one_file_are_one_model_and_nothing_is_hashed(catalog: Catalog, root: Path, link: object) -> None:
    path = lora(root / "a.safetensors")
    assert callable(link)
    link(path, root / "b.safetensors")
    report = scanning(catalog, root)
    assert (len(report.new), len(report.copies), catalog.count()) == (1, 1, 1)
    one = catalog.artifact(1)
    assert (one.digests, len({at.file_key for at in one.locations}), len(one.locations)) == ({}, 1, 2)
    assert told(scanning(catalog, root)) == {"unchanged": 2}


def test_files_of_one_size_that_differ_are_not_read_through(catalog: Catalog, root: Path) -> None:
    for fill in range(3):
        lora(root / f"{fill}.safetensors", fill=fill)
    scanning(catalog, root)
    assert [one.digests for one in catalog.list()] == [{}, {}, {}]


def test_a_link_seen_before_its_root_was_added_stays_known(catalog: Catalog, tmp_path: Path) -> None:
    lora(tmp_path / "real" / "kip.safetensors")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    scanning(catalog, tmp_path / "link")
    assert not scanning(catalog, tmp_path / "real").new
    assert told(scanning(catalog)) == {"unchanged": 2}
    assert catalog.count() == 1


def test_a_file_added_by_hand_where_no_scan_looks_is_not_called_missing(catalog: Catalog, root: Path) -> None:
    hidden, strange = lora(root / ".stash" / "kip.safetensors"), lora(root / "kip.model", fill=1)
    catalog.add(hidden)
    catalog.add(strange)
    assert told(scanning(catalog, root)) == {"unchanged": 2}
    hidden.unlink()
    assert told(scanning(catalog, root)) == {"missing": ["kip.safetensors"], "unchanged": 1}


@pytest.mark.parametrize("unplug", [shutil.rmtree, lambda root: [path.unlink() for path in root.iterdir()]])
def test_a_root_that_is_gone_or_suddenly_empty_is_unreachable(catalog: Catalog, root: Path, unplug: object) -> None:
    lora(root / "kip.safetensors")
    scanning(catalog, root)
    assert callable(unplug)
    unplug(root)
    for report in (scanning(catalog), scanning(catalog, root)):
        assert told(report) == {"unreachable": ["disk"]}
    assert held(catalog)[str(root / "kip.safetensors")] == (1, "present")


def test_a_root_that_is_unplugged_does_not_hinder_the_others(catalog: Catalog, tmp_path: Path) -> None:
    lora(tmp_path / "a" / "kip.safetensors")
    lora(tmp_path / "b" / "kop.safetensors", fill=1)
    scanning(catalog, tmp_path / "a", tmp_path / "b")
    shutil.rmtree(tmp_path / "a")
    lora(tmp_path / "b" / "new.safetensors", fill=2)
    assert told(scanning(catalog)) == {"new": ["new.safetensors"], "unreachable": ["a"], "unchanged": 1}


def test_a_disk_that_was_mounted_within_a_root_is_not_missed(catalog: Catalog, root: Path) -> None:
    lora(root / "mount" / "kip.safetensors")
    lora(root / "other.safetensors", fill=1)
    scanning(catalog, root)
    catalog.files.note_keys({str(root / "mount" / "kip.safetensors"): "99999:1"})
    (root / "mount" / "kip.safetensors").unlink()
    assert told(scanning(catalog)) == {"unreachable": ["mount"], "unchanged": 1}


def test_roots_are_remembered_with_the_time_of_their_last_scan(catalog: Catalog, tmp_path: Path) -> None:
    for name in ("a/within", "b"):
        (tmp_path / name).mkdir(parents=True)
    scanning(catalog, tmp_path / "a", tmp_path / "a" / "within")
    scanning(catalog, tmp_path / "b")
    assert [one.path for one in catalog.files.roots()] == [tmp_path / "a", tmp_path / "b"]
    assert all(one.scanned_at for one in catalog.files.roots())


def test_the_workspaces_models_are_always_looked_through(catalog: Catalog, workspace: Workspace) -> None:
    lora(workspace.models / "lora" / "kip.safetensors")
    assert told(scanning(catalog)) == {"new": ["kip.safetensors"]}
    assert catalog.files.roots() == ()


def test_our_own_trash_cache_and_runs_are_not(catalog: Catalog, workspace: Workspace) -> None:
    for folder in (workspace.trash, workspace.cache, workspace.runs):
        lora(folder / "kip.safetensors")
    assert told(scanning(catalog, workspace.root)) == {}


def test_a_root_that_is_no_folder_is_refused(catalog: Catalog, root: Path) -> None:
    with pytest.raises(MissingFile, match="none"):
        scanning(catalog, root / "none")
    with pytest.raises(BadValue, match="is a file"):
        scanning(catalog, lora(root / "kip.safetensors"))


def test_one_file_that_fails_stops_no_other(catalog: Catalog, root: Path) -> None:
    (root / "a.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    lora(root / "b.safetensors")
    (root / os.fsdecode(b"c\xff.safetensors")).write_bytes((root / "b.safetensors").read_bytes())
    lora(root / "d.safetensors", fill=1)
    report = scanning(catalog, root)
    assert len(report.failed) == 2
    assert sorted(one.name for one in report.new) == ["b", "d"]


def test_what_need_not_be_a_model_is_skipped_unless_it_is_added_by_hand(catalog: Catalog, root: Path) -> None:
    path = tables.write(root / "optimizer.bin", {"state": (3,)})
    (root / "firmware.bin").write_bytes(b"anything at all")
    tables.write(root / "odd.safetensors", {"a": (1,)})
    assert told(scanning(catalog, root)) == {"new": ["odd.safetensors"], "skipped": 2}
    catalog.add(path)
    assert told(scanning(catalog, root)) == {"unchanged": 2, "skipped": 1}


def test_notes_beside_a_file_are_read_and_read_again_when_they_change(catalog: Catalog, root: Path) -> None:
    lora(root / "kip.safetensors")
    note = root / "kip.json"
    note.write_text(json.dumps({"activation text": "kip robot", "notes": "the good one"}))
    (root / "kip.png").write_bytes(b"png")
    scanning(catalog, root)
    one = catalog.artifact(1)
    assert (one.trigger_words, one.note, one.preview) == (("kip robot",), "the good one", root / "kip.png")
    note.write_text(json.dumps({"activation text": "kop", "notes": "a newer note"}))
    assert told(scanning(catalog, root)) == {"reread": ["kip.safetensors"]}
    one = catalog.artifact(1)
    assert (one.trigger_words, one.note) == (("kop",), "the good one")
    assert told(scanning(catalog, root)) == {"unchanged": 1}


def test_an_older_versions_work_is_done_again_and_the_owners_word_stays(
    catalog: Catalog, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora(root / "kip.safetensors")
    scanning(catalog, root)
    catalog.sha256(catalog.artifact(1))
    catalog.say(1, {"family": "sdxl"})
    monkeypatch.setattr(scanned, "VERSION", scanned.VERSION + 1)
    assert told(scanning(catalog, root)) == {"reread": ["kip.safetensors"]}
    one = catalog.artifact(1)
    assert (one.facts.family, len(one.facts.conflicts)) == ("sdxl", 1)
    assert one.digests["sha256"]


def test_a_diffusers_folder_is_one_model_and_moves_as_one(catalog: Catalog, root: Path) -> None:
    tables.write(root / "vae" / "diffusion_pytorch_model.safetensors", {"a": (4,)})
    (root / "vae" / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    report = scanning(catalog, root)
    assert [one.path for one in report.new] == [root / "vae"]
    assert catalog.artifact(1).size == sum(path.stat().st_size for path in (root / "vae").iterdir())
    (root / "vae").rename(root / "renamed")
    assert told(scanning(catalog, root)) == {"moved": ["renamed"]}


def test_a_dry_run_tells_the_same_and_writes_nothing(catalog: Catalog, root: Path) -> None:
    path = lora(root / "kip.safetensors")
    lora(root / "gone.safetensors", fill=1)
    scanning(catalog, root)
    before = held(catalog)
    path.rename(root / "kop.safetensors")
    (root / "gone.safetensors").unlink()
    lora(root / "new.safetensors", fill=2)
    foretold = scanning(catalog, dry_run=True)
    assert told(foretold) == {
        "new": ["new.safetensors"],
        "moved": ["kop.safetensors"],
        "missing": ["gone.safetensors"],
    }
    assert [one.name for one in (*foretold.moved, *foretold.missing)] == ["kip", "gone"]
    assert held(catalog) == before


def test_a_scan_that_is_stopped_is_finished_by_the_next(catalog: Catalog, root: Path) -> None:
    for fill in range(4):
        lora(root / f"{fill}.safetensors", fill=fill)
    for event in scan(catalog, [root]):
        if isinstance(event, Progress) and event.task == "scan" and event.done == 2:
            break
    assert catalog.count() == 2
    assert len(scanning(catalog, root).new) == 2


def test_a_scan_can_be_cancelled(catalog: Catalog, root: Path) -> None:
    lora(root / "kip.safetensors")
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Interrupted):
        drain(scan(catalog, [root], cancel=cancel))
    assert catalog.count() == 0


def test_conflicts_are_told(catalog: Catalog, root: Path) -> None:
    lora(root / "kip.safetensors", metadata={"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"})
    notices = [event.message for event in scan(catalog, [root]) if isinstance(event, Notice)]
    assert len(notices) == 1
    assert notices[0].startswith("1 (kip): ")


def test_files_that_were_just_written_wait_when_asked_to(catalog: Catalog, root: Path) -> None:
    old, fresh = lora(root / "old.safetensors"), lora(root / "fresh.safetensors", fill=1)
    scanning(catalog, root)
    os.utime(old, ns=(5, 5))
    os.utime(fresh, ns=(9_000, 9_000))
    events = [*scan(catalog, [root], settled_ns=1_000)]
    assert isinstance(events[-1], Done)
    assert told(events[-1].result) == {"changed": ["old.safetensors"]}
    assert events[-1].result.waiting == (fresh,)
    assert held(catalog)[str(fresh)][1] == "present"


# Whatever happens between two scans

NAMES = st.sampled_from(["a", "b", "sub/a", "sub/c", "Kip", "kip", "模型"])
DEED = st.one_of(
    st.tuples(st.just("write"), NAMES, st.integers(0, 3)),
    st.tuples(st.just("delete"), NAMES, st.just(0)),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("copy"), NAMES, NAMES),
    st.tuples(st.just("link"), NAMES, NAMES),
    st.tuples(st.just("scan"), st.just(""), st.just(0)),
)


@pytest.fixture(scope="module")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = Workspace(tmp_path_factory.mktemp("whatever"))
    Catalog.create(workspace).close()
    return workspace.catalog


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deeds=st.lists(DEED, max_size=14))
def test_any_history_ends_in_what_a_fresh_scan_finds(
    deeds: list[tuple[str, str, object]], empty_catalog: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("history")
    root, clock = base / "root", iter(range(1, 10_000))
    lora(root / "sub" / "always.safetensors", fill=99)
    with _opened(base / "one", empty_catalog) as one, _opened(base / "two", empty_catalog) as fresh:
        for deed in deeds:
            _do(deed, root, clock, one)
        scanning(one, root)
        assert set(told(scanning(one, root))) <= {"unchanged"}
        scanning(fresh, root)
        assert _partition(one) == _partition(fresh)
    shutil.rmtree(base)


def _opened(root: Path, empty_catalog: Path) -> Catalog:
    root.mkdir()
    shutil.copy(empty_catalog, root)
    return Catalog.open(Workspace(root))


def _do(deed: tuple[str, str, object], root: Path, clock: Iterator[int], catalog: Catalog) -> None:
    what, name, other = deed
    path, target = root / f"{name}.safetensors", root / f"{other}.safetensors"
    if what == "scan":
        scanning(catalog, root)
    elif what == "write" and isinstance(other, int):
        path.unlink(missing_ok=True)
        lora(path, fill=other)
        os.utime(path, ns=(0, next(clock) * 10_000_000_000))
    elif what == "delete":
        path.unlink(missing_ok=True)
    elif path.exists() and path != target:
        target.unlink(missing_ok=True)
        {"rename": os.rename, "copy": shutil.copy2, "link": os.link}[what](path, target)


def _partition(catalog: Catalog) -> set[tuple[str, frozenset[str]]]:
    """What is present: kind, and the paths that share an artifact."""
    return {
        (one.facts.kind, paths)
        for one in catalog.list()
        if (paths := frozenset(str(at.path) for at in one.locations if at.state == "present"))
    }


def test_many_equal_sizes_are_told_apart_by_their_samples(catalog: Catalog, root: Path) -> None:
    header = b'{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}'
    for number in range(40):
        content = struct.pack("<Q", len(header)) + header + struct.pack("<Q", number)
        (root / f"{number}.safetensors").write_bytes(content)
    assert len(scanning(catalog, root).new) == 40
