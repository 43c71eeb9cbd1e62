"""A base that is not the file any more that a run began with is noticed, and named."""

import os
from pathlib import Path

import pytest

from inference.plan import LoadPlan, resolve
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.errors import Incompatible
from tests import tiny
from trainers.running.unchanged import check_unchanged


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny.write_checkpoint(tmp_path / "base.safetensors")


@pytest.fixture
def plan(catalog: Catalog, base: Path) -> LoadPlan:
    catalog.add(base, name="tiny")
    return resolve(GenerationRequest(prompt="", model="tiny", seed=0), catalog)


def test_a_file_that_nobody_touched_is_the_same(catalog: Catalog, plan: LoadPlan) -> None:
    check_unchanged(plan, catalog)


def test_a_file_that_was_only_touched_is_the_same(catalog: Catalog, plan: LoadPlan, base: Path) -> None:
    os.utime(base, (1, 1))

    check_unchanged(plan, catalog)


def test_a_file_of_other_bytes_is_refused_by_name(catalog: Catalog, plan: LoadPlan, base: Path) -> None:
    tiny.write_checkpoint(base, seed=5)
    os.utime(base, (1, 1))

    with pytest.raises(Incompatible, match=r"tiny was changed since the run began: \S+base\.safetensors"):
        check_unchanged(plan, catalog)
