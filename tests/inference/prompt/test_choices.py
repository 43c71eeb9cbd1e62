from collections import Counter
from pathlib import Path
from random import Random

import pytest

from inference.prompt.choices import chosen, every, has_choices
from inference.prompt.wildcards import Wildcards
from modelhub.errors import BadValue


@pytest.fixture
def wildcards(tmp_path: Path) -> Wildcards:
    for name, text in {
        "colours": "# warm ones first\nred\n\norange\n",
        "animals/cats": "lion\n2::tiger",
        "animals/dogs": "wolf",
        "both": "__colours__ {cat|dog}",
        "round": "a __round__",
        "nothing": "# empty",
    }.items():
        path = tmp_path / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Wildcards(tmp_path)


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("a cat", ["a cat"]),
        ("a {red|blue} cat", ["a red cat", "a blue cat"]),
        ("{a}", ["a"]),
        ("{a|}b", ["ab", "b"]),
        ("{a|b}{c|d}", ["ac", "ad", "bc", "bd"]),
        ("{a|{b|c} d}", ["a", "b d", "c d"]),
        ("{[x|y]|(z:1.2)|<lora:k:1>}", ["[x|y]", "(z:1.2)", "<lora:k:1>"]),
        ("{2$$a|b}", ["a, b", "b, a"]),
        ("{2$$ and $$a|b}", ["a and b", "b and a"]),
        ("{1-2$$+$$a|b}", ["a", "b", "a+b", "b+a"]),
        ("{-1$$a|b}", ["", "a", "b"]),
        ("{2-$$+$$a|b}", ["a+b", "b+a"]),
        ("{9$$+$$a|b}", ["a+b", "b+a"]),
        ("{0.5::a|2::b}", ["a", "b"]),
        (r"\{a|b\}", [r"\{a|b\}"]),
        ("{a|b", ["{a|b"]),
        ("a} b", ["a} b"]),
        ("snake__case", ["snake__case"]),
        ("a __colours__ fish", ["a red fish", "a orange fish"]),
        ("__animals/*__", ["lion", "tiger", "wolf"]),
        ("__Both__", ["red cat", "red dog", "orange cat", "orange dog"]),
    ],
)
def test_every_way_of_a_prompt(text: str, ways: list[str], wildcards: Wildcards) -> None:
    assert list(every(text, wildcards)) == ways
    assert has_choices(text) is (ways != [text])
    assert {chosen(text, wildcards, Random(seed)) for seed in range(60)} == set(ways)


def test_the_same_seed_takes_the_same_way(wildcards: Wildcards) -> None:
    text = "{a|b|c|d} __colours__ {2$$x|y|z}"
    assert chosen(text, wildcards, Random(7)) == chosen(text, wildcards, Random(7))


def test_weights_say_how_often_an_option_is_taken(wildcards: Wildcards) -> None:
    random = Random(1)
    taken = Counter(chosen("{3::often|1::rare|0::never}", wildcards, random) for _ in range(4000))

    assert taken["never"] == 0
    assert 0.70 < taken["often"] / 4000 < 0.80


def test_an_unknown_wildcard_is_refused_with_a_near_one(wildcards: Wildcards) -> None:
    with pytest.raises(BadValue, match=r"no wildcard 'colour' \(is it colours\?\)") as refused:
        chosen("a __colour__ cat", wildcards, Random(1))
    assert "colour.txt" in str(refused.value.mend)


def test_what_is_empty_or_leads_back_to_itself_is_refused(wildcards: Wildcards) -> None:
    with pytest.raises(BadValue, match="'nothing' holds no lines"):
        chosen("__nothing__", wildcards, Random(1))
    for read in (lambda: chosen("__round__", wildcards, Random(1)), lambda: list(every("__round__", wildcards))):
        with pytest.raises(BadValue, match="leads back to itself"):
            read()
