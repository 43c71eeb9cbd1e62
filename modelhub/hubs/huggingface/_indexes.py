"""What a pipeline's own index names as its parts: read before anything else of it is fetched."""

from posixpath import basename, dirname, join

from modelhub.hubs.huggingface._models import Blob
from modelhub.network import Answer, Network
from modelhub.tokens import Grant
from modelhub.words.strangers import parsed

__all__ = ["is_index", "parts_named"]

_INDEX = "model_index.json"
_MAX = 1_000_000
"""Characters."""


def is_index(blob: Blob, at: str) -> bool:
    """Whether it is the index of a pipeline that is among what `at` means."""
    folder = dirname(blob.path)
    meant = not at or folder == at or folder.startswith(f"{at}/") or at.partition("#")[0] == join(folder, _INDEX)
    return meant and basename(blob.path) == _INDEX


def parts_named(url: str, network: Network, grant: Grant | None) -> tuple[str, ...]:
    """Names of folders; nothing when we may not read it, or it is none."""
    with network.open(url, grant=grant) as answer:
        told = parsed(_text(answer), _MAX) if answer.status == 200 else None
    parts = told.items() if isinstance(told, dict) else ()
    return tuple(name for name, value in parts if isinstance(value, list) and len(value) == 2 and value[1])


def _text(answer: Answer) -> str:
    """Of a large file only a part, which is no JSON."""
    held, view = bytearray(), memoryview(bytearray(1 << 16))
    while len(held) <= _MAX and (count := answer.readinto(view)):
        held += view[:count]
    return held.decode("utf-8", errors="replace")
