"""What the catalog's commands print, and how they end."""

from pathlib import Path

import pytest

from modelhub.workspace import Workspace
from tests import tables
from tests.cli.conftest import Run, Terminal


def test_init_makes_a_workspace_where_it_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("init", tmp_path / "a", "-q").out == f"{tmp_path / 'a'}\n"
    assert run("init", "--home", tmp_path / "b").out == f"made a catalog in {tmp_path / 'b'}\n"
    assert run("init").out == f"made a catalog in {tmp_path / 'home'}\n"
    monkeypatch.delenv("MODELHUB_HOME")
    (tmp_path / "c").mkdir()
    monkeypatch.chdir(tmp_path / "c")
    run("init")
    assert all((tmp_path / name / "catalog.db").exists() for name in ("a", "b", "home", "c"))


def test_init_again_changes_nothing(run: Run, kip: Path) -> None:
    run("add", kip)
    assert "has a catalog already, with 1 models" in run("init").out


def test_add_registers_and_tells_what_it_found(run: Run, kip: Path, vae: Path) -> None:
    ran = run("add", kip, vae, "--tag", "mine")
    assert ran.code == 0
    assert [line.split() for line in ran.out.splitlines()] == [
        ["ID", "NAME", "KIND", "FAMILY", "SIZE"],
        ["1", "kip", "lora", "sd1", *ran.out.splitlines()[1].split()[4:]],
        ["2", "plain-vae", "vae", "?", *ran.out.splitlines()[2].split()[4:]],
    ]
    assert "2 (plain-vae): its family is not known" in ran.err


def test_add_searches_folders_and_passes_over_what_is_half_written(run: Run, kip: Path, vae: Path) -> None:
    (kip.parent / ".kip.safetensors.part").write_bytes(b"x")
    (kip.parent / ".hidden.safetensors").write_bytes(b"x")
    (kip.parent / "notes.txt").write_text("x")
    assert run("add", kip.parent.parent / "files", "-q").out == "1\n2\n"


def test_add_takes_a_model_folder_as_one_and_passes_over_what_is_no_model(run: Run, tmp_path: Path) -> None:
    tables.write(tmp_path / "files" / "vae" / "diffusion_pytorch_model.safetensors", {"a": (4,)})
    (tmp_path / "files" / "vae" / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    optimizer = tables.write(tmp_path / "files" / "optimizer.bin", {"state": (3,)})
    assert [one["name"] for one in run("add", tmp_path / "files", "--json").json["added"]] == ["vae"]
    assert [one["name"] for one in run("add", optimizer, "--json").json["added"]] == ["optimizer"]


def test_add_goes_on_after_a_file_that_fails(run: Run, kip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(kip.read_bytes()[:-1])
    ran = run("add", broken, kip, "--json")
    assert ran.code == 5
    assert [one["name"] for one in ran.json["added"]] == ["kip"]
    assert ran.json["failed"][0]["code"] == "broken-file"
    assert ran.json["failed"][0]["path"] == str(broken)
    assert f"not added: {broken}" in run("add", broken, kip).err


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>not found", 6),
        (b"\x80\x02pickle...", 7),
        (b"PK\x03\x04zipped...", 7),
        (b"\x08\0\0\0\0\0\0\0{}", 7),
    ],
)
def test_a_single_file_that_fails_is_the_error(run: Run, tmp_path: Path, content: bytes, code: int) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    ran = run("add", path)
    assert (ran.code, ran.out) == (code, "")
    assert str(path) in ran.err


def test_when_all_fail_the_first_tells_the_exit_code(run: Run, tmp_path: Path) -> None:
    assert run("add", tmp_path / "a.safetensors", tmp_path / "b.safetensors").code == 3


def test_an_empty_folder_adds_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("add", tmp_path / "empty").out == "nothing added\n"


