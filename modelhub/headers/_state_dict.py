"""What a pickle holds -> tensors by name, and text: the wrappers of a dozen trainers are taken off.

A file decides how its values nest and share one another, so nothing here recurses, and no container is walked twice.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from modelhub.errors import BrokenFile
from modelhub.headers._stand_ins import OddKey, PickledTensor, Stranger

__all__ = ["StateDict", "find_state_dict"]

_WRAPPERS = ("state_dict", "params_ema", "params-ema", "params", "model_state_dict", "model", "net")
"""Keys under which the weights stand, best first."""
_MODULE_PARTS = ("_parameters", "_buffers", "_modules")
"""Where an `nn.Module` that was pickled whole keeps what its state dict would show."""
_MAX_WRAPPERS = 4
_MAX_DEPTH = 32
_MAX_NAME = 1024
_MAX_TEXTS = 1000
_MAX_TEXT = 10_000
"""Characters."""
_MAX_ALL_TEXTS = 1_000_000
_MAX_LIST = 64
"""Items of a list that is told as one text."""
_MAX_ITEM = 500
"""Characters of each of them."""
_END: tuple[str, object] = ("", object())


@dataclass(frozen=True, slots=True)
class StateDict:
    """The weights of a file, and what stands beside them."""

    tensors: dict[str, PickledTensor]
    texts: dict[str, str]
    """Plain values under their dotted names."""
    odd: tuple[str, ...]
    """Names within the weights whose values are neither tensors nor text."""
    beside: tuple[str, ...]
    """Keys beside the weights that hold more than text: optimizer states and the like."""


def find_state_dict(path: Path, root: object) -> StateDict:
    """The tensors of a model, found as the common tools do; raises `BrokenFile` for names that cannot be."""
    walk = _Walk(path)
    beside: list[str] = []
    for _ in range(_MAX_WRAPPERS):
        wrapper = _wrapper(root)
        if wrapper is None:
            break
        entries = dict(_entries(root))
        weights = entries.pop(wrapper)
        for key, value in islice(entries.items(), _MAX_TEXTS):
            if not walk.noted(str(key), value):
                beside.append(str(key)[:_MAX_NAME])
        root = weights
    walk.over(root)
    return StateDict(walk.tensors, walk.texts, tuple(walk.odd), tuple(beside))


def _wrapper(root: object) -> str | None:
    """The key under which the weights stand, or None when `root` is the weights."""
    entries = dict(_entries(root)) if isinstance(root, dict | Stranger) else {}
    bare = not any(isinstance(value, PickledTensor) for value in entries.values())
    for key in _WRAPPERS if bare else _WRAPPERS[:1]:
        if key in entries and _holds_tensors(entries[key]):
            return key
    return None


def _holds_tensors(root: object) -> bool:
    seen: set[int] = set()
    waiting = [root] if not isinstance(root, PickledTensor) else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, PickledTensor):
            return True
        if id(value) not in seen:
            seen.add(id(value))
            waiting += [child for _, child in _entries(value)]
    return False


class _Walk:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.tensors: dict[str, PickledTensor] = {}
        self.texts: dict[str, str] = {}
        self.odd: list[str] = []
        self.seen: set[int] = set()
        self.room = _MAX_ALL_TEXTS

    def over(self, root: object) -> None:
        """Take in all that `root` holds, however deep; what waits is an iterator a level, so little is held."""
        waiting: list[Iterator[tuple[str, object]]] = [iter([("", root)])]
        while waiting:
            name, value = next(waiting[-1], _END)
            if value is _END[1]:
                waiting.pop()
            elif isinstance(value, PickledTensor):
                self.keep(name or "tensor", value)
            elif not self.noted(name or "value", value) and id(value) not in self.seen:
                self.seen.add(id(value))
                waiting.append(self.within(name, value))
                if len(waiting) > _MAX_DEPTH:
                    raise BrokenFile(self.path, f"it nests more than {_MAX_DEPTH} levels deep, as no model does")

    def within(self, name: str, value: object) -> Iterator[tuple[str, object]]:
        empty = True
        for key, child in _entries(value):
            empty = False
            yield self.joined(name, key), child
        if empty and isinstance(value, Stranger):
            self.odd.append(name)

    def joined(self, name: str, key: object) -> str:
        joined = name if key is None else f"{name}.{key}" if name else str(key)
        if len(joined) > _MAX_NAME:
            raise BrokenFile(self.path, f"the name of one of its values has more than {_MAX_NAME:,} characters")
        return joined

    def keep(self, name: str, tensor: PickledTensor) -> None:
        if name in self.tensors:
            raise BrokenFile(self.path, f"two of its tensors are named {name[:80]!a}")
        self.tensors[name] = tensor

    def noted(self, name: str, value: object) -> bool:
        """Whether it is plain, and so was taken in as text as far as there is room for it."""
        plain = _is_plain(value)
        if isinstance(value, list | tuple) and 0 < len(value) <= _MAX_LIST and id(value) not in self.seen:
            plain = all(_is_plain(one) for one in value)
            self.seen.update([id(value)] if plain else [])
        if plain and len(self.texts) < _MAX_TEXTS and self.room > 0:
            self.texts.setdefault(name[:_MAX_NAME], text := _text(value))
            self.room -= len(name) + len(text)
        return plain


def _entries(value: object) -> Iterator[tuple[object, object]]:
    """What a container holds by key; None is the key of what adds nothing to a name."""
    if isinstance(value, dict):
        yield from ((key, child) for key, child in value.items() if not isinstance(key, OddKey))
    elif isinstance(value, list | tuple):
        yield from enumerate(value)
    elif isinstance(value, Stranger):
        state = value.state[0] if isinstance(value.state, tuple) and value.state else value.state
        if isinstance(state, dict) and "_parameters" in state:
            yield from ((None, state[part]) for part in _MODULE_PARTS if part in state)
        elif isinstance(state, dict):
            yield from _entries(state)
        yield from _entries(value.held)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _text(value: object) -> str:
    """A plain value as it is, a list of them as JSON."""
    if isinstance(value, list | tuple):
        return json.dumps([one[:_MAX_ITEM] if isinstance(one, str) else one for one in value], ensure_ascii=False)
    return value[:_MAX_TEXT] if isinstance(value, str) else str(value)
