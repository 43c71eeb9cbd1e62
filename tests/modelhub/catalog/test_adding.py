"""Files are registered in place, once each, and recognised when they are copied, replaced or moved."""

import errno
import json
import multiprocessing
import os
import sqlite3
import struct
from pathlib import Path

import pytest

from modelhub.catalog import Catalog, bringing
from modelhub.errors import BadValue, BrokenFile, MissingFile, NameTaken, UnknownRef
from modelhub.fingerprint import fingerprint
from modelhub.kinds import Evidence, Facts, Kind, Source
from modelhub.workspace import Workspace
from tests import tables


def lora(path: Path, *, fill: int = 0, output_name: str | None = None) -> Path:
    return tables.write(path, tables.tiny_lora(), {"ss_output_name": output_name} if output_name else None, fill=fill)


def test_a_file_is_identified_and_stays_where_it_lies(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    artifact = catalog.add(path, tags=["mine", "character"])
    assert (artifact.id, artifact.name, artifact.facts.kind, artifact.facts.family) == (1, "kip", Kind.LORA, "sd1")
    assert (artifact.path, artifact.size) == (path, path.stat().st_size)
    assert artifact.tags == ("character", "mine")
    assert artifact.digests == {}
    assert catalog.artifact(1) == artifact


def test_evidence_is_kept(catalog: Catalog, tmp_path: Path) -> None:
    evidence = catalog.add(lora(tmp_path / "kip.safetensors")).facts.evidence["context_width"]
    assert evidence.source is Source.TENSORS
    assert "attn2_to_k" in evidence.detail


def test_facts_that_are_given_are_believed(catalog: Catalog, tmp_path: Path) -> None:
    facts = Facts(Kind.LORA, "sd1", resolution=(256, 128), evidence={"kind": Evidence(Source.USER, "said so")})
    artifact = catalog.add(tables.write(tmp_path / "odd.safetensors", {"a": (1,)}), facts=facts)
    assert artifact.facts == facts


def test_an_unknown_file_is_kept_as_unknown(catalog: Catalog, tmp_path: Path) -> None:
    assert catalog.add(tables.write(tmp_path / "odd.safetensors", {"a": (1,)})).facts.kind is Kind.UNKNOWN


def test_the_same_path_again_is_the_same_artifact(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    first = catalog.add(path)
    assert catalog.add(path) == first
    assert catalog.add(path.parent / "." / path.name).id == first.id


def test_adding_again_adds_tags_and_a_name(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path, tags=["a"])
    again = catalog.add(path, name="robot", tags=["b"])
    assert (again.id, again.name, again.tags) == (1, "robot", ("a", "b"))


def test_a_copy_elsewhere_is_a_second_location(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "kip.safetensors"))
    both = catalog.add(lora(tmp_path / "copy" / "other.safetensors"))
    assert both.id == 1
    assert [at.path.name for at in both.locations] == ["kip.safetensors", "other.safetensors"]
    assert set(both.aliases) == {"kip", "other"}
    assert both.digests["sha256"]


def test_equal_sizes_are_not_enough(catalog: Catalog, tmp_path: Path) -> None:
    one = catalog.add(lora(tmp_path / "a.safetensors", fill=1))
    two = catalog.add(lora(tmp_path / "b.safetensors", fill=2))
    assert one.size == two.size
    assert one.id != two.id
    assert catalog.artifact(1).digests == two.digests == {}


def test_a_copy_of_a_file_that_is_gone_is_a_new_artifact(catalog: Catalog, tmp_path: Path) -> None:
    first = lora(tmp_path / "kip.safetensors")
    catalog.add(first)
    first.unlink()
    assert catalog.add(lora(tmp_path / "other.safetensors")).id == 2


def test_a_copy_of_a_file_that_is_gone_is_known_by_its_digest(catalog: Catalog, tmp_path: Path) -> None:
    first = lora(tmp_path / "kip.safetensors")
    catalog.sha256(catalog.add(first))
    first.unlink()
    assert catalog.add(lora(tmp_path / "other.safetensors")).id == 1


def test_a_replaced_file_keeps_its_id_and_loses_what_was_known_of_its_bytes(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.sha256(catalog.add(path))
    tables.write(path, tables.ldm_vae(width=1))
    again = catalog.add(path)
    assert (again.id, again.facts.kind, again.digests) == (1, Kind.VAE, {})
    assert again.size == path.stat().st_size


def test_a_replaced_copy_leaves_the_artifact_that_it_was_a_copy_of(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "kip.safetensors"))
    copy = lora(tmp_path / "copy.safetensors")
    catalog.add(copy)
    lora(copy, fill=9)
    assert catalog.add(copy).id == 2
    assert [at.path.name for at in catalog.artifact(1).locations] == ["kip.safetensors"]


def test_two_that_become_equal_are_one_and_the_higher_id_redirects(catalog: Catalog, tmp_path: Path) -> None:
    one = lora(tmp_path / "a.safetensors", fill=1)
    catalog.add(one)
    two = catalog.add(lora(tmp_path / "b.safetensors", fill=2), tags=["kept"])
    run = catalog.begin_run("generate", {}, [("lora", two.id)])
    lora(one, fill=2)
    os.utime(one, ns=(1, 1))
    merged = catalog.add(one)
    assert merged.id == 1
    assert {at.path.name for at in merged.locations} == {"a.safetensors", "b.safetensors"}
    assert merged.tags == ("kept",)
    assert catalog.resolve("2").id == 1
    assert [used.id for used in catalog.lineage(1).used_by] == [run]
    assert len(catalog.list()) == 1


def test_a_name_that_is_taken_gets_a_number(catalog: Catalog, tmp_path: Path) -> None:
    names = [catalog.add(lora(tmp_path / str(fill) / "kip.safetensors", fill=fill)).name for fill in range(3)]
    assert names == ["kip", "kip-2", "kip-3"]


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("My Model: v2", "My-Model-v2"),
        ("12", "lora-12"),
        ("deadbeef", "lora-deadbeef"),
        ("old.ckpt", "lora-old-ckpt"),
        ("模型", "模型"),
        ("@@", "lora"),
    ],
)
def test_names_from_files_cannot_be_misread(catalog: Catalog, tmp_path: Path, stem: str, name: str) -> None:
    assert catalog.add(lora(tmp_path / f"{stem}.safetensors")).name == name


