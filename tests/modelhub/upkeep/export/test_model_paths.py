"""ComfyUI is told of folders that hold one kind, in a file that is never somebody else's."""

from pathlib import Path

import pytest
import yaml

from modelhub.catalog import Catalog
from modelhub.errors import Conflict
from modelhub.upkeep.export.model_paths import FILE, ModelPaths, model_paths, paths_yaml, write_model_paths
from tests import tables


def lora(path: Path, rank: int) -> Path:
    return tables.write(path, tables.tiny_lora(rank=rank))


def test_folders_of_one_kind_are_named_by_their_outermost(catalog: Catalog, tmp_path: Path) -> None:
    for rank, place in enumerate(("loras/a", "loras/style/b", "more loras 数/c"), start=1):
        catalog.add(lora(tmp_path / f"{place}.safetensors", rank))
    catalog.add(tables.write(tmp_path / "vae" / "v.safetensors", tables.ldm_vae(width=1)))
    paths = model_paths(catalog, catalog.list())
    assert paths.mixed == ()
    assert paths.folders == {
        "loras": (tmp_path / "loras", tmp_path / "more loras 数"),
        "vae": (tmp_path / "vae",),
    }
    assert yaml.safe_load(paths_yaml(paths)) == {
        "modelhub": {
            "loras": f"{tmp_path / 'loras'}\n{tmp_path / 'more loras 数'}\n",
            "vae": f"{tmp_path / 'vae'}\n",
        }
    }


def test_a_folder_that_mixes_kinds_anywhere_below_it_is_not_named(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add(lora(tmp_path / "mixed" / "a.safetensors", 1))
    catalog.add(tables.write(tmp_path / "mixed" / "below" / "v.safetensors", tables.ldm_vae(width=1)))
    paths = model_paths(catalog, catalog.list())
    assert paths.mixed == ((tmp_path / "mixed", "loras, vae"),)
    assert paths.folders == {"vae": (tmp_path / "mixed" / "below",)}


def test_what_is_missing_names_no_folder(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "loras" / "a.safetensors", 1)
    catalog.add(path)
    catalog.files.mark_missing([str(path)])
    assert model_paths(catalog, catalog.list()) == ModelPaths({}, ())
    assert yaml.safe_load(paths_yaml(ModelPaths({}, ()))) == {"modelhub": {}}


def test_the_file_is_replaced_while_it_is_ours_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / FILE
    first, second = (paths_yaml(ModelPaths({"loras": (Path(name),)}, ())) for name in ("/a", "/b"))
    write_model_paths(path, first)
    write_model_paths(path, second)
    assert path.read_text() == second
    for edited in (second + "\n", "a111:\n    base_path: /somewhere\n"):
        path.write_text(edited)
        with pytest.raises(Conflict, match="not ours"):
            write_model_paths(path, first)
        assert path.read_text() == edited
