"""What a prompt comes to, in words for people: texts, weights, tokens, chunks, step by step (pure)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from inference.prompt.attention import parse_attention
from inference.prompt.chunks import CHUNK, Chunk, chunk_runs
from inference.prompt.composition import split_parts
from inference.prompt.embeddings import NO_EMBEDDINGS, EmbeddingNames
from inference.prompt.networks import (
    HypernetworkTag,
    LoraTag,
    hypernetwork_tags,
    lora_tags,
    without_comments,
    without_networks,
)
from inference.prompt.schedule import in_grammar, schedule, span_at
from inference.prompt.tokenizer import EOS, tokenize, words

__all__ = ["Explanation", "Part", "Steps", "Text", "Token", "explain"]

_SQUARE = re.compile(r"(?<!\\)\[[^\[\]()]*:[^\[\]()]*\]")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_PAIRS = {"(": ")", "[": "]"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token as the text encoder sees it, or a vector of an embedding."""

    id: int | None
    """None for a vector."""
    word: str
    weight: float


@dataclass(frozen=True, slots=True)
class Text:
    """One text that the model is given, in chunks of up to 75 tokens."""

    text: str
    chunks: tuple[tuple[Token, ...], ...]
    """Without marks and padding."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Calls of the model that see one text; most samplers call it once a step."""

    first: int
    """Counted from 1."""
    last: int
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One of the prompts between ANDs."""

    weight: float
    steps: tuple[Steps, ...]
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prompt, taken apart."""

    parts: tuple[Part, ...]
    loras: tuple[LoraTag, ...]
    hypernetworks: tuple[HypernetworkTag, ...]
    notes: tuple[str, ...]
    """What people often do not expect."""


def explain(prompt: str, calls: int, embeddings: EmbeddingNames = NO_EMBEDDINGS) -> Explanation:
    """What a positive prompt comes to over `calls` calls of the model; raises `BadValue` for a tag that is none."""
    plain = without_comments(prompt)
    read = without_networks(plain)
    parts = tuple(_part(part.text, part.weight, calls, embeddings) for part in split_parts(read))
    notes = tuple(dict.fromkeys(_notes(read, parts)))
    return Explanation(parts, lora_tags(plain), hypernetwork_tags(plain), notes)


def _part(text: str, weight: float, calls: int, embeddings: EmbeddingNames) -> Part:
    spans = schedule(text, calls)
    seen = [spans[span_at(spans, call)].text for call in range(calls)]
    return Part(weight, tuple(_steps(seen)), tuple(_text(one, embeddings) for one in dict.fromkeys(seen)))


def _steps(seen: list[str]) -> Iterator[Steps]:
    first = 1
    for text, calls in groupby(seen):
        last = first + len(list(calls)) - 1
        yield Steps(first, last, text)
        first = last + 1


def _text(text: str, embeddings: EmbeddingNames) -> Text:
    return Text(text, tuple(map(_tokens, chunk_runs(parse_attention(text), tokenize, embeddings=embeddings))))


def _tokens(chunk: Chunk) -> tuple[Token, ...]:
    length = chunk.tokens.index(EOS, 1) - 1 if EOS in chunk.tokens[1 : CHUNK + 1] else CHUNK
    ids, weights = chunk.tokens[1 : length + 1], chunk.weights[1 : length + 1]
    triples = zip(ids, words(ids), weights, strict=True)
    tokens = [Token(token, word, round(weight, 4)) for token, word, weight in triples]
    for slot in chunk.slots:
        for index in range(slot.embedding.count):
            word = f"{slot.embedding.name}, vector {index + 1} of {slot.embedding.count}"
            place = slot.start - 1 + index
            tokens[place] = Token(None, word, tokens[place].weight)
    return tuple(tokens)


def _notes(prompt: str, parts: tuple[Part, ...]) -> Iterator[str]:
    if len(parts) == 1 and parts[0].weight != 1.0:
        yield f"the number behind the last colon is no text: guidance is {parts[0].weight:g} times as strong"
    for part in split_parts(prompt):
        if not in_grammar(part.text):
            yield (
                f"{part.text.strip()!r} is taken as it stands, nothing in it changes from step to step: a | outside of "
                "[a|b], or a \\ before nothing, is not in the grammar; write \\| for the mark itself"
            )
    for text in (text.text for part in parts for text in part.texts):
        for found in _SQUARE.findall(text):
            yield f"{found} is no schedule, which ends in one number, as [cat:dog:0.5] does: it is text, weakened"
        yield from _unbalanced(text)


def _unbalanced(text: str) -> Iterator[str]:
    plain = _ESCAPED.sub("", text)
    for opening, closing in _PAIRS.items():
        depth = 0
        for mark in plain:
            depth += (mark == opening) - (mark == closing)
            if depth < 0:
                yield f"a {closing} closes nothing: it is text; \\{closing} says so"
                depth = 0
        if depth:
            change = "strengthens" if opening == "(" else "weakens"
            yield f"a {opening} is never closed: it {change} all that follows; \\{opening} is the mark itself"
