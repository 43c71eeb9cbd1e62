"""Text files beside pictures -> captions; what is not UTF-8 is refused with the command that mends it."""

import codecs
import shlex
from pathlib import Path

from modelhub.errors import BadValue, MissingFile
from trainers.recipe import CaptionOptions

__all__ = ["caption_beside", "in_lines", "read_text"]


def caption_beside(path: Path, options: CaptionOptions) -> str | None:
    """What the first of a picture's caption files says; None when there is none."""
    for extension in options.extensions:
        if (file := path.with_suffix(extension)).is_file():
            return in_lines(read_text(file), options)
    return None


def in_lines(text: str, options: CaptionOptions) -> str:
    """A caption without needless white space: in lines where one of them is chosen, else in one."""
    if not options.wildcards:
        return " ".join(text.split())
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def read_text(file: Path) -> str:
    """A text in UTF-8, with a byte order mark or without; `BadValue` names what else it seems to be."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise MissingFile(f"{file}: there is no such file") from None
    if encoding := _foreign_encoding(content):
        name, mended = shlex.quote(str(file)), shlex.quote(f"{file}.utf8")
        mend = f"iconv -f {encoding} -t UTF-8 {name} > {mended} && mv {mended} {name}"
        raise BadValue(f"{file} is not UTF-8, but seems to be {encoding}", mend=mend)
    return content.decode("utf-8-sig")


def _foreign_encoding(content: bytes) -> str | None:
    """Its name as iconv knows it; None for UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    if b"\0" in content:  # a Latin letter is one byte and a zero in UTF-16
        return "UTF-16LE" if b"\0" in content[1::2] else "UTF-16BE"
    if _decodes(content, "utf-8"):
        return None
    return "GB18030" if _decodes(content, "gb18030") else "WINDOWS-1252"


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
