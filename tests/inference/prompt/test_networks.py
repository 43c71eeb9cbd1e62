import pytest

from inference.prompt.networks import (
    HypernetworkTag,
    LoraTag,
    hypernetwork_tags,
    lora_tags,
    renamed,
    with_hypernetworks,
    without_comments,
    without_networks,
)
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


@pytest.mark.parametrize(
    "tag",
    [
        "<lora:kip:x>",
        "<lora:kip:nan>",
        "<lora:kip:1:1:8:1>",
        "<lora:kip:dyn=0.5>",
        "<lora:kip:dyn=0>",
        "<lora:kip:step=5>",
    ],
)
def test_weights_that_are_none_are_refused(tag: str) -> None:
    with pytest.raises(BadValue, match=tag):
        lora_tags(tag)


def test_other_networks_are_named_and_refused() -> None:
    with pytest.raises(BadValue, match="<loha:x:1> calls for a network of the kind 'loha'"):
        lora_tags("<loha:x:1>")


def test_hypernetworks_have_a_name_and_a_strength() -> None:
    prompt = "a <hypernet:x> <lora:kip:0.5> b <hypernet:y:-0.5>"

    assert hypernetwork_tags(prompt) == (HypernetworkTag("x", 1.0), HypernetworkTag("y", -0.5))
    assert lora_tags(prompt) == (LoraTag("kip", 0.5, 0.5),)
    assert without_networks(prompt) == "a   b "


@pytest.mark.parametrize("tag", ["<hypernet:x:y>", "<hypernet:x:1:1>", "<hypernet:x:inf>"])
def test_a_strength_that_is_none_is_refused(tag: str) -> None:
    with pytest.raises(BadValue, match=tag):
        hypernetwork_tags(tag)


def test_each_kind_of_network_is_renamed_by_itself() -> None:
    prompt = "<hypernet:a:1> <lora:b:1>"

    assert with_hypernetworks(prompt, str.upper) == "<hypernet:A:1> <lora:b:1>"
    assert renamed(prompt, ["c"]) == "<hypernet:a:1> <lora:c:1>"


def test_names_change_and_weights_stay() -> None:
    assert renamed("<lora:a> x <lora:b:1:te=2>", ["c", "d"]) == "<lora:c> x <lora:d:1:te=2>"
    assert renamed("<lora:a> x <lora:b:1>", ["c"]) == "<lora:c> x <lora:b:1>"


@pytest.mark.parametrize(
    ("prompt", "left"),
    [("a # b\nc", "a \nc"), ("# a\nb", "b"), ("a\n# b\nc", "a\nc"), ("a#b", "a"), ("a", "a"), ("#", "")],
)
def test_comments_reach_to_the_end_of_their_line(prompt: str, left: str) -> None:
    assert without_comments(prompt) == left
