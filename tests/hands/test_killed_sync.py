"""A sync that is killed again and again comes to its end, and two files give the same bytes on another machine."""

import hashlib
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from cli.app import main
from modelhub.catalog import Catalog
from modelhub.kinds import Kind
from modelhub.workspace import Workspace
from tests import tables, tables_controls, tables_upscalers
from tests.hands.killing import assert_whole, run_child
from tests.modelhub.sync.contents import model_bytes, pickle_bytes, vae_weights
from tests.servers.civitai import Civitai
from tests.servers.huggingface import HuggingFace
from tests.servers.storage import Storage

TIMES = int(os.environ.get("MODELHUB_KILLS", "3"))
"""Kills: few in the everyday tests, `make prove` asks for more."""
BYTES = int(os.environ.get("MODELHUB_SYNC_BYTES", "20_000_000"))
"""Of all models together; `make prove` asks for 2 GB."""
MODELS = 40
SECONDS = 2.5
"""That the downloads take at least, so that there is time to be killed."""

_SORTS: Mapping[str, tables.Shapes] = {
    "Controlnet": tables_controls.lllite(),
    "Hypernetwork": tables_controls.hypernetwork((320,)),
    "LORA": tables.tiny_lora(),
    "LoCon": tables.tiny_lora(width=2048),
    "TextualInversion": {"emb_params": (4, 768)},
    "Upscaler": tables_upscalers.span(),
    "VAE": tables.ldm_vae(width=1),
}
_KINDS = {Kind.CONTROLNET, Kind.EMBEDDING, Kind.HYPERNETWORK, Kind.LORA, Kind.UPSCALER, Kind.VAE}


@dataclass
class World:
    """Three hubs, and what is asked of them."""

    civitai: Civitai
    huggingface: HuggingFace
    folder: Path
    entries: list[str] = field(default_factory=list)

    @property
    def storages(self) -> tuple[Storage, Storage]:
        return self.civitai.storage, self.huggingface.storage

    def offer(self) -> None:
        """Models of all sorts, most at Civitai, some at HuggingFace, some in a folder; one of them is a pickle."""
        size = BYTES // MODELS
        self._at_civitai("pickled.pt", "TextualInversion", pickle_bytes(), format="PickleTensor")
        for number in range(1, 30):
            sort = list(_SORTS)[number % len(_SORTS)]
            self._at_civitai(f"m{number}.safetensors", sort, _content(sort, number, size))
        for number in range(30, 35):
            self.huggingface.put(f"ada/m{number}", {f"m{number}.safetensors": _content("LORA", number, size)})
            self.entries.append(f'ref = "hf:ada/m{number}"\nname = "m{number}"')
        for number in range(35, 39):
            path = self.folder / f"m{number}.safetensors"
            path.write_bytes(_content("VAE", number, size))
            self.entries.append(f'ref = "folder:{path}"')
        config = b'{"_class_name": "AutoencoderKL", "latent_channels": 4}'
        self.huggingface.put("ada/vae", {"config.json": config, "diffusion_pytorch_model.safetensors": vae_weights()})
        self.entries.append('ref = "hf:ada/vae"\nname = "whole"')

    def _at_civitai(self, name: str, sort: str, content: bytes, *, format: str = "SafeTensor") -> None:
        model = self.civitai.model(name=name.partition(".")[0], type=sort)
        metadata = {"format": format, "size": "pruned", "fp": "fp16"}
        self.civitai.version(model, files=[self.civitai.file(content, name=name, metadata=metadata)])
        self.entries.append(f'ref = "civitai:{model["id"]}"\ntags = ["{sort.lower()}"]')

    def asked(self) -> list[int]:
        """How many requests each storage has had."""
        return [len(one.requests) for one in self.storages]

    def was_asked(self, times: int) -> bool:
        return sum(self.asked()) >= times

    def fetched_again(self, finished: frozenset[str], since: list[int]) -> list[str]:
        """Paths that were asked for since then, though their bytes (by digest) lay whole on the disk."""
        return [
            asked.path
            for storage, begin in zip(self.storages, since, strict=True)
            for asked in storage.requests[begin:]
            if asked.path in storage.files and _sha256(storage.files[asked.path].content) in finished
        ]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with ExitStack() as servers:
        found = World(servers.enter_context(Civitai()), servers.enter_context(HuggingFace()), tmp_path / "nas")
        found.folder.mkdir()
        found.offer()
        for name, value in {**found.civitai.environ, "HF_ENDPOINT": found.huggingface.url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("HF_HUB_OFFLINE")
        monkeypatch.setenv("MODELHUB_RATE", str(int(BYTES / SECONDS)))
        yield found


def test_a_killed_sync_goes_on_and_another_machine_gets_the_same_bytes(
    world: World, catalog: Catalog, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.close()
    workspace.manifest.write_text("".join(f"[[model]]\n{entry}\n\n" for entry in world.entries))
    main(["sync", "--dry-run", "--quiet"])  # imports everything, so that kills meet the work itself
    chance = random.Random(7)
    seen: list[tuple[frozenset[str], list[int]]] = []
    for trial in range(TIMES):
        enough = sum(world.asked()) + chance.randint(1, 2 * MODELS // TIMES)
        at_chance = partial(world.was_asked, enough)
        ended, _ = run_child(["sync", "--quiet"], kill_after=chance.uniform(0, 0.1), kill_when=at_chance)
        assert not ended or trial, "it came to its end before it was killed"
        assert_whole(workspace.root)
        seen.append((_lying(workspace), world.asked()))
    assert seen[-1][0], "every kill came before the first file"
    monkeypatch.delenv("MODELHUB_RATE")
    assert run_child(["sync", "--quiet"])[0]
    assert [world.fetched_again(*each) for each in seen] == [[]] * TIMES
    assert not [path for path in workspace.root.rglob("*.part*") if path.name[0] != "."]

    other = Workspace(tmp_path / "other")
    other.root.mkdir()
    for path in (workspace.manifest, workspace.lock):
        (other.root / path.name).write_bytes(path.read_bytes())
    assert run_child(["sync", "--quiet", "--locked", "--home", str(other.root)])[0]
    assert run_child(["sync", "--quiet", "--offline", "--home", str(other.root)])[0]
    assert _digests(other) == _digests(workspace)
    assert len(_digests(other)) == MODELS
    with Catalog.open(other) as catalog:
        assert {one.facts.kind for one in catalog.list()} >= _KINDS


def _lying(workspace: Workspace) -> frozenset[str]:
    """Digests of all model files that lie whole in the workspace, at their place or on their way to it."""
    folders = (workspace.models, workspace.quarantine)
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return frozenset(_sha256(one.read_bytes()) for one in files if one.suffix not in (".part", ".json", ".lock"))


def _digests(workspace: Workspace) -> dict[str, str]:
    with Catalog.open(workspace) as catalog:
        return {one.name: catalog.sha256(one) for one in catalog.list()}


def _content(sort: str, number: int, size: int) -> bytes:
    """An embedding is nothing but its vectors; all others are padded."""
    return model_bytes(_SORTS[sort], number, size=0 if sort == "TextualInversion" else size)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
