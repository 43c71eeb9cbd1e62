"""Chinese text -> the phrases it is made of: the longest that leave the least over, and nothing guessed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from inference.prompt.phrases import Phrase, Role

__all__ = ["Piece", "segment"]

_PASSED = (
    "的 之 地 得 着 了 上 里 中 内 下 旁 边 是 正 这 那 旁边 后面 前面 里面 上面 下面 中间 正在 这个 那个 "
    "一个 一位 一名 一只 一条 一把 一朵 一件 一张 一本 一座 一辆 一顶 一头 一片 一束 "
    "一杯 一根 一匹 一艘 一架 一棵 一幅 一副 一身 一双"
)
_AND = "和 与 及 跟 以及 还有 并且"
_LITTLE = {
    **dict.fromkeys(_PASSED.split(), Phrase("", Role.PASSED)),
    **dict.fromkeys(_AND.split(), Phrase("", Role.AND)),
}
_BORDERS = (Role.GAP, Role.AND)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of Chinese and what it is known as; `tag` is empty where it has none."""

    text: str
    tag: str
    role: Role


def segment(text: str, known: Mapping[str, Phrase]) -> list[Piece]:
    """Cut text without punctuation into pieces that make it up again.

    What no phrase covers is one unknown piece, and so is a single character in a longer word: 马 is a horse by
    itself, not in 马尼拉.
    """
    return list(_joined(_believed(_cut(text, known))))


def _cut(text: str, known: Mapping[str, Phrase]) -> list[Piece]:
    """The pieces that leave the fewest characters over, then the fewest pieces, then the longest first."""
    longest = max(map(len, known), default=1)
    costs = [(0, 0)] * (len(text) + 1)
    first: list[Piece] = []
    for start in reversed(range(len(text))):
        choices = []
        for piece in _pieces(text, start, longest, known):
            left_over, pieces = costs[start + len(piece.text)]
            choices.append(((left_over + (piece.role is Role.UNKNOWN), pieces + 1), piece))
        costs[start], chosen = min(choices, key=lambda choice: choice[0])
        first.append(chosen)
    first.reverse()
    return list(_walked(first))


def _walked(first: Sequence[Piece]) -> Iterator[Piece]:
    """Piece after piece, of those that begin at each character."""
    start = 0
    while start < len(first):
        yield first[start]
        start += len(first[start].text)


def _pieces(text: str, start: int, longest: int, known: Mapping[str, Phrase]) -> Iterator[Piece]:
    """All that can stand at `start`, the longest first."""
    for end in range(min(len(text), start + longest), start, -1):
        word = text[start:end]
        phrase = known.get(word.lower()) or _LITTLE.get(word)
        if phrase:
            yield Piece(word, phrase.tag, phrase.role)
    letter = text[start]
    yield Piece(letter, "", Role.GAP if letter.isspace() else Role.UNKNOWN)


def _believed(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, where a single character that may be a part of a longer word is unknown."""
    kept: list[Piece] = []
    for index, piece in enumerate(pieces):
        before = kept[-1] if kept and kept[-1].role not in _BORDERS else None
        after = pieces[index + 1] if index + 1 < len(pieces) and pieces[index + 1].role not in _BORDERS else None
        doubted = len(piece.text) == 1 and piece.role is not Role.GAP and not _stands(piece, before, after)
        kept.append(Piece(piece.text, "", Role.UNKNOWN) if doubted else piece)
    return kept


def _stands(piece: Piece, before: Piece | None, after: Piece | None) -> bool:
    """Whether a single character means what it means alone, beside these neighbours; None is a border."""
    match piece.role:
        case Role.NOUN | Role.HEAD:
            binds = before is None or before.role is Role.PASSED or _is_word(before, Role.MODIFIER, Role.OPENER)
            return binds and (after is None or after.text == "的")
        case Role.MODIFIER | Role.OPENER:
            free = before is None or before.role is Role.PASSED or _is_word(before)
            return free and (after is None or after.text == "的" or _is_word(after))
        case Role.PASSED:
            said = before is not None and before.role is not Role.UNKNOWN
            return (said and (after is None or after.role is not Role.UNKNOWN)) or (
                piece.text == "的" and before is not None and (said or (after is not None and _is_word(after)))
            )
        case Role.AND:
            return (before is None or _is_word(before)) and (after is None or _is_word(after))
    return False


def _is_word(piece: Piece, *roles: Role) -> bool:
    """Whether it is known and longer than a character, and does one of `roles` where any are given."""
    return len(piece.text) > 1 and piece.role is not Role.UNKNOWN and (not roles or piece.role in roles)


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbouring unknown pieces as one."""
    pending = ""
    for piece in pieces:
        if piece.role is Role.UNKNOWN:
            pending += piece.text
            continue
        if pending:
            yield Piece(pending, "", Role.UNKNOWN)
            pending = ""
        yield piece
    if pending:
        yield Piece(pending, "", Role.UNKNOWN)
