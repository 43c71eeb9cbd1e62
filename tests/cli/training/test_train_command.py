"""`modelhub train`, as a person types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.app import main
from modelhub.catalog import Catalog
from tests.cli.training.asked import SHORT, lora
from tests.trainers.pictures import write_picture

REPOSITORY = Path(__file__).parents[3]


def test_a_folder_of_pictures_becomes_a_lora_named_after_it(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    code = lora("--base", base, "--images", images, *SHORT)

    said = capsys.readouterr()
    made = catalog.resolve("kip-set")
    assert code == 0
    assert said.out == f"{made.id}  kip-set  {made.path}\n"
    assert f'modelhub generate "..." --model {base} --lora {made.id}' in said.err


def test_quiet_prints_the_catalog_id_only(base: int, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = lora("--base", "tiny", "--images", images, *SHORT, "-q")

    assert code == 0
    assert capsys.readouterr() == (f"{base + 1}\n", "")


def test_json_prints_one_document(base: int, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lora("--base", "tiny", "--images", images, *SHORT, "--json")

    document = json.loads(capsys.readouterr().out)
    assert (document["id"], document["name"], document["facts"]["rank"]) == (base + 1, "kip-set", 2)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--images", "SET"], 2, "--base is missing"),
        (["--base", "tiny"], 2, "--images is missing"),
        (["--base", "nothing", "--images", "SET"], 3, "holds no model 'nothing'"),
        (["--base", "tiny", "--images", "nowhere"], 3, "nowhere is no folder of images"),
        (["--base", "tiny", "--images", "SET", "--name", "tiny"], 4, "'tiny' is taken by catalog ID"),
        (["--base", "tiny", "--images", "SET", "--rank", "0"], 2, "options.rank"),
        (["--base", "tiny", "--images", "SET", "--recipe", "none.toml"], 3, "there is no such recipe"),
    ],
)
def test_what_is_wrong_is_one_clear_line(
    base: int, images: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    found = lora(*(str(images) if one == "SET" else one for one in arguments))

    first, *rest = capsys.readouterr().err.splitlines()
    assert found == code
    assert message in first
    assert all(line.startswith("  try: ") for line in rest)
    assert len(rest) <= 1


def test_a_dry_run_tells_what_it_would_take_and_does_nothing(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    code = lora("--base", base, "--images", images, *SHORT, "--preset", "style-sd15", "--dry-run", "--json")

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (document["preset"], document["estimate"]["steps"]) == ("style-sd15", 2)
    assert document["recipe"]["dataset"]["augment"]["flip"] is True
    assert document["estimate"]["memory"] > 0
    assert catalog.last_run("train") is None


def test_a_dry_run_says_what_of_a_description_is_left_out(
    base: int, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    description = images.parent / "set.toml"
    description.write_text(
        f"[[datasets]]\nresolution = 64\n[[datasets.subsets]]\nimage_dir = '{images}'\n"
        "caption_extension = '.txt'\nnum_repeat = 5\n"
    )

    assert lora("--base", base, "--images", description, *SHORT, "--dry-run") == 0
    assert "num_repeat = 5 is left out: it means nothing here; is it meant for num_repeats?" in capsys.readouterr().err


def test_a_training_is_repeated_from_its_own_file(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    lora("--base", base, "--images", images, *SHORT)
    made = catalog.resolve("kip-set")
    capsys.readouterr()

    assert lora("--from", made.path, "--device", "cpu") == 0
    assert "its tensors are those of kip-set.safetensors" in capsys.readouterr().err
    assert catalog.resolve("kip-set-2").facts.rank == 2

    assert lora("--from", made.path, "--device", "cpu", "--steps", 1, "--name", "shorter") == 0
    assert "its tensors differ from those of kip-set.safetensors: another recipe" in capsys.readouterr().err

    (images / "0.txt").write_text("another")
    assert lora("--from", made.id, "--device", "cpu") == 4
    assert "0.png has another caption" in capsys.readouterr().err


def test_what_is_not_installed_is_named_with_the_command_that_brings_it(
    base: int, images: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    assert lora("--base", base, "--images", images) == 1
    assert "needs the package accelerate" in capsys.readouterr().err


def test_wrong_flags_are_told_before_torch_is_loaded(base: int, images: Path) -> None:
    code = "import sys; from cli.app import main; main(sys.argv[1:]); print('torch' in sys.modules)"
    flags = ["train", "lora", "--base", "nothing", "--images", str(images)]
    ran = subprocess.run([sys.executable, "-c", code, *flags], capture_output=True, text=True, cwd=REPOSITORY)
    assert "holds no model 'nothing'" in ran.stderr
    assert ran.stdout == "False\n"


@pytest.mark.parametrize(
    ("method", "flags", "usage"),
    [
        ("textual-inversion", ["--token", "mira", "--vectors", "2"], '"... mira ..." --model 1'),
        ("hypernetwork", ["--structure", "1,1"], '"... <hypernet:kip-set:1>" --model 1'),
        ("full", ["--attention-only"], '"..." --model 2'),
    ],
)
def test_every_method_has_its_command(
    base: int, images: Path, capsys: pytest.CaptureFixture[str], method: str, flags: list[str], usage: str
) -> None:
    short = ["--steps", "1", "--batch", "1", "--device", "cpu"]
    code = main(["train", method, "--base", "tiny", "--images", str(images), *short, *flags])

    assert code == 0
    assert f"use it: modelhub generate {usage}" in capsys.readouterr().err


def test_a_word_that_is_learned_with_a_lora_is_drawn_with_it(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pair is called by a prompt that says the word, and the LoRA's flag."""
    word = ["--pivotal", "mira", "--pivotal-vectors", 2, "--pivotal-initial", "ramp", "--pivotal-lr", 1e-2]
    assert lora("--base", base, "--images", images, *SHORT, *word, "--pivotal-until", 0.5) == 0
    made = catalog.resolve("kip-set")
    assert f'modelhub generate "mira, ..." --model {base} --lora {made.id}' in capsys.readouterr().err

    sizes = ["--size", "64x64", "--steps", "1", "--device", "cpu"]
    assert main(["generate", "mira waving", "--model", "tiny", "--lora", "kip-set", *sizes]) == 0

    run = catalog.last_run("generate")
    assert run is not None
    assert [role for role, _ in run.inputs] == ["model", "lora", "embedding"]
    assert (made.trigger_words, catalog.artifact(run.inputs[2][1]).name) == (("mira",), "kip-set-words")


def test_a_learning_rate_is_looked_for(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["train", "range", "--base", "tiny", "--images", str(images), "--steps", "12", "--device", "cpu", "-q"])

    assert code == 0
    assert 0 < float(capsys.readouterr().out) < 1
    assert (catalog.workspace.runs / "range-kip-set.png").is_file()


def test_a_picture_without_caption_is_named_with_the_mend(
    base: int, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_picture(images / "bare.png", caption=None)

    code = lora("--base", "tiny", "--images", images)

    said = capsys.readouterr().err
    assert code == 2
    assert "bare.png" in said
    assert "try: write a .txt file" in said
