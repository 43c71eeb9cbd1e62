"""Many pictures on one sheet, in labelled rows."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

__all__ = ["contact_sheet"]

_GAP = 6
_LABEL = 22


def contact_sheet(rows: Sequence[tuple[str, Sequence[Image.Image]]], *, cell: int = 128) -> Image.Image:
    """Rows of (label, pictures), each picture scaled to `cell` pixels; a row's label stands above it."""
    columns = max(len(pictures) for _, pictures in rows)
    height = _LABEL + cell + _GAP
    sheet = Image.new("RGB", (columns * (cell + _GAP) + _GAP, len(rows) * height + _GAP), "#f2f2f2")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for index, (label, pictures) in enumerate(rows):
        top = index * height + _GAP
        draw.text((_GAP, top), label, fill="#222222", font=font)
        for column, picture in enumerate(pictures):
            resized = picture.convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS)
            sheet.paste(resized, (_GAP + column * (cell + _GAP), top + _LABEL - _GAP // 2))
    return sheet
