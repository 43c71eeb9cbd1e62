"""Chinese becomes tags; everything else stays to the character, and nothing is guessed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.prompt.phrases import Phrase, phrases
from inference.prompt.segmentation import segment
from inference.prompt.translation import translate


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("一个女孩，白发，蓝眼睛。", "1girl, white hair, blue eyes"),
        ("白色长发", "long white hair"),
        ("红色丝绸长裙", "long red silk dress"),
        ("红色和蓝色的裙子", "red and blue skirt"),
        ("红色和", "red"),
        ("非常美丽的女孩", "very beautiful girl"),
        ("白色长发女孩", "long white hair, girl"),
        ("白发 红眼", "white hair, red eyes"),
        ("白色 长发", "long white hair"),
        ("女孩和男孩", "girl, boy"),
        ("穿着红色连衣裙的女孩", "wearing red dress, girl"),
        ("站在樱花树下", "standing under cherry blossom tree"),
        ("坐在椅子上的猫", "sitting on chair, cat"),
        ("森林背景", "forest background"),
        ("赛博朋克风格", "cyberpunk style"),
        ("白色背景", "white background"),
        ("穿T恤", "wearing t-shirt"),
        ("8K壁纸", "8k wallpaper"),
        ("弓箭", r"bow \(weapon\)"),
        ("杰作、最佳质量\n单人", "masterpiece, best quality\nsolo"),
        ("红", "red"),
        ("在", "in"),
        ("的", "的"),
    ],
)
def test_phrases_become_tags_in_english_order(chinese: str, english: str) -> None:
    assert translate(chinese).prompt == english


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("(白发:1.2)", "(white hair:1.2)"),
        ("((女孩)), [森林]", "((girl)), [forest]"),
        ("[白发:黑发:0.5]", "[white hair:black hair:0.5]"),
        ("[白发|黑发]", "[white hair|black hair]"),
        ("{红色|蓝色}连衣裙", "{red|blue} dress"),
        ("女孩<lora:水墨:0.8>", "girl <lora:水墨:0.8>"),
        ("__发色__, 女孩", "__发色__, girl"),
        ("女孩 AND 男孩 :0.5", "girl AND boy :0.5"),
        ("女孩BREAK男孩", "girl BREAK boy"),
        ("1girl白发", "1girl, white hair"),
        ("白发1girl", "white hair, 1girl"),
        (r"\(女孩\)", r"\(girl\)"),
    ],
)
def test_syntax_stays_as_it_is(chinese: str, english: str) -> None:
    assert translate(chinese).prompt == english


@pytest.mark.parametrize("word", ["马尼拉", "目的地", "马上", "花边", "魑魅", "うた"])
def test_a_word_that_is_not_known_is_named_and_left(word: str) -> None:
    translation = translate(word)
    assert (translation.prompt, translation.terms, translation.unknown) == (word, (), (word,))


def test_unknown_words_stand_between_known_ones() -> None:
    translation = translate("女孩，魑魅的帽子，abc魑魅")
    assert translation.prompt == "girl, 魑魅, hat, abc魑魅"
    assert translation.terms == (("女孩", "girl"), ("帽子", "hat"))
    assert translation.unknown == ("魑魅",)


def test_own_phrases_are_believed_before_ours() -> None:
    own = {"女孩": Phrase("hatsune_miku"), "喵星人": Phrase("cat_(alien)")}
    assert translate("女孩，喵星人", own).prompt == r"hatsune miku, cat \(alien\)"


@pytest.mark.parametrize("chinese", list(phrases())[::41])
def test_every_phrase_alone_is_its_tag(chinese: str) -> None:
    translation = translate(chinese)
    assert translation.terms == ((chinese, phrases()[chinese].tag),)
    assert translation.unknown == ()


@given(st.text(st.characters(exclude_categories=("Lo", "Cs"), exclude_characters="，、。；々〇ー")))
def test_text_without_chinese_is_left_to_the_character(text: str) -> None:
    assert translate(text).prompt == text


@given(st.lists(st.sampled_from([*list(phrases())[::101], "的", "和", "魑", " ", "，", "(", ":1.2)", "<lora:水:1>"])))
def test_any_mixture_keeps_its_syntax_and_leaves_only_what_it_names(parts: list[str]) -> None:
    text = "".join(parts)
    translation = translate(text)
    syntax = r"<lora:水:1>|[(]|:1\.2[)]"
    assert re.findall(syntax, translation.prompt.replace(r"\(", "")) == re.findall(syntax, text)
    assert {letter for letter in translation.prompt if letter == "魑"} <= set("".join(translation.unknown))


@given(st.text("白色长发女孩马尼拉的和花 "))
def test_pieces_make_the_text_up_again(text: str) -> None:
    assert "".join(piece.text for piece in segment(text, phrases())) == text
