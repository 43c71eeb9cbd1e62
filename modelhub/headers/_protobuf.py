"""Protocol buffers without a schema: fields of a file, one after another, none of their contents kept.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from modelhub.errors import BrokenFile

__all__ = ["BYTES", "NUMBER", "Field", "Wire"]

NUMBER, BYTES = 0, 2
"""Forms of a field: a number of any length; bytes, which may be text, numbers in a row or a message."""

_FIXED = {1: 8, 5: 4}
"""Form -> bytes of a number of fixed length."""
_WINDOW = 1 << 16
_MAX_VARINT = 10
"""Bytes."""
_MAX_FIELDS = 500_000
"""A net of a thousand layers has a tenth of them; walking so many takes a second."""


class Field(NamedTuple):
    """One field of a message."""

    number: int
    form: int
    value: int
    """Of a `NUMBER`; else 0."""
    start: int
    end: int
    """Bytes of the file that its content takes."""


class Wire:
    """A file's bytes as fields; raises `BrokenFile` wherever they contradict themselves."""

    def __init__(self, path: Path, file: BinaryIO, what: str) -> None:
        self.path = path
        self.size = file.seek(0, 2)
        self._file = file
        self._what = what
        self._held, self._from = b"", 0
        self._fields = 0

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Those of the message between two bytes."""
        at = start
        while at < end:
            self._fields += 1
            if self._fields > _MAX_FIELDS:
                raise self.broken(f"it has more than the {_MAX_FIELDS:,} fields allowed")
            key, at = self._varint(at, end)
            field = self._field(key >> 3, key & 7, at, end)
            yield field
            at = field.end

    def numbers(self, field: Field) -> Iterator[int]:
        """One, or all that are packed into it."""
        if field.form == NUMBER:
            yield field.value
            return
        at = field.start
        while at < field.end:
            value, at = self._varint(at, field.end)
            yield value

    def bytes(self, field: Field, limit: int) -> bytes:
        """At most `limit` of them."""
        self._file.seek(field.start)
        return self._file.read(min(field.end - field.start, limit))

    def text(self, field: Field, limit: int) -> str:
        """Raises `BrokenFile` for more bytes than that, and for what is no Unicode."""
        if field.end - field.start > limit:
            raise self.broken(f"a name has {field.end - field.start:,} bytes")
        try:
            return self.bytes(field, limit).decode()
        except UnicodeDecodeError:
            raise self.broken("a name is no Unicode") from None

    def broken(self, reason: str, *, mend: str | None = None) -> BrokenFile:
        return BrokenFile(self.path, f"it is no {self._what}: {reason}", mend=mend)

    def _field(self, number: int, form: int, at: int, end: int) -> Field:
        if not number:
            raise self.broken(f"a field at byte {at:,} has the number 0")
        if form == NUMBER:
            value, after = self._varint(at, end)
            return Field(number, form, value, at, after)
        if form == BYTES:
            length, at = self._varint(at, end)
        elif form in _FIXED:
            length = _FIXED[form]
        else:
            raise self.broken(f"a field at byte {at:,} has the form {form}, which is read by nobody")
        if length > end - at:
            raise self.broken(f"a field at byte {at:,} is longer than what holds it", mend="download it again")
        return Field(number, form, 0, at, at + length)

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        """The number at a byte, and the byte behind it."""
        value = shift = 0
        for place in range(at, min(end, at + _MAX_VARINT)):
            byte = self._byte(place)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >= 1 << 64:
                    break
                return value, place + 1
            shift += 7
        raise self.broken(f"the number at byte {at:,} does not end", mend="download it again")

    def _byte(self, at: int) -> int:
        offset = at - self._from
        if not 0 <= offset < len(self._held):
            self._file.seek(at)
            self._held, self._from, offset = self._file.read(_WINDOW), at, 0
            if not self._held:
                raise self.broken("the file ends", mend="download it again")
        return self._held[offset]
