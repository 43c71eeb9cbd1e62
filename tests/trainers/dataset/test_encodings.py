"""Captions of other times: each is known by what is usual in its language."""

import subprocess
from pathlib import Path

import pytest

from modelhub.errors import BadValue
from trainers.dataset.caption_files import read_text
from trainers.dataset.encodings import foreign_encoding

TEXTS = [
    ("GB18030", "米拉,一个女孩,红色连衣裙"), ("GB18030", "mira, 蓝色的眼睛，站在海边"),
    ("BIG5", "米拉,一個女孩,紅色連衣裙"),
    ("SHIFT_JIS", "ミラ、赤いドレス"), ("SHIFT_JIS", "mira, 女の子"), ("WINDOWS-1251", "мира, девушка в красном"),
    ("WINDOWS-1252", "mira, café, naïve — dress"), ("WINDOWS-1252", "mira, Straße"), ("WINDOWS-1252", "garçon à l’été"),
    ("UTF-16", "mira, 1girl"), ("UTF-16LE", "mira, 1girl"), ("UTF-16BE", "mira, 1girl"),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_an_encoding_is_known_by_its_letters(encoding: str, text: str) -> None:
    assert foreign_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize("text", ["", "plain", "米拉", "\ufeffwith a mark"])
def test_utf_8_is_none(text: str) -> None:
    assert foreign_encoding(text.encode()) is None


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_the_command_that_mends_mends_once_and_leaves_others(encoding: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "a b.txt"
    file.write_bytes(text.encode(encoding))

    with pytest.raises(BadValue, match=f"seems to be {encoding}, in which it says '{text[:4]}") as caught:
        read_text(file)
    for _ in range(2):
        subprocess.run(["bash", "-c", str(caught.value.mend)], check=False, cwd=tmp_path)

    assert read_text(file) == text
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("text", ["米拉,一个\0女孩", "mira, 1girl\0", "\0\0a longer caption, of many words"])
def test_zeros_that_strayed_into_utf_8_are_told_as_such_with_what_takes_them_out(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a b.txt"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(BadValue, match="holds a zero byte at") as caught:
        read_text(file)
    command = str(caught.value.mend).removeprefix("look at it; ").removesuffix(" takes out all of them")
    subprocess.run(["bash", "-c", command], check=True, cwd=tmp_path)

    assert read_text(file) == text.replace("\0", "")
