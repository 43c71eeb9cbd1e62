"""What is trained on."""

from pathlib import Path

import pytest

from tests.trainers.pictures import write_set


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_set(tmp_path / "kip-set")
