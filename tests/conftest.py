"""No test sees the user's own workspace, settings, model caches or network."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

# Tiny models gain nothing from threads, and lose much to threads that wait for one another; children inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

import inference  # noqa: F401  # before anything imports transformers: mends a torchvision of another torch
from modelhub.catalog import Catalog
from modelhub.tokens import PLACES
from modelhub.workspace import Workspace

settings.register_profile("shared machines", deadline=None)
settings.load_profile("shared machines")

_HUBS = (
    *(name for place in PLACES.values() for name in place.variables),
    *("HF_ENDPOINT", "HF_HOME", "HF_TOKEN_PATH", "MODELHUB_CIVITAI", "MODELHUB_ALLOW_HOSTS", "MODELHUB_TRUST_MIRRORS"),
    *("MODELHUB_RATE", "MODELHUB_AT_ONCE", "MODELHUB_CONNECTIONS", "MODELHUB_XET"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
)
"""Variables that say how hubs are reached, and as whom."""


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "xdg"))
    monkeypatch.setenv("MODELHUB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MODELHUB_DEVICE", raising=False)
    for variable in _HUBS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def _empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, since migrating takes longer than most tests."""
    workspace = Workspace(tmp_path_factory.mktemp("empty"))
    Catalog.create(workspace).close()
    return workspace.catalog


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """The one that `MODELHUB_HOME` names; nothing is in it yet."""
    return Workspace(tmp_path / "home")


@pytest.fixture
def catalog(workspace: Workspace, _empty_catalog: Path) -> Iterator[Catalog]:
    workspace.root.mkdir()
    shutil.copy(_empty_catalog, workspace.catalog)
    with Catalog.open(workspace) as opened:
        yield opened


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 20 KiB: one picture, and not two."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20k", "none", str(where)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a disk to fill")
    yield where
    subprocess.run(["umount", str(where)], check=True)
