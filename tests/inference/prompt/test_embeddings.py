"""Where names of embeddings are found, by their tokens."""

import pytest

from inference.prompt.attention import parse_attention
from inference.prompt.chunks import Chunk, chunk_runs
from inference.prompt.embeddings import Embedding, EmbeddingNames
from inference.prompt.tokenizer import tokenize

GOOD = Embedding("EasyNegative", 2)
LONG = Embedding("easynegative v2", 3)


def slots(prompt: str, *embeddings: Embedding) -> list[tuple[int, str]]:
    """(place, name) of what is found, in a prompt of one chunk."""
    (chunk,) = chunks(prompt, *embeddings)
    return [(slot.start, slot.embedding.name) for slot in chunk.slots]


def chunks(prompt: str, *embeddings: Embedding) -> list[Chunk]:
    return chunk_runs(parse_attention(prompt), tokenize, embeddings=EmbeddingNames(embeddings))


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("EasyNegative", [(1, "EasyNegative")]),
        ("a EASYNEGATIVE, b", [(2, "EasyNegative")]),
        ("easynegative easynegative", [(1, "EasyNegative"), (3, "EasyNegative")]),
        ("easynegative v2", [(1, "easynegative v2")]),
        ("easynegative v3", [(1, "EasyNegative")]),
        ("easy negative", []),
        ("(easy:1.2)negative", []),
    ],
)
def test_a_name_is_found_as_its_tokens_wherever_they_stand_the_longest_first(
    prompt: str, found: list[tuple[int, str]]
) -> None:
    assert slots(prompt, GOOD, LONG) == found


def test_of_two_names_with_the_same_tokens_the_first_counts() -> None:
    other = Embedding("easynegative", 5)

    assert slots("EasyNegative", GOOD, other) == [(1, "EasyNegative")]
    assert slots("EasyNegative", other, GOOD) == [(1, "easynegative")]


def test_a_name_without_letters_means_nothing() -> None:
    assert slots("a", Embedding(" ", 1)) == []


def test_its_vectors_take_the_weight_of_their_run() -> None:
    (chunk,) = chunks("a (EasyNegative:1.3) b", GOOD)

    assert chunk.weights[:5] == (1.0, 1.0, 1.3, 1.3, 1.0)
    assert (chunk.tokens[1], chunk.tokens[4]) == tuple(token for (token,) in tokenize(["a", "b"]))


def test_an_embedding_without_room_begins_the_next_chunk() -> None:
    before = " ".join(["a"] * 74)

    first, second = chunks(f"{before} EasyNegative", GOOD)

    assert (first.slots, [slot.start for slot in second.slots]) == ((), [1])
    assert len(chunks(f"{' '.join(['a'] * 73)} EasyNegative", GOOD)) == 1


def test_an_embedding_moves_on_with_the_phrase_behind_a_comma() -> None:
    first, second = chunks(f"{' '.join(['a'] * 65)}, b EasyNegative{' b' * 10}", GOOD)

    assert (first.slots, [slot.start for slot in second.slots]) == ((), [2])


def test_breaks_stand_between_embeddings() -> None:
    first, second = chunks("EasyNegative BREAK a EasyNegative", GOOD)

    assert [slot.start for slot in (*first.slots, *second.slots)] == [1, 2]
