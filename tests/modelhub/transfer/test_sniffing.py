"""A file's first bytes tell whether it is one."""

import io
import zipfile

import pytest

from modelhub.transfer._sniffing import complaint
from tests.servers.faults import POINTER


def zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    return held.getvalue()


@pytest.mark.parametrize(
    "head", [(2).to_bytes(8, "little") + b"{}", zipped(), b"GGUF\x03\0\0\0", b"\x80\x02}q\0.", b"\x80\x04\x95"]
)
def test_weights_begin_so(head: bytes) -> None:
    assert complaint(head, weights=True) is None


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\n <!DOCTYPE html><html>", "a page"),
        (b"<HTML><body>", "a page"),
        (b'{"error":"Early Access"}', "an error message"),
        (b'{"message": "no"}', "an error message"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied", "an error message"),
        (POINTER, "an LFS pointer"),
        (b"", "does not begin"),
        (b"\0" * 64, "does not begin"),
        ((1 << 40).to_bytes(8, "little") + b"{}", "does not begin"),
        (b"\x80\x63", "does not begin"),
    ],
)
def test_what_came_instead_is_named(head: bytes, words: str) -> None:
    assert words in str(complaint(head, weights=True))


def test_small_files_may_begin_as_they_like_but_for_pointers() -> None:
    assert complaint(b'{"error": "of the model"}', weights=False) is None
    assert complaint(b"<html>", weights=False) is None
    assert "pointer" in str(complaint(POINTER, weights=False))
