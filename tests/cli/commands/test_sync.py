"""`modelhub sync`: from two files to a collection, on any machine."""

import random
from pathlib import Path
from typing import Any

import pytest

from modelhub.catalog import Catalog, Query
from modelhub.sync import read_lock
from modelhub.workspace import Workspace
from tests.cli.conftest import Ran, Run
from tests.modelhub.sync.contents import lora, vae_weights
from tests.servers.civitai import Civitai
from tests.servers.huggingface import HuggingFace
from tests.servers.storage import Storage


def offered(hub: Civitai, number: int, *, name: str = "kip", **version: Any) -> dict[str, Any]:
    model = hub.model(name=name)
    hub.version(model, files=[hub.file(lora(number), name=f"{name}.safetensors")], **version)
    return model


def declare(workspace: Workspace, text: str) -> None:
    workspace.root.mkdir(exist_ok=True)
    workspace.manifest.write_text(text)


def downloads(hub: Civitai) -> list[str]:
    return [one.path for one in hub.storage.requests]


def test_two_files_give_another_machine_the_same_bytes(
    civitai: Civitai, huggingface: HuggingFace, run: Run, workspace: Workspace, tmp_path: Path
) -> None:
    model = offered(civitai, 1, trainedWords=["kip"])
    huggingface.put("ada/bob", {"bob.safetensors": lora(2)}, tags=["lora"], card={"license": "mit"})
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n[[model]]\nref = "hf:ada/bob"\ntags = ["x"]\n')
    ran = run("sync")
    assert ran.code == 0, ran.err
    assert "2 of 2 models are here; models.lock written" in ran.out
    huggingface.put("ada/bob", {"bob.safetensors": lora(3)})
    civitai.version(model, files=[civitai.file(lora(4))])

    other = Workspace(tmp_path / "other")
    other.root.mkdir()
    for name in ("models.toml", "models.lock"):
        (other.root / name).write_bytes((workspace.root / name).read_bytes())
    ran = run("sync", "--locked", "--home", other.root)
    assert ran.code == 0, ran.err
    assert _digests(other) == _digests(workspace)
    assert other.lock.read_bytes() == workspace.lock.read_bytes()


def _digests(workspace: Workspace) -> dict[str, str]:
    with Catalog.open(workspace) as catalog:
        return {one.name: one.digests["sha256"] for one in catalog.list()}


def test_the_lock_says_all_that_decides_and_no_secret(civitai: Civitai, run: Run, workspace: Workspace) -> None:
    model = offered(civitai, 1, trainedWords=["kip"])
    version = model["modelVersions"][0]
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n')
    run("sync")
    locked = read_lock(workspace.lock)[0]
    assert str(locked.ref) == f"civitai:{model['id']}@{version['id']}+{version['files'][0]['id']}"
    assert (locked.name, locked.kind, locked.base, locked.trigger_words) == ("robot", "lora", "SD 1.5", ("kip",))
    assert locked.files[0].size == len(lora(1))
    assert locked.licence.sell_images == "yes"
    assert "Signature" not in workspace.lock.read_text()


def test_a_second_sync_asks_nobody_and_changes_nothing(civitai: Civitai, run: Run, workspace: Workspace) -> None:
    model = offered(civitai, 1)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n')
    run("sync")
    before = workspace.lock.stat().st_mtime_ns
    civitai.requests.clear()
    assert "1 of 1 models are here; models.lock as it was" in run("sync").out
    assert not civitai.requests
    assert workspace.lock.stat().st_mtime_ns == before


def test_a_dry_run_says_what_would_be_done_and_does_nothing(civitai: Civitai, run: Run, workspace: Workspace) -> None:
    model = offered(civitai, 1)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\nmine = "civitai:999"\n')
    ran = run("sync", "--dry-run")
    assert "1 to pull" in ran.out
    assert "blocked mine" in ran.out
    assert not downloads(civitai)
    assert not workspace.lock.exists()
    assert {one["step"] for one in run("sync", "--dry-run", "--json").json["steps"]} == {"pull", "blocked"}


def test_what_came_is_locked_though_another_failed(civitai: Civitai, run: Run, workspace: Workspace) -> None:
    model = offered(civitai, 1)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\nmine = "civitai:999"\n')
    ran = run("sync")
    assert ran.code == 5
    assert "not synced: mine" in ran.err
    assert [one.name for one in read_lock(workspace.lock)] == ["robot"]


