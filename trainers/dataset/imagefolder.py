"""The lists of datasets' ``imagefolder``, .jsonl and .csv, which diffusers' scripts read: ``file_name`` and a text.

https://huggingface.co/docs/datasets/image_dataset
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modelhub.errors import BadValue
from trainers.dataset.caption_files import read_text
from trainers.dataset.files import parsed_json

__all__ = ["FOLDER_LISTS", "captions_listed", "rows"]

FOLDER_LISTS = ("metadata.jsonl", "metadata.csv")
"""Names of lists that hold for the folder that they lie in, and for those below it."""
_FILE = "file_name"
_TEXTS = ("text", "caption", "prompt")
"""Columns that hold captions, the likeliest first; else the only other column of text."""


def captions_listed(file: Path) -> Mapping[str, str | None]:
    """File name, from the list's folder -> caption."""
    found: dict[str, str | None] = {}
    for where, row in rows(file):
        if not isinstance(name := row.get(_FILE), str):
            raise BadValue(f"{where}: {_FILE}: a row names its picture", mend=f'write {{"{_FILE}": "a.png", ...}}')
        found[name] = _caption(row, where)
    return found


def rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each object of a .jsonl file, or row of a .csv file, and where it stands."""
    text = read_text(file)
    if file.suffix.lower() == ".csv":
        yield from _table(text, file)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{file}, line {number}", _object(line, f"{file}, line {number}")


def _table(text: str, file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    table = csv.DictReader(io.StringIO(text, newline=""))
    try:
        yield from ((f"{file}, line {table.line_num}", row) for row in table)
    except csv.Error as error:
        raise BadValue(f"{file}, line {table.line_num + 1}: {error}", mend="write it as a table there") from None


def _object(line: str, where: str) -> Mapping[str, Any]:
    row = parsed_json(line, where)
    if not isinstance(row, dict):
        raise BadValue(f"{where}: it must be an object, such as {{...}}", mend=f'write {{"{_FILE}": "a.png", ...}}')
    return row


def _caption(row: Mapping[str, Any], where: str) -> str | None:
    texts = {name: value for name, value in row.items() if isinstance(value, str) and name != _FILE}
    named = next((name for name in _TEXTS if name in texts), None)
    if not named and len(texts) > 1:
        raise BadValue(f"{where}: which is the caption: {', '.join(texts)}?", mend="name that column text")
    return texts[named] if named else next(iter(texts.values()), None)
