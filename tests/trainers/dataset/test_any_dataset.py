"""Datasets of any kind, by lot: `make prove` tries many more (tests/fuzz/fuzz_datasets.py)."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from tests.fuzz.fuzz_datasets import attempt


@pytest.mark.parametrize("first", range(0, 40, 8))
def test_every_dataset_is_refused_with_a_mend_or_can_be_trained(
    catalog: Catalog, checkpoint: Path, tmp_path: Path, first: int
) -> None:
    catalog.add(checkpoint, name="tiny")

    outcomes = {attempt(seed, tmp_path / f"{seed}", catalog, trains=False) for seed in range(first, first + 8)}

    assert outcomes <= {"refused", "planned", "no recipe"}
