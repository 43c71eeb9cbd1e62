"""Members are found by their files."""

import importlib
from pathlib import Path

import pytest

from modelhub.registry import members


def test_public_modules_are_found_in_order_and_private_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "zoo_of_tests"
    package.mkdir()
    for name in ("__init__", "newt", "emu", "_private"):
        (package / f"{name}.py").write_text(f"NAME = {name!r}")
    monkeypatch.syspath_prepend(str(tmp_path))
    zoo = importlib.import_module("zoo_of_tests")
    assert [module.NAME for module in members(zoo)] == ["emu", "newt"]
