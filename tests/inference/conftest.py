"""What the tests of `inference` share: tiny models, built once a session and never changed."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from torch import nn

from inference.weights.single_file import Part, checkpoint_parts
from modelhub.families import family
from modelhub.headers import read_table
from tests import tiny


@pytest.fixture(scope="session")
def models() -> Mapping[str, nn.Module]:
    """Random models: read them, never write to them."""
    return tiny.models()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of those models."""
    return tiny.write_checkpoint(tmp_path_factory.mktemp("models") / "tiny.safetensors")


@pytest.fixture(scope="session")
def parts(checkpoint: Path) -> Mapping[str, Part]:
    """The parts of that file."""
    return checkpoint_parts(checkpoint, read_table(checkpoint), family("sd1"))