def test_locked_fails_where_the_files_differ_and_writes_nothing(
    civitai: Civitai, run: Run, workspace: Workspace
) -> None:
    model = offered(civitai, 1)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n')
    ran = run("sync", "--locked")
    assert ran.code == 4
    assert "robot is not locked" in ran.err
    run("sync")
    declare(workspace, f'[[model]]\nref = "civitai:{model["id"]}"\nname = "robot"\ntags = ["x"]\n')
    before = workspace.lock.read_bytes()
    assert run("sync", "--locked").code == 4
    assert workspace.lock.read_bytes() == before


def test_other_bytes_at_the_hub_are_an_error_that_names_both(civitai: Civitai, run: Run, workspace: Workspace) -> None:
    model = offered(civitai, 1)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n')
    run("sync")
    run("rm", "-y", "robot")
    file = model["modelVersions"][0]["files"][0]
    file["hashes"] = civitai.file(lora(2))["hashes"]
    ran = run("sync")
    assert ran.code == 7
    assert read_lock(workspace.lock)[0].sha256 in ran.err
    assert file["hashes"]["SHA256"].lower() in ran.err


def test_a_model_that_its_hub_deleted_comes_from_a_folder(
    civitai: Civitai, run: Run, workspace: Workspace, tmp_path: Path
) -> None:
    model = offered(civitai, 1)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n[mirrors]\ncivitai = "{tmp_path}/nas"\n')
    run("sync")
    (tmp_path / "nas" / "deep").mkdir(parents=True)
    (tmp_path / "nas" / "deep" / "whatever.safetensors").write_bytes(lora(1))
    (tmp_path / "nas" / "kip.safetensors").write_bytes(lora(2))
    run("rm", "-y", "robot")
    civitai.models.clear()
    ran = run("sync", "--locked")
    assert ran.code == 0, ran.err
    assert _digests(workspace) == {"robot": read_lock(workspace.lock)[0].sha256}


