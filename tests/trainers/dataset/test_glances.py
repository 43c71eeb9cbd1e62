"""Glances at pictures: what is remembered of them, and that nothing stale is."""

from pathlib import Path

import pytest
from PIL import Image

from modelhub.workspace import Workspace
from tests.trainers.pictures import picture, write_picture
from trainers.dataset import gather
from trainers.dataset.glances import Glances
from trainers.dataset.nouns import Glance, Unread
from trainers.recipe import DatasetOptions


def seen(glances: Glances, path: Path, **options: int) -> Glance:
    found = glances.at(path, **options)
    assert isinstance(found, Glance)
    return found


def spoil(folder: Path, content: bytes = b"\x00") -> None:
    for file in folder.iterdir():
        file.write_bytes(content)


def test_what_was_seen_once_is_told_by_another_command_word_for_word(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", (300, 200))

    first = seen(Glances(tmp_path / "kept"), path, thumbnail=32)

    assert seen(Glances(tmp_path / "kept"), path, thumbnail=32) == first
    assert first.thumbnail


def test_a_picture_that_is_known_is_not_decoded_again(tmp_path: Path) -> None:
    """What is kept is believed, as long as it is of the same bytes."""
    path = write_picture(tmp_path / "a.png")
    seen(Glances(tmp_path / "kept"), path)
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"PNG", b"XYZ"))

    assert seen(Glances(tmp_path / "kept"), path).format == "XYZ"


def test_a_picture_is_known_under_another_name_and_not_once_it_is_edited(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png")
    before = seen(Glances(tmp_path / "kept"), path)
    moved = path.rename(tmp_path / "b.png")

    assert seen(Glances(tmp_path / "kept"), moved) == before
    assert len(list((tmp_path / "kept").iterdir())) == 1

    picture((64, 64), shade=255).save(moved)

    after = seen(Glances(tmp_path / "kept"), moved)
    assert after == seen(Glances(), moved)
    assert after.look != before.look


def test_within_one_command_a_file_is_read_once(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png")
    glances = Glances()
    first = seen(glances, path)
    path.unlink()

    assert seen(glances, path) is first
    assert glances.glimpse(path) == first.glimpse


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x81\xa6format\xa3PNG"])
def test_what_was_damaged_on_disk_is_looked_at_again(tmp_path: Path, content: bytes) -> None:
    path = write_picture(tmp_path / "a.png")
    first = seen(Glances(tmp_path / "kept"), path)
    spoil(tmp_path / "kept", content)

    assert seen(Glances(tmp_path / "kept"), path) == first
    assert seen(Glances(tmp_path / "kept"), path) == first


def test_what_was_kept_of_another_picture_is_not_believed(tmp_path: Path) -> None:
    one = write_picture(tmp_path / "a.png")
    other = write_picture(tmp_path / "b.png", shade=200)
    first = seen(Glances(tmp_path / "kept"), one)
    (kept,) = (tmp_path / "kept").iterdir()
    expected = seen(Glances(tmp_path / "kept"), other)
    spoil(tmp_path / "kept", kept.read_bytes())

    assert seen(Glances(tmp_path / "kept"), one) == first
    assert seen(Glances(tmp_path / "kept"), other) == expected


def test_a_page_of_pictures_leaves_what_a_training_asks_for(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", (300, 200))
    seen(Glances(tmp_path / "kept"), path, thumbnail=32)
    count = len(list((tmp_path / "kept").iterdir()))

    assert seen(Glances(tmp_path / "kept"), path).thumbnail == b""
    assert len(list((tmp_path / "kept").iterdir())) == count


def test_what_cannot_be_read_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    glances = Glances(tmp_path / "kept")

    broken = glances.at(path)
    write_picture(path)

    assert broken == Unread(path, "the file is empty")
    assert isinstance(glances.at(path), Glance)


def test_where_nothing_can_be_kept_pictures_are_looked_at_all_the_same(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png")
    (tmp_path / "file").write_text("no folder")

    assert seen(Glances(tmp_path / "file" / "kept"), path) == seen(Glances(), path)


def test_a_dataset_is_gathered_from_what_a_workspace_keeps_as_from_the_pictures(tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "a.png", (80, 64))
    clear = picture((64, 64)).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save(tmp_path / "set" / "b.png")
    (tmp_path / "set" / "b.txt").write_text("a clear ramp")
    write_picture(tmp_path / "set" / "a-masklabel.png", (80, 64), caption=None)
    options, workspace = DatasetOptions(images=tmp_path / "set", alpha_mask=True), Workspace(tmp_path)
    plain = gather(options).samples

    first = gather(options, glances=Glances.of(workspace)).samples
    second = gather(options, glances=Glances.of(workspace)).samples

    assert first == second == plain
    assert [one.mask is not None and one.mask.alpha for one in plain] == [False, True]


def test_a_defect_of_ours_is_no_unreadable_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_of(image: Image.Image) -> None:
        raise TypeError("a defect")

    monkeypatch.setattr("trainers.dataset.glance.look_of", look_of)

    with pytest.raises(TypeError, match="a defect"):
        Glances().at(write_picture(tmp_path / "a.png"))


def test_whatever_pillow_raises_is_told_of_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(image: Image.Image) -> None:
        raise AttributeError("'NoneType' object has no attribute 'tell'")

    path = write_picture(tmp_path / "a.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)

    assert Glances().at(path) == Unread(path, "'NoneType' object has no attribute 'tell'")