def test_a_name_of_anothers_is_refused_and_nothing_is_added(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "kip.safetensors"))
    with pytest.raises(NameTaken):
        catalog.add(lora(tmp_path / "other.safetensors", fill=1), name="kip")
    assert catalog.count() == 1


def test_a_name_that_could_be_misread_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(BadValue):
        catalog.add(lora(tmp_path / "kip.safetensors"), name="12")
    assert catalog.count() == 0


@pytest.mark.parametrize("output_name", ["None", "", "\x1b[2J", "x" * 300])
def test_output_names_that_name_nothing_are_no_aliases(catalog: Catalog, tmp_path: Path, output_name: str) -> None:
    assert catalog.add(lora(tmp_path / "kip.safetensors", output_name=output_name)).aliases == ("kip",)


def test_the_trainers_output_name_is_an_alias(catalog: Catalog, tmp_path: Path) -> None:
    artifact = catalog.add(lora(tmp_path / "kip.safetensors", output_name="kip_v3"))
    assert set(artifact.aliases) == {"kip", "kip_v3"}


def test_broken_and_missing_files_are_not_added(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BrokenFile):
        catalog.add(path)
    with pytest.raises(MissingFile):
        catalog.add(tmp_path / "none.safetensors")
    assert catalog.count() == 0


def test_a_file_name_that_is_no_text_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors").rename(tmp_path / os.fsdecode(b"k\xff.safetensors"))
    with pytest.raises(BadValue, match="UTF-8"):
        catalog.add(path)


def test_paths_inside_move_with_the_workspace(catalog: Catalog, workspace: Workspace, tmp_path: Path) -> None:
    catalog.add(lora(workspace.models / "lora" / "kip.safetensors"))
    catalog.close()
    workspace.root.rename(tmp_path / "moved")
    with Catalog.open(Workspace(tmp_path / "moved")) as moved:
        assert moved.artifact(1).path == tmp_path / "moved" / "models" / "lora" / "kip.safetensors"
        assert moved.resolve(str(moved.artifact(1).path)).id == 1


def add_all(root: Path, paths: list[Path], ids: "multiprocessing.Queue[list[int]]") -> None:
    with Catalog.create(Workspace(root)) as catalog:
        ids.put([catalog.add(path).id for path in paths])


def test_two_processes_may_add_the_same_files_at_once(workspace: Workspace, tmp_path: Path) -> None:
    paths = [lora(tmp_path / f"{n}-{copy}.safetensors", fill=n) for n in range(8) for copy in "ab"]
    context = multiprocessing.get_context("spawn")
    ids: multiprocessing.Queue[list[int]] = context.Queue()
    processes = [context.Process(target=add_all, args=(workspace.root, each, ids)) for each in (paths, paths[::-1])]
    for process in processes:
        process.start()
    given = [ids.get(timeout=60), ids.get(timeout=60)[::-1]]
    for process in processes:
        process.join()
    assert given[0] == given[1]
    with Catalog.open(workspace) as catalog:
        held = catalog.list()
    assert len(held) == 8
    assert all(len(artifact.locations) == 2 for artifact in held)
    assert len({artifact.name for artifact in held}) == 8


