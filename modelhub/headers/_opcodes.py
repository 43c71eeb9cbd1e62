"""What each opcode of a pickle means, protocols 0 to 5
(https://github.com/python/cpython/blob/main/Lib/pickletools.py).
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from modelhub.errors import BrokenFile
from modelhub.headers._machine import Machine
from modelhub.headers._stand_ins import Storage, Stranger

__all__ = ["Pickled", "interpret"]


@dataclass(frozen=True, slots=True)
class Pickled:
    """One pickle, read."""

    value: object
    end: int
    """Byte behind it."""
    strangers: tuple[str, ...]
    """Dotted names of what it would import beyond plain values; Python's own first, since those run things."""
    storages: Mapping[str, Storage]
    """By key, all that it mentions."""


def interpret(path: Path, data: bytes, start: int = 0) -> Pickled:
    """Read the pickle that begins at `start`; raises `BrokenFile` for what no unpickler could read."""
    machine = Machine(path, data, start)
    try:
        value = machine.run(_TABLE)
    except struct.error:
        raise machine.truncated() from None
    except (LookupError, TypeError, ValueError) as error:
        raise BrokenFile(path, f"its pickle is damaged at byte {machine.at:,} ({type(error).__name__})") from None
    return Pickled(value, machine.at, machine.strangers, machine.storages)


def _with(format: str, method: Callable[[Machine, int], None]) -> Callable[[Machine], None]:
    """An opcode whose argument is one number."""
    record = struct.Struct(format)

    def opcode(machine: Machine) -> None:
        at = machine.at
        machine.at = at + record.size
        method(machine, record.unpack_from(machine.data, at)[0])

    return opcode


def _text(format: str) -> Callable[[Machine], None]:
    return _with(format, lambda machine, size: machine.push(machine.span(size).decode(errors="replace")))


def _old_text(format: str) -> Callable[[Machine], None]:
    return _with(format, lambda machine, size: machine.push(machine.span(size).decode("latin1")))


def _raw(format: str) -> Callable[[Machine], None]:
    return _with(format, lambda machine, size: machine.push(machine.span(size)))


def _constant(value: object) -> Callable[[Machine], None]:
    return lambda machine: machine.push(value)


_TABLE: dict[int, Callable[[Machine], None]] = {
    code[0]: action
    for code, action in {
        b"(": Machine.mark,
        b"0": Machine.pop,
        b"1": lambda machine: _ignore(machine.pop_mark()),
        b"2": Machine.dup,
        b"N": _constant(None),
        b"\x88": _constant(True),
        b"\x89": _constant(False),
        b"F": lambda machine: machine.push(float(machine.line())),
        b"I": Machine.int_line,
        b"L": lambda machine: machine.push(machine.decimal(machine.line())),
        b"J": _with("<i", Machine.push),
        b"K": _with("<B", Machine.push),
        b"M": _with("<H", Machine.push),
        b"G": _with(">d", Machine.push),
        b"\x8a": _with("<B", Machine.integer),
        b"\x8b": _with("<i", Machine.integer),
        b"S": lambda machine: machine.push(machine.line().strip("\"'")),
        b"V": lambda machine: machine.push(machine.line()),
        b"T": _old_text("<i"),
        b"U": _old_text("<B"),
        b"X": _text("<I"),
        b"\x8c": _text("<B"),
        b"\x8d": _text("<Q"),
        b"B": _raw("<I"),
        b"C": _raw("<B"),
        b"\x8e": _raw("<Q"),
        b"\x96": _raw("<Q"),
        b"]": lambda machine: machine.push([]),
        b"}": lambda machine: machine.push({}),
        b"\x8f": lambda machine: machine.push([]),
        b")": _constant(()),
        b"t": lambda machine: machine.push(tuple(machine.pop_mark())),
        b"\x85": lambda machine: machine.tuple_of(1),
        b"\x86": lambda machine: machine.tuple_of(2),
        b"\x87": lambda machine: machine.tuple_of(3),
        b"l": lambda machine: machine.push(machine.pop_mark()),
        b"\x91": lambda machine: machine.push(machine.pop_mark()),
        b"d": Machine.dict_,
        b"a": Machine.append,
        b"e": Machine.appends,
        b"\x90": Machine.appends,
        b"s": Machine.setitem,
        b"u": Machine.setitems,
        b"p": lambda machine: machine.memoize(machine.decimal(machine.line())),
        b"q": _with("<B", Machine.memoize),
        b"r": _with("<I", Machine.memoize),
        b"\x94": lambda machine: machine.memoize(len(machine.memo)),
        b"g": lambda machine: machine.get(machine.decimal(machine.line())),
        b"h": _with("<B", Machine.get),
        b"j": _with("<I", Machine.get),
        b"c": Machine.global_,
        b"\x93": Machine.stack_global,
        b"R": Machine.reduce,
        b"\x81": Machine.reduce,
        b"\x92": Machine.newobj_ex,
        b"i": Machine.inst,
        b"o": Machine.obj,
        b"b": Machine.build,
        b"\x82": _with("<B", Machine.extension),
        b"\x83": _with("<H", Machine.extension),
        b"\x84": _with("<i", Machine.extension),
        b"P": Machine.persid,
        b"Q": Machine.binpersid,
        b"\x80": _with("<B", lambda machine, _: None),
        b"\x95": _with("<Q", lambda machine, _: None),
        b"\x97": lambda machine: machine.push(Stranger("a buffer beside the pickle", ())),
        b"\x98": lambda machine: None,
    }.items()
}


def _ignore(_: object) -> None:
    return None
