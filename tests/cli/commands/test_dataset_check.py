"""`modelhub dataset check` and `stats`, as a person types them."""

import subprocess
import sys
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from tests import tiny
from tests.cli.conftest import Run
from tests.trainers.doctor.examining import healthy, unlike


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return healthy(tmp_path / "zorbu-set")


def test_a_healthy_set_is_told_in_figures_and_ends_well(run: Run, folder: Path) -> None:
    ran = run("dataset", "check", folder, "--trigger", "zorbu", "--resolution", 64)

    assert ran.code == 0
    head = f"{folder}: 8 pictures, 8 in an epoch, 1 bucket at 64 px; longest caption 5 tokens"
    assert ran.out == f"{head}\n\nnothing is wrong with it\n"


def test_what_would_be_refused_ends_with_two_and_says_the_mend(run: Run, folder: Path) -> None:
    (folder / "0.txt").rename(folder / "0.cap")
    (folder / "lost.txt").write_text("zorbu")

    ran = run("dataset", "check", folder, "--trigger", "zorbu", "--resolution", 64)

    assert ran.code == 2
    assert "errors: a training would be refused\n  caption-extension: 1 caption would never be read" in ran.out
    assert f'      mend: for f in {folder}/*.cap; do mv -n "$f" "${{f%.cap}}.txt"; done' in ran.out
    assert ran.out.index("errors:") < ran.out.index("warnings\n  orphan-caption")


def test_warnings_fail_only_where_that_is_asked_for(run: Run, folder: Path) -> None:
    (folder / "lost.txt").write_text("zorbu")
    arguments = ("dataset", "check", folder, "--trigger", "zorbu", "--resolution", 64)

    assert run(*arguments).code == 0
    assert run(*arguments, "--strict").code == 2


def test_programs_get_findings_and_figures(run: Run, folder: Path) -> None:
    (folder / "0.png").write_bytes(b"")

    document = run("dataset", "check", folder, "--resolution", 64, "--json").json

    assert document["refused"] is True
    assert document["figures"]["buckets"] == {"64x64": 7}
    assert (document["findings"][0]["code"], document["findings"][0]["severity"]) == ("broken-picture", "error")
    assert document["findings"][0]["which"] == [str(folder / "0.png")]


def test_pictures_that_the_workspace_knows_are_not_decoded_again(run: Run, folder: Path, catalog: Catalog) -> None:
    """What is kept of them is believed: here, that they are of another format than their names say."""
    run("dataset", "check", folder)
    for kept in (catalog.workspace.cache / "glances").iterdir():
        kept.write_bytes(kept.read_bytes().replace(b"PNG", b"GIF"))

    assert "misnamed" in run("dataset", "check", folder).out


def test_where_no_workspace_is_none_is_made(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("dataset", "check", folder).code == 0

    assert [one.name for one in tmp_path.iterdir()] == [folder.name]


def test_the_base_gives_the_resolution(run: Run, folder: Path, catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny")

    assert run("dataset", "check", folder, "--base", "tiny", "--json").json["figures"]["resolutions"] == [64]
    assert run("dataset", "check", folder, "--json").json["figures"]["resolutions"] == [512]


def test_a_recipe_says_which_dataset_and_how(run: Run, folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('trigger = "zorbu"\n[dataset]\nimages = "zorbu-set"\nresolution = 128\n')

    assert run("dataset", "check", "--recipe", recipe, "--json").json["figures"]["resolutions"] == [128]
    assert run("dataset", "check", "--recipe", recipe, "--resolution", 64, "--strict").code == 0
    assert run("dataset", "check").err.startswith("modelhub: which dataset?")


def test_the_flags_of_a_training_count(run: Run, folder: Path, tmp_path: Path) -> None:
    """Pictures of the class, masks that fit no picture, mirroring, two sizes, and an entry by its name."""
    healthy(tmp_path / "class", first=20)
    (tmp_path / "masks").mkdir()
    unlike(0).save(tmp_path / "masks" / "other.png")
    (folder / "0.txt").write_text("zorbu, looking left")
    arguments = ("dataset", "check", folder, "--trigger", "zorbu", "--json", "--resolution", "64,96")

    document = run(
        *arguments,
        "--reg",
        tmp_path / "class",
        "--masks",
        tmp_path / "masks",
        "--flip",
        "--set",
        "dataset.captions.prefix=a b c",
    ).json

    figures, codes = document["figures"], {one["code"] for one in document["findings"]}
    assert (figures["resolutions"], figures["class_pictures"], figures["longest_caption"]) == ([64, 96], 8, 9)
    assert {"no-masks", "orphan-mask", "sides-flipped"} <= codes
    assert "enlarged" not in {one["code"] for one in run(*arguments, "--no-upscale").json["findings"]}


def test_the_page_is_written_where_it_is_asked_for(run: Run, folder: Path, tmp_path: Path) -> None:
    unlike(0).save(folder / "again.png", compress_level=1)

    ran = run("dataset", "stats", folder, "--trigger", "zorbu", "--out", tmp_path / "page.html", "-q")

    assert ran.out == f"{tmp_path / 'page.html'}\n"
    assert "Pictures that look the same" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_doctor_needs_no_torch(folder: Path) -> None:
    program = (
        "import sys; from cli.app import main\n"
        f"main(['dataset', 'check', {str(folder)!r}, '-q'])\n"
        "sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("flags", [[], ["--json"], ["--jsonl"]])
def test_a_name_that_a_terminal_would_obey_or_cannot_show_is_told_with_marks(
    run: Run, folder: Path, flags: list[str]
) -> None:
    (folder / "red\x1b[31m\udcff.png").write_bytes(b"no picture")

    ran = run("dataset", "check", folder, *flags)

    assert ran.code in (0, 2)
    assert "\x1b" not in ran.out
    assert "broken-picture" in ran.out.encode().decode()
