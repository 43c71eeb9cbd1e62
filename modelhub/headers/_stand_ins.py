"""What a pickle's names stand for here: inert values, never the thing that is named."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["ELEMENT", "Name", "OddKey", "PickledTensor", "Storage", "Stranger"]
__all__ += ["call", "is_known", "load_storage", "put"]

_STORAGES = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "UntypedStorage": "U8",
    "BoolStorage": "BOOL",
    "ComplexFloatStorage": "C64",
    "ComplexDoubleStorage": "C128",
}
_TYPES = {
    "float64": "F64", "double": "F64", "float32": "F32", "float": "F32", "float16": "F16", "half": "F16",
    "bfloat16": "BF16", "int64": "I64", "long": "I64", "int32": "I32", "int": "I32", "int16": "I16", "short": "I16",
    "int8": "I8", "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64", "bool": "BOOL",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0",
    "complex64": "C64", "complex128": "C128",
}  # fmt: skip
ELEMENT = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "U16": 2, "U32": 4,
    "U64": 8, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "C64": 8, "C128": 16,
}  # fmt: skip
"""Bytes of one element. All but C128 can stand in a safetensors file."""
_NUMPY_SCALARS = {"f8": "d", "f4": "f", "f2": "e", "b1": "?"} | {
    f"{sign}{size}": code
    for sign, codes in (("i", "bhiq"), ("u", "BHIQ"))
    for size, code in zip("1248", codes, strict=True)
}
_MAX_BYTES = 256
"""Of what an old protocol spells as text: numbers need 16."""


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A class or function that the pickle names; it is not looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Stranger:
    """What came of calling something that we do not know: only what it was given, kept."""

    what: object
    """Usually the `Name` that would have been called."""
    args: object
    state: object = None
    held: dict[object, object] = field(default_factory=dict)
    """What was put into it by key, as into a dict, or by number, as into a list."""


@dataclass(frozen=True, slots=True, eq=False)
class OddKey:
    """A dict's key that is no plain value: hashing what a file built could take forever."""

    value: object


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A run of elements somewhere in the file."""

    dtype: str
    key: str
    count: int
    """Elements."""


@dataclass(frozen=True, slots=True, eq=False)
class PickledTensor:
    """A tensor as a window on a storage; what the pickle says, unchecked."""

    storage: Storage
    dtype: str
    offset: object
    shape: object
    strides: object


def load_storage(pid: object) -> object:
    """What a persistent ID names: torch keeps its storages beside the pickle."""
    if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage" and isinstance(pid[1], Name)):
        return Stranger("a persistent ID", pid)
    kind, key, count = pid[1], pid[2], pid[4]
    dtype = _STORAGES.get(kind.name) if kind.module.partition(".")[0] == "torch" else None
    if dtype is None or type(count) is not int or not isinstance(key, str) or (len(pid) > 5 and pid[5] is not None):
        return Stranger(kind, pid)
    return Storage(dtype, key, count)


def call(what: object, args: object) -> object:
    """What a call would give, for the few names that make plain values; for all others a `Stranger`."""
    if isinstance(what, Name) and isinstance(args, tuple):
        known = _CALLS.get(str(what))
        made = known(args) if known else None
        if made is not None:
            return made
    return Stranger(what, args)


def is_known(name: Name) -> bool:
    """Whether a file may name it without a word: it makes plain values, or is a type of tensors."""
    if name.module in ("torch", "torch.storage", "torch.cuda") and name.name in (*_STORAGES, *_TYPES):
        return True
    return str(name) in _CALLS or str(name) in _HARMLESS


def put(target: dict[object, object], key: object, value: object) -> None:
    """``target[key] = value``, whatever the key is."""
    plain = isinstance(key, str | bytes | float | None) or (isinstance(key, int) and -(1 << 63) <= key < 1 << 64)
    target[key if plain else OddKey(key)] = value


def _tensor(args: tuple[object, ...]) -> object:
    """Storage, offset, shape, strides, ...; the newer form names its type among the rest."""
    storage, offset, shape, strides, *rest = args if len(args) >= 4 else (None,) * 4
    if not isinstance(storage, Storage):
        return None
    dtype = next((_TYPES[one.name] for one in rest if isinstance(one, Name) and one.name in _TYPES), storage.dtype)
    return PickledTensor(storage, dtype, offset, shape, strides)


def _subclassed(args: tuple[object, ...]) -> object:
    """Function, class, its arguments, state: a tensor of a class of its own."""
    if len(args) < 3 or not (isinstance(args[0], Name) and isinstance(args[2], tuple)):
        return None
    return _tensor(args[2]) if _CALLS.get(str(args[0])) is _tensor else None


def _first(args: tuple[object, ...]) -> object:
    return args[0] if args else None


def _dict(args: tuple[object, ...]) -> object:
    """Of a list of pairs, as Python 2 spells it. The list is emptied: else a few bytes could ask for it once more."""
    made: dict[object, object] = {}
    pairs = args[0] if args and isinstance(args[0], list) else []
    for pair in pairs:
        if isinstance(pair, list | tuple) and len(pair) == 2:
            put(made, *pair)
    pairs.clear()
    return made


def _list(args: tuple[object, ...]) -> object:
    return args[0] if args and isinstance(args[0], list | tuple) else []


def _bytes(args: tuple[object, ...]) -> object:
    """How old protocols spell bytes: text, in one fixed coding."""
    if len(args) == 2 and isinstance(args[0], str) and len(args[0]) <= _MAX_BYTES and args[1] == "latin1":
        return args[0].encode("latin1", "replace")
    return None


def _numpy_scalar(args: tuple[object, ...]) -> object:
    kind, raw = args if len(args) == 2 else (None, None)
    if not isinstance(kind, Stranger):
        return None
    raw = raw.encode("latin1", "replace") if isinstance(raw, str) else raw
    code = _NUMPY_SCALARS.get(kind.args[0]) if isinstance(kind.args, tuple) and _is_text(kind.args) else None
    swapped = isinstance(kind.state, tuple) and len(kind.state) > 1 and kind.state[1] == ">"
    if code is None or not isinstance(raw, bytes) or len(raw) != struct.calcsize("<" + code):
        return None
    value: object = struct.unpack((">" if swapped else "<") + code, raw)[0]
    return value


def _is_text(args: tuple[object, ...]) -> bool:
    return bool(args) and isinstance(args[0], str)


_CALLS: dict[str, Callable[[tuple[object, ...]], object]] = {
    "collections.OrderedDict": _dict,
    "collections.defaultdict": lambda _: {},
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type": _subclassed,
    "torch._tensor._rebuild_from_type_v2": _subclassed,
    "torch.Size": _list,
    "torch.device": _first,
    "_codecs.encode": _bytes,
} | {
    f"{module}.{name}": _list
    for module in ("builtins", "__builtin__")
    for name in ("set", "frozenset", "list", "tuple")
}
_CALLS |= {f"{module}.multiarray.scalar": _numpy_scalar for module in ("numpy.core", "numpy._core")}
_HARMLESS = {"numpy.dtype", "numpy.ndarray", "builtins.object", "__builtin__.object"}
_HARMLESS |= {"torch.Tensor", "torch.nn.parameter.Parameter"} | {
    f"{module}.multiarray._reconstruct" for module in ("numpy.core", "numpy._core")
}
