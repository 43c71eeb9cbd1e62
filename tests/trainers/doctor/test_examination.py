"""The doctor as a whole: what it says of healthy sets, in which order, and what a training makes of it."""

from pathlib import Path

import pytest

from modelhub.errors import BadValue, MissingFile
from modelhub.jobs import Progress
from tests.trainers.doctor.examining import codes, examined, finding, healthy
from trainers.doctor import Orders, Severity, examine, notices, orders_of, refuse
from trainers.recipe import DatasetOptions, Recipe, TextualInversionOptions


def test_nothing_is_wrong_with_a_healthy_set(tmp_path: Path) -> None:
    report = examined(healthy(tmp_path / "10_zorbu"))

    assert codes(report) == []
    assert (report.figures.pictures, report.figures.epoch, report.figures.buckets) == (8, 80, {"64x64": 8})
    refuse(report)


def test_errors_come_before_warnings_and_these_before_notes(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set")
    (folder / "0.png").write_bytes(b"")
    (folder / "lost.txt").write_text("no picture")
    (folder / "1.txt").write_text("nothing of it")

    severities = [one.severity for one in examined(folder).findings]

    assert severities == [Severity.ERROR, Severity.WARNING, Severity.WARNING, Severity.NOTE]


def test_how_far_it_is_is_told_picture_by_picture(tmp_path: Path) -> None:
    events = list(examine(DatasetOptions(images=healthy(tmp_path, 3)), Orders()))

    assert events[:-1] == [Progress("dataset", done, 3, "pictures") for done in (1, 2, 3)]


def test_a_refusal_names_everything_that_cannot_work_with_its_mend(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set")
    (folder / "0.png").write_bytes(b"no picture")
    (folder / "1.txt").unlink()

    with pytest.raises(BadValue) as caught:
        refuse(examined(folder))

    assert "0.png (its bytes are no picture)" in caught.value.message
    assert "1 picture without a caption: 1.png" in caught.value.message
    assert "mend:" in caught.value.message


def test_where_no_pictures_are_the_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="is no folder of images"):
        refuse(examined(tmp_path / "nowhere"))


def test_a_training_hears_of_warnings_but_not_of_notes(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set")
    (folder / "1.txt").write_text("")

    report = examined(folder)

    assert notices(report) == [f"{one.what} (mend: {one.mend})" for one in report.of(Severity.WARNING)]
    assert len(notices(report)) == 1


def test_subsets_are_examined_each_under_its_own_terms(tmp_path: Path) -> None:
    """The second has captions of its own kind, and pictures that only judge."""
    first, second = healthy(tmp_path / "a"), healthy(tmp_path / "b", first=8)
    for file in second.glob("*.txt"):
        file.rename(file.with_suffix(".cap"))
    captions = {"extensions": (".cap",)}
    subsets = [{"images": first}, {"images": second, "captions": captions, "held_out": True, "resolution": 128}]
    dataset = DatasetOptions.model_validate({"subsets": subsets})

    *_, done = examine(dataset, Orders(resolutions=(64,), trigger="zorbu"))
    report = done.result  # type: ignore[union-attr]

    assert (report.figures.pictures, report.figures.epoch) == (8, 8)
    assert report.figures.buckets == {"64x64": 8, "128x128": 8}
    assert codes(report) == ["enlarged"]


def test_lists_and_other_trainers_files_are_examined_too(tmp_path: Path) -> None:
    healthy(tmp_path / "set")
    description = tmp_path / "set.toml"
    description.write_text('[[datasets]]\nresolution = 64\n[[datasets.subsets]]\nimage_dir = "set"\nnum_repeats = 3\n'
                           'caption_extension = ".txt"\n')  # fmt: skip
    listed = tmp_path / "list.json"
    listed.write_text('{"set/0.png": {"caption": "zorbu"}, "set/1.png": {"tags": "thing"}}')

    assert examined(description).figures.epoch == 24
    assert examined(listed).figures.captions == 2


def test_a_list_that_cannot_be_read_is_an_error_with_its_mend(tmp_path: Path) -> None:
    listed = tmp_path / "list.json"
    listed.write_text('{"gone.png": {"caption": "zorbu"}}')

    broken = finding(examined(listed), "unreadable-list")

    assert "gone.png" in broken.what
    assert broken.severity is Severity.ERROR


def test_a_recipe_says_what_is_asked_of_the_pictures() -> None:
    dataset = DatasetOptions(images=Path("set"), resolution=(512, 768), bucket_step=32, upscale=False)
    recipe = Recipe(base="x", name="y", trigger="zorbu", dataset=dataset)
    taught = recipe.model_copy(
        update={"method": "textual_inversion", "options": TextualInversionOptions(templates="object")}
    )

    assert orders_of(recipe, 64).resolutions == (512, 768)
    assert orders_of(recipe, 64).bucket_step == 32
    assert not orders_of(recipe, 64).upscale
    assert orders_of(recipe, 64).captioned
    assert not orders_of(taught, 64).captioned
