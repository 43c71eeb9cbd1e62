import pytest

from inference.prompt.networks import LoraTag, lora_tags, renamed, without_comments, without_networks
from modelhub.errors import BadValue


@pytest.mark.parametrize(
    ("tag", "text_encoder", "unet"),
    [
        ("<lora:kip>", 1.0, 1.0),
        ("<lora:kip:0.8>", 0.8, 0.8),
        ("<lyco:kip:.5:-1>", 0.5, -1.0),
        ("<lora:kip:te=0.5>", 0.5, 0.5),
        ("<lora:kip:0.5:unet=0.2>", 0.5, 0.2),
        ("<lora:kip:te=0.5:unet=0>", 0.5, 0.0),
    ],
)
def test_weights_stand_in_webuis_order(tag: str, text_encoder: float, unet: float) -> None:
    assert lora_tags(f"a {tag} b") == (LoraTag("kip", text_encoder, unet),)
    assert without_networks(f"a {tag} b") == "a  b"


@pytest.mark.parametrize("tag", ["<lora:kip:x>", "<lora:kip:nan>", "<lora:kip:1:1:8>", "<lora:kip:dyn=8>"])
def test_weights_that_are_none_are_refused(tag: str) -> None:
    with pytest.raises(BadValue, match=tag):
        lora_tags(tag)


def test_other_networks_are_named_and_refused() -> None:
    with pytest.raises(BadValue, match="<hypernet:x:1> calls for a network of the kind 'hypernet'"):
        lora_tags("<hypernet:x:1>")


def test_names_change_and_weights_stay() -> None:
    assert renamed("<lora:a> x <lora:b:1:te=2>", ["c", "d"]) == "<lora:c> x <lora:d:1:te=2>"
    assert renamed("<lora:a> x <lora:b:1>", ["c"]) == "<lora:c> x <lora:b:1>"


@pytest.mark.parametrize(
    ("prompt", "left"),
    [("a # b\nc", "a \nc"), ("# a\nb", "b"), ("a\n# b\nc", "a\nc"), ("a#b", "a"), ("a", "a"), ("#", "")],
)
def test_comments_reach_to_the_end_of_their_line(prompt: str, left: str) -> None:
    assert without_comments(prompt) == left
