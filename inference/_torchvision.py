"""Lets a torchvision load whose compiled half was made for another torch (pytorch/vision#9085).

Nothing here needs it, but transformers and spandrel import one that is installed, and fail with it: it describes
operators that only its compiled half defines. They are declared in its place; calling them fails, as it should.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

__all__ = ["mend_on_import"]

_NAME = "torchvision"
_OPERATORS = ("nms", "qnms")
"""Those that it describes whether they are there or not."""


def mend_on_import() -> None:
    """From now on torchvision is mended when somebody imports it; costs nothing until then."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds torchvision where it lies, to be loaded by `_Loader`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _NAME:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.loader:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Loads it as its own loader does, twice if need be."""

    def __init__(self, own: Loader) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__:
            module.__spec__.loader = self._own
        module.__loader__ = self._own
        try:
            self._own.exec_module(module)
        except RuntimeError as error:
            if f"{_NAME}::" not in str(error):
                raise
            for name in [one for one in sys.modules if one.startswith(f"{_NAME}.")]:
                del sys.modules[name]
            module.__dict__["declared_operators"] = _declared()
            self._own.exec_module(module)


def _declared() -> object:
    """The operators, known for as long as what is returned here lives."""
    import torch
    from torch import library

    declared: Any = library.Library(_NAME, "FRAGMENT")  # type: ignore[no-untyped-call]
    for operator in _OPERATORS:
        if not hasattr(torch.ops.torchvision, operator):
            declared.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return declared
