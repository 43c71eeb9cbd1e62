from collections.abc import Sequence

import pytest

from inference.prompt.attention import parse_attention
from inference.prompt.chunks import CHUNK, Chunk, chunk_runs
from inference.prompt.tokenizer import BOS, COMMA, EOS


def words(texts: Sequence[str]) -> list[list[int]]:
    """A tokenizer of its own kind: numbers stand for themselves."""
    special = {",": COMMA, "BREAK": -1}
    return [[special[word] if word in special else int(word) for word in text.split()] for text in texts]


def chunks_of(prompt: str) -> list[Chunk]:
    return chunk_runs(parse_attention(prompt), words)


def numbers(count: int, start: int = 1) -> str:
    return " ".join(str(start + index) for index in range(count))


def inner(chunk: Chunk) -> list[int]:
    """A chunk's tokens without marks and padding."""
    return [token for token in chunk.tokens if token not in (BOS, EOS)]


def test_an_empty_prompt_is_one_chunk_of_padding() -> None:
    assert chunks_of("") == [Chunk((BOS, *[EOS] * 76), (1.0,) * 77)]


def test_75_tokens_fill_a_chunk_and_the_next_one_begins_another() -> None:
    full, over = chunks_of(numbers(75)), chunks_of(numbers(76))

    assert [inner(chunk) for chunk in full] == [list(range(1, 76))]
    assert [inner(chunk) for chunk in over] == [list(range(1, 76)), [76]]


@pytest.mark.parametrize("prompt", ["", numbers(3), numbers(75), numbers(76), numbers(300), "1 BREAK 2"])
def test_every_chunk_is_77_tokens_and_weights_between_the_marks(prompt: str) -> None:
    for chunk in chunks_of(prompt):
        assert len(chunk.tokens) == len(chunk.weights) == CHUNK + 2
        assert (chunk.tokens[0], chunk.tokens[-1]) == (BOS, EOS)


def test_each_token_keeps_its_own_weight() -> None:
    (chunk,) = chunks_of("1 (2 3:1.5) (4:0)")

    assert chunk.tokens[:5] == (BOS, 1, 2, 3, 4)
    assert chunk.weights == (1.0, 1.0, 1.5, 1.5, 0.0, *[1.0] * 72)


def test_weights_move_on_with_their_tokens() -> None:
    first, second = chunks_of(f"{numbers(70)} , (71 72 73 74 75:1.5)")

    assert (inner(first)[-1], inner(second)) == (COMMA, [71, 72, 73, 74, 75])
    assert set(first.weights) == {1.0}
    assert second.weights == (1.0, *[1.5] * 5, *[1.0] * 71)


@pytest.mark.parametrize(("before", "moves"), [(54, False), (55, True), (60, True), (74, False)])
def test_what_follows_a_comma_among_the_last_20_tokens_moves_on(before: int, moves: bool) -> None:
    """webui: 75 minus the comma's place is at most 20. A comma that is the last token has nothing to move."""
    phrase = numbers(75, start=1000)

    first, second = chunks_of(f"{numbers(before)} , {phrase}")[:2]

    expected = before + 1 if moves else CHUNK
    assert len(inner(first)) == expected
    assert inner(second)[0] == 1000 + expected - before - 1


def test_a_comma_that_overflows_stays_where_it_falls() -> None:
    first, second = chunks_of(f"{numbers(60)} , {numbers(14, start=100)} , 7")

    assert len(inner(first)) == CHUNK
    assert inner(second) == [COMMA, 7]


def test_a_comma_counts_only_in_its_own_chunk() -> None:
    chunks = chunks_of(f"{numbers(74)} , {numbers(80, start=100)}")

    assert [len(inner(chunk)) for chunk in chunks] == [75, 75, 5]


def test_a_break_closes_the_chunk() -> None:
    assert [inner(chunk) for chunk in chunks_of("1 2 BREAK 3")] == [[1, 2], [3]]


def test_two_breaks_leave_an_empty_chunk_between_them() -> None:
    assert [inner(chunk) for chunk in chunks_of("1 BREAK BREAK 3")] == [[1], [], [3]]


def test_a_break_at_the_end_adds_nothing() -> None:
    assert [inner(chunk) for chunk in chunks_of("1 BREAK")] == [[1]]


@pytest.mark.parametrize(("backtrack", "kept"), [(0, 75), (14, 75), (15, 61), (74, 61)])
def test_how_far_to_look_back_for_a_comma_can_be_chosen(backtrack: int, kept: int) -> None:
    runs = parse_attention(f"{numbers(60)} , {numbers(20, start=100)}")

    first, _ = chunk_runs(runs, words, comma_backtrack=backtrack)

    assert len(inner(first)) == kept
