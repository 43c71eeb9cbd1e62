"""What `show` tells of how a model was made, of its words and of what belongs to it."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from tests import tables
from tests.cli.conftest import Run


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A small UNet, which LoRAs may be trained on."""
    return tables.write(tmp_path / "files" / "base-v1.safetensors", tables.diffusers_unet())


def trained(path: Path, **metadata: str) -> Path:
    return tables.write(path, tables.tiny_lora(), {"ss_network_dim": "4", "ss_seed": "0", **metadata})


def test_show_tells_how_a_lora_was_trained(run: Run, tmp_path: Path) -> None:
    folders = {"10_kip robot": {"n_repeats": 10, "img_count": 9}, "2_park": {"n_repeats": 2, "img_count": 5}}
    buckets = [{"resolution": [512, 768], "count": 3}, {"resolution": [768, 512], "count": 9}]
    path = trained(
        tmp_path / "kip.safetensors",
        ss_sd_model_name="somebodys.safetensors",
        ss_sd_model_hash="0123abcd",
        ss_network_alpha="2.0",
        ss_num_train_images="100",
        ss_dataset_dirs=json.dumps(folders),
        ss_tag_frequency=json.dumps({"10_kip robot": {f"tag {n}": 30 - n for n in range(30)}}),
        ss_resolution="(512, 512)",
        ss_bucket_info=json.dumps({"buckets": dict(enumerate(buckets))}),
        ss_steps="500",
        ss_max_train_steps="1000",
        ss_epoch="5",
        ss_learning_rate="0.0001",
        ss_unet_lr="0.0002",
        ss_optimizer="AdamW",
        ss_lr_scheduler="cosine",
        ss_training_started_at="1690000000",
        ss_training_finished_at="1690003900",
    )
    run("add", path)
    page = run("show", "kip").out
    rows = dict(line.strip().split("  ", 1) for line in page.splitlines() if "  " in line.strip())
    assert rows["on"].strip() == "somebodys.safetensors 0123abcd, which the catalog does not hold"
    assert rows["with"].strip() == "rank 4, alpha 2"
    assert rows["pictures"].strip() == "14, 100 an epoch, 10_kip robot 9 x 10, 2_park 5 x 2"
    assert rows["cut to"].strip() == "512x512, 2 buckets: 768x512 (9), 512x768 (3)"
    assert rows["steps"].strip() == "500 of 1,000, epoch 5"
    assert rows["learning rate"].strip() == "all 0.0001, unet 0.0002"
    assert rows["optimizer"].strip() == "AdamW, cosine"
    assert rows["settings"].strip() == "seed 0"
    assert rows["when"].strip() == "2023-07-22 04:26 UTC, took 1 h 5 min"
    assert rows["tags"].strip().startswith("tag 0 (30), tag 1 (29), ")
    assert rows["tags"].strip().endswith("tag 19 (11), and 10 more")


def test_a_base_is_found_by_the_digest_in_the_header(run: Run, base: Path, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(base.read_bytes()).hexdigest()
    run("add", base, trained(tmp_path / "kip.safetensors", ss_new_sd_model_hash=sha256))
    assert "which the catalog does not hold" in run("show", "kip").out
    run("verify")
    assert "1 (base-v1), its sha256 is in the header" in run("show", "kip").out
    assert "trained on it\n  2 (kip)" in run("show", "base-v1").out
    shown = run("show", "kip", "--json").json
    assert shown["base"] == {"id": 1, "name": "base-v1", "found_by": "sha256"}
    assert run("show", "1", "--json").json["derived"] == [{"id": 2, "name": "kip"}]


def test_a_base_is_found_by_its_old_short_digest(run: Run, base: Path, tmp_path: Path) -> None:
    run("add", base)
    run("verify")
    autov1 = run("show", "1", "--json").json["digests"].get("autov1")
    run("add", trained(tmp_path / "kip.safetensors", ss_sd_model_hash=autov1 or "0" * 8))
    assert run("show", "kip", "--json").json["base"] == (
        {"id": 1, "name": "base-v1", "found_by": "autov1"} if autov1 else None
    )


def test_a_base_of_that_name_is_told_as_unproven_until_its_digest_refutes_it(
    run: Run, base: Path, tmp_path: Path
) -> None:
    path = trained(tmp_path / "kip.safetensors", ss_sd_model_name="base-v1.safetensors", ss_new_sd_model_hash="ab" * 32)
    run("add", base, path)
    assert "1 (base-v1), by name only" in run("show", "kip").out
    run("verify")
    assert "base-v1.safetensors abababab" in run("show", "kip").out


def test_words_notes_previews_and_sources_come_from_the_files_beside_it(run: Run, kip: Path) -> None:
    kip.with_suffix(".json").write_text(json.dumps({"activation text": "kip, robot", "notes": "mine"}))
    version = {"id": 2, "modelId": 1, "name": "v3", "baseModel": "SD 1.5", "model": {"name": "Kip"}}
    kip.with_suffix(".civitai.info").write_text(json.dumps({**version, "creator": {"username": "Ann"}}))
    kip.with_suffix(".preview.png").write_bytes(b"png")
    run("add", kip)
    page = run("show", "1").out
    for told in (
        "kip, robot  (notes of",
        "note\n  mine",
        ".preview.png",
        "civitai:1@2  Kip v3, by Ann, SD 1.5  (seen 2",
    ):
        assert told in page
    shown = run("show", "1", "--json").json
    assert shown["words"] == [{"word": "kip, robot", "source": "hub"}]
    assert shown["sources"][0]["ref"] == "civitai:1@2"
    assert run("show", "1", "--preview", "-q").out == f"{kip.with_suffix('.preview.png')}\n"


def test_a_model_without_a_preview_says_how_to_give_it_one(run: Run, kip: Path) -> None:
    run("add", kip)
    ran = run("show", "1", "--preview")
    assert ran.code == 3
    assert "kip.preview.png" in ran.err


def test_all_but_the_raw_header_is_told_when_the_disk_is_away(run: Run, kip: Path) -> None:
    path = trained(kip.with_name("far.safetensors"), **{"modelspec.title": "Far", "modelspec.license": "CC0"})
    run("add", path)
    path.unlink()
    page = run("show", "far", "--metadata").out
    assert "Far, licence CC0" in page
    assert "rank 4" in page
    assert "\nheader" not in page


def test_the_raw_header_is_shown_only_when_asked_for(run: Run, kip: Path) -> None:
    run("add", kip)
    assert "ss_output_name" not in run("show", "1").out
    assert "ss_output_name" in run("show", "1", "--metadata").out


def test_two_names_of_one_file_are_marked(run: Run, kip: Path) -> None:
    other = kip.with_name("other.safetensors")
    os.link(kip, other)
    run("add", kip, other)
    page = run("show", "1").out
    assert page.count("(present, the same file under 2 names)") == 2


def test_what_strangers_wrote_cannot_draw_on_the_page(run: Run, tmp_path: Path) -> None:
    run("add", trained(tmp_path / "odd.safetensors", **{"modelspec.title": "a\nfacts\n  kind  safe\x1b[2J"}))
    page = run("show", "1").out
    assert "\x1b" not in page
    assert "a facts kind safe" in page


def test_a_pickle_names_the_code_that_it_would_run(run: Run, tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps({"string_to_token": {"*": 265}, "name": "evil", "step": 3, "extra": Evil()}))
    run("add", path)
    page = run("show", "evil").out
    assert "code in this pickle" in page
    assert "posix.system" in page
    assert not (tmp_path / "ran").exists()
