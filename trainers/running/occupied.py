"""How much memory is in use at most while something is computed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import torch

__all__ = ["occupied"]

_EVERY = 0.01
"""Seconds between looks at a process, which nothing tells its most."""


@contextmanager
def occupied(device: torch.device) -> Iterator[Callable[[], int]]:
    """Gives what tells the most bytes so far: of tensors on a GPU, else all of this process's in the memory."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield lambda: torch.cuda.max_memory_allocated(device)
        return
    process, over = psutil.Process(), threading.Event()
    seen = [process.memory_info().rss]

    def look() -> None:
        while not over.wait(_EVERY):
            seen[0] = max(seen[0], process.memory_info().rss)

    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    try:
        yield lambda: max(seen[0], process.memory_info().rss)
    finally:
        over.set()
        watch.join()
