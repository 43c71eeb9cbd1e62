"""Names by strangers that are to become files: made harmless on every system (pure). Raises nothing.

What comes out is one plain, visible name: no way out of its folder, no option to a command, no device of Windows.
"""

import re
import unicodedata

__all__ = ["safe_name", "safe_path"]

_UNNAMED = "unnamed"
_MAX_BYTES = 200
"""Of the 255 that file systems allow: what stands beside a model is called after it, with a longer ending."""
_MAX_ENDING = 20
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=$|\.)")
"""Names of devices on Windows, whatever ending follows them."""
_EDGES = ". "


def safe_name(text: str) -> str:
    """The last part of `text` as a file name; ``safe_name(safe_name(x)) == safe_name(x)``, and never empty."""
    return _safe(re.split(r"[/\\]", text)[-1]) or _UNNAMED


def safe_path(text: str) -> str:
    """`text` as a path within a folder, with slashes: never absolute, never upwards, and never empty."""
    return "/".join(filter(None, map(_safe, re.split(r"[/\\]", text)))) or _UNNAMED


def _safe(part: str) -> str:
    composed = unicodedata.normalize("NFC", part)
    shown = "".join(one if one.isprintable() else " " if one.isspace() else "" for one in composed)
    kept = _FORBIDDEN.sub("", shown).lstrip(f"{_EDGES}-").rstrip(_EDGES)
    return _shortened(_RESERVED.sub(lambda found: f"{found[0]}_", kept, count=1) if _RESERVED.match(kept) else kept)


def _shortened(name: str) -> str:
    if len(name.encode()) <= _MAX_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    tail = f".{ending}" if dot and len(ending.encode()) <= _MAX_ENDING else ""
    head = (stem if tail else name).encode()[: _MAX_BYTES - len(tail.encode())].decode(errors="ignore")
    return head.rstrip(_EDGES) + tail
