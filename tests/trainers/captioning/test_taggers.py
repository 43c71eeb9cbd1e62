"""Taggers of the WD14 kind, on a net whose answers are known."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelhub.errors import BrokenFile, Incompatible, MissingFile, UnsafeFile
from tests.onnx_files import HOSTILE_NETS
from tests.trainers.captioners import SIDE, TAGS, write_tagger
from trainers.captioning.taggers import Tag, TaggerOptions, chosen, open_tagger, prepared, read_tags

LISTED = [Tag(*one) for one in TAGS]
LIKELY = [0.9, 0.2, 0.35, 0.34, 0.9, 0.5, 0.85]


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tagger(tmp_path_factory.mktemp("tagger"))


def shade(path: Path, color: str, size: tuple[int, int] = (SIDE, SIDE)) -> Path:
    Image.new("RGB", size, color).save(path)
    return path


def test_tags_are_those_that_are_likely_enough_in_the_lists_order() -> None:
    assert chosen(LIKELY, LISTED, TaggerOptions()) == ["red", "blue", "o_o", "fox_(zoo)"]


def test_thresholds_are_of_each_category() -> None:
    options = TaggerOptions(general=0.3, character=0.86)

    assert chosen(LIKELY, LISTED, options) == ["red", "green_hair", "blue", "o_o"]


def test_the_likeliest_rating_comes_last_when_it_is_wanted() -> None:
    assert chosen(LIKELY, LISTED, TaggerOptions(general=1, character=1, rating=True)) == ["general_fun"]


@pytest.mark.parametrize(
    ("name", "expanded"),
    [
        ("fox_(zoo)", ["fox", "zoo"]),
        ("fox_(hat)_(zoo)", ["fox_(hat)", "zoo"]),
        ("fox", ["fox"]),
        ("(o)_(o)", ["(o)", "o"]),
    ],
)
def test_a_characters_series_becomes_a_tag(name: str, expanded: list[str]) -> None:
    assert chosen([0.9], [Tag(name, 4)], TaggerOptions(expand=True)) == expanded
    assert chosen([0.9], [Tag(name, 0)], TaggerOptions(expand=True)) == [name]


def test_a_series_of_two_characters_is_said_once() -> None:
    both = [Tag("fox_(zoo)", 4), Tag("wolf_(zoo)", 4)]

    assert chosen([0.9, 0.9], both, TaggerOptions(expand=True)) == ["fox", "zoo", "wolf"]


def test_a_picture_lies_in_the_middle_of_a_white_square_blue_first() -> None:
    found = prepared(Image.new("RGB", (40, 20), (255, 0, 10)), 40)

    assert found.shape == (40, 40, 3)
    assert found.dtype == np.float32
    assert (found[:10] == 255).all()
    assert (found[30:] == 255).all()
    assert (found[10:30] == [10, 0, 255]).all()


def test_a_picture_is_sized_as_the_net_wants_it() -> None:
    assert prepared(Image.new("RGB", (100, 50), "red"), SIDE).shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize("batch", ["N", 1])
def test_the_net_sees_what_is_there(batch: int | str, tmp_path: Path) -> None:
    say = open_tagger(write_tagger(tmp_path / "tagger", batch), TaggerOptions(character=1))
    red, white = shade(tmp_path / "red.png", "red"), shade(tmp_path / "white.png", "white", (10, 30))

    assert say([red, white, red]) == ["red, o_o", "red, green_hair, blue, o_o", "red, o_o"]


def test_what_is_transparent_is_white(tagger: Path, tmp_path: Path) -> None:
    Image.new("RGBA", (SIDE, SIDE), (255, 0, 0, 0)).save(tmp_path / "clear.png")

    assert open_tagger(tagger, TaggerOptions())([tmp_path / "clear.png"]) == ["red, green_hair, blue, o_o, fox_(zoo)"]


def test_what_is_no_picture_has_no_words(tagger: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    say = open_tagger(tagger, TaggerOptions(character=1))

    assert say([tmp_path / "broken.png"]) == [None]
    assert say([tmp_path / "broken.png", shade(tmp_path / "blue.png", "blue")]) == [None, "blue, o_o"]


@pytest.mark.parametrize("name", ["", "model.onnx", "model.safetensors"])
def test_a_tagger_is_found_by_its_folder_or_by_a_file_in_it(tagger: Path, name: str) -> None:
    assert open_tagger(tagger / name, TaggerOptions())([]) == []


@pytest.mark.parametrize("gone", ["model.onnx", "selected_tags.csv"])
def test_what_is_missing_is_named(tmp_path: Path, gone: str) -> None:
    (write_tagger(tmp_path) / gone).unlink()

    with pytest.raises(MissingFile, match=gone):
        open_tagger(tmp_path, TaggerOptions())


def test_a_list_of_another_net_is_refused(tmp_path: Path) -> None:
    file = write_tagger(tmp_path) / "selected_tags.csv"
    file.write_text("\n".join(file.read_text(encoding="utf-8").splitlines()[:-1]), encoding="utf-8")

    with pytest.raises(BrokenFile, match=r"lists 6 tags, but model\.onnx answers for 7"):
        open_tagger(tmp_path, TaggerOptions())


@pytest.mark.parametrize("text", ["id,word\n1,red", "name,category\nred,general"])
def test_what_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tags.csv").write_text(text, encoding="utf-8")

    with pytest.raises(BrokenFile, match="columns name and category"):
        read_tags(tmp_path / "tags.csv")


def test_a_net_that_sees_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Incompatible, match="of the WD14 kind"):
        open_tagger(write_tagger(tmp_path, channels=4), TaggerOptions())


def test_what_is_no_net_is_refused(tmp_path: Path) -> None:
    (write_tagger(tmp_path) / "model.onnx").write_bytes(b"no net")

    with pytest.raises(BrokenFile, match="no ONNX net"):
        open_tagger(tmp_path, TaggerOptions())


def test_a_net_that_names_other_files_is_not_opened(tmp_path: Path) -> None:
    (write_tagger(tmp_path) / "model.onnx").write_bytes(HOSTILE_NETS["weights-in-another-file"]())

    with pytest.raises(UnsafeFile, match="weights lie in other files"):
        open_tagger(tmp_path, TaggerOptions())
