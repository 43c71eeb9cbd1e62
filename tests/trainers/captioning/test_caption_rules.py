"""What is put right in a caption."""

import pytest

from trainers.captioning import Rules
from trainers.captioning.tags import added, spaced


@pytest.mark.parametrize(
    ("rules", "text", "wanted"),
    [
        (Rules(), "a fox ,  on grass", "a fox ,  on grass"),
        (Rules(replaced=(("fox", "dog"),)), "a foxy fox", "a dogy dog"),
        (Rules(renamed=(("Red_hair", "auburn hair"),)), "red hair, red hairband", "auburn hair, red hairband"),
        (Rules(removed=("solo",)), "1girl, Solo, soloist", "1girl, soloist"),
        (Rules(spaces=True), "red_hair, o_o, (o)_(o), >_<, 6_9", "red hair, o_o, (o)_(o), >_<, 6_9"),
        (Rules(unique=True), "red hair, fox, RED_hair, fox", "red hair, fox"),
        (Rules(first=("fox", "1girl")), "hat, 1girl, tail, fox", "fox, 1girl, hat, tail"),
        (Rules(first=("cat",)), "hat,fox", "hat,fox"),
        (Rules(prefix="a photo of "), "a fox", "a photo of a fox"),
        (Rules(suffix=", best quality"), "a fox", "a fox, best quality"),
        (Rules(trigger="mira"), "1girl, smile", "mira, 1girl, smile"),
        (Rules(trigger="mira"), "a drawing of Mira", "a drawing of Mira"),
        (Rules(trigger="mira"), "miracle", "mira, miracle"),
        (Rules(trigger="mira"), "", "mira"),
        (Rules(prefix="a photo of ", suffix="."), "", ""),
        (Rules(removed=("fox",)), "fox", ""),
    ],
)  # fmt: skip
def test_each_rule_does_what_it_says(rules: Rules, text: str, wanted: str) -> None:
    assert rules.applied(text) == wanted


def test_rules_are_applied_in_their_order() -> None:
    rules = Rules(
        replaced=(("hair", "fur"),), renamed=(("red fur", "auburn_fur"),), spaces=True, prefix="photo, ", trigger="mira"
    )

    assert rules.applied("red_hair, long_tail") == "mira, photo, auburn fur, long tail"


def test_lines_are_captions_of_their_own() -> None:
    assert Rules(trigger="mira", removed=("hat",)).applied("a, hat\nmira, b") == "mira, a\nmira, b"


def test_what_places_something_does_it_once() -> None:
    rules = Rules(first=("fox",), prefix="photo, ", suffix=", good", trigger="mira")

    once = rules.applied("hat, fox")
    assert rules.applied(once) == once
    assert once == "mira, photo, fox, hat, good"


@pytest.mark.parametrize(
    ("text", "more", "wanted"),
    [
        ("fox, hat", "hat, tail", "fox, hat, tail"),
        ("red hair", "Red_Hair", "red hair"),
        ("a fox.", "", "a fox."),
        ("a fox,", "tail", "a fox, tail"),
        ("", "tail", "tail"),
    ],
)
def test_adding_keeps_what_is_there(text: str, more: str, wanted: str) -> None:
    assert added(text, more) == wanted


@pytest.mark.parametrize("face", ["0_0", "+_+", "._.", "<|>_<|>", "=_=", "3_3", ">_o", "^_^", "x_x", "|_|", "||_||"])
def test_kaomoji_keep_their_underscores(face: str) -> None:
    assert spaced(face) == face
