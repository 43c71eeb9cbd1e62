"""`modelhub train`, as a person types it: also when they stop it, and when the machine does."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.app import main
from cli.recipes import _name_of
from modelhub.catalog import Catalog
from tests import tiny
from tests.trainers.pictures import write_picture, write_set

REPOSITORY = Path(__file__).parents[3]
SHORT = ["--steps", "2", "--batch", "1", "--rank", "2", "--device", "cpu"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_set(tmp_path / "kip-set")


@pytest.fixture
def base(catalog: Catalog, tmp_path: Path) -> int:
    return catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny").id


def lora(*arguments: object) -> int:
    return main(["train", "lora", *map(str, arguments)])


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


def test_flags_win_over_the_recipe_and_the_recipe_over_defaults(
    base: int, images: Path, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe's folder is meant from where it lies, wherever the command is run."""
    recipe = tmp_path / "recipe.toml"
    text = (
        'base = "tiny"\nname = "in-file"\nsteps = 99\nbatch = 3\n[dataset]\nimages = "kip-set"\n[options]\nrank = 3\n'
    )
    recipe.write_text(text)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    code = lora("--recipe", recipe, "--steps", 1, "--alpha", 2, "--name", "in-flags", "-q")

    run = catalog.last_run("train")
    assert code == 0
    assert run is not None
    payload = run.payload
    assert (payload["name"], payload["steps"], payload["batch"]) == ("in-flags", 1, 3)
    assert (payload["options"]["rank"], payload["options"]["alpha"]) == (3, 2.0)
    assert payload["dataset"]["images"] == str(images)


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


def test_without_a_recipe_the_preset_of_the_bases_family_is_begun_with(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    lora("--base", base, "--images", images, *SHORT, "--trigger", "mira", "--set", "loss.min_snr_gamma=3")

    run = catalog.last_run("train")
    assert run is not None
    assert "preset character-sd15: " in capsys.readouterr().err
    assert run.payload["dataset"]["captions"]["shuffle"] is True
    assert (run.payload["trigger"], run.payload["loss"]["min_snr_gamma"]) == ("mira", 3.0)


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


def test_trainings_are_listed_and_shown(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "runs"]) == 0
    assert "no trainings yet" in capsys.readouterr().out
    lora("--base", base, "--images", images, *SHORT)
    made = catalog.resolve("kip-set")
    capsys.readouterr()

    main(["train", "runs"])
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row[:5] == ["1", "kip-set", "lora", "done", "2/2"]
    assert row[-2:] == [str(made.id), "kip-set"]

    main(["train", "show", "1"])
    said = capsys.readouterr()
    assert str(catalog.workspace.runs / "0001-kip-set" / "loss.png") in said.out
    assert f"base         {base} tiny" in said.out
    assert "judge its copies: modelhub train evaluate 1" in said.err
    assert main(["train", "show", "9"]) == 3


def test_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "presets", "-q"]) == 0
    assert "character-sdxl" in capsys.readouterr().out.splitlines()


def test_a_preset_is_printed_with_its_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "presets", "character-sd15"]) == 0
    assert "batch = 2                              # enough to steady the gradients" in capsys.readouterr().out


def test_entries_are_listed_by_parts_of_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "entries", "loss", "kind"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == 'loss.kind = "l2"'
    assert main(["train", "entries", "alpha", "conv"]) == 0
    assert capsys.readouterr().out.startswith("options.conv_alpha  (unset)\n    None takes half of conv_rank.")


@pytest.mark.parametrize("arguments", [["nothing"], ["--method", "dreambooth"]])
def test_entries_that_are_not_there_are_an_error(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["train", "entries", *arguments]) == 2
    assert "try: modelhub train entries" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "preset", "told"),
    [
        ("lora", "word-sd15", "word-sd15 is a preset of textual-inversion"),
        ("lora", "portrait", "there is no preset 'portrait'"),
    ],
)
def test_a_preset_that_does_not_fit_is_refused(
    base: int, images: Path, capsys: pytest.CaptureFixture[str], method: str, preset: str, told: str
) -> None:
    assert main(["train", method, "--base", "tiny", "--images", str(images), "--preset", preset]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("folder", "name"),
    [("mira", "mira"), ("mira/train", "mira"), ("10_mira girl", "mira girl"), ("sets/Img", "sets"), ("2024_", "2024_")],
)
def test_a_result_is_called_by_the_folder_that_tells_something(tmp_path: Path, folder: str, name: str) -> None:
    assert _name_of({"images": tmp_path / folder}) == name


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


