"""What the tests of `trainers` share: one tiny base, its file and its parts."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch

from inference.weights.single_file import Part, checkpoint_parts
from modelhub.families import family
from modelhub.headers import read_table
from tests import tiny


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Models this small spend their time waiting for other threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of `tiny.models()`: read it, never write to it."""
    return tiny.write_checkpoint(tmp_path_factory.mktemp("models") / "tiny.safetensors")


@pytest.fixture(scope="session")
def parts(checkpoint: Path) -> Mapping[str, Part]:
    return checkpoint_parts(checkpoint, read_table(checkpoint), family("sd1"))
