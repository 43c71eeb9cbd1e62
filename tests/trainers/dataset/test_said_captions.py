"""What the text encoder is told of a picture, step by step."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from trainers.dataset import Sample
from trainers.dataset.captions import has_word, in_full, is_fixed, said
from trainers.recipe import CaptionOptions, SubsetOptions


def sample(caption: str, *, subset: dict[str, Any] | None = None, **options: Any) -> Sample:
    chosen = SubsetOptions(images=Path("set"), captions=CaptionOptions(**options), **subset or {})
    return Sample(Path("set/a.png"), caption, (64, 64), "0", "set", chosen)


def say(one: Sample, *, trigger: str = "", epoch: int = 0, step: int = 0, seed: int = 0) -> str:
    return said(one, trigger=trigger, epoch=epoch, step=step, steps=100, chance=Random(seed))


def many(one: Sample, *, trigger: str = "", step: int = 0) -> list[str]:
    return [say(one, trigger=trigger, step=step, seed=seed) for seed in range(200)]


def test_a_caption_is_said_as_it_was_written() -> None:
    assert say(sample("Kip,red;  a {b|c}, (d:1.2) \\(e\\)")) == "Kip,red;  a {b|c}, (d:1.2) \\(e\\)"


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a robot, red", "kip, a robot, red"),
        ("", "kip"),
        ("Kip, red", "Kip, red"),
        ("a photo of kip.", "a photo of kip."),
        ("kipper, skip", "kip, kipper, skip"),
        ("a photo of [trigger], red", "a photo of kip, red"),
    ],
)
def test_the_trigger_word_comes_first_unless_it_is_said_already(caption: str, expected: str) -> None:
    assert say(sample(caption), trigger="kip") == expected


def test_a_subset_may_have_a_trigger_word_of_its_own() -> None:
    assert say(sample("red", subset={"trigger": "kop"}), trigger="kip") == "kop, red"


def test_pictures_of_the_class_never_hear_the_trigger_word() -> None:
    assert say(sample("[trigger] a robot", subset={"regularisation": True}), trigger="kip") == "a robot"


def test_prefix_and_suffix_stand_around_every_line() -> None:
    """kohya puts them around the first line alone."""
    told = set(many(sample("one\ntwo", wildcards=True, prefix="best,", suffix="!")))

    assert told == {"best, one !", "best, two !"}


def test_a_choice_is_made_anew_each_time_and_may_hold_others() -> None:
    told = Counter(many(sample("a {red|{light|dark} blue|} hat", wildcards=True)))

    assert set(told) == {"a red hat", "a light blue hat", "a dark blue hat", "a  hat"}
    assert 45 < told["a red hat"] < 90


def test_dropout_leaves_out_the_whole_caption_in_its_share_of_the_times() -> None:
    told = Counter(many(sample("red", dropout=0.25, prefix="best,"), trigger="kip"))

    assert set(told) == {"", "kip, best, red"}
    assert 30 < told[""] < 70


def test_every_nth_epoch_may_be_one_without_captions() -> None:
    one = sample("red", dropout_every_epochs=3)

    assert [say(one, epoch=epoch) for epoch in range(6)] == ["red", "red", "", "red", "red", ""]


def test_shuffling_keeps_all_tags_and_the_first_of_them_in_their_places() -> None:
    told = many(sample("a, b, c, d, e", shuffle=True, keep=2))

    assert all(one.startswith("a, b, ") and sorted(one.split(", ")) == list("abcde") for one in told)
    assert len({*told}) == 6


def test_a_trigger_word_that_is_put_first_takes_no_place_of_the_kept() -> None:
    told = many(sample("a, b, c", shuffle=True, keep=1), trigger="kip")

    assert {*told} == {"kip, a, b, c", "kip, a, c, b"}


def test_a_tag_that_holds_the_trigger_word_is_kept_wherever_it_stands() -> None:
    told = many(sample("a, old kip, b", shuffle=True, tag_dropout=0.5), trigger="kip")

    assert all(one.startswith("old kip") for one in told)
    assert "old kip" in told


def test_a_keep_separator_parts_what_stays_before_from_what_stays_behind() -> None:
    told = many(sample("a, b ||| c, d ||| e", shuffle=True, keep_separator="|||"))

    assert {*told} == {"a, b, c, d, e", "a, b, d, c, e"}


def test_a_keep_separator_is_never_said() -> None:
    assert say(sample("a ||| b", keep_separator="|||")) == "a, b"


def test_a_secondary_separator_holds_tags_together() -> None:
    told = many(sample("a, b;;;c, d", shuffle=True, secondary_separator=";;;"))

    assert len({*told}) == 6
    assert all("b, c" in one for one in told)


def test_tags_are_left_out_in_their_share_of_the_times() -> None:
    told = many(sample("a, b, c", tag_dropout=0.25, keep=1))
    missing = sum(("b" not in one) + ("c" not in one) for one in told)

    assert all(one.startswith("a") for one in told)
    assert 70 < missing < 130


def test_tags_come_by_and_by_while_warming_up() -> None:
    one = sample("a, b, c, d, e", warmup_tags=1, warmup_steps=0.4)

    told = {step: say(one, step=step) for step in (0, 9, 10, 30, 40, 99)}

    assert told == {
        0: "a", 9: "a", 10: "a, b", 30: "a, b, c, d", 40: "a, b, c, d, e", 99: "a, b, c, d, e",
    }  # fmt: skip


def test_fewer_tags_than_a_warm_up_begins_with_are_all_said() -> None:
    assert say(sample("a, b", warmup_tags=5, warmup_steps=50)) == "a, b"


def test_another_separator_parts_and_joins() -> None:
    told = many(sample("a b;c", shuffle=True, separator=";"))

    assert {*told} == {"a b; c", "c; a b"}


def test_the_same_dice_say_the_same() -> None:
    one = sample("{a|b}, c, d, e", shuffle=True, wildcards=True, tag_dropout=0.2, dropout=0.1)

    assert many(one) == many(one)


@pytest.mark.parametrize(
    ("caption", "options", "fixed"),
    [
        ("a, b", {}, True),
        ("a, b", {"prefix": "x,", "keep_separator": "|||"}, True),
        ("a", {"shuffle": True}, True),
        ("a, b", {"shuffle": True, "keep": 2}, True),
        ("a, b", {"shuffle": True}, False),
        ("a, b", {"dropout": 0.1}, False),
        ("a, b", {"dropout_every_epochs": 2}, False),
        ("a, b", {"tag_dropout": 0.1}, False),
        ("", {"tag_dropout": 0.1}, True),
        ("{a|b}", {"wildcards": True}, False),
        ("{a|b}", {}, True),
        ("a\nb", {"wildcards": True}, False),
        ("a", {"wildcards": True}, True),
        ("a, b", {"warmup_tags": 1, "warmup_steps": 0.5}, False),
        ("a, b", {"warmup_tags": 2, "warmup_steps": 0.5}, True),
    ],
)
def test_a_caption_is_fixed_when_every_step_says_the_same(caption: str, options: dict[str, Any], fixed: bool) -> None:
    one = sample(caption, **options)
    told = {said(one, trigger="kip", epoch=n, step=n, steps=100, chance=Random(n)) for n in range(60)}

    assert is_fixed(one, "kip") is fixed
    assert (len(told) == 1) is fixed


def test_a_word_is_a_word_of_its_own() -> None:
    assert has_word("A photo of KIP-3, red", "kip-3")
    assert not has_word("kip-33", "kip-3")


def test_in_full_nothing_is_left_out_or_moved() -> None:
    one = sample("red hat, smiling, beach", prefix="photo,", shuffle=True, dropout=0.9, tag_dropout=0.5)

    assert in_full(one, "kip") == "kip, photo, red hat, smiling, beach"


def test_a_bracket_that_never_closes_is_no_choice_however_long_it_is() -> None:
    text = "{" + "|" * 200_000

    assert say(sample(text, wildcards=True)) == text
