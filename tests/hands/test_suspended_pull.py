"""A pull that is suspended, as Ctrl-Z does it, goes on when it is told to."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tables
from tests.hands.killing import begun_child
from tests.servers.civitai import Civitai


def test_a_suspended_pull_takes_nothing_and_goes_on_afterwards(
    monkeypatch: pytest.MonkeyPatch, catalog: Catalog, workspace: Workspace, tmp_path: Path
) -> None:
    content = tables.write(tmp_path / "kip.safetensors", tables.tiny_lora(rank=1024)).read_bytes()
    with Civitai() as hub:
        for name, value in {**hub.environ, "MODELHUB_RATE": str(len(content) // 2)}.items():
            monkeypatch.setenv(name, value)
        model = hub.model(name="Kip")
        hub.version(model, files=[hub.file(content, name="kip.safetensors")])
        child = begun_child(["pull", f"civitai:{model['id']}"])
        _wait_for(lambda: 0 < _came(workspace) < len(content))
        os.kill(child, signal.SIGSTOP)
        time.sleep(0.1)
        came = _came(workspace)
        time.sleep(0.5)
        assert _came(workspace) == came < len(content)
        os.kill(child, signal.SIGCONT)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len([one for one in hub.storage.requests if one.method == "GET"]) == 1
    (artifact,) = catalog.list()
    assert artifact.path.read_bytes() == content


def _came(workspace: Workspace) -> int:
    return sum(part.stat().st_size for part in workspace.incoming.rglob("*.part"))


def _wait_for(claim: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.01)
