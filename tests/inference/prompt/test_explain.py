import pytest

from inference.prompt.embeddings import Embedding, EmbeddingNames
from inference.prompt.explain import Steps, explain
from inference.prompt.networks import HypernetworkTag, LoraTag
from modelhub.errors import BadValue


def test_tokens_have_their_words_and_weights() -> None:
    (part,) = explain("a (café:1.5) <lora:kip:0.5>", 4).parts

    ((chunk,),) = [text.chunks for text in part.texts]
    assert [(token.word, token.weight) for token in chunk] == [("a", 1.0), ("café", 1.5)]


def test_every_text_is_told_once_with_the_calls_that_see_it() -> None:
    (part,) = explain("[a|b]", 6).parts

    assert part.steps == (Steps(1, 2, "a"), *(Steps(3 + i, 3 + i, "ba"[i % 2]) for i in range(4)))
    assert [text.text for text in part.texts] == ["a", "b"]


def test_parts_networks_and_comments_are_taken_apart() -> None:
    explanation = explain("a <lora:kip:0.5><hypernet:ink> AND b :0.7 # c", 4)

    assert [(part.weight, part.texts[0].text) for part in explanation.parts] == [(1.0, "a"), (0.7, " b")]
    assert explanation.loras == (LoraTag("kip", 0.5, 0.5),)
    assert explanation.hypernetworks == (HypernetworkTag("ink", 1.0),)
    assert explanation.notes == ()


def test_an_embeddings_vectors_stand_in_the_words_place() -> None:
    kitty = EmbeddingNames([Embedding("kitty", 2)])

    (part,) = explain("a (kitty:1.5) b", 1, kitty).parts

    ((chunk,),) = [text.chunks for text in part.texts]
    assert [(token.id is None, token.word, token.weight) for token in chunk] == [
        (False, "a", 1.0),
        (True, "kitty, vector 1 of 2", 1.5),
        (True, "kitty, vector 2 of 2", 1.5),
        (False, "b", 1.0),
    ]


def test_a_full_chunk_and_a_chunk_of_nothing_are_shown_without_padding() -> None:
    (part,) = explain(" ".join(["a"] * 76) + " BREAK", 1).parts

    assert [len(chunk) for chunk in part.texts[0].chunks] == [75, 1]
    assert explain("", 1).parts[0].texts[0].chunks == ((),)


@pytest.mark.parametrize(
    ("prompt", "note"),
    [
        ("(a", r"a ( is never closed: it strengthens all that follows; \( is the mark itself"),
        ("[a", r"a [ is never closed: it weakens all that follows; \[ is the mark itself"),
        ("a)", r"a ) closes nothing: it is text; \) says so"),
        ("[a:b]", "[a:b] is no schedule, which ends in one number"),
        ("a:1.2", "the number behind the last colon is no text: guidance is 1.2 times as strong"),
        ("a | b", "'a | b' is taken as it stands"),
    ],
)
def test_what_people_do_not_expect_is_said(prompt: str, note: str) -> None:
    (told,) = explain(prompt, 2).notes

    assert told.startswith(note)


@pytest.mark.parametrize("prompt", ["a (b:1.2)", r"\(a\) \[b", "[a:b:1] [c|d]", "a BREAK b", "[a]"])
def test_of_a_plain_prompt_nothing_is_noted(prompt: str) -> None:
    assert explain(prompt, 2).notes == ()


def test_a_tag_that_is_none_is_refused() -> None:
    with pytest.raises(BadValue, match="'x' is no weight"):
        explain("<lora:kip:x>", 2)
