"""An export shows the collection in another tool's folders, may be killed anywhere, and touches nothing but its own."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelhub.catalog import Catalog
from modelhub.errors import Conflict
from modelhub.fingerprint import fingerprint
from modelhub.jobs import Done, Notice, drain
from modelhub.kinds import Artifact, Kind
from modelhub.upkeep.export.exported import MANIFEST
from modelhub.upkeep.export.layouts import Links
from modelhub.upkeep.export.tree import Export, ExportReport, export
from modelhub.workspace import Workspace
from tests import tables

LORA, UNET = "models/Lora/kip.safetensors", "models/Stable-diffusion/base.safetensors"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    tables.write(folder / "kip.safetensors", tables.tiny_lora())
    tables.write(folder / "base.safetensors", tables.diffusers_unet())
    return folder


@pytest.fixture
def models(catalog: Catalog, files: Path) -> tuple[Artifact, ...]:
    return tuple(catalog.add(files / name) for name in ("kip.safetensors", "base.safetensors"))


@pytest.fixture
def webui(tmp_path: Path) -> Path:
    return tmp_path / "webui"


def exported(catalog: Catalog, folder: Path, **options: Any) -> ExportReport:
    wanted = options.pop("wanted", None)
    dry_run = options.pop("dry_run", False)
    wish = Export(options.pop("layout", "a1111"), folder, **options)
    return drain(export(catalog, wish, catalog.list() if wanted is None else wanted, dry_run=dry_run))


def tree(folder: Path) -> dict[str, object]:
    """Every name below the folder but the manifest's, with what is there."""
    return {
        path.relative_to(folder).as_posix(): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if (path.is_symlink() or path.is_file()) and path.name != MANIFEST
    }


@pytest.mark.usefixtures("models")
def test_models_are_linked_into_the_tools_folders(catalog: Catalog, files: Path, webui: Path) -> None:
    report = exported(catalog, webui)
    assert tree(webui) == {LORA: files / "kip.safetensors", UNET: files / "base.safetensors"}
    assert sorted(report.made) == [(LORA, 1), (UNET, 2)]


@pytest.mark.usefixtures("models")
def test_comfyui_has_folders_of_its_own(catalog: Catalog, webui: Path) -> None:
    exported(catalog, webui, layout="comfyui")
    assert set(tree(webui)) == {"models/loras/kip.safetensors", "models/diffusion_models/base.safetensors"}


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("links", Links)
def test_a_second_export_changes_nothing(catalog: Catalog, webui: Path, links: Links) -> None:
    exported(catalog, webui, links=links, sidecars=True)
    before = {path: path.lstat().st_ino for path in webui.rglob("*")}
    report = exported(catalog, webui, links=links, sidecars=True)
    assert (report.made, report.removed, report.left, report.kept) == ((), (), (), 2)
    assert {path: path.lstat().st_ino for path in webui.rglob("*")} == before


@pytest.mark.usefixtures("models")
def test_hard_links_share_the_bytes_and_copies_do_not(catalog: Catalog, files: Path, webui: Path) -> None:
    exported(catalog, webui, links=Links.HARD)
    assert (webui / LORA).samefile(files / "kip.safetensors")
    exported(catalog, webui, links=Links.COPY)
    assert not (webui / LORA).samefile(files / "kip.safetensors")
    assert (webui / LORA).read_bytes() == (files / "kip.safetensors").read_bytes()
    exported(catalog, webui, links=Links.SYMBOLIC)
    assert (webui / LORA).is_symlink()


@pytest.mark.usefixtures("models")
def test_a_dry_run_makes_nothing(catalog: Catalog, webui: Path) -> None:
    report = exported(catalog, webui, dry_run=True)
    assert sorted(report.made) == [(LORA, 1), (UNET, 2)]
    assert not webui.exists()


@pytest.mark.usefixtures("models")
def test_links_to_what_left_the_catalog_go_and_links_to_what_moved_follow(
    catalog: Catalog, files: Path, webui: Path
) -> None:
    exported(catalog, webui)
    catalog.remove(2)
    moved = (files / "kip.safetensors").rename(files / "kip.v2.safetensors")
    catalog.files.relocate(files / "kip.safetensors", moved, fingerprint(moved))
    report = exported(catalog, webui)
    assert set(report.removed) == {LORA, UNET}
    assert tree(webui) == {"models/Lora/kip.v2.safetensors": moved}


def test_what_was_not_asked_for_this_time_stays(catalog: Catalog, models: tuple[Artifact, ...], webui: Path) -> None:
    exported(catalog, webui)
    report = exported(catalog, webui, wanted=models[:1])
    assert (report.kept, report.removed) == (1, ())
    assert set(tree(webui)) == {LORA, UNET}


