import gzip
from functools import cache
from importlib import resources

import ftfy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from inference.prompt.tokenizer import BOS, COMMA, EOS, tokenize, words

TEXTS = [
    "",
    "   ",
    "a photo of a cat, highly detailed",
    "It's the dog's; we'll see they're 12 o'clock",
    "Crème brûlée, naïve café",
    "cafe\u0301",
    "日本の城 и русский",
    "🦊 fox 👩‍🚀",
    "masterpiece,best quality,(1girl:1.2)",
    "tabs\tand\nnew  lines\u00a0and\u3000wide spaces",
    "full，width，comma",
    "schÃ¶n",  # mojibake that ftfy mends
    "8k 4096x4096 f/1.4 --no-text __wildcard__",
    "<lora:x:1> a_b-c & d|e",
]


@cache
def theirs() -> CLIPTokenizer:
    """transformers' own tokenizer over the same merges, its vocabulary laid out as openai/CLIP lays it out."""
    packed = resources.files("inference.configs").joinpath("clip_merges.txt.gz").read_bytes()
    merges = [tuple(line.split()) for line in gzip.decompress(packed).decode().split("\n")[1 : 49152 - 256 - 2 + 1]]
    letters = list(bytes_to_unicode().values())
    words = letters + [letter + "</w>" for letter in letters] + ["".join(merge) for merge in merges]
    words += ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=merges)


def expected(text: str) -> list[int]:
    ids: list[int] = theirs()(ftfy.fix_text(text), add_special_tokens=False)["input_ids"]
    return ids


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_are_those_of_transformers(text: str) -> None:
    assert tokenize([text]) == [expected(text)]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="<", exclude_categories=["Cs"])))
def test_any_text_has_the_tokens_of_transformers(text: str) -> None:
    assert tokenize([text]) == [expected(text)]


def test_known_prompts_have_the_ids_that_openai_clip_gives_them() -> None:
    assert tokenize(["a photo of a cat", "hello world!"]) == [[320, 1125, 539, 320, 2368], [3306, 1002, 256]]


def test_a_full_width_comma_is_a_comma() -> None:
    assert tokenize(["a，b"]) == tokenize(["a,b"])
    assert tokenize([","]) == [[COMMA]]


def test_the_marks_are_the_last_two_words() -> None:
    assert theirs().convert_tokens_to_ids(["<|startoftext|>", "<|endoftext|>"]) == [BOS, EOS]


def test_texts_are_tokenized_apart_from_each_other() -> None:
    assert tokenize(TEXTS) == [tokenize([text])[0] for text in TEXTS]


@pytest.mark.parametrize("text", ["café", "hello", "12", "日"])
def test_tokens_can_be_read_as_words(text: str) -> None:
    assert "".join(words(tokenize([text])[0])) in (text, "\N{REPLACEMENT CHARACTER}" * 2, "\N{REPLACEMENT CHARACTER}")
