"""`modelhub pull` against a hub of this machine, from an address to a row in the catalog."""

from pathlib import Path
from typing import Any

import pytest

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tables
from tests.cli.conftest import Run, Terminal
from tests.servers.civitai import Civitai

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
def content(kip: Path) -> bytes:
    return kip.read_bytes()


def offered(hub: Civitai, content: bytes, *, name: str = "kip.safetensors", **version: Any) -> dict[str, Any]:
    """A model with one version that has these bytes."""
    model = hub.model(name="Kip the robot")
    hub.version(model, files=[hub.file(content, name=name)], **{"trainedWords": ["kip"], **version})
    return model


def test_a_model_comes_with_all_that_the_hub_says(hub: Civitai, content: bytes, run: Run, workspace: Workspace) -> None:
    model = offered(hub, content, images=[hub.image(PNG)])
    ran = run("pull", f"civitai:{model['id']}", "--tag", "robot")
    assert ran.code == 0, ran.err
    assert "kip" in ran.out
    assert (workspace.models / "lora" / "kip.safetensors").read_bytes() == content
    with Catalog.open(workspace) as catalog:
        account = catalog.account(1)
    artifact = account.artifact
    assert (artifact.name, artifact.tags, artifact.trigger_words) == ("kip", ("robot",), ("kip",))
    assert artifact.preview
    assert account.lineage.made_by
    assert account.lineage.made_by.kind == "pull"
    version = model["modelVersions"][0]
    assert account.sources[0].ref == f"civitai:{model['id']}@{version['id']}+{version['files'][0]['id']}"
    assert account.sources[0].said["name"] == "Kip the robot"
    assert not list(workspace.root.rglob("*.part"))
    assert not workspace.incoming.exists()


def test_a_dry_run_says_what_would_come_and_fetches_nothing(hub: Civitai, content: bytes, run: Run) -> None:
    model = offered(hub, content)
    ran = run("pull", f"civitai:{model['id']}", "--dry-run")
    assert ran.code == 0
    assert "Kip the robot v1" in ran.out
    assert "1 to fetch" in ran.out
    assert not hub.storage.requests
    planned = run("pull", f"civitai:{model['id']}", "--dry-run", "--json").json
    assert [one["files"][0]["digests"]["sha256"] for one in planned["fetch"]]
    assert planned["free"] > 0


def test_the_json_of_a_pull(hub: Civitai, content: bytes, run: Run) -> None:
    model = offered(hub, content)
    done = run("pull", f"civitai:{model['id']}", f"civitai:{model['id']}@1", "--json")
    assert done.code == 5
    assert [one["artifact"]["name"] for one in done.json["pulled"]] == ["kip"]
    assert done.json["pulled"][0]["fetched"] == len(content)
    assert [(one["code"], one["ref"]) for one in done.json["failed"]] == [("not-offered", f"civitai:{model['id']}@1")]


def test_quietly_it_prints_the_ids(hub: Civitai, content: bytes, run: Run) -> None:
    model = offered(hub, content)
    assert run("pull", f"civitai:{model['id']}", "-q").out == "1\n"


def test_a_bare_number_is_explained_and_makes_no_workspace(run: Run, workspace: Workspace) -> None:
    ran = run("pull", "12")
    assert ran.code == 2
    assert "civitai:12 is the model" in ran.err
    assert not workspace.catalog.exists()


def test_a_digest_is_looked_for_here_and_then_at_civitai(hub: Civitai, content: bytes, run: Run, kip: Path) -> None:
    model = offered(hub, content)
    digest = model["modelVersions"][0]["files"][0]["hashes"]["SHA256"].lower()
    assert run("pull", digest).code == 0
    asked = len(hub.requests)
    ran = run("pull", digest)
    assert "is here already" in ran.out
    assert len(hub.requests) == asked


def test_a_name_is_for_one_model(hub: Civitai, content: bytes, run: Run) -> None:
    models = [offered(hub, content), offered(hub, content)]
    refs = [f"civitai:{one['id']}" for one in models]
    assert run("pull", *refs, "--name", "robot").code == 2
    assert run("pull", refs[0], "--name", "12").code == 2
    assert run("pull", refs[0], "--name", "robot").code == 0
    assert run("show", "robot").code == 0


