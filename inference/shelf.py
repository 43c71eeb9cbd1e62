"""What was loaded, kept as long as there is room for it: the longest unused goes first."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

__all__ = ["Shelf", "Stamp"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Tells one file's content from another's, by whatever path it is reached."""

    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        status = path.stat()
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class Shelf(Generic[T]):
    """Things by their key, within a budget of bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._things: dict[Hashable, tuple[T, int]] = {}

    @property
    def size(self) -> int:
        """Bytes of all that stands on it."""
        return sum(size for _, size in self._things.values())

    def take(self, key: Hashable) -> T | None:
        """What stands there, which makes it the last used."""
        if key not in self._things:
            return None
        self._things[key] = self._things.pop(key)
        return self._things[key][0]

    def make_room(self, size: int, *, keep: Collection[Hashable] = ()) -> None:
        """Let go of the longest unused until `size` bytes more fit, or until all but `keep` is gone."""
        over = self.size + size - self._budget
        for key in [one for one in self._things if one not in keep]:
            if over <= 0:
                return
            over -= self._things.pop(key)[1]

    def put(self, key: Hashable, thing: T, size: int) -> None:
        self._things[key] = (thing, size)

    def clear(self) -> None:
        self._things.clear()
