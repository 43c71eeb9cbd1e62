"""What Mimo can hold. Each is drawn around the origin, where the hand is."""

from collections.abc import Callable, Mapping

from examples.character.pose import Prop
from examples.character.shapes import RED, WHITE, ellipse, path, tube

GREEN = "#3fa34d"
PINK = "#f576ac"
BLUE = "#2f6fde"
PURPLE = "#8e4fd0"
GOLD = "#ffcf24"


def _apple() -> list[str]:
    body = "M0 -9C-7 -15 -18 -11 -17 2C-16 13 -8 17 0 13C8 17 16 13 17 2C18 -11 7 -15 0 -9Z"
    return [path(body, RED), path("M0 -8Q0 -13 2 -17"), path("M2 -13Q7 -21 14 -17Q10 -10 2 -13Z", GREEN, outline=2.4)]


def _balloon() -> list[str]:
    return [
        path("M0 0Q-3 -10 -4 -24", outline=2),
        path("M-4 -29L-8 -23H0Z", RED),
        ellipse((-4, -43), (13, 15.5), RED),
        ellipse((-9, -49), (2.6, 4), WHITE, outline=0),
    ]


def _book() -> list[str]:
    return [
        path("M0 -12L-26 -17V9L0 14L26 9V-17Z", BLUE),
        path("M-6 -11L-20 -14V1L-6 4ZM6 -11L20 -14V1L6 4Z", WHITE, outline=0),
        path("M0 -12V14"),
    ]


def _flower() -> list[str]:
    petals = [(0, -40), (9.5, -33), (6, -22), (-6, -22), (-9.5, -33)]
    return [
        tube("M0 4V-22", GREEN, 3),
        *(ellipse(petal, (7, 7), PINK) for petal in petals),
        *(ellipse(petal, (5.4, 5.4), PINK, outline=0) for petal in petals),
        ellipse((0, -30), (5.5, 5.5), GOLD),
    ]


def _star() -> list[str]:
    points = "M0 -43L6.6 -29.6L21.4 -27.4L10.7 -17L13.2 -2.2L0 -9.2L-13.2 -2.2L-10.7 -17L-21.4 -27.4L-6.6 -29.6Z"
    return [path(points, GOLD)]


def _umbrella() -> list[str]:
    canopy = "M-100 -44C-96 -102 18 -102 22 -44Q11 -54 0 -44Q-19 -54 -39 -44Q-58 -54 -78 -44Q-89 -54 -100 -44Z"
    return [tube("M3 10L-39 -86", GOLD, 2.4), path(canopy, PURPLE)]


PROPS: Mapping[Prop, Callable[[], list[str]]] = {
    "apple": _apple,
    "balloon": _balloon,
    "book": _book,
    "flower": _flower,
    "star": _star,
    "umbrella": _umbrella,
}
