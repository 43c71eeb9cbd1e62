"""What torch writes is found where zipfile finds it; where two readers could differ, there is none."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
import torch

from modelhub.errors import BrokenFile, UnsafeFile
from modelhub.headers._zip import MAX_MEMBERS, Member, read_member, read_members
from tests.hostile import Entry, archive

TWO = [Entry("a/data.pkl", b"pickle"), Entry("a/data/0", b"weights")]


def members(content: bytes) -> dict[str, Member]:
    return dict(read_members(Path("a.zip"), io.BytesIO(content)))


def contents(content: bytes) -> dict[str, bytes]:
    return {name: content[one.start : one.start + one.size] for name, one in members(content).items()}


def stored(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(f"a/{name}", content)
    return buffer.getvalue()


def widened(content: bytes, *, count: int = 2) -> bytes:
    """With the end record for large archives, as torch always writes it, and the small one saturated."""
    body, end = content[:-22], struct.unpack("<4s4H2LH", content[-22:])
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, end[5], end[6])
    small = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return body + wide + struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body), 1) + small


def test_torchs_own_archives_are_read_as_zipfile_reads_them() -> None:
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(5), "b": torch.zeros(2, 3)}, buffer)
    with zipfile.ZipFile(buffer) as file:
        assert contents(buffer.getvalue()) == {name: file.read(name) for name in file.namelist()}


def test_an_archive_that_was_packed_again_without_compression_is_read() -> None:
    assert contents(stored(x=b"1", y=b"22")) == {"a/x": b"1", "a/y": b"22"}
    assert contents(archive(TWO)) == {"a/data.pkl": b"pickle", "a/data/0": b"weights"}


def test_the_record_for_large_archives_is_believed_where_it_agrees() -> None:
    assert contents(widened(archive(TWO))) == contents(archive(TWO))
    with pytest.raises(BrokenFile, match="fewer members"):
        members(widened(archive(TWO), count=3))


def test_sizes_of_large_members_are_read_from_their_extra_fields() -> None:
    content = b"x" * 10
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 0, zlib.crc32(content), *(0xFFFFFFFF,) * 2, 1, 20)
    body = head + b"a" + struct.pack("<2HQQ", 1, 16, 10, 10) + content
    row = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 45, 45, 0, 0, 0, 0, zlib.crc32(content), *(0xFFFFFFFF,) * 2,
                      1, 28, 0, 0, 0, 0, 0xFFFFFFFF) + b"a" + struct.pack("<2HQQQ", 1, 24, 10, 10, 0)  # fmt: skip
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(row), len(body), 0)
    assert contents(body + row + end) == {"a": content}
    with pytest.raises(BrokenFile, match="damaged"):
        members(body + row.replace(struct.pack("<2H", 1, 24), struct.pack("<2H", 9, 24)) + end)


@pytest.mark.parametrize("lie", [{"crc": 1}, {"size": 1, "packed": 1}, {"name": b"a/other.pkl"}, {"flags": 0x8000}])
def test_a_member_has_one_story(lie: dict[str, object]) -> None:
    with pytest.raises(UnsafeFile, match="another thing"):
        members(archive([Entry("a/data.pkl", b"pickle", local=lie)]))


def test_sums_and_sizes_may_stand_behind_the_content() -> None:
    """Torch's writer leaves them empty in a member's own header."""
    empty = {"flags": 8, "crc": 0, "size": 0, "packed": 0}
    assert contents(archive([Entry("a/x", b"1", local=empty, central={"flags": 8})])) == {"a/x": b"1"}


@pytest.mark.parametrize("name", ["/a", "a//b", "a/./b", "a/../b", "a\\b", "a/\x00", "a/\n", "", "a/\u202eb"])
def test_names_that_are_no_plain_paths_are_refused(name: str) -> None:
    with pytest.raises(UnsafeFile, match="trap"):
        members(archive([Entry(name, b"1")]))


@pytest.mark.parametrize("flag", [1, 0x40, 0x2000])
def test_what_is_encrypted_is_refused(flag: int) -> None:
    with pytest.raises(UnsafeFile, match="encrypted"):
        members(archive([Entry("a", b"1", local={"flags": flag}, central={"flags": flag})]))


def test_gaps_comments_and_tails_are_refused() -> None:
    plain = archive(TWO)
    with pytest.raises(UnsafeFile, match="belong to none"):
        members(archive(TWO, prefix=b"x" * 30))
    with pytest.raises(BrokenFile, match="at its end"):
        members(plain + b"tail")
    with pytest.raises(BrokenFile, match="at its end"):
        members(plain[:-2] + b"\x04\x00tail")


def test_a_sum_is_compared_where_there_is_one() -> None:
    file = io.BytesIO(b"pickle")
    assert read_member(Path("a"), file, "x", Member(0, 6, zlib.crc32(b"pickle"))) == b"pickle"
    assert read_member(Path("a"), file, "x", Member(0, 6, 0)) == b"pickle"
    with pytest.raises(BrokenFile, match="CRC"):
        read_member(Path("a"), file, "x", Member(0, 6, 7))


def test_more_members_than_any_model_has_are_not_looked_at() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *(MAX_MEMBERS + 1,) * 2, 0, 0, 0)
    with pytest.raises(BrokenFile, match="claims"):
        members(end)
