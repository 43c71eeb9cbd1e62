"""Finds the members of a package that holds one file a thing: families, samplers, methods, commands."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

__all__ = ["members"]


def members(package: ModuleType) -> Iterator[ModuleType]:
    """The package's public modules, imported, in alphabetical order: to add a member, add a file."""
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        if not found.name.startswith("_"):
            yield importlib.import_module(f"{package.__name__}.{found.name}")