def test_an_unknown_run_is_not_resumed(catalog: Catalog, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "resume", "7"]) == 3
    assert "no run 7" in capsys.readouterr().err


def begun(images: Path, *arguments: str) -> subprocess.Popen[str]:
    """A training in a process of its own."""
    command = [sys.executable, "-m", "cli", "train", "lora", "--base", "tiny", "--images", str(images), "--jsonl"]
    return subprocess.Popen(
        [*command, "--batch", "1", "--rank", "2", "--device", "cpu", *arguments],
        cwd=REPOSITORY, env={**os.environ, "OMP_NUM_THREADS": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_hear_ctrl_c,
    )  # fmt: skip


def _hear_ctrl_c() -> None:
    """What a shell starts in the background ignores it, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_step(process: subprocess.Popen[str], step: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "step" and event["step"] >= step:
            return
    raise AssertionError(process.stderr.read() if process.stderr else "no steps")


def resumed(run: int, capsys: pytest.CaptureFixture[str]) -> list[int]:
    """Resume here, and say which steps were still taken."""
    assert main(["train", "resume", str(run), "--device", "cpu", "--jsonl"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "done"
    return [event["step"] for event in events if event["event"] == "step"]


def test_ctrl_c_keeps_what_was_learnt_and_says_how_to_go_on(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    process = begun(images, "--steps", "200", "--save-every", "50")  # long enough not to end before the signal
    wait_for_step(process, 3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)

    run = catalog.last_run("train")
    assert process.returncode == 130
    assert run is not None
    last = json.loads(out.splitlines()[-1])
    assert last == {
        "event": "error",
        "code": "interrupted",
        "message": f"stopped; run {run.id} keeps what was learnt",
        "mend": f"modelhub train resume {run.id}",
        "retryable": True,
    }
    assert "Traceback" not in err
    assert run.state == "interrupted"
    steps = resumed(run.id, capsys)
    assert steps[0] >= 3
    assert steps[-1] == 200


def test_a_killed_process_loses_no_more_than_what_came_after_its_last_state(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    process = begun(images, "--steps", "30", "--save-every", "2")
    wait_for_step(process, 4)
    process.kill()
    process.communicate(timeout=60)

    steps = resumed(1, capsys)

    assert steps[0] >= 3
    assert steps[-1] == 30
    run = catalog.run(1)
    assert run.state == "done"
    losses = catalog.workspace.runs / "0001-kip-set" / "losses.jsonl"
    assert [json.loads(line)["step"] for line in losses.read_text().splitlines()] == list(range(1, 31))


def test_evaluate_tells_the_best_pair_and_notes_its_weight(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lora("--base", base, "--images", images, *SHORT, "--save-every", 1, "-q") == 0
    run = catalog.last_run("train")
    assert run is not None
    capsys.readouterr()
    looks = ["--strengths", "0.5,1", "--prompt", "ramp", "--seeds", "1", "--steps", "1"]

    assert main(["train", "evaluate", str(run.id), *looks, "--device", "cpu"]) == 0

    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].split() == ["STEP", "STRENGTH", "LIKENESS", "ABOVE", "BASE", "DRIFT", "HELD-OUT", "LOSS"]
    assert len([line for line in lines[1:5] if line.startswith("*")]) == 1
    best = next(line for line in lines if line.startswith("best: "))
    number = int(best.partition("which is ")[2].split()[0])
    assert catalog.artifact(number).weight in (0.5, 1.0)
    assert f"--lora {number}" in said.err


def test_strengths_that_are_none_are_refused(base: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "evaluate", "1", "--strengths", "strong"]) == 2
    assert "'strong' are no strengths" in capsys.readouterr().err
