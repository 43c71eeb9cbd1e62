"""A sheet of pictures with labels above its columns and beside its rows (no torch)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

__all__ = ["Plot", "plotted"]

_INK, _PAPER = "#222222", "#ffffff"
_FONTS = (
    "NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "wqy-zenhei.ttc", "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf", "msyh.ttc", "PingFang.ttc", "Arial Unicode.ttf",
)  # fmt: skip
"""Fonts with Chinese letters as systems ship them: Pillow's own has none."""
_LATIN = 0x24F


@dataclass(frozen=True, slots=True)
class Plot:
    """Pictures in rows, as many in each as there are columns; empty labels take no room."""

    columns: Sequence[str]
    rows: Sequence[str]
    pictures: Sequence[Sequence[Image.Image | None]]
    """None leaves a place empty."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class _Label:
    """Text in a font, broken to a width."""

    lines: tuple[str, ...]
    size: int

    @classmethod
    def of(cls, text: str, size: int, width: int) -> "_Label":
        return cls(tuple(_broken(text, size, width)), size)

    @property
    def width(self) -> int:
        return max((int(_font(line, self.size).getlength(line)) for line in self.lines), default=0)

    @property
    def height(self) -> int:
        """Px, with room around it; none without text."""
        return self.size // 2 + len(self.lines) * self.size * 5 // 4 if self.lines else 0

    def draw(self, draw: ImageDraw.ImageDraw, centre: tuple[int, int]) -> None:
        top = centre[1] - self.height // 2 + self.size // 4
        for line in self.lines:
            draw.text((centre[0], top), line, fill=_INK, font=_font(line, self.size), anchor="ma")
            top += self.size * 5 // 4


def plotted(plots: Sequence[Plot], *, margin: int = 0) -> Image.Image:
    """The plots, one under the other; cells are as large as a plot's largest picture, `margin` px apart."""
    sheets = [_drawn(plot, margin) for plot in plots]
    sheet = Image.new("RGB", (max(one.width for one in sheets), sum(one.height for one in sheets)), _PAPER)
    top = 0
    for one in sheets:
        sheet.paste(one, (0, top))
        top += one.height
    return sheet


def _drawn(plot: Plot, margin: int) -> Image.Image:
    there = [picture for row in plot.pictures for picture in row if picture]
    width, height = max(one.width for one in there), max(one.height for one in there)
    size = max(11, min(width, height) // 18)
    above = [_Label.of(text, size, width) for text in plot.columns]
    beside = [_Label.of(text, size, width * 3 // 4) for text in plot.rows]
    title = _Label.of(plot.title, size * 5 // 4, width * len(above))
    left = max(label.width for label in beside)
    left += size if left else 0
    top = title.height + max(label.height for label in above)
    across, down = width + margin, height + margin
    sheet = Image.new("RGB", (left + across * len(above) - margin, top + down * len(beside) - margin), _PAPER)
    draw = ImageDraw.Draw(sheet)
    title.draw(draw, (left + (sheet.width - left) // 2, title.height // 2))
    for column, label in enumerate(above):
        label.draw(draw, (left + column * across + width // 2, (title.height + top) // 2))
    for row, label in enumerate(beside):
        label.draw(draw, (left // 2, top + row * down + height // 2))
        for column, picture in enumerate(plot.pictures[row]):
            if picture:
                sheet.paste(picture.convert("RGB"), (left + column * across, top + row * down))
    return sheet


def _broken(text: str, size: int, width: int) -> list[str]:
    """Lines no wider than `width` px: broken at spaces, within words only where one is wider by itself."""
    lines: list[str] = []
    for word in text.split():
        if lines and _font(text, size).getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines += _cut(word, size, width)
    return lines


def _cut(word: str, size: int, width: int) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and _font(word, size).getlength(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _font(text: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    found = _chinese_font(size) if any(ord(letter) > _LATIN for letter in text) else None
    return found or ImageFont.load_default(size)


@cache
def _chinese_font(size: int) -> ImageFont.FreeTypeFont | None:
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return None