def test_a_plain_web_folder_and_another_hub_are_mirrors_too(
    civitai: Civitai, huggingface: HuggingFace, run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot, cat = offered(civitai, 1, name="robot"), offered(civitai, 2, name="cat")
    huggingface.put("ada/copies", {"c.safetensors": lora(2)}, tags=["lora"])
    monkeypatch.setenv("MODELHUB_ALLOW_HOSTS", "127.0.0.1")
    with Storage() as storage:
        storage.put("models/lora/robot.safetensors", lora(1), etag='"r"')
        mirrors = f'"*" = ["{storage.origin}/models/", "hf:ada/copies"]'
        declare(
            workspace,
            f'[models]\nrobot = "civitai:{robot["id"]}"\ncat = "civitai:{cat["id"]}"\n[mirrors]\n{mirrors}\n',
        )
        run("sync")
        before = _digests(workspace)
        run("rm", "-y", "robot", "cat")
        civitai.models.clear()
        ran = run("sync", "--locked")
    assert ran.code == 0, ran.err
    assert _digests(workspace) == before


def test_offline_reads_what_is_here_and_asks_nobody(civitai: Civitai, run: Run, workspace: Workspace) -> None:
    model = offered(civitai, 1)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n')
    run("sync")
    civitai.requests.clear()
    assert "1 of 1 models are here as models.lock says" in run("sync", "--offline").out
    path = next((workspace.models / "lora").glob("*.safetensors"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert run("sync", "--offline").code == 7
    path.unlink()
    assert run("sync", "--offline").code == 3
    assert not civitai.requests


def test_offline_a_copy_is_enough(civitai: Civitai, run: Run, workspace: Workspace, tmp_path: Path) -> None:
    model = offered(civitai, 1)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n')
    run("sync")
    (tmp_path / "copy.safetensors").write_bytes(lora(1))
    run("add", tmp_path / "copy.safetensors")
    next((workspace.models / "lora").glob("*.safetensors")).unlink()
    assert run("sync", "--offline").code == 0


def test_what_is_held_already_is_adopted_named_and_tagged(
    civitai: Civitai, run: Run, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "mine.safetensors").write_bytes(lora(1))
    run("add", tmp_path / "mine.safetensors")
    model = offered(civitai, 1)
    declare(workspace, f'[[model]]\nref = "civitai:{model["id"]}"\nname = "robot"\ntags = ["x"]\n')
    ran = run("sync")
    assert "adopt 1" in ran.err
    assert not downloads(civitai)
    with Catalog.open(workspace) as catalog:
        assert catalog.resolve(f"civitai:{model['id']}").name == "robot"
        assert [one.name for one in catalog.list(Query(tag="x"))] == ["robot"]


def test_prune_trashes_what_the_manifest_names_no_longer(civitai: Civitai, run: Run, workspace: Workspace) -> None:
    model = offered(civitai, 1)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n')
    run("sync")
    declare(workspace, "[models]\n")
    assert "unlock robot" in run("sync").err
    assert _digests(workspace)
    declare(workspace, f'[models]\nrobot = "civitai:{model["id"]}"\n')
    run("sync")
    declare(workspace, "")
    assert "trash 1 (robot)" in run("sync", "--prune").err
    assert not _digests(workspace)
    assert read_lock(workspace.lock) == ()


def test_a_required_licence_refuses_before_a_byte_is_fetched(civitai: Civitai, run: Run, workspace: Workspace) -> None:
    model = offered(civitai, 1)
    model["allowCommercialUse"] = ["RentCivit"]
    declare(workspace, f'require = "commercial"\n[models]\nrobot = "civitai:{model["id"]}"\n')
    ran = run("sync")
    assert ran.code == 4
    assert "commercial" in ran.err
    assert not downloads(civitai)


def test_init_writes_what_the_catalog_holds_from_hubs(
    civitai: Civitai, run: Run, workspace: Workspace, kip: Path
) -> None:
    model = offered(civitai, 1)
    run("pull", f"civitai:{model['id']}", "--tag", "x")
    run("add", kip)
    assert "with 1 models" in run("sync", "--init").out
    version = model["modelVersions"][0]
    assert (
        f'ref = "civitai:{model["id"]}@{version["id"]}+{version["files"][0]["id"]}"' in workspace.manifest.read_text()
    )
    civitai.storage.requests.clear()
    assert "1 of 1 models are here; models.lock written" in run("sync").out
    assert not downloads(civitai)
    assert run("sync", "--init").code == 4


def test_without_a_manifest_it_says_how_to_begin(run: Run) -> None:
    ran: Ran = run("sync")
    assert ran.code == 3
    assert "modelhub sync --init" in ran.err


def test_a_folder_with_a_manifest_is_a_workspace(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kip: Path
) -> None:
    declare(Workspace(tmp_path / "cloned"), f'[models]\nrobot = "folder:{kip}"\n')
    monkeypatch.delenv("MODELHUB_HOME")
    monkeypatch.chdir(tmp_path / "cloned")
    assert run("sync").code == 0
    assert (tmp_path / "cloned" / "models" / "lora" / "kip.safetensors").exists()


def test_a_diffusers_folder_is_locked_file_by_file(huggingface: HuggingFace, run: Run, workspace: Workspace) -> None:
    config = b'{"_class_name": "AutoencoderKL", "latent_channels": 4}'
    files = {"config.json": config, "diffusion_pytorch_model.safetensors": vae_weights(), "README.md": b"# vae"}
    huggingface.put("ada/vae", files, tags=["diffusers"])
    declare(workspace, '[models]\nvae = "hf:ada/vae"\n')
    ran = run("sync")
    assert ran.code == 0, ran.err
    locked = read_lock(workspace.lock)[0]
    assert locked.is_folder
    assert _digests(workspace) == {"vae": locked.sha256}
    assert "1 of 1 models are here; models.lock as it was" in run("sync").out


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_manifest_becomes_one_sync_reaches_it(
    run: Run, workspace: Workspace, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    for number in range(5):
        (tmp_path / f"m{number}.safetensors").write_bytes(lora(number))
    for _ in range(4):
        numbers = chance.sample(range(5), chance.randint(0, 4))
        names = chance.sample(["a", "b", "c", "d"], len(numbers))
        wanted = {f"{tmp_path}/m{number}.safetensors": name for number, name in zip(numbers, names, strict=True)}
        tags = {path: chance.sample(["x", "y"], chance.randint(0, 2)) for path in wanted}
        entries = [
            f'[[model]]\nref = "folder:{path}"\nname = "{wanted[path]}"\ntags = {tags[path]}\n' for path in wanted
        ]
        declare(workspace, "\n".join(entries))
        ran = run("sync", "--prune")
        assert ran.code == 0, ran.err
        with Catalog.open(workspace) as catalog:
            held = {one.name: set(one.tags) for one in catalog.list()}
        assert held == {wanted[path]: set(tags[path]) for path in wanted}
        assert {one["step"] for one in run("sync", "--dry-run", "--json").json["steps"]} <= {"keep"}
        assert run("sync", "--locked").code == 0
