from pathlib import Path

import pytest

from inference.prompt.styles import read_styles, styled
from modelhub.errors import BadValue

WEBUI = """\ufeffname,prompt,negative_prompt
# mine,,
ink,"ink drawing of {prompt}, fine lines",colour
film,"35mm, grain","smooth, plastic"
bare,,
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "styles.csv"
    path.write_text(WEBUI, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("names", "prompt", "negative"),
    [
        ([], "a cat", "blurry"),
        (["ink"], "ink drawing of a cat, fine lines", "blurry, colour"),
        (["film"], "a cat, 35mm, grain", "blurry, smooth, plastic"),
        (["film", "ink"], "ink drawing of a cat, 35mm, grain, fine lines", "blurry, smooth, plastic, colour"),
        (["bare"], "a cat", "blurry"),
    ],
)
def test_styles_go_around_or_behind_both_prompts(file: Path, names: list[str], prompt: str, negative: str) -> None:
    assert styled("a cat", "blurry", names, read_styles(file)) == (prompt, negative)


def test_an_empty_prompt_gets_no_comma(file: Path) -> None:
    assert styled("", "", ["film"], read_styles(file)) == ("35mm, grain", "smooth, plastic")


def test_the_older_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("name,text\nfog,in the fog\n")
    assert styled("a cat", "", ["fog"], read_styles(path)) == ("a cat, in the fog", "")


def test_an_unknown_style_is_refused_with_what_there_is(file: Path, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match=r"no style 'flim' \(there are film\)"):
        styled("", "", ["flim"], read_styles(file))
    with pytest.raises(BadValue, match=r"no style 'x'$"):
        styled("", "", ["x"], read_styles(tmp_path / "none.csv"))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "styles.csv").write_bytes(b"name,prompt\n\xff\xfe,x\n")
    with pytest.raises(BadValue, match="no table of styles"):
        read_styles(tmp_path / "styles.csv")
