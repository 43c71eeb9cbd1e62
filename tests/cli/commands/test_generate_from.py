"""`modelhub generate --from`: a picture is drawn again, or changed in parts."""

from pathlib import Path

import pytest
from PIL import Image

from modelhub.catalog import Catalog
from tests import tiny
from tests.cli.conftest import Ran, Run

QUICK = ("--steps", 2, "--size", "64x64", "--seed", 7, "--sampler", "Euler a")
TEXT = "red fish\nNegative prompt: blue\nSteps: 2, Sampler: Euler a, Seed: 7, Size: 64x64"


@pytest.fixture
def first(catalog: Catalog, run: Run, tmp_path: Path) -> Path:
    """A picture that was drawn here."""
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny")
    return drawn(run("generate", "red fish", "-n", "blue", *QUICK, "--out", tmp_path / "a", "-q"))


def drawn(ran: Ran) -> Path:
    assert ran.code == 0, ran.err
    return Path(ran.out.strip())


def same(one: Path, other: Path) -> bool:
    with Image.open(one) as ours, Image.open(other) as theirs:
        return ours.tobytes() == theirs.tobytes()


def test_a_picture_is_drawn_again_to_the_pixel(run: Run, first: Path) -> None:
    assert same(drawn(run("generate", "--from", first, "-q")), first)


def test_its_text_alone_draws_it_again(run: Run, first: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)

    assert same(drawn(run("generate", "--from", tmp_path / "a.txt", "-q")), first)


@pytest.mark.parametrize("flag", [("--seed", 8), ("--steps", 3), ("-n", "green"), ("--size", "72x64")])
def test_a_flag_changes_its_part(run: Run, first: Path, tmp_path: Path, flag: tuple[object, ...]) -> None:
    again = drawn(run("generate", "--from", first, *flag, "-q"))

    direct = drawn(run("generate", "red fish", "-n", "blue", *QUICK, *flag, "--out", tmp_path / "b", "-q"))
    assert not same(again, first)
    assert same(again, direct)


def test_a_flag_at_its_default_is_a_flag_too(run: Run, first: Path) -> None:
    (document,) = run("generate", "--from", first, "--sampler", "DPM++ 2M", "--json").json

    assert document["request"]["sampler"] == "DPM++ 2M"
    assert document["request"]["steps"] == 2


def test_it_can_be_drawn_over_with_its_own_parameters(run: Run, first: Path) -> None:
    (over,) = run("generate", "--from", first, "--as", "img2img", "--denoise", 0.5, "--json").json

    assert (over["request"]["seed"], over["request"]["steps"], over["request"]["init"]["denoise"]) == (7, 2, 0.5)
    again = run("generate", "--from", over["path"], "--json").json[0]
    assert same(Path(again["path"]), Path(over["path"]))
    changed = run("generate", "--from", over["path"], "--denoise", 0.9, "--json").json[0]
    assert changed["request"]["init"] == {**over["request"]["init"], "denoise": 0.9}


def test_a_missing_model_is_named_with_where_to_pull_it(run: Run, first: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f'<lora:ink:1> {TEXT}, Lora hashes: "ink: 0123456789ab"')

    ran = run("generate", "--from", tmp_path / "a.txt")

    assert ran.code == 3
    assert "the catalog lacks what drew it: lora ink 0123456789ab" in ran.err
    assert "modelhub pull civitai:hash:0123456789ab" in ran.err
    assert same(drawn(run("generate", "--from", tmp_path / "a.txt", "--without-missing", "-q")), first)


def test_a_picture_that_was_drawn_over_an_unknown_one_asks_for_it(run: Run, first: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{TEXT}, Denoising strength: 0.5")

    assert "give it: --init FILE" in run("generate", "--from", tmp_path / "a.txt").err
    (over,) = run("generate", "--from", tmp_path / "a.txt", "--init", first, "--json").json
    assert over["request"]["init"]["denoise"] == 0.5


def test_a_picture_in_another_format_is_drawn_again(run: Run, first: Path, tmp_path: Path) -> None:
    lossy = drawn(run("generate", "--from", first, "--format", "webp", "-q"))

    assert lossy.suffix == ".webp"
    assert same(drawn(run("generate", "--from", lossy, "-q")), first)


def test_what_tells_nothing_is_refused(run: Run, first: Path, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "silent.png")

    assert "nothing in it tells" in run("generate", "--from", tmp_path / "silent.png").err
    assert "nobody says what to draw" in run("generate").err
    assert run("generate", "x", "--as", "img2img").code == 2


def test_braces_that_are_remembered_are_no_choices(run: Run, first: Path, tmp_path: Path) -> None:
    """webui's users write them for weight, which means nothing there."""
    (tmp_path / "a.txt").write_text(TEXT.replace("red fish", "{{red}} {fish|cat}"))

    (remembered,) = run("generate", "--from", tmp_path / "a.txt", "--json").json
    (typed,) = run("generate", "{{red}} {fish}", "--from", tmp_path / "a.txt", "--json").json

    assert remembered["request"]["prompt"] == "{{red}} {fish|cat}"
    assert same(drawn(run("generate", "--from", remembered["path"], "-q")), Path(remembered["path"]))
    assert typed["request"]["prompt"] == "red fish"


def test_a_style_goes_around_what_is_remembered(run: Run, first: Path, catalog: Catalog) -> None:
    (catalog.workspace.root / "styles.csv").write_text("name,prompt,negative_prompt\nink,ink of {prompt},dull\n")

    (styled,) = run("generate", "--from", first, "--style", "ink", "--json").json

    assert (styled["request"]["prompt"], styled["request"]["negative_prompt"]) == ("ink of red fish", "blue, dull")
