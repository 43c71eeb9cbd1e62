"""Runs tests that need the pretended card, which a process never gets rid of, in one of their own."""

import subprocess
import sys
from pathlib import Path

import pytest
from torch.utils import backend_registration

__all__ = ["passes"]

_ROOT = Path(__file__).parents[2]


def passes(name: str) -> None:
    """Fail with what pytest printed unless all tests of ``tests/card/NAME.py`` pass."""
    if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
        pytest.skip("this torch has no devices that are written in Python")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", f"tests/card/{name}.py"]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
