"""Tensors on disk under a key that names all that decides them; whatever does not hold what it says is made anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from inference.weights.save import save_tensors

__all__ = ["Counts", "Store"]


@dataclass(slots=True)
class Counts:
    """What became of the questions to a store."""

    hits: int = 0
    misses: int = 0
    rejects: int = 0
    """Files that were damaged, or held another key's tensors or NaN; they count as misses too."""

    def told(self, what: str) -> str:
        """A sentence for whoever waits: ``latents: 12 from the cache, 3 computed``."""
        rejected = f" ({self.rejects} of them damaged on disk)" if self.rejects else ""
        return f"{what}: {self.hits} from the cache, {self.misses} computed{rejected}"


class Store:
    """A folder of such files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.counts = Counts()

    def get(self, key: str) -> dict[str, Tensor] | None:
        """What was put there; None for nothing, or nothing that can be used."""
        path = self._path(key)
        if not path.is_file():
            self.counts.misses += 1
            return None
        found = _read(path, key)
        if found is None:
            self.counts.rejects += 1
            self.counts.misses += 1
        else:
            self.counts.hits += 1
        return found

    def put(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        save_tensors(self._path(key), tensors, {"key": key})

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"


def _read(path: Path, key: str) -> dict[str, Tensor] | None:
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("key") != key:
                return None
            found: dict[str, Tensor] = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError):
        return None
    return found if all(one.isfinite().all() for one in found.values()) else None
