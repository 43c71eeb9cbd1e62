"""A pull killed at any moment is finished by the next one, which fetches nothing again that had come whole."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tables
from tests.hands.killing import Killed, assert_whole, killed_at_random, run_child
from tests.servers.civitai import Civitai

TIMES = int(os.environ.get("MODELHUB_KILLS", "4"))
MODELS = 8


@dataclass(frozen=True)
class Offered:
    """Models at a hub on this machine, each of one file."""

    hub: Civitai
    refs: tuple[str, ...]
    contents: dict[str, bytes]
    """File name -> bytes."""

    def asked_for(self) -> list[str]:
        return [one.path.rpartition("/")[2] for one in self.hub.storage.requests if one.method == "GET"]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Offered]:
    with Civitai() as hub:
        for name, value in hub.environ.items():
            monkeypatch.setenv(name, value)
        refs, contents = [], {}
        for number in range(MODELS):
            path = tables.write(tmp_path / f"kip{number}.safetensors", tables.tiny_lora(rank=64), {"n": str(number)})
            model = hub.model(name=f"Kip {number}")
            contents[path.name] = path.read_bytes()
            hub.version(model, files=[hub.file(contents[path.name], name=path.name)], trainedWords=[f"kip{number}"])
            refs.append(f"civitai:{model['id']}")
        yield Offered(hub, tuple(refs), contents)


@pytest.fixture
def empty(workspace: Workspace, _empty_catalog: Path) -> Callable[[], None]:
    """Brings the workspace back to the state of a new one."""

    def emptied() -> None:
        shutil.rmtree(workspace.root, ignore_errors=True)
        workspace.root.mkdir()
        shutil.copy(_empty_catalog, workspace.catalog)

    return emptied


def test_a_killed_pull_goes_on(offered: Offered, workspace: Workspace, empty: Callable[[], None]) -> None:
    def check(_trial: Killed) -> None:
        assert_whole(workspace.root)
        came = {path.name for path in workspace.models.rglob("*.safetensors")}
        offered.hub.storage.requests.clear()
        ended, _ = run_child(["pull", *offered.refs])
        assert ended
        assert not came & set(offered.asked_for())
        assert len(offered.asked_for()) == len(set(offered.asked_for()))
        _assert_finished(workspace, offered)

    killed_at_random(["pull", *offered.refs], times=TIMES, prepare=empty, check=check)


def _assert_finished(workspace: Workspace, offered: Offered) -> None:
    with Catalog.open(workspace) as catalog:
        held = {one.path.name: one for one in catalog.list()}
        assert held.keys() == offered.contents.keys()
        for name, artifact in held.items():
            assert artifact.path.read_bytes() == offered.contents[name]
            assert artifact.digests["sha256"]
            assert catalog.made_by(artifact.id)
            assert artifact.trigger_words == (artifact.path.stem,)
            assert [one.said["heard"] for one in catalog.sources.of(artifact.id)] == ["hub"]
    # a kill may leave a note half written under a hidden name: `gc` takes it away
    lies = {path.name for path in workspace.models.rglob("*") if path.is_file() and path.suffix != ".part"}
    assert lies == {each for name in held for each in (name, name.replace(".safetensors", ".modelhub.json"))}
    assert not workspace.incoming.exists()


def test_three_pulls_at_once_bring_each_model_once(
    offered: Offered, workspace: Workspace, empty: Callable[[], None]
) -> None:
    empty()
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda _: run_child(["pull", *offered.refs])[0], range(3)))
    assert ended == [True] * 3
    assert sorted(offered.asked_for()) == sorted(offered.contents)
    _assert_finished(workspace, offered)
