"""A recipe says all that decides the weights, and says it the same in a file."""

from pathlib import Path
from typing import Any

import pytest

from modelhub.errors import BadValue, MissingFile
from trainers.recipe import (
    SCHEMA,
    DatasetOptions,
    LoraOptions,
    PreviewOptions,
    Recipe,
    parse_recipe,
    read_fields,
    read_recipe,
    write_recipe,
)

LEAST = '\nbase = "3"\nname = "kip"\n\n[dataset]\nimages = "pictures"\n'


def recipe(images: Path = Path("/pictures"), **entries: Any) -> Recipe:
    dataset = DatasetOptions(images=images, **entries.pop("dataset", {}))
    return Recipe(**{"base": "3", "name": "kip", "dataset": dataset, **entries})


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


OTHER = {
    "steps": 7,
    "batch": 3,
    "learning_rate": 1e-3,
    "text_encoder_learning_rate": 0.0,
    "optimizer": {"schedule": "linear", "warmup": 0.25, "weight_decay": 0.0, "max_grad_norm": 2.5},
    "loss": {"min_snr_gamma": 0.0},
    "noise": {"offset": 0.1},
    "clip_skip": 2,
    "seed": 9,
    "options": LoraOptions(rank=4, alpha=1.0),
    "dataset": {
        "resolution": 128,
        "buckets": False,
        "bucket_step": 8,
        "augment": {"flip": True},
        "captions": {"dropout": 0.5},
    },
}
"""An unusual value for every entry that decides the weights."""


def test_a_recipe_reads_back_as_it_was_written(tmp_path: Path) -> None:
    preview = PreviewOptions(every=5, prompts=("卡通, red", 'a "quoted" one'), negative_prompt="x", cfg=3.5, seed=8)
    full = recipe(tmp_path / "pictures", **OTHER, save={"every": 2}, preview=preview)

    write_recipe(full, tmp_path / "recipe.toml")

    assert read_recipe(tmp_path / "recipe.toml") == full


def test_the_defaults_read_back_as_they_were_written(tmp_path: Path) -> None:
    write_recipe(recipe(), tmp_path / "recipe.toml")

    assert read_recipe(tmp_path / "recipe.toml") == recipe()


def test_a_written_recipe_tells_its_schema(tmp_path: Path) -> None:
    write_recipe(recipe(), tmp_path / "recipe.toml")

    assert f"schema = {SCHEMA}" in (tmp_path / "recipe.toml").read_text()


def test_base_name_and_images_are_enough(tmp_path: Path) -> None:
    least = read_recipe(written(tmp_path, LEAST))

    assert (least.method, least.batch, least.optimizer.schedule, least.seed) == ("lora", 2, "cosine", 0)
    assert (least.learning_rate, least.text_encoder_learning_rate) == (5e-4, 1e-4)
    assert isinstance(least.options, LoraOptions)
    assert (least.options.rank, least.options.scale_alpha) == (16, 8)


def test_a_relative_folder_of_images_is_meant_from_where_the_recipe_lies(tmp_path: Path) -> None:
    assert read_recipe(written(tmp_path, LEAST)).dataset.images == tmp_path / "pictures"


def test_an_absolute_folder_of_images_stays_itself(tmp_path: Path) -> None:
    path = written(tmp_path, LEAST.replace("pictures", "/elsewhere/pictures"))

    assert read_recipe(path).dataset.images == Path("/elsewhere/pictures")


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("stepz = 3", "stepz"),
        ("steps = -1", "steps"),
        ('steps = "many"', "steps"),
        ('[optimizer]\nschedule = "wavy"', "optimizer.schedule"),
        ("[options]\nrnak = 3", "options.rnak"),
        ("[preview]\nevery = -1", "preview.every"),
        ("options = 3", "options"),
    ],
)
def test_an_entry_that_means_nothing_is_named_with_its_file(tmp_path: Path, entry: str, named: str) -> None:
    head, tail = LEAST.split("\n\n")
    text = f"{head}\n\n{tail}\n{entry}" if entry.startswith("[") else f"{head}\n{entry}\n\n{tail}"

    with pytest.raises(BadValue, match=rf"recipe\.toml: {named}: "):
        read_recipe(written(tmp_path, text))