def test_bringing_a_copy_leaves_the_original(catalog: Catalog, workspace: Workspace, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    artifact = catalog.bring(path, move=False)
    assert artifact.path == workspace.models / "lora" / "kip.safetensors"
    assert artifact.path.read_bytes() == path.read_bytes()


def test_bringing_by_moving_takes_the_original_away(catalog: Catalog, workspace: Workspace, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    known = catalog.add(path)
    moved = catalog.bring(path, move=True)
    assert moved.id == known.id
    assert [at.path for at in moved.locations] == [workspace.models / "lora" / "kip.safetensors"]
    assert not path.exists()


def test_bringing_by_moving_to_another_disk_copies_first(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    path = lora(tmp_path / "kip.safetensors", fill=3)
    content = path.read_bytes()
    monkeypatch.setattr(bringing.os, "link", no_link)
    assert catalog.bring(path, move=True).path.read_bytes() == content
    assert not path.exists()


def test_bringing_the_same_twice_makes_one_file(catalog: Catalog, workspace: Workspace, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    assert catalog.bring(path, move=False) == catalog.bring(path, move=False)
    assert len(list(workspace.models.rglob("*.safetensors"))) == 1


def test_bringing_another_file_of_the_same_name_replaces_nothing(catalog: Catalog, tmp_path: Path) -> None:
    first = catalog.bring(lora(tmp_path / "1" / "kip.safetensors", fill=1), move=False)
    second = catalog.bring(lora(tmp_path / "2" / "kip.safetensors", fill=2), move=True)
    assert (first.path.name, second.path.name) == ("kip.safetensors", "kip-2.safetensors")
    assert first.path.exists()


@pytest.mark.parametrize("move", [False, True])
def test_a_bringing_that_fails_leaves_no_file(
    catalog: Catalog, workspace: Workspace, tmp_path: Path, move: bool
) -> None:
    catalog.add(lora(tmp_path / "taken.safetensors", fill=1))
    path = lora(tmp_path / "kip.safetensors")
    with pytest.raises(NameTaken):
        catalog.bring(path, move=move, name="taken")
    assert path.exists()
    assert list(workspace.models.rglob("*.safetensors")) == []


def test_moving_what_lies_there_already_keeps_it(catalog: Catalog, workspace: Workspace) -> None:
    path = lora(workspace.models / "lora" / "kip.safetensors")
    assert catalog.bring(path, move=True).path == path
    assert path.exists()


def test_an_id_that_was_never_given_is_unknown(catalog: Catalog) -> None:
    with pytest.raises(UnknownRef):
        catalog.artifact(1)


def test_a_second_name_of_a_file_is_a_second_place_and_nothing_is_hashed(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path)
    (tmp_path / "link.safetensors").hardlink_to(path)
    both = catalog.add(tmp_path / "link.safetensors")
    assert (both.id, len(both.locations), both.digests, set(both.aliases)) == (1, 2, {}, {"kip", "link"})


def test_an_inode_that_was_given_to_another_file_proves_nothing(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "a.safetensors"))
    other = lora(tmp_path / "b.safetensors", fill=1)
    catalog.files.note_keys({str(tmp_path / "a.safetensors"): fingerprint(other).file_key})
    assert catalog.add(other).id == 2


def test_what_the_owner_said_survives_another_file_at_the_same_path(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path)
    catalog.say(1, {"family": "sdxl"})
    lora(path, fill=5)
    again = catalog.add(path)
    assert (again.id, again.facts.family) == (1, "sdxl")
    assert "you say family sdxl" in again.facts.conflicts[0]


def test_words_notes_preview_and_sources_beside_a_file_are_kept(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    version = {"id": 34, "modelId": 12, "trainedWords": ["kip"], "baseModel": "SD 1.5", "model": {"name": "Kip"}}
    (tmp_path / "kip.civitai.info").write_text(json.dumps(version))
    (tmp_path / "kip.preview.png").write_bytes(b"png")
    one = catalog.add(path)
    assert (one.trigger_words, one.preview) == (("kip",), tmp_path / "kip.preview.png")
    assert catalog.resolve("civitai:12@34").id == 1


def test_what_a_hub_said_itself_is_not_replaced_by_notes(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path)
    catalog.sources.note(1, "civitai:12@34", {"name": "from the hub"})
    (tmp_path / "kip.civitai.info").write_text(json.dumps({"id": 34, "modelId": 12, "name": "from the notes"}))
    catalog.add(path)
    with sqlite3.connect(catalog.workspace.catalog) as connection:
        assert [json.loads(said)["name"] for (said,) in connection.execute("SELECT said FROM source")] == [
            "from the hub"
        ]


def test_notes_fill_in_what_the_file_leaves_open_and_contradict_what_it_does_not(
    catalog: Catalog, tmp_path: Path
) -> None:
    (tmp_path / "odd.json").parent.mkdir(exist_ok=True)
    (tmp_path / "odd.json").write_text(json.dumps({"sd version": "SDXL"}))
    (tmp_path / "kip.json").write_text(json.dumps({"sd version": "SDXL"}))
    odd = catalog.add(tables.write(tmp_path / "odd.safetensors", {"a": (1,)}))
    kip = catalog.add(lora(tmp_path / "kip.safetensors"))
    assert (odd.facts.family, odd.facts.evidence["family"].source) == ("sdxl", Source.HUB)
    assert (kip.facts.family, len(kip.facts.conflicts)) == ("sd1", 1)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("kip-run/pytorch_lora_weights.safetensors", "kip-run"),
        ("my-vae/diffusion_pytorch_model.fp16.safetensors", "my-vae"),
        ("folder/kip.safetensors", "kip"),
    ],
)
def test_a_name_that_every_library_gives_says_nothing(catalog: Catalog, tmp_path: Path, place: str, name: str) -> None:
    assert catalog.add(lora(tmp_path / place)).name == name


def vae_folder(path: Path) -> Path:
    tables.write(path / "diffusion_pytorch_model.safetensors", {"a": (4,)})
    (path / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    return path


def test_a_folder_in_a_hub_cache_is_called_by_its_repository(catalog: Catalog, tmp_path: Path) -> None:
    folder = vae_folder(tmp_path / "models--owner--good-vae" / "snapshots" / "0123456789abcdef")
    assert catalog.add(folder).name == "good-vae"


def test_equal_folders_are_one_artifact(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(vae_folder(tmp_path / "one" / "vae"))
    both = catalog.add(vae_folder(tmp_path / "two" / "vae"))
    assert (both.id, len(both.locations), set(both.digests)) == (1, 2, {"sha256"})


@pytest.mark.parametrize("move", [False, True])
def test_a_folder_and_notes_are_brought_whole(
    catalog: Catalog, workspace: Workspace, tmp_path: Path, move: bool
) -> None:
    folder, file = vae_folder(tmp_path / "my.vae"), lora(tmp_path / "kip.safetensors")
    (tmp_path / "kip.json").write_text("{}")
    brought = catalog.bring(folder, move=move)
    assert brought.path == workspace.models / brought.facts.kind / "my.vae"
    assert sorted(path.name for path in brought.path.iterdir()) == [
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ]
    catalog.bring(file, move=move)
    assert (workspace.models / "lora" / "kip.json").read_text() == "{}"
    assert [each.exists() for each in (folder, file, tmp_path / "kip.json")] == [not move] * 3


def test_a_folder_of_links_is_copied_and_not_moved(catalog: Catalog, tmp_path: Path) -> None:
    cache = tmp_path / "models--o--vae"
    folder = vae_folder(cache / "snapshots" / "0123456789abcdef")
    (cache / "blobs").mkdir()
    weights = folder / "diffusion_pytorch_model.safetensors"
    weights.rename(cache / "blobs" / ("0" * 64))
    weights.symlink_to(f"../../blobs/{'0' * 64}")
    with pytest.raises(BadValue, match="links"):
        catalog.bring(folder, move=True)
    there = catalog.bring(folder, move=False).path
    assert not (there / weights.name).is_symlink()
    assert (there / weights.name).stat().st_size == (cache / "blobs" / ("0" * 64)).stat().st_size


@pytest.mark.parametrize(("spread", "prediction"), [(0.2, "v"), (0.02, "epsilon")])
def test_one_small_tensor_tells_the_two_predictions_of_sd2_apart(
    catalog: Catalog, tmp_path: Path, spread: float, prediction: str
) -> None:
    shapes = {
        f"model.diffusion_model.{name}": shape[:2] if "proj_" in name else shape
        for name, shape in tables.ldm_unet(context=1024).items()
    }
    telling = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"
    path = sparse(tmp_path / "sd2.safetensors", shapes, {telling: struct.pack("<320e", *[spread, -spread] * 160)})
    facts = catalog.add(path).facts
    assert (facts.family, facts.prediction_type) == ("sd2", prediction)


def sparse(path: Path, shapes: tables.Shapes, filled: dict[str, bytes]) -> Path:
    """A file of real size that takes no room on the disk: all but the `filled` tensors is a hole."""
    entries = tables.table(shapes).tensors
    rows = {name: {"dtype": one.dtype, "shape": one.shape, "data_offsets": one.span} for name, one in entries.items()}
    header = json.dumps(rows).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for name, content in filled.items():
            file.seek(8 + len(header) + entries[name].start)
            file.write(content)
        file.truncate(8 + len(header) + max(one.end for one in entries.values()))
    return path
