"""The server that our tests talk to is the hub that HuggingFace's own client, unmodified, expects."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.huggingface import HuggingFace

_WEIGHTS = b"weights" * 1000
_CLIENT = """
import json, sys
from pathlib import Path
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError

def failure(call, *args, **more):
    try:
        call(*args, **more)
    except HfHubHTTPError as error:
        return type(error).__name__

first, cache = sys.argv[1:]
api = HfApi(token=False)
kip = HfApi(token="hf_kip")
info = api.model_info("kip/styles", files_metadata=True)
snapshot = snapshot_download("kip/styles", token=False, cache_dir=cache)
print(json.dumps({
    "file": Path(hf_hub_download("kip/styles", "unet/w.safetensors", token="hf_kip", cache_dir=cache)).read_text(),
    "small": Path(hf_hub_download("kip/styles", "config.json", token="hf_kip", cache_dir=cache)).read_text(),
    "old": Path(hf_hub_download("kip/styles", "config.json", revision=first, token=False, cache_dir=cache)).read_text(),
    "snapshot": sorted(one.relative_to(snapshot).as_posix() for one in Path(snapshot).rglob("*") if one.is_file()),
    "tree": sorted(one.path for one in api.list_repo_tree("kip/styles", recursive=True)),
    "top": sorted(one.path for one in api.list_repo_tree("kip/styles")),
    "scan": api.get_paths_info("kip/styles", ["unet/w.safetensors", "none"], expand=True)[0].security.status,
    "sha": info.sha,
    "siblings": {one.rfilename: one.lfs.sha256 if one.lfs else None for one in info.siblings},
    "found": [one.id for one in api.list_models(search="kip", sort="downloads", expand=["downloads"])],
    "commits": [one.commit_id for one in api.list_repo_commits("kip/styles")],
    "whoami": kip.whoami()["name"],
    "open": api.auth_check("kip/styles") is None,
    "gated": failure(hf_hub_download, "kip/gated", "w.safetensors", token="hf_kip", cache_dir=cache),
    "gate": failure(kip.auth_check, "kip/gated"),
    "private": failure(api.model_info, "kip/private"),
    "missing": failure(hf_hub_download, "kip/styles", "none.bin", token=False, cache_dir=cache),
    "revision": failure(api.model_info, "kip/styles", revision="none"),
    "disabled": failure(api.model_info, "kip/disabled"),
    "stranger": failure(HfApi(token="hf_wrong").whoami),
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    cache = tmp_path_factory.mktemp("cache")
    with HuggingFace(page=2) as hub:
        hub.users["hf_kip"] = "kip"
        first = hub.put("kip/styles", {"config.json": b"{}", "a.txt": b"a"}, downloads=3)
        head = hub.put("kip/styles", {"config.json": b"[]", "unet/w.safetensors": _WEIGHTS}, scans={})
        hub.put("kip/gated", {"w.safetensors": b"w"}, gated="manual", downloads=9)
        hub.put("kip/private", {"w.safetensors": b"w"}, private=True)
        hub.put("kip/disabled", {"w.safetensors": b"w"}, disabled=True, downloads=1)
        environ = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(cache)}
        ran = subprocess.run(
            [sys.executable, "-c", _CLIENT, first, str(cache)], env=environ, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        yield {**json.loads(ran.stdout), "commits expected": [head, first], "hub": hub}


class TestTheGenuineClient:
    def test_downloads_large_and_small_files_of_any_commit(self, said: dict[str, Any]) -> None:
        assert (said["file"], said["small"], said["old"]) == (_WEIGHTS.decode(), "[]", "{}")
        assert said["snapshot"] == ["a.txt", "config.json", "unet/w.safetensors"]

    def test_takes_no_token_to_the_storage(self, said: dict[str, Any]) -> None:
        assert said["hub"].storage.requests
        assert not any(one.headers["Authorization"] for one in said["hub"].storage.requests)

    def test_lists_the_tree_page_by_page(self, said: dict[str, Any]) -> None:
        assert said["tree"] == ["a.txt", "config.json", "unet", "unet/w.safetensors"]
        assert said["top"] == ["a.txt", "config.json", "unet"]

    def test_learns_commits_digests_and_scans(self, said: dict[str, Any]) -> None:
        assert said["sha"] == said["commits expected"][0]
        assert said["commits"] == said["commits expected"]
        assert len(said["siblings"].pop("unet/w.safetensors")) == 64
        assert said["siblings"] == {"a.txt": None, "config.json": None}
        assert said["scan"] == "safe"

    def test_finds_models_and_knows_whose_token_it_has(self, said: dict[str, Any]) -> None:
        assert said["found"] == ["kip/gated", "kip/styles", "kip/disabled"]
        assert said["whoami"] == "kip"

    def test_understands_every_refusal(self, said: dict[str, Any]) -> None:
        assert said["gated"] == said["gate"] == "GatedRepoError"
        assert said["private"] == "RepositoryNotFoundError"
        assert said["missing"] == "RemoteEntryNotFoundError"
        assert said["revision"] == "RevisionNotFoundError"
        assert said["disabled"] == "DisabledRepoError"
        assert said["stranger"] == "HfHubHTTPError"

    def test_asks_for_nothing_else(self, said: dict[str, Any]) -> None:
        known = ("/api/models", "/api/whoami-v2", "/resolve/", "/api/agent-harnesses")
        assert all(any(part in one.path for part in known) for one in said["hub"].requests)