def test_a_file_is_chosen_by_its_name_or_precision(hub: Civitai, content: bytes, run: Run, tmp_path: Path) -> None:
    large = tables.write(tmp_path / "large.safetensors", tables.tiny_lora(rank=8)).read_bytes()
    model = hub.model()
    full = {"format": "SafeTensor", "size": "full", "fp": "fp32"}
    files = [hub.file(content), hub.file(large, name="kip-large.safetensors", metadata=full)]
    hub.version(model, files=files)
    for chosen in (["--file", "*large*"], ["--precision", "fp32"], ["--full"]):
        planned = run("pull", f"civitai:{model['id']}", *chosen, "--dry-run", "--json").json
        assert [one["files"][0]["path"] for one in planned["fetch"]] == ["kip-large.safetensors"]
    assert run("pull", f"civitai:{model['id']}", "--precision", "fp8").code == 3


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ({"usageControl": "Generation"}, 9),
        ({"files": []}, 3),
    ],
)
def test_what_cannot_be_had_ends_with_its_own_code(
    hub: Civitai, content: bytes, run: Run, version: dict[str, Any], code: int
) -> None:
    model = hub.model()
    hub.version(model, **{"files": [hub.file(content)], **version})
    assert run("pull", f"civitai:{model['id']}").code == code


def test_a_dangerous_file_is_not_fetched(hub: Civitai, content: bytes, run: Run) -> None:
    model = hub.model()
    hub.version(model, files=[hub.file(content, pickleScanResult="Danger")])
    assert run("pull", f"civitai:{model['id']}").code == 6
    assert not hub.storage.requests


def test_wrong_bytes_end_with_7(hub: Civitai, content: bytes, run: Run) -> None:
    model = offered(hub, content)
    model["modelVersions"][0]["files"][0]["hashes"] = {"SHA256": "AB" * 32}
    assert run("pull", f"civitai:{model['id']}").code == 7


def test_a_required_licence_is_checked_before_a_byte_comes(hub: Civitai, content: bytes, run: Run) -> None:
    model = hub.model(allowCommercialUse=["None"])
    hub.version(model, files=[hub.file(content)])
    ran = run("pull", f"civitai:{model['id']}", "--require", "commercial")
    assert ran.code == 4
    assert not hub.storage.requests
    assert run("pull", f"civitai:{model['id']}", "--require", "nonsense").code == 2


def test_for_a_base_of_another_family_it_warns(hub: Civitai, content: bytes, run: Run) -> None:
    model = offered(hub, content)
    ran = run("pull", f"civitai:{model['id']}", "--for-base", "sdxl", "--dry-run")
    assert "not for sdxl" in ran.out


def test_who_is_asked_may_say_no(
    hub: Civitai, content: bytes, run: Run, monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    model = offered(hub, content)
    terminal = Terminal("n\n")
    monkeypatch.setattr("sys.stdin", terminal)
    assert run("pull", f"civitai:{model['id']}").code == 0
    assert not list(workspace.root.rglob("*.safetensors"))


def test_a_tree_of_the_web_is_what_it_means(hub: Civitai, content: bytes, run: Run) -> None:
    model = offered(hub, content)
    assert run("pull", f"https://civitai.com/models/{model['id']}/kip?modelVersionId=20001").code == 0
    shown = run("show", f"https://civitai.com/models/{model['id']}", "--json").json
    assert shown["id"] == 1


def test_what_is_not_held_is_shown_before_it_comes(hub: Civitai, content: bytes, run: Run) -> None:
    model = offered(hub, content)
    hub.version(model, files=[hub.file(content)], name="second")
    ran = run("show", f"civitai:{model['id']}")
    assert ran.code == 0, ran.err
    for told in ("Kip the robot second", "not held: modelhub pull civitai:", "lora, sd1", "rank 4", "other versions"):
        assert told in ran.out
    document = run("show", f"civitai:{model['id']}", "--json").json
    assert (document["held"], document["identified"]["kind"]) == (False, "lora")
    assert [one["version"] for one in document["versions"]] == ["v1"]


def test_what_a_hub_has_no_longer_is_shown_as_it_was(
    hub: Civitai, content: bytes, run: Run, workspace: Workspace
) -> None:
    model = offered(hub, content)
    run("pull", f"civitai:{model['id']}")
    with Catalog.open(workspace) as catalog:
        catalog.sources.gone(catalog.sources.of(1)[0].ref)
    ran = run("show", "1")
    assert "deleted at the hub since" in ran.out
    assert "Kip the robot" in ran.out


def test_a_search_at_a_hub_lists_addresses_and_what_is_held(hub: Civitai, content: bytes, run: Run) -> None:
    first, second = offered(hub, content), offered(hub, content)
    run("pull", f"civitai:{first['id']}")
    found = run("search", "kip", "--hub", "civitai", "--json").json
    assert {one["ref"].partition("@")[0]: one["held"] for one in found} == {
        f"civitai:{first['id']}": 1,
        f"civitai:{second['id']}": None,
    }
    assert f"civitai:{second['id']}" in run("search", "kip", "--hub", "civitai", "--kind", "lora").out
    assert run("search", "kip", "--hub", "civitai", "--limit", "1", "-q").out.count("civitai:") == 1
    assert run("search", "kip", "--hub", "nowhere").code == 2
    assert run("search", "kip", "--hub", "civitai", "--images").code == 2
