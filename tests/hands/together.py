"""Begins several processes that train together, as `accelerate launch --cpu` does."""

import os
import socket
from collections.abc import Sequence

from tests.hands.killing import begun_child

__all__ = ["run_together"]


def run_together(arguments: Sequence[str], *, count: int) -> list[bool]:
    """Run `modelhub ARGUMENTS` in so many children that know of one another; whether each ended with exit code 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(count):
        told = {
            "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count,
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "ACCELERATE_USE_CPU": "true",
        }  # fmt: skip
        children.append(_begun(arguments, {name: str(value) for name, value in told.items()}))
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 for child in children]


def _begun(arguments: Sequence[str], environment: dict[str, str]) -> int:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        return begun_child(arguments)
    finally:
        os.environ.clear()
        os.environ.update(before)
