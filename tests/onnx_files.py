"""ONNX nets written byte by byte, so that any part of one can lie."""

import struct
from collections.abc import Callable

__all__ = ["HOSTILE_NETS", "field", "net", "tensor", "varint"]


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, value: bytes | str | int) -> bytes:
    """A number as a number, anything else with its length before it."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def tensor(name: str = "w", shape: tuple[int, ...] = (4,), kind: int = 1, raw: bytes | None = bytes(16)) -> bytes:
    """Of floats, unless another number of a type is given."""
    sides = b"".join(field(1, side) for side in shape)
    return sides + field(2, kind) + field(8, name) + (b"" if raw is None else field(9, raw))


def value(name: str, *sides: int | str, kind: int = 1) -> bytes:
    """What goes in or comes out."""
    shape = b"".join(field(1, field(1 if isinstance(side, int) else 2, side)) for side in sides)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def net(*more: bytes, graph: bytes = b"", version: int = 8) -> bytes:
    """A tagger's entrance and exit and one weight, with `graph` in its graph and `more` behind that."""
    inside = field(5, tensor()) + field(11, value("input", "N", 32, 32, 3)) + field(12, value("likely", "N", 7))
    opset = field(8, field(1, "") + field(2, 17))
    return field(1, version) + field(2, "kip") + field(7, inside + graph) + opset + b"".join(more)


_ELSEWHERE = field(13, field(1, "location") + field(2, "../../etc/passwd")) + field(14, 1)


def _node(attribute: bytes) -> bytes:
    return field(1, field(4, "Constant") + field(5, field(1, "value") + attribute))


def _deep(depth: int) -> bytes:
    """A graph in a node in a graph, and so on; in the innermost stands a file's name."""
    inside = field(5, tensor("w", raw=None) + _ELSEWHERE)
    for _ in range(depth):
        inside = _node(field(6, inside))
    return inside


HOSTILE_NETS: dict[str, Callable[[], bytes]] = {
    "weights-in-another-file": lambda: net(graph=field(5, tensor("v", raw=None) + _ELSEWHERE)),
    "a-name-of-a-file-and-weights": lambda: net(graph=field(5, tensor("v") + _ELSEWHERE)),
    "a-constant-in-another-file": lambda: net(graph=_node(field(5, tensor("v", raw=None) + _ELSEWHERE))),
    "a-constant-of-a-loop-in-another-file": lambda: net(graph=_deep(1)),
    "a-sparse-tensor-in-another-file": lambda: net(graph=field(15, field(1, tensor("v", raw=None) + _ELSEWHERE))),
    "a-training-in-another-file": lambda: net(field(20, field(1, field(5, tensor("v", raw=None) + _ELSEWHERE)))),
    "a-function-in-another-file": lambda: net(
        field(25, field(7, field(5, field(5, tensor("v", raw=None) + _ELSEWHERE))))
    ),
    "graphs-in-graphs": lambda: net(graph=_deep(100)),
    "graphs-in-graphs-without-end": lambda: net(graph=_deep(5000)),
    "two-graphs": lambda: net(field(7, field(5, tensor("v")))),
    "two-versions": lambda: net(field(1, 9)),
    "no-graph": lambda: field(1, 8) + field(2, "kip"),
    "no-version": lambda: field(7, field(5, tensor())),
    "a-number-for-a-graph": lambda: field(1, 8) + field(7, 5),
    "a-number-for-a-tensor": lambda: net(graph=field(5, 5)),
    "a-tensor-twice": lambda: net(graph=field(5, tensor())),
    "a-tensor-with-two-names": lambda: net(graph=field(5, tensor("v") + field(8, "u"))),
    "an-input-twice": lambda: net(graph=field(11, value("input", 1))),
    "a-tensor-of-exabytes": lambda: net(graph=field(5, tensor("v", (2**62, 2**62, 4)))),
    "a-tensor-of-exabytes-and-few-numbers": lambda: net(
        graph=field(5, tensor("v", (2**62,), raw=None) + field(4, bytes(16)))
    ),
    "a-tensor-with-too-few-bytes": lambda: net(graph=field(5, tensor("v", (5,)))),
    "a-side-of-less-than-nothing": lambda: net(graph=field(5, tensor("v", (2**64 - 1,)))),
    "a-tensor-of-many-sides": lambda: net(graph=field(5, tensor("v", (1,) * 17, raw=bytes(4)))),
    "packed-sides-without-end": lambda: net(
        graph=field(5, field(1, b"\x01" * 100_000) + tensor("v", (), raw=bytes(4)))
    ),
    "an-unknown-type": lambda: net(graph=field(5, tensor("v", kind=99))),
    "a-long-name": lambda: net(graph=field(5, tensor("v" * 2000))),
    "a-name-that-is-no-text": lambda: net(graph=field(5, tensor("v") + field(8, b"\xff"))),
    "a-giant-field": lambda: net() + varint(14 << 3 | 2) + varint(2**60),
    "a-field-beyond-its-message": lambda: net(graph=varint(5 << 3 | 2) + varint(100) + bytes(10)),
    "a-number-without-end": lambda: net() + varint(5 << 3) + b"\xff" * 20,
    "a-number-beyond-64-bits": lambda: net() + varint(5 << 3) + b"\xff" * 9 + b"\x7f",
    "a-field-of-number-0": lambda: net() + b"\x00\x00",
    "a-group": lambda: net() + b"\x0b\x0c",
    "millions-of-fields": lambda: net(graph=b"\x80\x01\x00" * 500_001),
    "millions-of-tensors": lambda: net(
        graph=b"".join(field(5, tensor(f"{number}", (0,), raw=b"")) for number in range(20_001))
    ),
    "millions-of-keys": lambda: net(
        b"".join(field(14, field(1, f"{number}") + field(2, "x")) for number in range(1001))
    ),
    "millions-of-opsets": lambda: net(field(8, field(2, 1)) * 1001),
    "terminal-codes": lambda: net(
        field(14, field(1, "\x1b[2J") + field(2, "x")), graph=field(5, tensor("\x1b[2J", (5,)))
    ),
    "a-pickle": lambda: b"\x08\x08\x12" + struct.pack("<Q", 2**63),
}
"""None of them is a net that is taken."""
