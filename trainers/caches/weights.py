"""What a module's answers hang on: its numbers, in whatever file and under whatever names they lie."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from torch import nn

from inference.weights.save import tensor_digest

__all__ = ["weights_digest"]


def weights_digest(module: nn.Module, config: Mapping[str, Any], prefixes: tuple[str, ...] = ("",)) -> str:
    """SHA-256 of a module's sizes and weights, as hex; of those only whose names begin with one of `prefixes`."""
    named = sorted((name, tensor) for name, tensor in module.state_dict().items() if name.startswith(prefixes))
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(lambda pair: tensor_digest(dict([pair])), named))
    lines = [
        f"{name} {tensor.dtype} {tuple(tensor.shape)} {digest}"
        for (name, tensor), digest in zip(named, digests, strict=True)
    ]
    return hashlib.sha256("\n".join([repr(sorted(config.items())), *lines]).encode()).hexdigest()