@pytest.mark.usefixtures("models")
def test_a_link_to_a_file_on_an_unplugged_disk_stays(catalog: Catalog, files: Path, webui: Path) -> None:
    exported(catalog, webui)
    catalog.files.mark_missing([str(files / "kip.safetensors")])
    report = exported(catalog, webui)
    assert report.skipped == ((1, "its file is missing"),)
    assert set(tree(webui)) == {LORA, UNET}


@pytest.mark.usefixtures("models")
def test_what_others_put_there_is_left_and_reported(catalog: Catalog, webui: Path) -> None:
    (webui / LORA).parent.mkdir(parents=True)
    (webui / LORA).write_bytes(b"mine")
    report = exported(catalog, webui)
    assert report.left == ((LORA, "something else stands there under that name"),)
    assert (webui / LORA).read_bytes() == b"mine"
    catalog.remove(1)
    exported(catalog, webui)
    assert (webui / LORA).read_bytes() == b"mine"


@pytest.mark.usefixtures("models")
def test_a_link_that_somebody_replaced_is_no_longer_ours(catalog: Catalog, webui: Path) -> None:
    exported(catalog, webui)
    (webui / LORA).unlink()
    (webui / LORA).write_bytes(b"theirs now")
    catalog.remove(1)
    job = list(export(catalog, Export("a1111", webui), catalog.list()))
    assert any(isinstance(event, Notice) and LORA in event.message for event in job)
    assert (webui / LORA).read_bytes() == b"theirs now"


@pytest.mark.usefixtures("models")
def test_the_last_name_of_a_file_is_never_taken_away(catalog: Catalog, files: Path, webui: Path) -> None:
    exported(catalog, webui, links=Links.HARD)
    (files / "kip.safetensors").unlink()
    catalog.remove(1)
    report = exported(catalog, webui, links=Links.HARD)
    assert report.left == ((LORA, "it is the last name of its file"),)
    assert (webui / LORA).is_file()


def test_two_files_of_one_name_get_two_names_whatever_their_case(catalog: Catalog, tmp_path: Path, webui: Path) -> None:
    for number, name in enumerate(("a/kip.safetensors", "b/Kip.safetensors", "c/kip.sft", "d/other.safetensors")):
        catalog.add(tables.write(tmp_path / name, tables.tiny_lora(rank=number + 1)))
    exported(catalog, webui)
    assert sorted(tree(webui)) == [
        "models/Lora/Kip-2.safetensors",
        "models/Lora/kip-3.sft",
        "models/Lora/kip.safetensors",
        "models/Lora/other.safetensors",
    ]


def test_a_file_whose_name_says_nothing_is_shown_under_the_catalogs(
    catalog: Catalog, tmp_path: Path, webui: Path
) -> None:
    path = tables.write(tmp_path / "kip" / "pytorch_lora_weights.safetensors", tables.tiny_lora())
    catalog.rename(catalog.add(path).id, "kip-robot")
    exported(catalog, webui)
    assert set(tree(webui)) == {"models/Lora/kip-robot.safetensors"}


def test_what_lies_in_the_tools_own_folder_needs_no_link(catalog: Catalog, webui: Path) -> None:
    catalog.add(tables.write(webui / "models/Lora/mine/kip.safetensors", tables.tiny_lora()))
    report = exported(catalog, webui)
    assert (report.made, set(tree(webui))) == ((), {"models/Lora/mine/kip.safetensors"})


@pytest.mark.usefixtures("models")
def test_links_that_a_scan_found_are_not_taken_for_files(catalog: Catalog, files: Path, webui: Path) -> None:
    exported(catalog, webui)
    for name in (LORA, UNET):
        catalog.add(webui / name)
    report = exported(catalog, webui)
    assert (report.made, report.kept, report.removed) == ((), 2, ())
    assert tree(webui)[LORA] == files / "kip.safetensors"


def test_what_the_tool_has_no_place_for_is_told(catalog: Catalog, tmp_path: Path, webui: Path) -> None:
    catalog.add(tables.write(tmp_path / "odd.safetensors", {"a": (1,)}))
    report = exported(catalog, webui)
    assert report.skipped == ((1, "the tool has no place for models of the kind unknown"),)
    assert not webui.exists()


def test_a_corrected_kind_moves_the_link(catalog: Catalog, models: tuple[Artifact, ...], webui: Path) -> None:
    exported(catalog, webui)
    catalog.say(models[0].id, {"kind": Kind.VAE})
    exported(catalog, webui)
    assert set(tree(webui)) == {"models/VAE/kip.safetensors", UNET}


