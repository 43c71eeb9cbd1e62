"""Draws Mimo, a round teal robot-cat, from a `Pose` as SVG, and writes the character set that ModelHub ships.

From the repository's root: ``python -m examples.character.draw``.
"""

import argparse
import io
from collections.abc import Mapping
from pathlib import Path

import resvg_py
from PIL import Image

from examples.character.pose import PICTURES, Arm, Eyes, Facing, Legs, Mouth, Picture, Pose
from examples.character.props import PROPS
from examples.character.shapes import INK, RED, WHITE, Point, ellipse, group, path, picture, tube

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "examples/character/svg"
SET = ROOT / "modelhub/starter/character"

TEAL = "#1fb5a8"
YELLOW = "#ffd84a"
ORANGE = "#ff7a1a"
CREAM = "#fff3d6"

MIDDLE = 64
"""The body's middle line, in units from the left."""
TURN: Mapping[Facing, int] = {"left": -1, "front": 0, "right": 1}
RISE: Mapping[Legs, float] = {"standing": 0, "walking": 1, "jumping": 7, "sitting": -5}
"""How far head and body stand above their place."""
SHOULDER: Point = (17, 84)
"""The right one, as seen from the body's middle line."""
HANDS: Mapping[Arm, Point] = {
    "down": (28, 100),
    "out": (42, 83),
    "up": (43, 62),
    "wave": (44, 66),
    "hold": (43, 80),
    "front": (24, 93),
}
"""The right hand, as seen from the body's middle line."""
FEET: Mapping[Legs, tuple[tuple[Point, int], ...]] = {
    "standing": (((-13, 116), 0), ((13, 116), 0)),
    "walking": (((-17, 113), 35), ((15, 116), -8)),
    "jumping": (((-22, 104), 40), ((22, 104), -40)),
}
"""Each foot, as seen from the body's middle line, and its turn in degrees, as of one who faces right."""
MOUTHS: Mapping[Mouth, tuple[str, str]] = {
    "smile": ("M59 61Q64 67 69 61", "none"),
    "laugh": ("M57 60H71Q64 74 57 60Z", RED),
    "round": ("M64 59.5C69 59.5 69 68.5 64 68.5C59 68.5 59 59.5 64 59.5Z", RED),
    "flat": ("M61 63H67", "none"),
}
"""The outline of each mouth, and its fill."""


def draw(pose: Pose) -> str:
    """The picture of a pose as the text of an SVG file."""
    turn = TURN[pose.facing]
    behind, before = _prop(pose)
    upper = [*behind, _tail(turn), *_body(turn), _head(pose), *before, *_arms(pose)]
    return picture([*_shadow(pose.legs), group(upper, f"translate(0 {-RISE[pose.legs]:g})"), *_feet(pose.legs, turn)])


def render(svg: str, side: int) -> bytes:
    """The SVG as an optimised RGB PNG, `side` px wide and high; the same bytes for the same input."""
    drawn = resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side, background=WHITE)
    png = io.BytesIO()
    Image.open(io.BytesIO(drawn)).convert("RGB").save(png, "png", optimize=True)
    return png.getvalue()


def write(number: int, drawing: Picture, *, pictures: Path, sources: Path, side: int) -> None:
    """Write one picture and its caption under its part of the set, and its SVG beside the other sources."""
    name = f"{number:02}-{drawing.slug}"
    svg = draw(drawing.pose)
    part = pictures / drawing.part
    for folder in (part, sources):
        folder.mkdir(parents=True, exist_ok=True)
    (sources / f"{name}.svg").write_text(svg, "utf-8")
    (part / f"{name}.png").write_bytes(render(svg, side))
    (part / f"{name}.txt").write_text(drawing.caption + "\n", "utf-8")


def main() -> None:
    """Write the whole set; without options, exactly the files that ModelHub ships."""
    parser = argparse.ArgumentParser(prog="python -m examples.character.draw", description=main.__doc__)
    parser.add_argument("--size", type=int, default=128, metavar="PX", help="side of the PNG files (default: 128)")
    parser.add_argument("--out", type=Path, default=SET, metavar="DIR", help="holds train/ and held_out/")
    options = parser.parse_args()
    for number, drawing in enumerate(PICTURES, start=1):
        write(number, drawing, pictures=options.out, sources=SOURCES, side=options.size)


def _prop(pose: Pose) -> tuple[list[str], list[str]]:
    """What is held, as the parts behind the figure and the parts before it."""
    if pose.prop is None:
        return [], []
    left, right = _hand(pose.left_arm, -1), _hand(pose.right_arm, 1)
    x, y = left if pose.left_arm == "hold" else right if pose.right_arm == "hold" else (MIDDLE, right[1])
    drawn = [group(PROPS[pose.prop](), f"translate({x:g} {y:g})")]
    return (drawn, []) if pose.prop == "umbrella" else ([], drawn)