def test_add_copies_and_moves_into_the_workspace(run: Run, kip: Path, vae: Path, workspace: Workspace) -> None:
    assert run("add", kip, "--copy").code == 0
    assert run("add", vae, "--move").code == 0
    assert (kip.exists(), vae.exists()) == (True, False)
    assert (workspace.models / "lora" / "kip.safetensors").exists()
    assert (workspace.models / "vae" / "plain-vae.safetensors").exists()


@pytest.mark.parametrize("flags", [["--copy", "--move"], ["--name", "one"]])
def test_flags_that_make_no_sense_are_refused(run: Run, kip: Path, vae: Path, flags: list[str]) -> None:
    assert run("add", kip, vae, *flags).code == 2


def test_add_names_a_single_file(run: Run, kip: Path) -> None:
    assert run("add", kip, "--name", "robot", "--json").json["added"][0]["name"] == "robot"


def test_ls_filters_and_prints_ids(run: Run, kip: Path, vae: Path) -> None:
    run("add", kip, vae, "--tag", "mine")
    assert run("ls", "-q").out == "2\n1\n"
    assert run("ls", "kip", "-q").out == "1\n"
    assert run("ls", "--kind", "vae", "--kind", "lora", "-q").out == "2\n1\n"
    assert run("ls", "--family", "sd1", "-q").out == "1\n"
    assert run("ls", "--tag", "mine", "vae", "-q").out == "2\n"
    assert run("ls", "nobody").out == "nothing found\n"
    assert [one["facts"]["kind"] for one in run("ls", "--json").json] == ["vae", "lora"]


def test_ls_shows_the_newest_fifty_and_says_so(run: Run, tmp_path: Path) -> None:
    for number in range(51):
        tables.write(tmp_path / "many" / f"m{number:02}.safetensors", {"a": (number,)})
    run("add", tmp_path / "many")
    ran = run("ls")
    assert len(ran.out.splitlines()) == 51
    assert ran.err == "the newest 50 of 51; modelhub ls --all shows all\n"
    every = run("ls", "--all")
    assert (len(every.out.splitlines()), every.err) == (52, "")


def test_ls_marks_what_is_missing(run: Run, kip: Path) -> None:
    run("add", kip)
    kip.unlink()
    run("verify")
    assert "missing" in run("ls").out


def test_show_tells_all_that_is_known(run: Run, kip: Path) -> None:
    run("add", kip, "--tag", "mine")
    page = run("show", "kip_v3", "--metadata").out
    for told in ("1  kip", "sd1", "columns of", str(kip), "(present)", "kip_v3", "mine", "ss_output_name"):
        assert told in page


def test_show_as_json_has_facts_evidence_metadata_and_lineage(run: Run, kip: Path) -> None:
    run("add", kip)
    shown = run("show", "1", "--json").json
    assert shown["facts"]["evidence"]["family"]["source"] == "tensors"
    assert shown["metadata"] == {"ss_output_name": "kip_v3"}
    assert shown["lineage"] == {"made_by": None, "used_by": []}


def test_show_tells_what_made_a_model_and_what_it_made(run: Run, kip: Path, vae: Path, workspace: Workspace) -> None:
    from modelhub.catalog import Catalog

    run("add", vae, kip)
    with Catalog.open(workspace) as catalog:
        made = catalog.begin_run("train", {}, [("base", 1)])
        catalog.finish_run(made, outputs=[2])
        used = catalog.begin_run("generate", {}, [("lora", 2)])
        catalog.pictures.record(used, workspace.outputs / "9.png", sha256="", width=1, height=1, infotext="")
        catalog.finish_run(used)
    page = run("show", "kip").out
    assert "from base 1 (plain-vae), made 2 (kip)" in page
    assert f"1 pictures, the last {workspace.outputs / '9.png'}" in page
    assert "made 2 (kip)" in run("show", "1").out


def test_show_works_without_the_file(run: Run, kip: Path) -> None:
    run("add", kip)
    kip.unlink()
    assert run("show", "1").code == 0


