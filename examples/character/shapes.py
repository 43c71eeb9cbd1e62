"""The few SVG shapes that everything is drawn with, under one thick outline. Lengths are in units, 144 a side."""

INK = "#14323c"
RED = "#e5332f"
WHITE = "#ffffff"
OUTLINE = 3.2
VIEW = "-8 -14 144 144"
"""Left, top, width and height of the picture: Mimo stands between 0 and 128, with a margin all around."""

Point = tuple[float, float]


def ellipse(centre: Point, radii: Point, fill: str, *, outline: float = OUTLINE) -> str:
    """A filled ellipse; an `outline` of 0 leaves the ink away."""
    (x, y), (rx, ry) = centre, radii
    return f'<ellipse cx="{x:g}" cy="{y:g}" rx="{rx:g}" ry="{ry:g}" {_paint(fill, outline)}/>'


def path(steps: str, fill: str = "none", *, outline: float = OUTLINE) -> str:
    """A path of SVG commands, filled and inked; without fill it is a line of ink."""
    return f'<path d="{steps}" {_paint(fill, outline)}/>'


def tube(steps: str, colour: str, width: float) -> str:
    """A round-ended line of `colour`, outlined: a limb, a tail or a stick."""
    edge = _stroke(INK, width + 2 * OUTLINE)
    return f'<path d="{steps}" fill="none" {edge}/><path d="{steps}" fill="none" {_stroke(colour, width)}/>'


def group(parts: list[str], transform: str) -> str:
    """The parts, moved or turned together."""
    return f'<g transform="{transform}">{"".join(parts)}</g>'


def picture(parts: list[str]) -> str:
    """The whole SVG file: the parts, one a line."""
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128" viewBox="{VIEW}">'
    return "\n".join([opening, *parts, "</svg>\n"])


def _paint(fill: str, outline: float) -> str:
    return f'fill="{fill}" {_stroke(INK, outline)}' if outline else f'fill="{fill}"'


def _stroke(colour: str, width: float) -> str:
    return f'stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round" stroke-linejoin="round"'