def _tail(turn: int) -> str:
    """On the side that Mimo turns its back to: the viewer's left unless it faces left."""
    side = 1 if turn < 0 else -1
    curl = f"M{MIDDLE + 16 * side} 104Q{MIDDLE + 40 * side} 112 {MIDDLE + 41 * side} 96"
    tip = f"M{MIDDLE + 41 * side} 97V95"
    return tube(curl, TEAL, 6) + tube(tip, ORANGE, 7)


def _body(turn: int) -> list[str]:
    return [
        ellipse((MIDDLE, 93), (24, 23), TEAL),
        ellipse((MIDDLE + 6 * turn, 97), (15, 15.5), YELLOW, outline=2.4),
    ]


def _head(pose: Pose) -> str:
    turn = TURN[pose.facing]
    skull = [
        path(f"M{MIDDLE} 26V16"),
        ellipse((MIDDLE, 11), (7.5, 7.5), ORANGE),
        *(path(f"M{MIDDLE + 32 * side} 50L{MIDDLE + 30 * side} 17L{MIDDLE + 8 * side} 28Z", TEAL) for side in (-1, 1)),
        ellipse((MIDDLE, 50), (35, 27), TEAL),
    ]
    face = [
        ellipse((MIDDLE, 53), (26, 18.5), CREAM, outline=2.4),
        *_eyes(pose.eyes),
        *(ellipse((MIDDLE + 18 * side, 60), (4.5, 3.2), ORANGE, outline=0) for side in (-1, 1)),
        _mouth(pose.mouth),
    ]
    return group([*skull, group(face, f"translate({7 * turn} 0)")], f"rotate({pose.tilt} {MIDDLE} 76)")


def _eyes(eyes: Eyes) -> list[str]:
    left = "open" if eyes == "wink" else eyes
    right = "happy" if eyes == "wink" else eyes
    return [_eye(left, MIDDLE - 11), _eye(right, MIDDLE + 11)]


def _eye(eye: Eyes, x: float) -> str:
    if eye == "happy":
        return path(f"M{x - 6:g} 54Q{x:g} 43 {x + 6:g} 54", outline=3.6)
    if eye == "closed":
        return path(f"M{x - 6:g} 50Q{x:g} 58 {x + 6:g} 50", outline=3.6)
    return ellipse((x, 51), (6, 8), INK, outline=0) + ellipse((x + 2, 48), (2.2, 2.8), WHITE, outline=0)


def _mouth(mouth: Mouth) -> str:
    steps, fill = MOUTHS[mouth]
    return path(steps, fill, outline=2.6)


def _arms(pose: Pose) -> list[str]:
    return [_arm(pose.left_arm, -1), _arm(pose.right_arm, 1)]


def _arm(arm: Arm, side: int) -> str:
    (x, y), (shoulder, height) = _hand(arm, side), SHOULDER
    limb = tube(f"M{MIDDLE + shoulder * side} {height}L{x:g} {y:g}", TEAL, 8) + ellipse((x, y), (6.5, 6.5), YELLOW)
    return limb + _swing(x, y, side) if arm == "wave" else limb


def _hand(arm: Arm, side: int) -> Point:
    """Where the hand of the left (-1) or right (1) arm is."""
    x, y = HANDS[arm]
    return MIDDLE + x * side, y


def _swing(x: float, y: float, side: int) -> str:
    """Two short arcs above a waving hand."""
    return path(f"M{x + 3 * side:g} {y - 13:g}Q{x + 10 * side:g} {y - 11:g} {x + 12 * side:g} {y - 4:g}", outline=2.6)


def _feet(legs: Legs, turn: int) -> list[str]:
    if legs == "sitting":
        return [part for side in (-1, 1) for part in _sole(MIDDLE + 21 * side)]
    heading = turn or 1
    return [_foot((MIDDLE + x * heading, y), angle * heading) for (x, y), angle in FEET[legs]]


def _foot(ankle: Point, angle: int) -> str:
    return group([ellipse((0, 0), (12, 7), ORANGE)], f"translate({ankle[0]:g} {ankle[1]:g}) rotate({angle})")


def _sole(x: float) -> list[str]:
    """A foot seen from below, as of one who sits."""
    return [ellipse((x, 112), (11, 11), ORANGE), ellipse((x, 113), (5, 5), YELLOW, outline=0)]


def _shadow(legs: Legs) -> list[str]:
    """Shows that a jump has left the ground."""
    return [ellipse((MIDDLE, 122), (26, 4), "#d5dadd", outline=0)] if legs == "jumping" else []


if __name__ == "__main__":
    main()
