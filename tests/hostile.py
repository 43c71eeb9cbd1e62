"""Files that were built to run code, to exhaust the machine, or to be read in two ways; and files that only broke.

Each is a name and what makes its bytes. The command that pickles try to run creates `CANARY` in the current folder.
"""

import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

__all__ = ["CANARY", "HOSTILE", "Entry", "archive", "checkpoint", "gguf", "tensor_pickle", "write_all"]

CANARY = "canary-was-here"
_COMMAND = f"touch {CANARY}".encode()

# Pickles


def _text(value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return b"X" + struct.pack("<I", len(raw)) + raw


def _proto(body: bytes, protocol: int = 2) -> bytes:
    return b"\x80" + bytes([protocol]) + body + b"."


def _storage(key: str = "0", count: int = 4, kind: str = "FloatStorage") -> bytes:
    named = _text("storage") + f"ctorch\n{kind}\n".encode() + _text(key) + _text("cpu")
    return b"(" + named + b"J" + struct.pack("<i", count) + b"tQ"


def tensor_pickle(key: str = "0", shape: bytes = b"K\x04\x85", strides: bytes = b"K\x01\x85", count: int = 4) -> bytes:
    """A call that makes one float32 tensor of a storage."""
    head = b"ctorch._utils\n_rebuild_tensor_v2\n(" + _storage(key, count)
    return head + b"K\x00" + shape + strides + b"\x89ccollections\nOrderedDict\n)RtR"


def _holding(value: bytes, name: str | bytes = "weight") -> bytes:
    return b"}" + _text(name) + value + b"s"


# Archives


@dataclass(frozen=True)
class Entry:
    """A member of an archive, and the lies that its two headers tell of it."""

    name: str | bytes
    content: bytes = b""
    local: Mapping[str, object] = ()  # type: ignore[assignment]
    central: Mapping[str, object] = ()  # type: ignore[assignment]


_LOCAL = "<4s5H3L2H"
_CENTRAL = "<4s6H3L5H2L"


def archive(entries: Sequence[Entry], *, prefix: bytes = b"", end: Mapping[str, int] = (), tail: bytes = b"") -> bytes:  # type: ignore[assignment]
    """A zip file whose fields can be set one by one."""
    body, directory = bytearray(prefix), bytearray()
    for entry in entries:
        at = len(body)
        own = _fields(entry, entry.local)
        body += struct.pack(_LOCAL, b"PK\x03\x04", 20, own["flags"], own["method"], 0, 0, own["crc"], own["packed"],
                            own["size"], len(own["name"]), 0) + own["name"] + entry.content  # fmt: skip
        far = {"at": at, **_fields(entry, entry.central)}
        directory += struct.pack(_CENTRAL, b"PK\x01\x02", 20, 20, far["flags"], far["method"], 0, 0, far["crc"],
                                 far["packed"], far["size"], len(far["name"]), 0, 0, 0, 0, 0, far["at"])  # fmt: skip
        directory += far["name"]
    last = {"count": len(entries), "size": len(directory), "start": len(body), **dict(end)}
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, last["count"], last["count"], last["size"], last["start"], 0)
    return bytes(body + directory + record + tail)


def _fields(entry: Entry, lies: Mapping[str, object]) -> dict:  # type: ignore[type-arg]
    name = entry.name.encode() if isinstance(entry.name, str) else entry.name
    size = len(entry.content)
    honest = {"name": name, "flags": 0, "method": 0, "crc": zlib.crc32(entry.content), "packed": size, "size": size}
    return honest | dict(lies)


def checkpoint(pickle: bytes, *more: Entry, **lies: Mapping[str, object]) -> bytes:
    """What torch would save: a pickle, a storage of four floats, the byte order; `lies` are told of the pickle."""
    return archive(
        [Entry("a/data.pkl", pickle, **lies), Entry("a/byteorder", b"little"), Entry("a/data/0", bytes(16)), *more]
    )


GOOD = _proto(_holding(tensor_pickle()))


def _bomb() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/data.pkl", bytes(60_000_000))
    return buffer.getvalue()


def _overlapping() -> bytes:
    """Two members on the same bytes."""
    first, second = Entry("a/data.pkl", GOOD), Entry("a/data/0", bytes(16), central={"at": 0, "name": b"a/data/0"})
    return archive([first, second])


