"""`modelhub licence`, and what `generate --require` refuses."""

from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from modelhub.catalog import Catalog
from modelhub.licences import known, to_json
from tests import tables, tiny
from tests.cli.conftest import Run


@pytest.fixture
def shelf(catalog: Catalog, tmp_path: Path) -> Catalog:
    """1 is free, 2 must not earn anything, of 3 nobody tells."""
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny")
    catalog.add(tables.write(tmp_path / "kip.safetensors", tables.tiny_lora(), {"modelspec.license": "CC-BY-NC-4.0"}))
    catalog.add(tables.write(tmp_path / "soft.safetensors", tables.ldm_vae(width=1)))
    catalog.sources.note(1, "hf:a/tiny@1", {"licence": to_json(known("mit"))})
    return catalog


def test_one_model_is_a_column_of_answers_with_its_reasons(run: Run, shelf: Catalog) -> None:
    ran = run("licence", "tiny")
    assert ran.code == 0
    rows = [line.split() for line in ran.out.splitlines()[:8]]
    assert rows[0] == ["1", "(tiny)"]
    assert rows[1] == ["sell", "pictures", "yes"]
    assert "\n1 (tiny): mit\n  hf:a/tiny@1: mit: pictures owe nothing" in ran.out
    assert "together" not in ran.out
    assert ran.out.endswith("This is no legal advice: the licences themselves count, and some hold terms that no "
                            "table shows.\n")  # fmt: skip


def test_a_stack_has_a_last_column_and_names_who_stands_in_the_way(run: Run, shelf: Catalog) -> None:
    out = run("licence", 1, 2, 3).out
    assert out.splitlines()[0].split("  ")[-1] == "together"
    assert out.splitlines()[1].split()[-4:] == ["yes", "no", "unknown", "no"]
    assert "  sell pictures: no, because of 2 (kip)\n" in out
    assert "3 (soft): no licence is named\n  nobody here told what it allows" in out
    assert "say so: modelhub tag REF +licence:apache-2.0" in out


def test_what_the_owner_says_of_a_licence_counts(run: Run, shelf: Catalog) -> None:
    run("tag", 2, "+licence:own")
    assert run("licence", 1, 2, "--require", "commercial").code == 0


def test_json_holds_each_model_and_the_stack(run: Run, shelf: Catalog) -> None:
    told = run("licence", 1, 2, "--json").json
    assert [one["sell_images"] for one in told["models"]] == ["yes", "no"]
    assert told["together"]["sell_images"] == "no"
    assert told["together"]["decided_by"]["sell_images"] == ["2 (kip)"]


def test_a_requirement_that_is_met_changes_nothing(run: Run, shelf: Catalog) -> None:
    assert run("licence", 1, "--require", "commercial").out == run("licence", 1).out


def test_a_requirement_that_is_not_met_is_exit_code_4(run: Run, shelf: Catalog) -> None:
    ran = run("licence", 1, 2, "--require", "commercial")
    assert (ran.code, ran.out) == (4, "")
    assert "the licence of 2 (kip) (cc-by-nc-4.0) does not let pictures made with it be sold" in ran.err
    assert "try: modelhub licence 2" in ran.err


def test_a_model_that_is_not_held_is_asked_of_its_hub(run: Run, tmp_path: Path) -> None:
    there = tables.write(tmp_path / "nas" / "kip.safetensors", tables.tiny_lora())
    ran = run("licence", f"folder:{there}")
    assert ran.code == 0
    assert f"folder:{there}: no licence is named" in ran.out


def picture(path: Path, parameters: str) -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", parameters)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


def test_a_picture_stands_for_the_models_that_drew_it(run: Run, shelf: Catalog, tmp_path: Path) -> None:
    drawn = picture(tmp_path / "1.png", "x")
    number = shelf.begin_run("generate", {}, [("model", 1), ("lora", 2)])
    shelf.pictures.record(number, drawn, sha256="0" * 64, width=8, height=8, infotext="x")
    shelf.remove(2)
    told = run("licence", drawn, "--json").json["models"]
    assert [one["model"] for one in told] == ["1 (tiny)", "kip"]
    assert told[1]["because"] == ["the catalog does not hold it"]
    assert run("licence", drawn, "--require", "commercial").code == 4


def test_a_strangers_picture_is_known_by_its_text(run: Run, shelf: Catalog, tmp_path: Path) -> None:
    digest = shelf.sha256(shelf.artifact(1))[:10]
    drawn = picture(tmp_path / "2.png", f'x\nSteps: 1, Model hash: {digest}, Lora hashes: "lost: 0123456789ab"')
    told = run("licence", drawn, "--json").json["models"]
    assert [one["model"] for one in told] == ["1 (tiny)", "lost 0123456789ab"]


def test_a_picture_that_tells_nothing_is_said_to(run: Run, shelf: Catalog, tmp_path: Path) -> None:
    ran = run("licence", picture(tmp_path / "3.png", "x"))
    assert ran.code == 3
    assert "nothing tells what drew" in ran.err


def test_a_name_that_nobody_has_is_unknown(run: Run, shelf: Catalog) -> None:
    assert run("licence", "nobody").code == 3


def test_generate_refuses_what_the_licences_do_not_allow_before_it_draws(
    run: Run, shelf: Catalog, tmp_path: Path
) -> None:
    soft = shelf.add(tiny.write_vae(tmp_path / "soft-vae.safetensors", seed=1))
    quick = ["--steps", 1, "--size", "64x64", "--device", "cpu", "--out", tmp_path / "out"]
    refused = run("generate", "x", "-m", "tiny", "--vae", soft.id, *quick, "--require", "commercial")
    assert refused.code == 4
    assert f"whether {soft.id} (soft-vae) allows it is not known" in refused.err
    assert not (tmp_path / "out").exists()
    assert shelf.last_run("generate") is None
    assert run("generate", "x", "-m", "tiny", *quick, "--require", "commercial").code == 0
