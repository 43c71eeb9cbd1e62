"""Names by strangers become plain, visible file names."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.words.file_names import safe_name, safe_path

_RESERVED = ("con", "prn", "aux", "nul", "com1", "lpt9")


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("kip.safetensors", "kip.safetensors"),
        ("../../etc/passwd", "passwd"),
        ("C:\\models\\kip.ckpt", "kip.ckpt"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("kip. . ", "kip"),
        ("con.safetensors", "con_.safetensors"),
        ("COM1", "COM1_"),
        ("console.pt", "console.pt"),
        ('a<b>:"|?*c', "abc"),
        ("kip\x1b[31m\u202efdp.exe", "kip[31mfdp.exe"),
        ("cafe\u0301.pt", "café.pt"),
        ("a\u00a0b", "a b"),
        ("...", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_a_name_loses_only_what_could_harm(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@pytest.mark.parametrize(
    ("given_path", "kept"),
    [
        ("unet/config.json", "unet/config.json"),
        ("/etc/passwd", "etc/passwd"),
        ("a/../../b", "a/b"),
        ("a//./b", "a/b"),
        ("..\\aux\\x", "aux_/x"),
        ("../..", "unnamed"),
    ],
)
def test_a_path_stays_within_its_folder(given_path: str, kept: str) -> None:
    assert safe_path(given_path) == kept


def test_a_long_name_is_cut_before_its_ending() -> None:
    name = safe_name("é" * 300 + ".safetensors")
    assert name.endswith("é.safetensors")
    assert len(name.encode()) <= 200


@given(st.text())
def test_whatever_comes_in_what_comes_out_is_one_plain_name(text: str) -> None:
    name = safe_name(text)
    assert name
    assert name.isprintable()
    assert not set(name) & set('<>:"|?*/\\')
    assert name[0] not in ".- "
    assert name[-1] not in ". "
    assert name.lower().partition(".")[0] not in _RESERVED
    assert len(name.encode()) <= 200
    assert name == unicodedata.normalize("NFC", name)
    assert safe_name(name) == name


@given(st.text(alphabet="ab./\\-: \x00"))
def test_whatever_comes_in_every_part_of_a_path_is_a_plain_name(text: str) -> None:
    path = safe_path(text)
    assert all(part == safe_name(part) for part in path.split("/"))
    assert safe_path(path) == path