def _million() -> bytes:
    row = struct.pack(_CENTRAL, b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = row * 300_000
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 300_000, 300_000, len(directory), 0)
    place = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(directory), 1)
    return (
        directory + wide + place + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *(0xFFFF,) * 2, *(0xFFFFFFFF,) * 2, 0)
    )


def _wide_lies() -> bytes:
    """Two end records that disagree on where the directory is."""
    plain = checkpoint(GOOD)
    body, record = plain[:-22], plain[-22:]
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, 10, 20)
    return body + wide + struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body), 1) + record


# Safetensors


def _header(text: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(text)) + text + body


def _table(rows: object, body: bytes = b"") -> bytes:
    return _header(json.dumps(rows).encode(), body)


def _row(start: int, end: int, shape: Sequence[int] = (2,), dtype: str = "F16") -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


# GGUF


def gguf(tensors: int = 0, pairs: int = 0, body: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, pairs) + body


def _gguf_text(text: bytes, size: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if size is None else size) + text


def _gguf_tensor(shape: Sequence[int], offset: int = 0, kind: int = 0, dimensions: int | None = None) -> bytes:
    count = len(shape) if dimensions is None else dimensions
    return _gguf_text(b"w") + struct.pack(f"<I{len(shape)}QIQ", count, *shape, kind, offset)


_RUN = b"cos\nsystem\n"
_CALL = _RUN + _text(_COMMAND) + b"\x85R"

