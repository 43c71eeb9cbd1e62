"""Chinese prompts as the tags that models learned: known phrases only, and all else left to the character."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from inference.prompt.phrases import Phrase, Role, as_prompt, phrases, ranks
from inference.prompt.segmentation import Piece, segment

__all__ = ["Translation", "translate"]

_LETTER = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005\u3007\u3040-\u30ff]"
_KEPT = r"<[^<>]*> | __(?!_)[^\n]*?__"
"""Networks and wildcards: names of files, whatever they are called."""
_BELOW = ("下", "下面")
"""Behind a noun they tell where 在 is: 站在树下 stands under the tree."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A prompt and what became of it."""

    prompt: str
    """In English as far as it was known."""
    terms: tuple[tuple[str, str], ...]
    """(Chinese, tag) of every phrase that was known, in their order."""
    unknown: tuple[str, ...]
    """Words that stayed as they are."""


def translate(prompt: str, own: Mapping[str, Phrase] | None = None) -> Translation:
    """The prompt with Chinese phrases as tags, by our table and the user's `own`, which is believed first.

    Weights, brackets, networks, wildcards, BREAK, AND, schedules, numbers and Latin words stay as they are; Chinese
    commas and full stops become commas.
    """
    known = {**phrases(), **(own or {})}
    out, pieces = "", list[Piece]()
    for match in _token(known).finditer(prompt):
        if match["chinese"]:
            found = segment(match["chinese"], known)
            pieces.extend(found)
            out += _fitted(_english(found), out, prompt[match.end() :]) if _says(found) else match["chinese"]
        elif match["stop"]:
            out += _comma(prompt[match.end() :])
        else:
            out += match[0]
    terms = dict.fromkeys((piece.text, piece.tag) for piece in pieces if piece.tag)
    return Translation(out, tuple(terms), tuple(dict.fromkeys(one.text for one in pieces if one.role is Role.UNKNOWN)))


def _token(known: Mapping[str, Phrase]) -> re.Pattern[str]:
    """Matches what is kept, Chinese text (with words such as T恤 in it), Chinese stops, and any other character."""
    mixed = sorted((word for word in known if re.search("[a-z0-9]", word)), key=len, reverse=True)
    words = "|".join(map(re.escape, mixed))
    letter = rf"(?: (?<![a-zA-Z0-9])(?:{words})(?![a-zA-Z0-9]) | {_LETTER} )" if words else _LETTER
    return re.compile(
        rf"(?P<kept>{_KEPT}) | (?P<chinese>{letter}+(?:[ \t]+{letter}+)*) | (?P<stop>[ \t]*[，、。；]+[ \t]*) | [\s\S]",
        re.VERBOSE | re.IGNORECASE,
    )


def _comma(rest: str) -> str:
    return "" if not rest else "," if rest[0] == "\n" else ", "


def _says(pieces: Sequence[Piece]) -> bool:
    return any(piece.role is not Role.UNKNOWN for piece in pieces)


def _fitted(english: str, before: str, after: str) -> str:
    """With what parts it from its neighbours, which Chinese does not need: ``1girl白发`` -> ``1girl, white hair``."""
    return _border(before[-5:], last=True) + english + _border(after[:5], last=False) if english else ""


def _border(neighbour: str, *, last: bool) -> str:
    letter = (neighbour[-1:] if last else neighbour[:1]) or " "
    if re.search(r"\b(BREAK|AND)$" if last else r"^(BREAK|AND)\b", neighbour):
        return " "
    if letter in (")]}>_" if last else "([{<_"):
        return " "
    return ", " if letter.isalnum() else ""


def _english(pieces: Sequence[Piece]) -> str:
    """Phrases one after the other: ``白色长发女孩`` -> ``long white hair, girl``."""
    return ", ".join(filter(None, _phrases(pieces)))


def _phrases(pieces: Sequence[Piece]) -> Iterator[str]:
    waiting: list[Piece] = []
    noun = ""
    for piece in pieces:
        if piece.role in (Role.NOUN, Role.HEAD, Role.UNKNOWN):
            if noun and piece.role is Role.HEAD and not waiting:
                noun += f" {as_prompt(piece.tag)}"
                continue
            yield noun
            noun, waiting = _phrase(waiting, piece), []
        elif piece.role is Role.MODIFIER:
            waiting.append(piece)
        elif piece.role is Role.OPENER:
            yield from (noun, _phrase(waiting))
            noun, waiting = "", [piece]
        elif piece.text in _BELOW:
            noun = re.sub(r" (on|in) ", " under ", noun, count=1)
        elif piece.role is Role.AND and waiting:
            waiting.append(piece)
        elif piece.role in (Role.AND, Role.GAP) and not waiting:
            yield noun
            noun = ""
    yield from (noun, _phrase(waiting))


def _phrase(waiting: Sequence[Piece], noun: Piece | None = None) -> str:
    """An opener, modifiers and their noun as English orders them: ``long`` of a long dress goes before ``red``."""
    opener = [piece.tag for piece in waiting if piece.role is Role.OPENER]
    modifiers = [piece.tag or "and" for piece in waiting if piece.role in (Role.MODIFIER, Role.AND)]
    if modifiers[-1:] == ["and"]:
        modifiers.pop()
    own = (noun.tag or noun.text).split(" ") if noun else []
    first = ranks()[modifiers[0]] if modifiers else 0
    ahead = next((place for place, word in enumerate(own) if ranks().get(word, first) >= first), 0)
    return as_prompt(" ".join([*opener, *own[:ahead], *modifiers, *own[ahead:]]))
