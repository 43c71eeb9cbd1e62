"""Tag files are read in each form that is passed around."""

from pathlib import Path

import pytest

from inference.prompt.tag_files import TagRow, read_tags
from modelhub.errors import BadValue, MissingFile


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('long_hair,0,4350743,"/lh,longhair"', TagRow("long_hair", 4350743, ("/lh", "longhair"))),
        ("1girl,0,6008644,", TagRow("1girl", 6008644, ())),
        ("1girl,女孩", TagRow("1girl", 0, ("女孩",))),
        ("1girl,0,女孩", TagRow("1girl", 0, ("女孩",))),
        ("1girl", TagRow("1girl", 0, ())),
        ('"a,b",0,7,', TagRow("a,b", 7, ())),
        ("1girl,0,7,\r", TagRow("1girl", 7, ())),
    ],
)
def test_a_line_is_a_tag_its_count_and_its_other_names(tmp_path: Path, line: str, row: TagRow) -> None:
    file = tmp_path / "tags.csv"
    file.write_bytes(f"\ufeff{line}\n\n".encode())
    assert read_tags(file) == [row]


def test_only_wanted_lines_are_split(tmp_path: Path) -> None:
    file = tmp_path / "tags.csv"
    file.write_text("a,0,1,\nb,0,2,\n")
    assert read_tags(file, wanted=lambda line: "b" in line) == [TagRow("b", 2, ())]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"none\.csv"):
        read_tags(tmp_path / "none.csv")
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadValue, match="UTF-8"):
        read_tags(tmp_path / "odd.csv")
    (tmp_path / "long.csv").write_text('"' + "x" * 200_000)
    with pytest.raises(BadValue, match="no table"):
        read_tags(tmp_path / "long.csv")
