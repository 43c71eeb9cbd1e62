"""The machine that a pickle's opcodes drive: a stack, marks in it, and a memo. It builds plain values and inert
stand-ins; nothing that a pickle names is imported, called or even looked up.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from modelhub.errors import BrokenFile
from modelhub.headers._stand_ins import Name, Storage, Stranger, call, is_known, load_storage, put

__all__ = ["MAX_STEPS", "Machine", "Truncated"]

MAX_STEPS = 500_000
"""Opcodes: a checkpoint of 14,000 tensors."""
_STOP = ord(".")
_PYTHON = {*sys.stdlib_module_names, "__builtin__", "commands", "__main__"}
_MAX_TEXT = 1 << 20
"""Bytes of one text; what is longer is cut."""
_MAX_NUMBER = 1024
"""Bytes of one integer."""
_MAX_LINE = 1 << 16
"""Bytes of a line in the text protocols."""
_MAX_NAME = 100
"""Characters of a module's name, and of a name in it."""
_MAX_STRANGERS = 100


class Truncated(BrokenFile):
    """The bytes end inside the pickle."""


class Machine:
    """One run over one pickle; a method without a result is an opcode."""

    def __init__(self, path: Path, data: bytes, start: int) -> None:
        self.path = path
        self.data = data
        self.at = start
        self.stack: list[object] = []
        self.marked: list[list[object]] = []
        self.memo: dict[int, object] = {}
        self.runners: dict[str, None] = {}
        self.others: dict[str, None] = {}
        self.storages: dict[str, Storage] = {}

    @property
    def strangers(self) -> tuple[str, ...]:
        """What it would import beyond plain values; Python's own names first, since it is they that run things."""
        return (*self.runners, *self.others)

    def run(self, table: Mapping[int, Callable[["Machine"], None]]) -> object:
        """Do what the pickle says, an opcode at a time, until it says stop."""
        data = self.data
        for _ in range(MAX_STEPS):
            if self.at >= len(data):
                raise self.truncated()
            code = data[self.at]
            self.at += 1
            if code == _STOP:
                return self.stack.pop()
            action = table.get(code)
            if action is None:
                raise BrokenFile(self.path, f"its pickle has the unknown opcode {code:#04x} at byte {self.at - 1:,}")
            action(self)
        raise BrokenFile(self.path, f"its pickle has more than the {MAX_STEPS:,} steps allowed")

    def truncated(self) -> BrokenFile:
        return Truncated(self.path, "truncated inside its pickle", mend="download it again")

    # Reading arguments

    def take(self, size: int) -> bytes:
        at, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise self.truncated()
        return self.data[at : self.at]

    def line(self) -> str:
        end = self.data.find(b"\n", self.at, self.at + _MAX_LINE)
        if end < 0:
            raise self.truncated() if len(self.data) < self.at + _MAX_LINE else ValueError("an endless line")
        at, self.at = self.at, end + 1
        return self.data[at:end].decode(errors="replace")

    def span(self, size: int) -> bytes:
        """The next `size` bytes, cut when they are many."""
        at, self.at = self.at, self.at + size
        if size < 0 or self.at > len(self.data):
            raise self.truncated()
        return self.data[at : at + min(size, _MAX_TEXT)]

    # The stack

    def push(self, value: object) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self.marked.append(self.stack)
        self.stack = []

    def pop_mark(self) -> list[object]:
        items, self.stack = self.stack, self.marked.pop()
        return items

    def pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def dup(self) -> None:
        self.push(self.stack[-1])

    def memoize(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        self.push(self.memo[index])

    def persid(self) -> None:
        self.push(self.storage(self.line()))

    def binpersid(self) -> None:
        self.push(self.storage(self.stack.pop()))

    def storage(self, pid: object) -> object:
        found = load_storage(pid)
        if isinstance(found, Storage):
            known = self.storages.setdefault(found.key, found)
            if (known.dtype, known.count) != (found.dtype, found.count):
                raise BrokenFile(self.path, f"its pickle describes the storage {found.key[:80]!a} in two ways")
        return found

    # Containers

    def tuple_of(self, count: int) -> None:
        items = tuple(self.stack[-count:])
        if len(items) != count:
            raise IndexError(count)
        self.stack[-count:] = [items]

    def append(self) -> None:
        value = self.stack.pop()
        self.extend([value])

    def appends(self) -> None:
        self.extend(self.pop_mark())

    def extend(self, items: list[object]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif isinstance(target, Stranger):
            target.held.update(enumerate(items, start=len(target.held)))
        else:
            raise TypeError(type(target).__name__)

    def dict_(self) -> None:
        items = self.pop_mark()
        self.push({})
        self.put_all(items)

    def setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.put_all([key, value])

    def setitems(self) -> None:
        self.put_all(self.pop_mark())

    def put_all(self, items: list[object]) -> None:
        target = self.stack[-1]
        held = target.held if isinstance(target, Stranger) else target
        if not isinstance(held, dict):
            raise TypeError(type(target).__name__)
        for key, value in zip(items[::2], items[1::2], strict=True):
            put(held, key, value)

    # Names, and what would be calls

    def name(self, module: object, name: object) -> Name:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise TypeError("a name that is no text")
        named = Name(module[:_MAX_NAME], name[:_MAX_NAME])
        strangers = self.runners if named.module.partition(".")[0] in _PYTHON else self.others
        if len(strangers) < _MAX_STRANGERS and not is_known(named):
            strangers[str(named)] = None
        return named

    def global_(self) -> None:
        module = self.line()
        self.push(self.name(module, self.line()))

    def stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.push(self.name(module, name))

    def extension(self, code: int) -> None:
        self.push(self.name("copyreg", f"extension {code}"))

    def reduce(self) -> None:
        args, what = self.stack.pop(), self.stack.pop()
        self.push(call(what, args))

    def newobj_ex(self) -> None:
        keywords, args, what = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self.push(Stranger(what, (args, keywords)))

    def inst(self) -> None:
        module = self.line()
        named = self.name(module, self.line())
        args = tuple(self.pop_mark())
        self.push(call(named, args))

    def obj(self) -> None:
        what, *args = self.pop_mark()
        self.push(call(what, tuple(args)))

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Stranger):
            target.state = state

    # Numbers and texts

    def int_line(self) -> None:
        text = self.line()
        self.push({"00": False, "01": True}.get(text) if text in ("00", "01") else self.decimal(text))

    def decimal(self, text: str) -> int:
        if len(text) > _MAX_NUMBER:
            raise ValueError("an endless number")
        return int(text.removesuffix("L"))

    def integer(self, size: int) -> None:
        if size > _MAX_NUMBER or size < 0:
            raise BrokenFile(self.path, f"its pickle holds an integer of {size:,} bytes")
        self.push(int.from_bytes(self.take(size), "little", signed=True))
