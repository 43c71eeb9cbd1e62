"""A torchvision that was made for another torch loads all the same."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from inference import _torchvision
from inference._torchvision import mend_on_import

PACKAGE = """
import torchvision.part
if "declared_operators" not in globals():
    raise RuntimeError("operator torchvision::nms does not exist")
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a torchvision lies that is found first; what others imported comes back afterwards."""
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torchvision"}
    for name in kept:
        del sys.modules[name]
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "part.py").write_text("loads = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "torchvision" / "__init__.py"
    for name in [one for one in sys.modules if one.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    sys.modules.update(kept)


def test_operators_that_are_missing_are_declared(place: Path) -> None:
    place.write_text(PACKAGE)
    found = importlib.import_module("torchvision")
    assert found.declared_operators
    assert torch.ops.torchvision.nms
    assert found.part.loads == 1
    assert found.__spec__
    assert type(found.__spec__.loader).__name__ == "SourceFileLoader"


def test_one_that_works_is_left_as_it_is(place: Path) -> None:
    place.write_text("works = True")
    found = importlib.import_module("torchvision")
    assert found.works
    assert not hasattr(found, "declared_operators")


def test_another_failure_stays_one(place: Path) -> None:
    place.write_text("raise RuntimeError('the disk is on fire')")
    with pytest.raises(RuntimeError, match="on fire"):
        importlib.import_module("torchvision")
    assert "torchvision" not in sys.modules


def test_it_is_set_up_once_and_for_torchvision_alone() -> None:
    before = list(sys.meta_path)
    mend_on_import()
    assert sys.meta_path == before
    assert _torchvision._Finder().find_spec("json", None) is None
