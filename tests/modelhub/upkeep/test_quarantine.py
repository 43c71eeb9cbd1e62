"""What lies under quarantine alone is shown to nobody, and says how it gets out."""

from pathlib import Path

import torch

from modelhub.catalog import Catalog
from modelhub.kinds import Artifact
from modelhub.upkeep.quarantine import release, usable
from tests import tables


def quarantined(catalog: Catalog, name: str) -> Artifact:
    path = catalog.workspace.quarantine / "lora" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({key: torch.zeros(shape) for key, shape in tables.tiny_lora().items()}, path)
    return catalog.add(path)


def test_what_lies_there_alone_is_kept_back(catalog: Catalog, tmp_path: Path) -> None:
    pickle = quarantined(catalog, "kip.pt")
    free = catalog.add(tables.write(tmp_path / "mo.safetensors", tables.tiny_lora(rank=2)))
    shown, kept_back = usable([pickle, free], catalog.workspace)
    assert [one.id for one in shown] == [free.id]
    assert kept_back == ((pickle.id, f"it is under quarantine: modelhub convert {pickle.id}"),)


def test_a_copy_of_the_owners_own_is_shown_instead(catalog: Catalog, tmp_path: Path) -> None:
    pickle = quarantined(catalog, "kip.pt")
    own = tmp_path / "kip.pt"
    own.write_bytes(pickle.path.read_bytes())
    ((shown,), kept_back) = usable([catalog.add(own)], catalog.workspace)
    assert ([at.path for at in shown.locations], kept_back) == ([own], ())


def test_of_a_pipeline_its_first_pickle_is_to_be_converted(catalog: Catalog) -> None:
    path = catalog.workspace.quarantine / "checkpoint" / "old" / "vae" / "diffusion_pytorch_model.bin"
    path.parent.mkdir(parents=True)
    torch.save({"decoder.conv_in.weight": torch.zeros(8, 4, 3, 3)}, path)
    (path.parent / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    (path.parents[1] / "model_index.json").write_text('{"vae": ["diffusers", "AutoencoderKL"]}')
    assert release(catalog.add(path.parents[1])) == f"modelhub convert {path}"


def test_of_one_networks_folder_all_is_converted_together(catalog: Catalog) -> None:
    path = catalog.workspace.quarantine / "vae" / "old" / "diffusion_pytorch_model.bin"
    path.parent.mkdir(parents=True)
    torch.save({"decoder.conv_in.weight": torch.zeros(8, 4, 3, 3)}, path)
    (path.parent / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    assert release(catalog.add(path.parent)) == "modelhub convert 1"
