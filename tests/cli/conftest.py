"""Runs the command line in this process, as the entry point does."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from modelhub.catalog import Catalog
from tests import tables
from tests.servers.civitai import Civitai
from tests.servers.huggingface import HuggingFace


@dataclass(frozen=True)
class Ran:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal(io.StringIO):
    """A stream that somebody sits at."""

    def isatty(self) -> bool:
        return True


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return ran


@pytest.fixture
def base(catalog: Catalog, tmp_path: Path) -> int:
    """The tiny checkpoint, catalogued as `tiny`: its ID."""
    from tests import tiny  # and with it torch, which most commands do without

    return catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny").id


@pytest.fixture
def kip(tmp_path: Path) -> Path:
    """A small LoRA file."""
    return tables.write(tmp_path / "files" / "kip.safetensors", tables.tiny_lora(), {"ss_output_name": "kip_v3"})


@pytest.fixture
def vae(tmp_path: Path) -> Path:
    return tables.write(tmp_path / "files" / "plain-vae.safetensors", tables.ldm_vae(width=1))


@pytest.fixture
def civitai(monkeypatch: pytest.MonkeyPatch) -> Iterator[Civitai]:
    """The hub as this process reaches it."""
    with Civitai() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def hub(civitai: Civitai) -> Civitai:
    """The hub, where there is no other."""
    return civitai


@pytest.fixture
def huggingface(monkeypatch: pytest.MonkeyPatch) -> Iterator[HuggingFace]:
    """The hub as this process reaches it."""
    with HuggingFace() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.delenv("HF_HUB_OFFLINE")
        yield running