def test_show_lists_contradictions_and_shortens_metadata(run: Run, tmp_path: Path) -> None:
    metadata = {"ss_base_model_version": "sdxl_base_v1-0", "long": "x" * 500, **{f"k{n:02}": "v" for n in range(40)}}
    path = tables.write(tmp_path / "odd.safetensors", tables.tiny_lora(), metadata)
    assert "sdxl_base_v1-0" in run("add", path).err
    page = run("show", "1", "--metadata").out
    assert "contradictions" in page
    assert "and 12 more entries: show --json" in page
    assert "x" * 101 not in page


def test_metadata_by_strangers_moves_no_cursor(run: Run, tmp_path: Path) -> None:
    path = tables.write(tmp_path / "odd.safetensors", tables.tiny_lora(), {"title": "\x1b[2Jgone"})
    run("add", path)
    assert "\x1b" not in run("show", "1", "--metadata").out


def test_rename_changes_the_name_only(run: Run, kip: Path) -> None:
    run("add", kip)
    assert run("rename", "kip", "robot").out == "1: kip is now robot\n"
    assert run("rename", "1", "deadbeef").code == 2
    assert run("show", "robot", "-q").out == "1\n"


def test_rm_asks_unless_told_yes(run: Run, kip: Path) -> None:
    run("add", kip)
    assert run("rm", "kip").code == 2
    assert run("ls", "-q").out == "1\n"
    assert "removed 1 (kip)" in run("rm", "kip", "-y").out
    assert kip.exists()
    assert run("ls", "-q").out == ""


@pytest.mark.parametrize(("answer", "left"), [("y\n", ""), ("n\n", "1\n")])
def test_rm_does_as_it_is_answered(
    run: Run, kip: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: str
) -> None:
    run("add", kip)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert "about to remove 1 (kip)" in run("rm", "kip").err
    assert run("ls", "-q").out == left


def test_rm_only_says_what_it_would_do(run: Run, kip: Path, workspace: Workspace) -> None:
    run("add", kip, "--move")
    ran = run("rm", "1", "--dry-run")
    assert f"to the trash: {workspace.models / 'lora' / 'kip.safetensors'}" in ran.out
    assert run("rm", "1", "--dry-run", "--json").json["removed"] is False
    assert run("ls", "-q").out == "1\n"


def test_rm_removes_nothing_when_one_is_unknown(run: Run, kip: Path) -> None:
    run("add", kip)
    assert run("rm", "1", "nobody", "-y").code == 3
    assert run("ls", "-q").out == "1\n"


def test_rm_takes_the_same_model_once(run: Run, kip: Path) -> None:
    run("add", kip)
    assert run("rm", "1", "kip", "-y", "-q").out == "1\n"


def test_verify_records_then_finds_what_changed(run: Run, kip: Path, vae: Path) -> None:
    run("add", kip, vae)
    assert run("verify").out == "2 recorded\n"
    assert run("verify", "kip").out == "1 same\n"
    kip.write_bytes(kip.read_bytes()[:-1] + b"\x07")
    ran = run("verify")
    assert ran.code == 7
    assert str(kip) in ran.out
    assert ran.out.endswith("1 changed, 1 same\n")
    assert run("verify", "-q").out == "1\n"


def test_verify_tells_missing_files(run: Run, kip: Path) -> None:
    run("add", kip)
    kip.unlink()
    ran = run("verify", "--json")
    assert (ran.code, ran.json[0]["verdict"]) == (3, "missing")


def test_verify_streams_events(run: Run, kip: Path) -> None:
    import json

    run("add", kip)
    events = [json.loads(line) for line in run("verify", "--jsonl").out.splitlines()]
    assert [event["event"] for event in events] == ["progress", "done"]
    assert events[0]["task"] == "all"
    assert events[1]["result"][0]["verdict"] == "recorded"


def test_verify_of_nothing_is_well(run: Run) -> None:
    run("init")
    assert run("verify").out == "nothing to verify\n"
