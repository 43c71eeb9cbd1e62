"""What a picture of Mimo shows, and the twenty pictures of the set. Left and right are the viewer's."""

from dataclasses import dataclass
from typing import Literal

Arm = Literal["down", "out", "up", "wave", "hold", "front"]
"""`hold` keeps a prop at the side, `front` before the belly (both arms together)."""
Legs = Literal["standing", "walking", "jumping", "sitting"]
Eyes = Literal["open", "closed", "happy", "wink"]
Mouth = Literal["smile", "laugh", "round", "flat"]
Facing = Literal["left", "front", "right"]
Prop = Literal["apple", "balloon", "book", "flower", "star", "umbrella"]
Part = Literal["train", "held_out"]


@dataclass(frozen=True, slots=True)
class Pose:
    """Everything that differs from one picture to the next; what is not named here is always the same."""

    left_arm: Arm = "down"
    right_arm: Arm = "down"
    legs: Legs = "standing"
    eyes: Eyes = "open"
    mouth: Mouth = "smile"
    facing: Facing = "front"
    tilt: int = 0
    """Degrees by which the head leans to the right."""
    prop: Prop | None = None
    """Drawn in the hand that holds, or between both hands when none does."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A pose under its caption, which names what varies and leaves out what is constant."""

    part: Part
    slug: str
    caption: str
    pose: Pose


PICTURES = (
    Picture("train", "standing", "mimo standing, smiling", Pose()),
    Picture("train", "waving", "mimo waving one arm, smiling", Pose(right_arm="wave", tilt=-5)),
    Picture("train", "arms-up", "mimo with both arms up, laughing", Pose(left_arm="up", right_arm="up", mouth="laugh")),
    Picture("train", "walking-left", "mimo walking to the left, smiling", Pose(legs="walking", facing="left")),
    Picture(
        "train",
        "walking-right",
        "mimo walking to the right, laughing",
        Pose(legs="walking", facing="right", mouth="laugh"),
    ),
    Picture(
        "train",
        "jumping",
        "mimo jumping, both arms up, happy eyes, laughing",
        Pose(left_arm="up", right_arm="up", legs="jumping", eyes="happy", mouth="laugh"),
    ),
    Picture("train", "sitting", "mimo sitting, smiling", Pose(legs="sitting")),
    Picture(
        "train",
        "sleeping",
        "mimo sitting, eyes closed, sleeping",
        Pose(legs="sitting", eyes="closed", mouth="flat", tilt=12),
    ),
    Picture(
        "train",
        "balloon",
        "mimo holding a red balloon, smiling",
        Pose(left_arm="hold", prop="balloon"),
    ),
    Picture(
        "train",
        "apple",
        "mimo holding a red apple, happy eyes, laughing",
        Pose(left_arm="front", right_arm="front", eyes="happy", mouth="laugh", prop="apple"),
    ),
    Picture(
        "train",
        "flower",
        "mimo holding a pink flower, eyes closed, smiling",
        Pose(right_arm="hold", eyes="closed", tilt=6, prop="flower"),
    ),
    Picture(
        "train",
        "umbrella",
        "mimo walking to the right under a purple umbrella, smiling",
        Pose(right_arm="hold", legs="walking", facing="right", prop="umbrella"),
    ),
    Picture(
        "train",
        "book",
        "mimo sitting, reading a blue book, smiling",
        Pose(left_arm="front", right_arm="front", legs="sitting", prop="book"),
    ),
    Picture(
        "train",
        "star",
        "mimo holding a yellow star, laughing",
        Pose(right_arm="hold", mouth="laugh", prop="star"),
    ),
    Picture("train", "winking", "mimo looking to the left, winking", Pose(eyes="wink", facing="left", tilt=-10)),
    Picture(
        "train",
        "surprised",
        "mimo with both arms out, surprised",
        Pose(left_arm="out", right_arm="out", mouth="round"),
    ),
    Picture(
        "held_out",
        "waving-right",
        "mimo waving one arm, looking to the right, laughing",
        Pose(right_arm="wave", facing="right", mouth="laugh"),
    ),
    Picture(
        "held_out",
        "walking-balloon",
        "mimo walking to the left, holding a red balloon, smiling",
        Pose(left_arm="hold", legs="walking", facing="left", prop="balloon"),
    ),
    Picture(
        "held_out",
        "sitting-apple",
        "mimo sitting, holding a red apple, smiling",
        Pose(left_arm="front", right_arm="front", legs="sitting", prop="apple"),
    ),
    Picture(
        "held_out",
        "jumping-star",
        "mimo jumping, holding a yellow star, happy eyes, laughing",
        Pose(left_arm="up", right_arm="hold", legs="jumping", eyes="happy", mouth="laugh", prop="star"),
    ),
)
