"""The manifests in `examples/` mean something, and go round unchanged."""

from pathlib import Path

import pytest

from modelhub.licences import requirement
from modelhub.sync import read_manifest

_EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "manifests").glob("*.toml"))


@pytest.mark.parametrize("path", _EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_manifest(path: Path) -> None:
    manifest = read_manifest(path)
    assert manifest.entries
    assert all(one.name for one in manifest.entries)
    if manifest.require:
        requirement(manifest.require)


def test_there_are_examples() -> None:
    assert len(_EXAMPLES) >= 2