@pytest.mark.parametrize(
    ("entries", "told", "mend"),
    [
        ({"loss": {"knd": 1}}, "loss.knd: there is no such entry", "modelhub train entries loss"),
        ({"loss": {"kind": 1}}, "loss.kind: Input should be 'l2'", "modelhub train entries loss.kind"),
        ({"stepz": 1}, "stepz: there is no such entry", "modelhub train entries"),
        (
            {"method": "full", "options": {"rank": 1}},
            "options.rank: there is no such entry",
            "modelhub train entries options --method full",
        ),
        (
            {"method": "textual_inversion", "dataset": {"images": "x", "regularisation": "y"}},
            "the flags: a new word changes nothing of the base",
            "modelhub train entries --method textual-inversion",
        ),
        ({"optimizer": {"betas": (0.9, 1.0)}}, "optimizer.betas.1: Input", "modelhub train entries optimizer.betas"),
        ({"optimizer": {"betas": (0.9,) * 3}}, "optimizer.betas: Tuple", "modelhub train entries optimizer.betas"),
        (
            {"optimizer": {"name": "adamwschedulefree", "betas": (0.0, 0.9)}},
            "optimizer: AdamWScheduleFree divides by its first beta",
            "modelhub train entries optimizer",
        ),
        (
            {"noise": {"bias": float("nan")}},
            "noise.bias: Input should be a finite",
            "modelhub train entries noise.bias",
        ),
        ({"loss": {"huber_c": 1e30}}, "loss.huber_c: Input should be less", "modelhub train entries loss.huber_c"),
        (
            {"export": {"formats": ["kohya", "a1111"]}},
            "a lora is not written as a1111: export.formats can be kohya, diffusers",
            "modelhub train entries",
        ),
        (
            {"method": "full", "export": {"formats": ["diffusers"]}},
            "a checkpoint is not written as diffusers: export.formats can be kohya",
            "modelhub train entries --method full",
        ),
        (
            {"method": "hypernetwork", "export": {"formats": ["diffusers"]}},
            "a hypernetwork is not written as diffusers: export.formats can be kohya, a1111",
            "modelhub train entries --method hypernetwork",
        ),
        ({"learning_rate": 1e-30}, "learning_rate is 1e-30, which moves no number", "modelhub train entries"),
        ({"text_encoder_learning_rate": 1e30}, "is 1e\\+30, which ends in numbers without", "modelhub train entries"),
        ({"options": {"alpha": 1e30}}, "alpha is 1e\\+30: write 1e-06 to 1e", "modelhub train entries options"),
        ({"options": {"max_norm": 1e-30}}, "max_norm is 1e-30: write", "modelhub train entries options"),
        ({"options": {"block_alphas": {"IN01": 1e9}}}, "IN01 is 1e\\+09: write", "modelhub train entries options"),
        ({"steps_range": (0, 0)}, "the flags: steps_range is from 0 to 0", "modelhub train entries"),
        ({"steps_range": (9, 3)}, "the flags: steps_range is from 9 to 3", "modelhub train entries"),
    ],
)
def test_what_is_wrong_with_an_entry_names_where_to_look_it_up(entries: dict[str, Any], told: str, mend: str) -> None:
    with pytest.raises(BadValue, match=told) as caught:
        parse_recipe({"base": "1", "name": "kip", "dataset": {"images": "x"}, **entries}, "the flags")
    assert caught.value.mend == mend


def test_entries_without_a_file_are_named_with_their_origin() -> None:
    with pytest.raises(BadValue, match="the flags: base: Field required"):
        parse_recipe({"name": "kip", "dataset": {"images": "x"}}, "the flags")


@pytest.mark.parametrize("schema", [str(SCHEMA + 1), '"two"'])
def test_a_recipe_of_a_newer_schema_is_refused_with_the_mend(tmp_path: Path, schema: str) -> None:
    with pytest.raises(BadValue, match="newer ModelHub") as caught:
        read_recipe(written(tmp_path, f"schema = {schema}\n{LEAST}"))

    assert caught.value.mend == "pip install -U modelhub-suite"


def test_the_present_schema_is_no_entry(tmp_path: Path) -> None:
    assert "schema" not in read_fields(written(tmp_path, f"schema = {SCHEMA}\n{LEAST}"))


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"none\.toml"):
        read_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize("content", [b"steps = ", "名".encode("gb18030")])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.toml").write_bytes(content)

    with pytest.raises(BadValue, match=r"broken\.toml"):
        read_recipe(tmp_path / "broken.toml")


def test_the_digest_leaves_out_what_does_not_decide_the_weights() -> None:
    other = recipe(Path("/moved"), name="other", save={"every": 3}, preview=PreviewOptions(every=1, prompts=("x",)))

    assert other.digest == recipe().digest


@pytest.mark.parametrize("entry", OTHER)
def test_the_digest_knows_every_entry_that_decides_the_weights(entry: str) -> None:
    assert recipe(**{entry: OTHER[entry]}).digest != recipe().digest


def test_the_digest_knows_the_base() -> None:
    assert recipe(base="4").digest != recipe().digest


def test_a_preview_shows_no_other_lora() -> None:
    with pytest.raises(ValueError, match="leave out <lora:"):
        PreviewOptions(every=5, prompts=("a cat <lora:kip:1>",))


def test_paths_of_subsets_start_where_the_recipe_lies_and_a_yes_is_none(tmp_path: Path) -> None:
    subsets = '[[dataset.subsets]]\nimages = "a.json"\nroot = "b"\nmasks = "c"\nregularisation = true\n'

    (one,) = read_recipe(written(tmp_path, f'base = "3"\nname = "kip"\n{subsets}')).dataset.subsets

    assert (one.images, one.root, one.masks) == (tmp_path / "a.json", tmp_path / "b", tmp_path / "c")
    assert one.regularisation is True


def test_a_subsets_resolution_is_checked_as_the_datasets_is(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match=r"resolution: .*a multiple of 8 from 64 to 4096"):
        parse_recipe({"base": "3", "name": "kip", "dataset": {"subsets": [{"images": "a", "resolution": 99}]}}, "here")
