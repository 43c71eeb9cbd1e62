"""Whether a file begins as the thing that it should be: storages and hubs send pages and pointers with a smile."""

import re

__all__ = ["HEAD", "complaint"]

HEAD = 512
"""Bytes that are enough to tell."""
_LARGEST_HEADER = 100_000_000
_NO_FILE = (
    (re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE), "a page came instead of the file"),
    (re.compile(rb"\s*<(\?xml|Error)"), "an error message came instead of the file"),
    (re.compile(rb'\s*\{\s*"(error|message)"'), "an error message came instead of the file"),
    (re.compile(rb"version https://git-lfs"), "an LFS pointer came instead of the file"),
)
_WEIGHTS = (b"PK\x03\x04", b"GGUF", *(bytes((0x80, protocol)) for protocol in range(2, 6)))
"""A zip archive as torch writes it, GGUF, a bare pickle."""


def complaint(head: bytes, *, weights: bool) -> str | None:
    """What is wrong with a file that begins so; None for nothing. Small files may be pages, but no pointers."""
    for pattern, words in _NO_FILE if weights else _NO_FILE[3:]:
        if pattern.match(head):
            return words
    if weights and not (head.startswith(_WEIGHTS) or _is_safetensors(head)):
        return "it does not begin as a weight file does"
    return None


def _is_safetensors(head: bytes) -> bool:
    return head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= _LARGEST_HEADER
