"""The table of contents of a zip archive as torch writes it, strictly: where each stored member lies, and no more.

Readers of zip disagree wherever its two directories do, and checkers of pickles were deceived by it (flags, sums,
duplicates, hidden members). What torch never writes is refused: compression, encryption, gaps, comments, odd names.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from modelhub.errors import BrokenFile, UnsafeFile

__all__ = ["MAX_MEMBERS", "Member", "read_member", "read_members"]

MAX_MEMBERS = 65_000
_MAX_DIRECTORY = 16 << 20
"""Bytes."""
_MAX_DESCRIPTOR = 24
"""Bytes that may follow a member: its sum and its two sizes again, with a signature."""
_ENCRYPTED = 0x2041
"""The flags of the old encryption, the strong one, and of a masked directory."""
_DESCRIBED = 0x8
"""The flag of members whose sum and sizes stand behind them, not in their own header."""

_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ROW = struct.Struct("<4s6H3L5H2L")
_HEAD = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the archive."""

    start: int
    """Byte of the archive at which its content begins."""
    size: int
    """Bytes."""
    crc: int
    """CRC-32 of the content; 0 too when torch was told to compute none."""


@dataclass(frozen=True, slots=True)
class _Directory:
    """What the end of the archive says."""

    entries: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Row:
    """One entry of the central directory."""

    name: str
    flags: int
    crc: int
    size: int
    header: int
    """Byte at which the member's own header begins."""


def read_members(path: Path, file: BinaryIO) -> Mapping[str, Member]:
    """The members by name, each checked against its own header.

    Raises `UnsafeFile` for what is built to mislead, `BrokenFile` for what contradicts itself.
    """
    return _Archive(path, file).members()


def read_member(path: Path, file: BinaryIO, name: str, member: Member) -> bytes:
    """The content of a small member; raises `BrokenFile` when it is not what its sum says."""
    file.seek(member.start)
    content = file.read(member.size)
    if member.crc and zlib.crc32(content) != member.crc:
        raise BrokenFile(path, f"its member {name} is damaged: its CRC is another", mend="download it again")
    return content


