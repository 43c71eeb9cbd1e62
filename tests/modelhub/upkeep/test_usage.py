"""Room is counted once a file, and grouped as asked."""

import os
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.upkeep.usage import By, Row, usage
from modelhub.workspace import Workspace
from tests.tables import ldm_vae, tiny_lora, write


@pytest.fixture
def sizes(catalog: Catalog, workspace: Workspace, tmp_path: Path) -> tuple[int, int]:
    """A LoRA with a copy and a hard link, and a VAE without family; gives their bytes."""
    lora = write(workspace.models / "lora" / "kip.safetensors", tiny_lora())
    catalog.add(lora, tags=["robot", "style"])
    catalog.add(write(tmp_path / "copy" / "kip.safetensors", tiny_lora()))
    os.link(lora, tmp_path / "copy" / "link.safetensors")
    catalog.add(tmp_path / "copy" / "link.safetensors")
    vae = write(tmp_path / "vae.safetensors", ldm_vae(width=1))
    catalog.add(vae)
    return lora.stat().st_size, vae.stat().st_size


def test_hard_links_count_once(catalog: Catalog, sizes: tuple[int, int]) -> None:
    lora, vae = sizes
    told = usage(catalog, By.KIND)
    assert set(told.rows) == {Row("lora", 1, 3 * lora, 2 * lora), Row("vae", 1, vae, vae)}
    assert told.total == Row("all", 2, 3 * lora + vae, 2 * lora + vae)
    assert told.duplicates == lora


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (By.FAMILY, {"sd1", "?"}),
        (By.TAG, {"robot", "style", "(no tag)"}),
        (By.FOLDER, {"models/lora", "{tmp}/copy", "{tmp}"}),
    ],
)
def test_groups_are_as_asked(catalog: Catalog, sizes: tuple[int, int], tmp_path: Path, by: By, names: set[str]) -> None:
    assert {row.name for row in usage(catalog, by).rows} == {name.replace("{tmp}", str(tmp_path)) for name in names}


def test_the_largest_group_stands_first(catalog: Catalog, sizes: tuple[int, int]) -> None:
    rows = usage(catalog, By.KIND).rows
    assert rows[0].real >= rows[1].real


def test_missing_trashed_and_cached_files_are_told(
    catalog: Catalog, sizes: tuple[int, int], workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "vae.safetensors").unlink()
    catalog.remove(1)
    (workspace.cache / "latents").mkdir(parents=True)
    (workspace.cache / "latents" / "a").write_bytes(b"x" * 7)
    told = usage(catalog, By.KIND)
    assert (told.rows, told.missing, told.trash, told.cache) == ((), 1, sizes[0], 7)
