"""ONNX nets, of which only what they take, give and hold is read: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

A net is one message of nested ones. Its weights are tensors of the outermost graph; wherever else a tensor may stand
is looked at too, since each can name a file, anywhere on the disk, that whoever runs the net would open.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import BinaryIO

from modelhub.errors import UnsafeFile
from modelhub.headers._protobuf import BYTES, NUMBER, Field, Wire
from modelhub.headers._table import TensorEntry, TensorTable

__all__ = ["INPUTS", "OUTPUTS", "begins_onnx", "read_onnx"]

INPUTS, OUTPUTS = "onnx.inputs", "onnx.outputs"
"""Metadata keys: types and shapes such as ``F32 [?, 448, 448, 3]``, ``?`` for any length, parted by ``; ``."""

_TYPES = {
    1: ("F32", 32), 2: ("U8", 8), 3: ("I8", 8), 4: ("U16", 16), 5: ("I16", 16), 6: ("I32", 32), 7: ("I64", 64),
    8: ("TEXT", 0), 9: ("BOOL", 8), 10: ("F16", 16), 11: ("F64", 64), 12: ("U32", 32), 13: ("U64", 64), 14: ("C64", 64),
    15: ("C128", 128), 16: ("BF16", 16), 17: ("F8_E4M3", 8), 18: ("F8_E4M3FNUZ", 8), 19: ("F8_E5M2", 8),
    20: ("F8_E5M2FNUZ", 8), 21: ("U4", 4), 22: ("I4", 4), 23: ("F4", 4), 24: ("F8_E8M0", 8), 25: ("U2", 2),
    26: ("I2", 2),
}  # fmt: skip
"""Number of a type in the file -> its name, bits of an element."""
_WITHIN: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor",
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "tensor": {},
}  # fmt: skip
"""Message -> number of a field -> the message in it, as far as tensors may be there."""
_ONCE: Mapping[str, Collection[int]] = {
    "model": (1, 2, 3, 5, 7), "value": (1, 2), "tensor": (2, 8, 9, 14), "entry": (1, 2),
}  # fmt: skip
"""Fields that readers join, or take the last of, where there are several."""
_MAX_DEPTH = 60
"""Messages in one another: a loop in a loop in a loop takes 12."""
_MAX_TENSORS, _MAX_VALUES, _MAX_KEYS = 20_000, 1000, 1000
_MAX_NAME = 1024
_MAX_TEXT = 4096
"""Bytes: longer texts are left out of the metadata."""
_MAX_DIMENSIONS = 16
_WALKED = 1 << 16
"""Bytes: messages up to this size are searched for a file's name before they are walked through."""
_FILE = b"location"
"""The key under which a tensor names the file that holds its elements."""
_NAMED_ELSEWHERE = 13
_ELSEWHERE = 14
_RAW = 9
_ELEMENTS = (4, 5, 6, 7, 10, 11)
"""Fields of a tensor whose elements are numbers of their own."""


def begins_onnx(prefix: bytes) -> bool:
    """Whether a file may be a net: a small version, then a field that only nets have there."""
    return (
        len(prefix) > 2 and prefix[0] == 0x08 and 0 < prefix[1] < 0x40 and prefix[2] in b"\x12\x1a\x22\x28\x32\x3a\x42"
    )


def read_onnx(path: Path, file: BinaryIO) -> TensorTable:
    """The tensor table of an open ONNX file.

    Raises `UnsafeFile` for a net that keeps its weights in other files, and `BrokenFile` for what is no net.
    """
    return _Net(Wire(path, file, "ONNX net")).table()


