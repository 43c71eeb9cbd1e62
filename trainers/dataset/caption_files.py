"""Text files beside pictures -> captions; what is not UTF-8 is refused with the command that mends it."""

import shlex
from pathlib import Path

from modelhub.errors import BadValue, MissingFile
from trainers.dataset.encodings import foreign_encoding
from trainers.dataset.files import content_of, is_there, readable_again
from trainers.recipe import CaptionOptions

__all__ = ["caption_beside", "in_lines", "in_utf8", "read_text"]

_SAMPLE = 40
"""Characters by which a person sees whether an encoding is the right one."""


def caption_beside(path: Path, options: CaptionOptions) -> str | None:
    """What the first of a picture's caption files says; None when there is none."""
    for extension in options.extensions:
        if is_there(file := path.with_suffix(extension)):
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
        content = content_of(file)
    except FileNotFoundError:
        raise MissingFile(f"{file}: there is no such file") from None
    except OSError as error:
        raise BadValue(f"{file} cannot be read: {error.strerror}", mend=readable_again(file)) from None
    if encoding := foreign_encoding(content):
        sample = " ".join(content.decode(encoding, "replace").split())[:_SAMPLE]
        raise BadValue(
            f"{file} is not UTF-8, but seems to be {encoding}, in which it says {sample!r}",
            mend=in_utf8(encoding, shlex.quote(str(file))),
        )
    if b"\0" in content:
        name = shlex.quote(str(file))
        raise BadValue(
            f"{file} holds a zero byte at {content.index(0)}, which no text has: it may have been cut or damaged",
            mend=f"look at it; tr -d '\\000' < {name} > {name}.new && mv {name}.new {name} takes out all of them",
        )
    return content.decode("utf-8-sig")


def in_utf8(encoding: str, files: str) -> str:
    """The command that brings files into UTF-8, those that are in it already aside; `files` as a shell has them."""
    is_so = 'iconv -f UTF-8 "$f" > /dev/null 2>&1'
    if encoding.startswith("UTF-16"):  # much of which is UTF-8 as well, with zeros in it
        is_so = 'tr -d \'\\000\' < "$f" | cmp -s - "$f"'
    command = f'iconv -f {encoding} -t UTF-8 "$f" > "$f.utf8" && mv "$f.utf8" "$f"'
    return f"for f in {files}; do {is_so} || {{ {command}; }}; done"