def test_a_weight_that_the_owner_gave_wins_over_the_note_beside_the_file(
    catalog: Catalog, files: Path, webui: Path
) -> None:
    (files / "kip.json").write_text(json.dumps({"preferred weight": 0.8}))
    kip = catalog.add(tables.write(files / "kip.safetensors", tables.tiny_lora()))
    assert kip.weight == 0.8
    catalog.set_weight(kip.id, 0.6)
    (files / "kip.json").write_text(json.dumps({"preferred weight": 0.9}))
    assert catalog.add(files / "kip.safetensors").weight == 0.6
    exported(catalog, webui, sidecars=True)
    assert json.loads((webui / "models/Lora/kip.json").read_text())["preferred weight"] == 0.6


def test_words_notes_and_previews_ride_along(catalog: Catalog, files: Path, webui: Path) -> None:
    (files / "kip.json").write_text(json.dumps({"activation text": "kip, robot", "preferred weight": 0.8}))
    (files / "kip.preview.png").write_bytes(b"png")
    tables.write(files / "kip.safetensors", tables.tiny_lora(), {"modelspec.trigger_phrase": "kip"})
    catalog.set_note(catalog.add(files / "kip.safetensors").id, "mine")
    exported(catalog, webui, sidecars=True)
    assert tree(webui)["models/Lora/kip.preview.png"] == files / "kip.preview.png"
    assert json.loads((webui / "models/Lora/kip.json").read_text()) == {
        "description": "",
        "sd version": "SD1",
        "activation text": "kip, robot",
        "preferred weight": 0.8,
        "negative text": "",
        "notes": "mine",
    }
    (webui / "models/Lora/kip.json").write_text("edited in webui")
    report = exported(catalog, webui, sidecars=True)
    assert [name for name, _ in report.left] == ["models/Lora/kip.json"]
    exported(catalog, webui)
    assert set(tree(webui)) == {LORA, "models/Lora/kip.json"}


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    "content", ["{", "[]", '{"schema": 99, "layouts": {}}', '{"schema": 1, "layouts": {"a1111": 3}}']
)
def test_a_manifest_that_is_none_stops_everything(catalog: Catalog, webui: Path, content: str) -> None:
    webui.mkdir()
    (webui / MANIFEST).write_text(content)
    with pytest.raises(Conflict, match="modelhub-export"):
        exported(catalog, webui)


@pytest.mark.usefixtures("models")
def test_a_manifest_cannot_point_out_of_its_folder(catalog: Catalog, files: Path, webui: Path) -> None:
    exported(catalog, webui, links=Links.HARD)
    manifest = json.loads((webui / MANIFEST).read_text())
    rows = manifest["layouts"]["a1111"]
    hostile = {"id": 99, "marks": rows[LORA]["marks"]}
    rows |= {"../files/kip.safetensors": hostile, str(files / "kip.safetensors"): hostile}
    (webui / MANIFEST).write_text(json.dumps(manifest))
    exported(catalog, webui, links=Links.HARD)
    assert (files / "kip.safetensors").is_file()


@pytest.mark.usefixtures("models")
def test_one_link_that_fails_does_not_stop_the_others(catalog: Catalog, files: Path, webui: Path) -> None:
    (webui / "models").mkdir(parents=True)
    (webui / "models/Lora").write_text("a file where a folder should be")
    report = exported(catalog, webui)
    assert [name for name, _ in report.failed] == [LORA]
    assert tree(webui)[UNET] == files / "base.safetensors"


ACTS = ("os.rename", "os.symlink", "os.link", "os.remove", "os.mkdir", "shutil.copyfile")


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that dies just before its act of that number; False when it came to its end."""
    child = os.fork()
    if child == 0:
        acts = iter(range(number))

        def die(event: str, _arguments: object) -> None:
            if event in ACTS and next(acts, None) is None:
                os._exit(9)

        sys.addaudithook(die)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("links", Links)
def test_killed_at_any_moment_the_next_export_ends_as_if_nothing_had_been(
    catalog: Catalog, files: Path, workspace: Workspace, webui: Path, links: Links
) -> None:
    (files / "kip.preview.png").write_bytes(b"png")
    catalog.set_note(1, "a note")
    catalog.files.register(files / "kip.safetensors", again=True)
    reference = webui.with_name("reference")
    exported(catalog, reference, links=links, sidecars=True)
    catalog.remove(2)
    exported(catalog, reference, links=links, sidecars=True)

    def both() -> None:
        with Catalog.open(workspace) as mine:
            exported(mine, webui, links=links, sidecars=True)

    number = 0
    while killed_at(number, both):
        number += 1
        assert not [name for name in tree(webui) if name.endswith(".json") and not tree(webui)[name]]
    exported(catalog, webui, links=links, sidecars=True)
    assert number > 4
    assert tree(webui) == tree(reference)


def test_progress_counts_the_links(catalog: Catalog, models: tuple[Artifact, ...], webui: Path) -> None:
    *events, last = export(catalog, Export("a1111", webui), models)
    assert len(events) == len(models)
    assert isinstance(last, Done)
