"""`export` says what it made, and what it would make."""

from pathlib import Path

from tests.cli.conftest import Run


def test_export_tells_what_it_made_and_makes_it_once(run: Run, kip: Path, vae: Path, tmp_path: Path) -> None:
    run("add", kip, vae)
    webui = tmp_path / "webui"
    dry = run("export", "a1111", webui, "--dry-run")
    assert f"{webui}: 2 would be made, 0 right already, 0 would be removed" in dry.out
    assert not webui.exists()
    assert f"{webui}: 2 made, 0 right already, 0 removed" in run("export", "a1111", webui).out
    assert (webui / "models/Lora/kip.safetensors").samefile(kip)
    again = run("export", "a1111", webui, "--json").json
    assert (again["made"], again["kept"]) == ([], 2)


def test_export_shows_what_was_asked_for(run: Run, kip: Path, vae: Path, tmp_path: Path) -> None:
    run("add", kip, vae)
    assert run("export", "a1111", tmp_path / "a", "--kind", "vae", "-q").out == "2\n"
    assert run("export", "a1111", tmp_path / "b", "kip", "-q").out == "1\n"
    assert run("export", "a1111", tmp_path / "c", "--tag", "none", "-q").out == ""
    assert run("export", "a1111", tmp_path / "d", "nobody").code == 3


def test_comfyui_gets_a_file_that_names_folders_unless_links_are_wanted(
    run: Run, kip: Path, vae: Path, tmp_path: Path
) -> None:
    run("add", kip, vae)
    named = run("export", "comfyui", tmp_path / "comfy")
    assert named.out.startswith(f"wrote {tmp_path / 'comfy' / 'extra_model_paths.yaml'}\n")
    assert (
        f"not named: {kip.parent} holds loras, vae; modelhub export comfyui DIR --links symbolic sorts them"
        in named.err
    )
    run("export", "comfyui", tmp_path / "comfy", "--links", "hard")
    assert (tmp_path / "comfy/models/loras/kip.safetensors").samefile(kip)
    assert run("export", "a1111", tmp_path / "x", "--yaml").code == 2


def test_what_fails_is_told_and_ends_in_five(run: Run, kip: Path, tmp_path: Path) -> None:
    run("add", kip)
    (tmp_path / "webui" / "models").mkdir(parents=True)
    (tmp_path / "webui" / "models" / "Lora").write_text("in the way")
    ran = run("export", "a1111", tmp_path / "webui")
    assert ran.code == 5
    assert "not shown: models/Lora/kip.safetensors: " in ran.err