class _Archive:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._size = file.seek(0, 2)

    def members(self) -> dict[str, Member]:
        directory = self._directory()
        rows = list(self._rows(directory))
        if len({row.name.casefold() for row in rows}) != len(rows):
            raise UnsafeFile(f"{self._path} holds two members of one name, so readers would disagree on it")
        members, position = {}, 0
        for row in sorted(rows, key=lambda row: row.header):
            if not 0 <= row.header - position <= (_MAX_DESCRIPTOR if position else 0):
                raise UnsafeFile(f"{self._path} holds members that overlap or bytes that belong to none")
            members[row.name] = member = self._member(row)
            position = member.start + member.size
        if not 0 <= directory.start - position <= _MAX_DESCRIPTOR:
            raise UnsafeFile(f"{self._path} holds bytes between its last member and its directory")
        return members

    def _directory(self) -> _Directory:
        at = self._size - _END.size
        magic, *disks, entries, size, start, comment = self._unpack(_END, at)
        if magic != b"PK\x05\x06" or comment:
            raise self._broken("truncated, or something stands behind it: its directory is not at its end")
        claims = (entries, size, start)
        wide = self._wide_directory(at, claims)
        if wide:
            at, *claims_wide = wide
            entries, size, start = claims_wide
        if disks[:2] != [0, 0] or disks[2] != claims[0] or start + size != at:
            raise self._broken("its directory is not where its end says")
        if entries > MAX_MEMBERS or size > _MAX_DIRECTORY:
            raise self._broken(f"its directory claims {entries:,} members, more than the {MAX_MEMBERS:,} allowed")
        return _Directory(entries, start, at)

    def _wide_directory(self, end: int, claims: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
        """The end record for large archives (place, entries, size, start), which torch always writes too."""
        place = end - _END64_PLACE.size
        if place < 0 or self._read(place, 4) != b"PK\x06\x07":
            return None
        _, _, at, _ = self._unpack(_END64_PLACE, place)
        if at + _END64.size != place:
            raise self._broken("its two end records contradict each other")
        magic, _, _, _, _, _, here, entries, size, start = self._unpack(_END64, at)
        limits = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        agreed = all(
            few in (many, limit) for few, many, limit in zip(claims, (entries, size, start), limits, strict=True)
        )
        if magic != b"PK\x06\x06" or here != entries or not agreed:
            raise self._broken("its two end records contradict each other")
        return at, entries, size, start

    def _rows(self, directory: _Directory) -> Iterator[_Row]:
        text = self._read(directory.start, directory.end - directory.start)
        at = 0
        for _ in range(directory.entries):
            if at + _ROW.size > len(text):
                raise self._broken("its directory holds fewer members than it claims")
            magic, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, disk, _, _, header = (
                _ROW.unpack_from(text, at)
            )
            at += _ROW.size
            title = self._name(text[at : at + name])
            at += name
            size, packed, header = self._widened(text[at : at + extra], size, packed, header)
            at += extra + comment
            if magic != b"PK\x01\x02" or disk or at > len(text):
                raise self._broken("its directory is damaged")
            self._check_stored(title, flags, method, size, packed)
            yield _Row(title, flags, crc, size, header)
        if at != len(text):
            raise self._broken("its directory holds more than it claims")

    def _name(self, raw: bytes) -> str:
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            raise self._broken("it has a member whose name is no Unicode") from None
        if not name.isprintable() or "\\" in name or any(part in ("", ".", "..") for part in name.split("/")):
            raise UnsafeFile(f"{self._path} has a member with the name {name[:80]!a}, which is a trap")
        return name

    def _check_stored(self, name: str, flags: int, method: int, size: int, packed: int) -> None:
        if flags & _ENCRYPTED:
            raise UnsafeFile(f"{self._path}: its member {name} is encrypted")
        if method or size != packed:
            raise UnsafeFile(f"{self._path}: its member {name} is compressed, which weights that torch saved are not")

    def _widened(self, extra: bytes, *values: int) -> tuple[int, ...]:
        """The values with those replaced that did not fit into 32 bits, from the entry's extra fields."""
        wide, found, at = b"", [], 0
        while at + 4 <= len(extra):
            field, size = struct.unpack_from("<2H", extra, at)
            if field == 1:
                wide = extra[at + 4 : at + 4 + size]
            at += 4 + size
        for value in values:
            if value == 0xFFFFFFFF:
                if len(wide) < 8:
                    raise self._broken("its directory is damaged")
                value, wide = struct.unpack_from("<Q", wide)[0], wide[8:]
            found.append(value)
        return tuple(found)

    def _member(self, row: _Row) -> Member:
        magic, _, flags, method, _, _, crc, packed, size, name, extra = self._unpack(_HEAD, row.header)
        spelled = self._read(row.header + _HEAD.size, name + extra)
        described = bool(flags & _DESCRIBED)
        packed, size = self._widened(spelled[name:], packed, size) if 0xFFFFFFFF in (packed, size) else (packed, size)
        same = (flags, method, spelled[:name]) == (row.flags, 0, row.name.encode())
        for value, wanted in ((crc, row.crc), (packed, row.size), (size, row.size)):
            same &= value == wanted or (described and value == 0)
        if magic != b"PK\x03\x04" or not same:
            raise UnsafeFile(f"{self._path}: its member {row.name} is another thing in the archive's directory")
        start = row.header + _HEAD.size + name + extra
        return Member(start, row.size, row.crc)

    def _unpack(self, record: struct.Struct, at: int) -> tuple[Any, ...]:
        return record.unpack(self._read(at, record.size))

    def _read(self, at: int, size: int) -> bytes:
        if at < 0 or at + size > self._size:
            raise self._broken("truncated: its directory points behind its end")
        self._file.seek(at)
        return self._file.read(size)

    def _broken(self, reason: str) -> BrokenFile:
        return BrokenFile(self._path, reason, mend="download it again")
