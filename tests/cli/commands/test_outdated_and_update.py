"""`modelhub outdated` and `modelhub update`, against hubs that go on publishing."""

from typing import Any

import pytest

from modelhub.catalog import Catalog
from modelhub.sync import read_lock
from modelhub.workspace import Workspace
from tests.cli.conftest import Run
from tests.modelhub.sync.contents import lora
from tests.servers.civitai import Civitai
from tests.servers.huggingface import HuggingFace


@pytest.fixture
def kip(civitai: Civitai, run: Run) -> dict[str, Any]:
    """A model at the hub, held in its first version."""
    model = civitai.model(name="kip")
    civitai.version(model, files=[civitai.file(lora(1), name="kip_v1.safetensors")])
    assert run("pull", f"civitai:{model['id']}", "--name", "kip", "--tag", "robot").code == 0
    return model


def newer(hub: Civitai, model: dict[str, Any], number: int = 2, **fields: Any) -> dict[str, Any]:
    return hub.version(model, files=[hub.file(lora(number), name=f"kip_v{number}.safetensors")], **fields)


def declare(workspace: Workspace, text: str) -> None:
    workspace.manifest.write_text(text)


def held(workspace: Workspace) -> dict[str, int]:
    with Catalog.open(workspace) as catalog:
        return {one.name: one.id for one in catalog.list()}


def test_a_version_that_came_out_later_is_told(kip: dict[str, Any], civitai: Civitai, run: Run) -> None:
    assert run("outdated").out == "nothing newer for 1 models from hubs\n"
    version = newer(civitai, kip)
    ran = run("outdated")
    assert ran.code == 0
    assert [line.split()[:5] for line in ran.out.splitlines()][1] == ["1", "kip", "v1", "v2", "SD"]
    assert f"civitai:{kip['id']}@{version['id']}" in ran.out
    assert run("outdated", "-q").out == "1\n"


def test_one_question_is_enough_for_many_models(civitai: Civitai, run: Run) -> None:
    for number in range(3):
        model = civitai.model(name=f"m{number}")
        civitai.version(model, files=[civitai.file(lora(number), name=f"m{number}.safetensors")])
        run("pull", f"civitai:{model['id']}")
    civitai.requests.clear()
    run("outdated")
    assert len(civitai.requests) == 1


def test_a_version_for_another_base_is_told_apart(kip: dict[str, Any], civitai: Civitai, run: Run) -> None:
    newer(civitai, kip, baseModel="SDXL 1.0")
    assert "nothing newer" in run("outdated").out
    ran = run("outdated", "--all-bases")
    assert ran.out.startswith("for other bases:\n")
    assert "SDXL 1.0" in ran.out
    assert run("outdated", "--json").json[0]["state"] == "other-base"


def test_a_version_published_earlier_is_no_news_wherever_it_stands(
    kip: dict[str, Any], civitai: Civitai, run: Run
) -> None:
    newer(civitai, kip, publishedAt="2024-05-01T00:00:00.000Z")
    assert "nothing newer" in run("outdated").out


def test_a_deleted_model_is_told_and_kept(
    kip: dict[str, Any], civitai: Civitai, run: Run, workspace: Workspace
) -> None:
    del civitai.models[kip["id"]]
    assert "is gone from the hub; what it said last is kept" in run("outdated").out
    with Catalog.open(workspace) as catalog:
        source = catalog.sources.of(1)[0]
    assert source.gone_at
    assert source.said["name"] == "kip"


def test_a_base_that_the_hub_renamed_is_told(kip: dict[str, Any], civitai: Civitai, run: Run) -> None:
    kip["modelVersions"][0]["baseModel"] = "Illustrious"
    assert "the hub calls its base Illustrious now, and called it SD 1.5 before" in run("outdated").out


def test_a_commit_is_newer_only_if_the_held_file_changed(huggingface: HuggingFace, run: Run) -> None:
    huggingface.put("ada/bob", {"bob.safetensors": lora(1), "README.md": b"one"}, tags=["lora"])
    run("pull", "hf:ada/bob")
    huggingface.put("ada/bob", {"README.md": b"two"})
    assert "nothing newer" in run("outdated").out
    huggingface.put("ada/bob", {"bob.safetensors": lora(2)})
    assert run("outdated", "-q").out == "1\n"


def test_update_lets_the_new_version_take_name_and_tags(
    kip: dict[str, Any], civitai: Civitai, run: Run, workspace: Workspace
) -> None:
    newer(civitai, kip)
    ran = run("update")
    assert ran.code == 0, ran.err
    assert held(workspace) == {"kip": 2, "kip-v1": 1}
    with Catalog.open(workspace) as catalog:
        assert catalog.artifact(2).tags == ("robot",)
        assert all(one.path.exists() for one in catalog.list())
    assert "nothing newer" in run("outdated").out
    assert run("update").out == "nothing updated\n"


def test_update_replaces_when_it_is_asked_to(
    kip: dict[str, Any], civitai: Civitai, run: Run, workspace: Workspace
) -> None:
    newer(civitai, kip)
    assert "in the trash" in run("update", "kip", "--replace").out
    assert held(workspace) == {"kip": 2}
    assert run("trash").out


def test_a_dry_run_of_update_fetches_nothing(
    kip: dict[str, Any], civitai: Civitai, run: Run, workspace: Workspace
) -> None:
    newer(civitai, kip)
    civitai.storage.requests.clear()
    assert "1 to pull" in run("update", "--dry-run").out
    assert not civitai.storage.requests
    assert held(workspace) == {"kip": 1}


def test_update_moves_the_lock(kip: dict[str, Any], civitai: Civitai, run: Run, workspace: Workspace) -> None:
    declare(workspace, f'[models]\nkip = "civitai:{kip["id"]}"\n')
    run("sync")
    before = read_lock(workspace.lock)[0]
    version = newer(civitai, kip)
    assert run("update").code == 0
    after = read_lock(workspace.lock)
    assert [(one.name, one.ref.version) for one in after] == [("kip", str(version["id"]))]
    assert after[0].sha256 != before.sha256
    assert run("sync", "--locked").code == 0
    assert held(workspace) == {"kip": 2, "kip-v1": 1}


def test_a_pinned_entry_is_left_unless_it_is_unpinned_by_name(
    kip: dict[str, Any], civitai: Civitai, run: Run, workspace: Workspace
) -> None:
    version = kip["modelVersions"][0]
    declare(workspace, f'# mine\n[models]\nkip = "civitai:{kip["id"]}@{version["id"]}"  # the good one\n')
    run("sync")
    newer(civitai, kip)
    assert "modelhub update 1 --unpin" in run("outdated").out
    assert "is left: models.toml asks for" in run("update").err
    assert held(workspace) == {"kip": 1}
    assert run("update", "--unpin").code == 2
    assert run("update", "kip", "--unpin").code == 0
    assert workspace.manifest.read_text() == f'# mine\n[models]\nkip = "civitai:{kip["id"]}"  # the good one\n'
    assert run("sync", "--locked").code == 0
    assert held(workspace) == {"kip": 2, "kip-v1": 1}
