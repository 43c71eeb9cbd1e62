"""`modelhub generate`, as a person types it."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cli.app import main
from modelhub.catalog import Catalog
from tests import tables

REPOSITORY = Path(__file__).parents[3]
QUICK = ["--steps", "1", "--size", "64x64", "--seed", "7", "--device", "cpu"]


def generate(*arguments: object) -> int:
    return main(["generate", *map(str, arguments)])


def test_pictures_are_drawn_and_their_paths_printed(
    base: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = generate("red fish", "-m", base, *QUICK, "--count", 2, "--out", tmp_path / "out")

    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert sorted(paths) == sorted((tmp_path / "out").iterdir())
    assert [Image.open(path).size for path in paths] == [(64, 64)] * 2
    assert Image.open(paths[0]).text["parameters"].startswith("red fish\nSteps: 1, ")  # type: ignore[attr-defined]


def test_without_a_folder_pictures_go_to_the_workspaces_outputs(
    base: int, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    generate("red fish", "-m", "tiny", *QUICK)

    assert Path(capsys.readouterr().out.strip()).is_relative_to(catalog.workspace.outputs)


def test_quiet_prints_paths_only(base: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate("red fish", "-m", "tiny", *QUICK, "--out", tmp_path / "out", "-q")

    (path,) = (tmp_path / "out").iterdir()
    assert capsys.readouterr() == (f"{path}\n", "")


def test_json_prints_one_document_with_all_that_draws_each_picture_again(
    base: int, tmp_path: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    generate("red fish", "-n", "blue", "-m", "tiny", *QUICK, "--batch", 2, "--out", tmp_path / "out", "--json")

    documents = json.loads(capsys.readouterr().out)
    assert [document["seed"] for document in documents] == [7, 8]
    assert all(document.keys() == {"path", "seed", "parameters", "request"} for document in documents)
    request = documents[1]["request"]
    assert (request["schema"], request["prompt"], request["negative_prompt"]) == (2, "red fish", "blue")
    assert (request["seed"], request["batch"], request["width"]) == (8, 1, 64)
    assert request["model"] == catalog.sha256(catalog.artifact(base))


def test_a_dash_reads_the_prompt_from_stdin(
    base: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a fish\nin the sea\n"))

    generate("-", "-m", "tiny", *QUICK, "--out", tmp_path / "out", "--json")

    assert json.loads(capsys.readouterr().out)[0]["request"]["prompt"] == "a fish\nin the sea"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--size", "big"], 2, "'big' is no size"),
        (["--size", "64"], 2, "'64' is no size"),
        (["--size", "64x"], 2, "'64x' is no size"),
        (["--size", "²x64"], 2, "'²x64' is no size"),
        (["--size", "100x64"], 2, "--size: "),
        (["--lora", "tiny=strong"], 2, "'strong' is no weight"),
        (["--lora", "tiny"], 4, "tiny"),
        (["--lora", "kip-9"], 3, "holds no model 'kip-9'"),
        (["--steps", "0"], 2, "--steps: "),
        (["--clip-skip", "40"], 2, "--clip-skip: "),
        (["--sampler", "Heun Deluxe"], 2, "Heun Deluxe"),
        (["--device", "abacus"], 2, "abacus"),
        (["--noise", "pink"], 2, "--noise: "),
    ],
)
def test_what_is_wrong_is_one_clear_line(
    base: int, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    found = generate("red fish", "-m", "tiny", *arguments)

    first, *rest = capsys.readouterr().err.splitlines()
    assert found == code
    assert message in first
    assert all(line.startswith("  try: ") for line in rest)
    assert len(rest) <= 1


def test_an_unknown_model_is_named_with_the_nearest_and_the_mend(base: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = generate("red fish", "-m", "tinny")

    assert code == 3
    assert capsys.readouterr().err == (
        "modelhub: the catalog holds no model 'tinny'; did you mean tiny?\n  try: modelhub ls\n"
    )


def test_a_lora_of_the_real_sd15_is_refused_on_another_base_in_one_line(
    base: int, tmp_path: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    real = catalog.add(tables.write(tmp_path / "real.safetensors", tables.kohya_lora()), name="real")
    assert (real.facts.family, real.facts.context_width) == ("sd1", 768)

    code = generate("red fish", "-m", "tiny", "--lora", "real=0.8", "--json")

    said = capsys.readouterr()
    error = json.loads(said.out)
    assert code == 4
    assert error["code"] == "incompatible"
    assert "real was trained on text encodings 768 wide, tiny has 16" in error["message"]
    assert error["mend"]
    assert said.err == ""
    assert not catalog.workspace.outputs.exists()


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["generate", "x", "-m", "1"], "inference"),
        (["train", "lora", "--base", "1", "--images", "x"], "train"),
        (["train", "resume", "1"], "train"),
    ],
)
def test_without_torch_the_command_that_brings_it_is_named(command: list[str], extra: str) -> None:
    program = f"import sys; sys.modules['torch'] = None; from cli.app import main; sys.exit(main({command!r}))"

    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr == (
        "modelhub: this needs the package torch, which is not installed\n"
        f"  try: pip install 'modelhub-suite[{extra}]'\n"
    )


def test_the_help_names_every_sampler_and_schedule() -> None:
    from cli.flags import sampling
    from inference.samplers import known
    from inference.schedules import AUTOMATIC, SCHEDULES

    assert sampling._SAMPLERS.partition(";")[0].replace(" or ", ", ").split(", ") == list(known())
    assert sampling._SCHEDULES.replace(" or ", ", ").split(", ") == [AUTOMATIC, *SCHEDULES]


def test_a_dry_run_says_what_would_be_drawn_with_what_and_in_how_much_memory(
    base: int, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate("red fish", "-m", "tiny", *QUICK, "--batch", 2, "--count", 3, "--dry-run") == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "would draw 6 images of 64x64"
    assert lines[1] == f"  model {base} tiny"
    assert lines[2].startswith("needs about ")
    assert not catalog.workspace.outputs.exists()
    assert catalog.last_run("generate") is None
