"""Which upscaler a name means."""

from pathlib import Path

import pytest
import torch

from inference.upscalers.plan import find_upscaler, known_upscalers
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible, UnknownRef
from tests import tiny
from tests.upscalers import compact, write_upscaler


@pytest.mark.parametrize("said", ["Lanczos", "lanczos", " LANCZOS "])
def test_the_built_in_ones_need_no_catalog_entry(said: str, catalog: Catalog) -> None:
    plan = find_upscaler(said, catalog)
    assert (plan.name, plan.path, plan.ref, plan.id) == ("Lanczos", None, "Lanczos", None)


def test_a_model_is_found_by_name_and_by_digest(catalog: Catalog, tmp_path: Path) -> None:
    held = catalog.add(write_upscaler(tmp_path / "sharp.safetensors", compact(scale=2)))
    plan = find_upscaler("sharp", catalog)
    assert (plan.name, plan.path, plan.scale, plan.id) == ("sharp", held.path, 2, held.id)
    assert find_upscaler(plan.ref, catalog) == plan


def test_an_unknown_name_lists_those_that_there_are(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(write_upscaler(tmp_path / "sharp.safetensors"))
    with pytest.raises(UnknownRef, match="None, Lanczos, Nearest, sharp"):
        find_upscaler("softer", catalog)


def test_they_are_listed_by_name_after_the_built_in_ones(catalog: Catalog, tmp_path: Path) -> None:
    for name, width in (("b", 4), ("A", 5)):
        catalog.add(write_upscaler(tmp_path / f"{name}.safetensors", compact(width=width)))
    assert known_upscalers(catalog) == ("None", "Lanczos", "Nearest", "A", "b")


def test_a_pickle_is_converted_first(catalog: Catalog, tmp_path: Path) -> None:
    torch.save({"params_ema": compact().state_dict()}, tmp_path / "old.pth")
    held = catalog.add(tmp_path / "old.pth")
    with pytest.raises(Incompatible) as refused:
        find_upscaler("old", catalog)
    assert refused.value.mend == f"modelhub convert {held.id}"


def test_a_model_of_another_kind_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(tiny.write_vae(tmp_path / "soft.safetensors"))
    with pytest.raises(Incompatible):
        find_upscaler("soft", catalog)


def test_an_empty_name_is_no_name(catalog: Catalog) -> None:
    with pytest.raises(BadValue):
        find_upscaler(" ", catalog)