HOSTILE: dict[str, Callable[[], bytes]] = {
    # Pickles that run code
    "reduce.pt": lambda: _proto(_CALL),
    "reduce-in-an-archive.ckpt": lambda: checkpoint(_proto(_holding(tensor_pickle()) + _text("x") + _CALL + b"s")),
    "global-only.pt": lambda: _proto(b"cantigravity\nfly\n"),
    "stack-global.pt": lambda: _proto(_text("os") + _text("system") + b"\x93" + _text(_COMMAND) + b"\x85R", 4),
    "inst.pt": lambda: _proto(b"(" + _text(_COMMAND) + b"ios\nsystem\n"),
    "obj.pt": lambda: _proto(b"(" + _RUN + _text(_COMMAND) + b"o"),
    "newobj.pt": lambda: _proto(b"csubprocess\nPopen\n" + _text(_COMMAND) + b"\x85\x81"),
    "newobj-ex.pt": lambda: _proto(b"csubprocess\nPopen\n)" + _holding(_text(_COMMAND), "args") + b"\x92", 4),
    "build.pt": lambda: _proto(
        b"ctypes\nSimpleNamespace\n)\x81" + _holding(_RUN, "__setstate__") + b"b" + _CALL + b"b"
    ),
    "build-into-a-class.pt": lambda: _proto(b"ccollections\nOrderedDict\n" + _holding(_RUN, "__init__") + b"b)R"),
    "nested.pt": lambda: _proto(
        b"cpickle\nloads\nB" + struct.pack("<I", len(_proto(_CALL))) + _proto(_CALL) + b"\x85R", 3
    ),
    "codecs.pt": lambda: _proto(b"c_codecs\nencode\n" + _text(_COMMAND) + _text("rot13") + b"\x86Rcbuiltins\nexec\n2R"),
    "getattr.pt": lambda: _proto(
        b"cbuiltins\ngetattr\ncbuiltins\n__import__\n"
        + _text("os")
        + b"\x85R"
        + _text("system")
        + b"\x86R"
        + _text(_COMMAND)
        + b"\x85R"
    ),
    "extension.pt": lambda: _proto(b"\x82\x01(\x83\x01\x00\x84\x01\x00\x00\x00tR"),
    "persistent.pt": lambda: _proto(b"P../../etc/passwd\n"),
    "rebuild-with-a-stranger.pt": lambda: _proto(
        b"ctorch._tensor\n_rebuild_from_type_v2\n(" + _RUN + _RUN + _text(_COMMAND) + b"\x85}tR"
    ),
    "a-module-that-is-a-path.pt": lambda: _proto(b"c../../../tmp/x\n\x1b]0;owned\x07\n"),
    "old-protocol.pt": lambda: b"cos\nsystem\n(S'" + _COMMAND + b"'\ntR.",
    # Pickles that exhaust
    "recursive-list.pt": lambda: _proto(b"]q\x00h\x00a"),
    "recursive-dict.ckpt": lambda: checkpoint(_proto(b"}q\x00" + _text("state_dict") + b"h\x00s")),
    "deep-lists.pt": lambda: _proto(b"]" * 200_000 + b"a" * 199_999),
    "deep-tuples.pt": lambda: _proto(b")" + b"\x85" * 400_000),
    "deep-keys.pt": lambda: _proto(b"}" + b")" + b"\x85" * 400_000 + b"Ns"),
    "deep-wrappers.pt": lambda: _proto(b"".join(b"}" + _text("model") for _ in range(40_000)) + b"N" + b"s" * 40_000),
    "doubling-tuples.pt": lambda: _proto(b")" + b"2\x86" * 200_000),
    "doubling-lists.pt": lambda: _proto(
        b"]q\x00" + b"".join(b"](h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(250))
    ),
    "doubling-keys.pt": lambda: _proto(b"}" + b")" + b"2\x86" * 60 + b"Ns"),
    "copies-of-a-list.pt": lambda: _proto(
        b"]q\x00(" + b"NN\x86" * 40_000 + b"e0ccollections\nOrderedDict\nq\x010" + b"h\x01h\x00\x85R" * 40_000
    ),
    "copies-of-a-text.pt": lambda: _proto(
        _text(b"x" * 900_000)
        + b"q\x000c_codecs\nencode\nq\x010"
        + _text("latin1")
        + b"q\x020"
        + b"h\x01h\x00h\x02\x86R" * 80_000
    ),
    "a-long-name-often.pt": lambda: _proto(_text(b"x" * 900_000) + b"q\x000" + b"h\x00h\x00\x93" * 150_000, 4),
    "a-long-key-often.pt": lambda: _proto(
        _text(b"x" * 1000) + b"q\x000}q\x01](" + b"N" * 400_000 + b"eq\x02" + b"0h\x01h\x00h\x02s"
    ),
    "colliding-numbers.pt": lambda: _proto(
        b"}(" + b"".join(b"\x8a\x10" + (n * (2**61 - 1)).to_bytes(16, "little") + b"N" for n in range(1, 80_000)) + b"u"
    ),
    "marks.pt": lambda: _proto(b"(" * 490_000),
    "dups.pt": lambda: _proto(b"N" + b"2" * 5_000_000),
    "memo.pt": lambda: _proto(b"N" + b"".join(b"r" + struct.pack("<I", n * 20_000) for n in range(200_000))),
    "a-memo-far-away.pt": lambda: _proto(b"Nr\xff\xff\xff\xffp99999999999999999999\n"),
    "a-giant-text.pt": lambda: _proto(b"\x8d" + struct.pack("<Q", 2**62), 4),
    "giant-bytes.pt": lambda: _proto(b"\x96" + struct.pack("<Q", 2**63 + 1), 5),
    "a-giant-number.pt": lambda: _proto(b"\x8b" + struct.pack("<i", 2**31 - 1)),
    "a-number-of-digits.pt": lambda: _proto(b"L" + b"9" * 60_000 + b"L\n"),
    "a-lying-frame.pt": lambda: _proto(b"\x95" + struct.pack("<Q", 2**63) + b"N", 4),
    "wide-text.pt": lambda: _proto(b"".join(_text(("x" * 900_000 + "\U0001f600").encode()) for _ in range(15))),
    "metadata-without-end.pt": lambda: _proto(
        _text(b"x" * 1_000_000)
        + b"q\x000}("
        + b"".join(b"M" + struct.pack("<H", n) + b"(" + b"h\x00" * 60 + b"l" for n in range(5000))
        + b"u"
    ),
    "too-large-a-pickle.pt": lambda: _proto(b"N" + b"0N" * 9_000_000),
    # Pickles that are broken
    "truncated.pt": lambda: _proto(_holding(tensor_pickle()))[:40],
    "no-stop.pt": lambda: GOOD[:-1],
    "no-stack.pt": lambda: _proto(b"0000"),
    "a-broken-tail.pt": lambda: _proto(b"N") + _CALL + b"\xff",
    "two-pickles.pt": lambda: _proto(b"N") + _proto(_CALL),
    "an-unknown-opcode.pt": lambda: _proto(b"\xfe"),
    "a-tensor-from-nowhere.pt": lambda: GOOD,
    "a-tensor-behind-its-storage.ckpt": lambda: checkpoint(_proto(_holding(tensor_pickle(shape=b"K\x05\x85")))),
    "a-tensor-of-exabytes.ckpt": lambda: checkpoint(
        _proto(_holding(tensor_pickle(shape=b"\x8a\x08" + b"\xff" * 7 + b"\x7f\x85", strides=b"K\x00\x85")))
    ),
    "a-negative-tensor.ckpt": lambda: checkpoint(_proto(_holding(tensor_pickle(shape=b"J\xff\xff\xff\xff\x85")))),
    "a-negative-stride.ckpt": lambda: checkpoint(_proto(_holding(tensor_pickle(strides=b"J\xff\xff\xff\xff\x85")))),
    "a-storage-that-is-larger.ckpt": lambda: checkpoint(_proto(_holding(tensor_pickle(count=2**30)))),
    "a-storage-outside.ckpt": lambda: checkpoint(_proto(_holding(tensor_pickle(key="../version")))),
    "names-that-are-paths.ckpt": lambda: checkpoint(
        _proto(
            b"}"
            + _text("../../../x")
            + tensor_pickle()
            + b"s"
            + _text("\x1b[2J\r\nname")
            + tensor_pickle()
            + b"s"
            + _text("note")
            + _text("<script>\x1b[31m")
            + b"s"
        )
    ),
    "a-tensor-called-metadata.ckpt": lambda: checkpoint(_proto(_holding(tensor_pickle(), "__metadata__"))),
    # Archives
    "bomb.ckpt": _bomb,
    "traversal.ckpt": lambda: checkpoint(GOOD, Entry("a/../../../canary", b"x")),
    "absolute.ckpt": lambda: checkpoint(GOOD, Entry("/tmp/canary", b"x")),
    "backslash.ckpt": lambda: checkpoint(GOOD, Entry("a\\..\\canary", b"x")),
    "no-unicode.ckpt": lambda: checkpoint(GOOD, Entry(b"a/\xff\xfe", b"x")),
    "another-sum.ckpt": lambda: checkpoint(GOOD, local={"crc": 1}, central={"crc": 1}),
    "two-sums.ckpt": lambda: checkpoint(GOOD, local={"crc": 1}),
    "another-local-name.ckpt": lambda: checkpoint(GOOD, local={"name": b"b/data.pkl"}),
    "another-local-size.ckpt": lambda: checkpoint(GOOD, local={"size": 3, "packed": 3}),
    "two-pickles-in-it.ckpt": lambda: checkpoint(GOOD, Entry("a/data.pkl", _proto(_CALL))),
    "two-pickles-but-for-case.ckpt": lambda: checkpoint(GOOD, Entry("a/DATA.pkl", _proto(_CALL))),
    "two-folders.ckpt": lambda: checkpoint(GOOD, Entry("b/data.pkl", _proto(_CALL))),
    "overlapping.ckpt": _overlapping,
    "encrypted.ckpt": lambda: checkpoint(GOOD, local={"flags": 1}, central={"flags": 1}),
    "secretly-compressed.ckpt": lambda: checkpoint(GOOD, local={"method": 8}),
    "zip64-lies.ckpt": _wide_lies,
    "a-million-members.ckpt": _million,
    "prefix.ckpt": lambda: archive([Entry("a/data.pkl", GOOD)], prefix=b"PK\x03\x04junk"),
    "suffix.ckpt": lambda: checkpoint(GOOD) + b"\n<?php system('id');",
    "a-directory-elsewhere.ckpt": lambda: archive([Entry("a/data.pkl", GOOD)], end={"start": 0}),
    "big-endian.ckpt": lambda: archive(
        [Entry("a/data.pkl", GOOD), Entry("a/byteorder", b"big"), Entry("a/data/0", bytes(16))]
    ),
    "not-a-model.ckpt": lambda: archive([Entry("readme.txt", b"hello")]),
    # Lying names
    "a-pickle.safetensors": lambda: _proto(_CALL),
    "a-checkpoint.safetensors": lambda: checkpoint(_proto(_CALL)),
    "safetensors.ckpt": lambda: _table({"a": _row(0, 4)}, bytes(4)),
    "a-web-page.safetensors": lambda: b"<!DOCTYPE html><html><title>Sign in</title></html>",
    "a-pointer.safetensors": lambda: (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 4265380512\n"
    ),
    "an-error.safetensors": lambda: b'{"error": "You do not have permission to download this file"}',
    "a-picture.ckpt": lambda: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(17),
    "empty.ckpt": lambda: b"",
    "one-byte.pt": lambda: b"\x80",
    # Safetensors
    "overlap.safetensors": lambda: _table({"a": _row(0, 4), "b": _row(2, 6)}, bytes(6)),
    "duplicate.safetensors": lambda: _header(b'{"a":%b,"a":%b}' % ((json.dumps(_row(0, 4)).encode(),) * 2), bytes(4)),
    "negative.safetensors": lambda: _table({"a": _row(-4, 0)}, bytes(4)),
    "overflow.safetensors": lambda: _table({"a": _row(0, 4, (2**62, 2**62, 4))}, bytes(4)),
    "hole.safetensors": lambda: _table({"a": _row(0, 4), "b": _row(8, 12)}, bytes(12)),
    "a-header-of-brackets.safetensors": lambda: _header(b'{"a":' + b"[" * 99_999_000),
    "a-header-of-one-text.safetensors": lambda: _header(b'{"__metadata__":{"a":"' + b"x" * 99_999_000 + b'"}}'),
    "a-header-of-tensors.safetensors": lambda: _header(
        b"{" + b",".join(b'"%d":{"dtype":"F16","shape":[0],"data_offsets":[0,0]}' % n for n in range(500_000)) + b"}"
    ),
    "a-header-that-lies.safetensors": lambda: struct.pack("<Q", 2**63) + b"{}",
    "ansi-and-html.safetensors": lambda: _table(
        {
            "__metadata__": {
                "ss_output_name": "\x1b[2J\x1b]0;x\x07<img src=x onerror=alert(1)>\r\nx",
                "modelspec.title": "\u202egnp",
            },
            "\x1b[31m": _row(0, 4),
        },
        bytes(4),
    ),
    "paths.safetensors": lambda: _table(
        {"__metadata__": {"ss_output_name": "../../../x"}, "../../x": _row(0, 4)}, bytes(4)
    ),
    # GGUF
    "pairs.gguf": lambda: gguf(pairs=2**40),
    "tensors.gguf": lambda: gguf(tensors=2**40),
    "a-giant-text.gguf": lambda: gguf(pairs=1, body=_gguf_text(b"a", 2**63)),
    "a-giant-list.gguf": lambda: gguf(pairs=1, body=_gguf_text(b"a") + struct.pack("<IIQ", 9, 8, 2**60)),
    "lists-in-lists.gguf": lambda: gguf(
        pairs=1, body=_gguf_text(b"a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 100_000
    ),
    "overflow.gguf": lambda: gguf(tensors=1, body=_gguf_tensor((2**62, 2**62, 4))),
    "dimensions.gguf": lambda: gguf(tensors=1, body=_gguf_tensor((1,), dimensions=2**31)),
    "alignment.gguf": lambda: gguf(
        tensors=1,
        pairs=1,
        body=_gguf_text(b"general.alignment") + struct.pack("<II", 4, 0) + _gguf_tensor((4,)) + bytes(64),
    ),
    "behind-the-end.gguf": lambda: gguf(tensors=1, body=_gguf_tensor((4,), offset=2**50) + bytes(64)),
    "an-unknown-type.gguf": lambda: gguf(tensors=1, body=_gguf_tensor((4,), kind=250) + bytes(64)),
    "one-number-of-a-block-type.gguf": lambda: gguf(tensors=1, body=_gguf_tensor((), kind=10)),
    "an-old-version.gguf": lambda: gguf(version=1),
}
"""By file name; the files are written in this order."""


def write_all(folder: Path) -> list[Path]:
    """Every file of the table, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in HOSTILE.items():
        (folder / name).write_bytes(content())
    return [folder / name for name in HOSTILE]