class _Net:
    """A net as it is walked through, once and from its beginning to its end."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._tensors: dict[str, TensorEntry] = {}
        self._props: dict[str, str] = {}
        self._said: dict[str, list[str]] = {}
        self._values: dict[str, dict[str, str]] = {INPUTS: {}, OUTPUTS: {}}

    def table(self) -> TensorTable:
        whole = Field(0, BYTES, 0, 0, self._wire.size)
        seen: Counter[int] = Counter()
        for field in self._wire.fields(whole.start, whole.end):
            self._check_once("model", seen, field)
            self._take(field)
        if not (seen[1] and seen[7]):
            raise self._wire.broken("it has no graph")
        return TensorTable(self._tensors, {**self._props, **self._told()}, container="onnx")

    def _take(self, field: Field) -> None:
        """A field of the net itself."""
        if field.number == 1 and field.form == NUMBER:
            self._say("onnx.ir_version", str(field.value))
        elif field.number in (2, 3):
            self._say("onnx.producer", self._wire.text(field, _MAX_NAME))
        elif field.number == 7:
            self._graph(field)
        elif field.number == 8:
            self._say("onnx.opset", self._opset(field))
        elif field.number == 14:
            self._prop(field)
        else:
            self._look(field, "model", 1)

    def _graph(self, graph: Field) -> None:
        """The outermost one."""
        self._check_message(graph)
        for field in self._wire.fields(graph.start, graph.end):
            if field.number == 5:
                self._weight(field)
            elif field.number in (11, 12):
                self._value(field, INPUTS if field.number == 11 else OUTPUTS)
            else:
                self._look(field, "graph", 2)

    def _look(self, field: Field, within: str, depth: int) -> None:
        """For tensors anywhere in a field that keep their elements in another file."""
        message = _WITHIN[within].get(field.number)
        if message is None:
            return
        self._check_message(field)
        if field.end - field.start <= _WALKED and _FILE not in self._wire.bytes(field, _WALKED):
            return
        if depth > _MAX_DEPTH:
            raise self._wire.broken(f"its messages stand more than {_MAX_DEPTH} deep in one another")
        for inner in self._wire.fields(field.start, field.end):
            if message == "tensor":
                self._check_here(inner)
            else:
                self._look(inner, message, depth + 1)

    def _weight(self, tensor: Field) -> None:
        """A tensor of the outermost graph, which has a name."""
        self._check_message(tensor)
        name, kind, span, elements = "", 0, (tensor.end, tensor.end), 0
        dims: list[int] = []
        seen: Counter[int] = Counter()
        for field in self._wire.fields(tensor.start, tensor.end):
            self._check_once("tensor", seen, field)
            self._check_here(field)
            if field.number == 1:
                dims += self._lengths(field)
            elif field.number == 2:
                kind = field.value
            elif field.number == 8:
                name = self._wire.text(field, _MAX_NAME)
            elif field.number == _RAW:
                span = (field.start, field.end)
            elif field.number in _ELEMENTS:
                elements += field.end - field.start
        if len(dims) > _MAX_DIMENSIONS:
            raise self._wire.broken(f"tensor {name!r} has more than {_MAX_DIMENSIONS} dimensions")
        self._keep(name, self._entry(name, kind, tuple(dims), span, elements))

    def _entry(self, name: str, kind: int, shape: tuple[int, ...], span: tuple[int, int], elements: int) -> TensorEntry:
        """Its elements must be as many as its bytes; of those that stand as numbers of their own, as far as can be."""
        dtype, bits = self._type(kind)
        held = span[1] - span[0]
        fits = (
            8 * held in (needed := prod(shape) * bits, needed + -needed % 8) if held else prod(shape) <= 16 * elements
        )
        if bits and not fits:
            raise self._wire.broken(f"tensor {name!r} of the shape {shape} does not have {held + elements:,} bytes")
        return TensorEntry(dtype, shape, span)

    def _keep(self, name: str, entry: TensorEntry) -> None:
        if name in self._tensors:
            raise self._wire.broken(f"it holds the tensor {name!r} twice")
        if len(self._tensors) == _MAX_TENSORS:
            raise self._wire.broken(f"it has more than the {_MAX_TENSORS:,} tensors allowed")
        self._tensors[name] = entry

    def _lengths(self, field: Field) -> Iterator[int]:
        for count, length in enumerate(self._wire.numbers(field)):
            if length >= 1 << 63 or count == _MAX_DIMENSIONS:
                raise self._wire.broken("a tensor has a side or a number of sides that no tensor has")
            yield length

    def _value(self, value: Field, where: str) -> None:
        """What goes in or comes out, by its name."""
        self._check_message(value)
        name, said = "", "?"
        seen: Counter[int] = Counter()
        for field in self._wire.fields(value.start, value.end):
            self._check_once("value", seen, field)
            if field.number == 1:
                name = self._wire.text(field, _MAX_NAME)
            elif field.number == 2:
                said = self._kind(field)
        held = self._values[where]
        if name in held or len(held) == _MAX_VALUES:
            raise self._wire.broken(f"{name!r} goes in or comes out twice, or too much does")
        held[name] = said

    def _kind(self, kind: Field) -> str:
        """``F32 [?, 448, 448, 3]`` of a tensor; ``?`` of anything else."""
        tensor = self._only(kind, 1)
        if tensor is None:
            return "?"
        elements, shape = self._only(tensor, 1), self._only(tensor, 2)
        sides = [one for one in self._inside(shape) if one.number == 1] if shape else []
        if len(sides) > _MAX_DIMENSIONS:
            raise self._wire.broken(f"what goes in or comes out has more than {_MAX_DIMENSIONS} dimensions")
        return f"{self._type(elements.value if elements else 0)[0]} [{', '.join(map(self._side, sides))}]"

    def _side(self, side: Field) -> str:
        length = self._only(side, 1)
        return str(length.value) if length and 0 < length.value < 1 << 63 else "?"

    def _only(self, message: Field, number: int) -> Field | None:
        """The last field of a number, which is what readers take."""
        return next((one for one in reversed(list(self._inside(message))) if one.number == number), None)

    def _inside(self, message: Field) -> Iterator[Field]:
        self._check_message(message)
        return self._wire.fields(message.start, message.end)

    def _opset(self, opset: Field) -> str:
        domain, version = self._only(opset, 1), self._only(opset, 2)
        name = self._wire.text(domain, _MAX_NAME) if domain else ""
        return f"{name} {version.value if version else '?'}".strip()

    def _prop(self, entry: Field) -> None:
        key, value = self._only(entry, 1), self._only(entry, 2)
        if len(self._props) == _MAX_KEYS:
            raise self._wire.broken(f"it has more than the {_MAX_KEYS:,} keys allowed")
        if key and value and value.end - value.start <= _MAX_TEXT:
            text = self._wire.bytes(value, _MAX_TEXT).decode(errors="replace")
            self._props[self._wire.text(key, _MAX_NAME)] = text

    def _say(self, key: str, text: str) -> None:
        said = self._said.setdefault(key, [])
        if len(said) == _MAX_VALUES:
            raise self._wire.broken(f"it says {key} more than {_MAX_VALUES:,} times")
        said.append(text)

    def _told(self) -> dict[str, str]:
        """Weights may be named as what goes in as well, which they do not have to."""
        goes_in = {name: said for name, said in self._values[INPUTS].items() if name not in self._tensors}
        values = {INPUTS: "; ".join(goes_in.values()), OUTPUTS: "; ".join(self._values[OUTPUTS].values())}
        return {**{key: " ".join(each) for key, each in self._said.items()}, **values}

    def _type(self, kind: int) -> tuple[str, int]:
        if kind not in _TYPES:
            raise self._wire.broken(f"a tensor has the unknown type {kind}")
        return _TYPES[kind]

    def _check_here(self, field: Field) -> None:
        if field.number == _NAMED_ELSEWHERE or (field.number == _ELSEWHERE and field.value):
            raise UnsafeFile(
                f"{self._wire.path} is an ONNX net whose weights lie in other files, which it names itself",
                mend="ask for one in a single file, such as onnx.save writes by default",
            )

    def _check_message(self, field: Field) -> None:
        if field.form != BYTES:
            raise self._wire.broken(f"a number stands at byte {field.start:,}, where a message should")

    def _check_once(self, message: str, seen: Counter[int], field: Field) -> None:
        seen[field.number] += 1
        if seen[field.number] > 1 and field.number in _ONCE[message]:
            raise self._wire.broken(
                f"field {field.number} of a {message} stands there twice, so readers would disagree"
            )
