"""Tokens stand where they are kept and nowhere else, whatever goes wrong, and each hub sees its own only."""

import base64
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from cli.app import main
from modelhub.errors import ModelHubError
from modelhub.workspace import Workspace
from tests import tables
from tests.servers.civitai import Civitai
from tests.servers.faults import cut, page, slow, status
from tests.servers.huggingface import HuggingFace

CIVITAI, HF = "sentinel-civitai-0001", "hf_sentinelOfHuggingFace0002"
PASTED = "sentinel-pasted-0003"
"""Stands in addresses that people paste."""
REPO = "ada/kip"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@dataclass
class World:
    """Two hubs, somebody who is logged in at both, and all that was shown to them."""

    civitai: Civitai
    hf: HuggingFace
    ground: Path
    """Below it lies everything that a command can write."""
    read: Callable[[], str]
    """What was shown since it was last asked."""
    model: dict[str, Any] = field(default_factory=dict)
    shown: str = ""

    @property
    def ref(self) -> str:
        return f"civitai:{self.model['id']}"

    def run(self, *arguments: str) -> int:
        """A command line's exit code; with tracebacks, should there be any."""
        code = main([*arguments, "-vv"])
        self.shown += self.read()
        return code

    def check(self) -> None:
        """No token was shown, written or sent but where it belongs."""
        for token in (CIVITAI, HF, PASTED):
            assert not [form for form in _forms(token) if form in self.shown], f"{token} was shown"
        kept = {CIVITAI: self.ground / "xdg/modelhub/tokens/civitai", HF: self.ground / "xdg/huggingface/token"}
        for path in (one for one in self.ground.rglob("*") if one.is_file()):
            held = path.read_bytes()
            found = {token for token in (CIVITAI, HF, PASTED) if any(one.encode() in held for one in _forms(token))}
            assert found <= {token for token, place in kept.items() if place == path}, path
        self._check_hubs()

    def _check_hubs(self) -> None:
        for asked in self.civitai.requests:
            told = repr([asked.path, asked.query, asked.body, {**asked.headers, "authorization": ""}])
            assert not any(token in told for token in (CIVITAI, HF, PASTED)), asked
            assert asked.headers.get("authorization", f"Bearer {CIVITAI}") == f"Bearer {CIVITAI}"
        for one in self.hf.requests:
            assert not any(token in repr([one.path, one.query, one.agent]) for token in (CIVITAI, HF, PASTED)), one
            assert one.token in (None, HF)
        for request in (*self.civitai.storage.requests, *self.hf.storage.requests):
            told = repr([request.path, request.query, request.headers.items()])
            assert not any(token in told for token in (CIVITAI, HF, PASTED)), request
            assert "authorization" not in {name.lower() for name in request.headers}


def _forms(token: str) -> tuple[str, ...]:
    """In which a token may be met."""
    return token, quote(token, safe="").replace("-", "%2D"), base64.b64encode(f":{token}".encode()).decode()


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return tables.write(
        tmp_path / "made" / "kip.safetensors", tables.tiny_lora(), {"ss_output_name": "kip"}
    ).read_bytes()


@pytest.fixture
def world(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[World]:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password not-a-token\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Civitai(tokens={CIVITAI: "ada"}, needs_token=True) as civitai, HuggingFace() as hf:
        for name, value in {**civitai.environ, **hf.environ}.items():
            monkeypatch.setenv(name, value)
        hf.users[HF] = "ada"
        card = b"---\nlicense: mit\n---\n"
        hf.put(REPO, {"kip.safetensors": content, "README.md": card}, gated="auto", members={"ada"})
        model = civitai.model(name="Kip the robot")
        civitai.version(model, files=[civitai.file(content)], trainedWords=["kip"], images=[civitai.image(PNG)])
        found = World(civitai, hf, tmp_path, lambda: "".join(capfd.readouterr()), model)
        for hub, token in (("civitai", CIVITAI), ("hf", HF)):
            monkeypatch.setattr("sys.stdin", io.StringIO(token))
            assert found.run("login", hub, "--token-stdin") == 0, found.shown
        yield found
        found.check()


def test_everyday_work_leaves_none_behind(world: World, workspace: Workspace) -> None:
    assert world.run("login") == 0
    assert world.run("search", "kip", "--hub", "civitai") == 0
    assert world.run("search", "kip", "--hub", "hf", "--json") == 0
    assert world.run("pull", world.ref, "--json") == 0, world.shown
    assert world.run("pull", f"hf:{REPO}", "--name", "kip-too", "--jsonl") == 0, world.shown
    for command in ("show 1 --json", "outdated", "update -y", "sync --init", "sync -y", "verify", "card 1"):
        world.run(*command.split())
    assert workspace.catalog.exists()
    assert any(one.token == HF for one in world.hf.requests)
    assert any(CIVITAI in one.headers.get("authorization", "") for one in world.civitai.requests)
    assert world.civitai.storage.requests


@pytest.mark.parametrize("code", [401, 403])
def test_a_hub_that_repeats_a_token_in_its_refusal_is_not_repeated(world: World, code: int) -> None:
    said = {"error": f"the token {CIVITAI} is not valid", "message": f"Bearer {CIVITAI}"}
    world.civitai.once("/api/v1/model", code, said, X_Error_Message=CIVITAI)
    assert world.run("pull", world.ref) != 0
    world.civitai.once("/api/download", code, said, X_Error_Message=CIVITAI)
    assert world.run("pull", world.ref, "--json") != 0


def test_a_storage_that_fails_in_every_way_learns_and_tells_nothing(world: World) -> None:
    world.civitai.storage.faults += [cut(100), status(403), cut(200)]
    world.run("pull", world.ref, "--jsonl")
    world.hf.storage.faults += [page, page, status(401), status(401)]
    world.run("pull", f"hf:{REPO}", "--name", "kip-too")


def test_a_page_instead_of_an_answer_is_not_kept(world: World) -> None:
    world.civitai.once("/api/v1/model", 200, f"<html>{CIVITAI}</html>")
    assert world.run("pull", world.ref) != 0


@pytest.mark.parametrize(
    "address",
    [
        "https://civitai.com/api/download/models/{version}?token={token}",
        "https://civitai.com/models/{model}/kip?modelVersionId={version}&token={token}",
        "https://civitai.com/nothing/here?token={token}",
        "https://huggingface.co/ada/kip/resolve/main/kip.safetensors?token={token}",
        "https://huggingface.co/datasets/ada/kip?token={token}",
        "https://huggingface.co/nothing?token={token}",
        "https://me:{token}@huggingface.co/ada/kip",
        "https://files.example/kip.safetensors?token={token}",
        "https://files.example/kip.safetensors?X-Amz-Signature={token}",
        "https://me:{token}@files.example/kip.safetensors",
        "ftp://files.example/kip.safetensors?token={token}",
        "ftp://me:{token}@files.example/kip.safetensors",
        "files.example/kip.safetensors?token={token}",
        "hf:ada/kip?token={token}",
        "civitai:{model}?token={token}",
    ],
)
def test_a_token_in_a_pasted_address_is_dropped_or_refused(world: World, address: str) -> None:
    version = world.model["modelVersions"][0]["id"]
    world.run("pull", address.format(model=world.model["id"], version=version, token=PASTED), "--json")


def test_a_token_in_a_manifest_goes_no_further(world: World, workspace: Workspace) -> None:
    number = world.model["id"]
    pasted = f'[models]\nkip = "https://civitai.com/models/{number}?token={PASTED}"\n'
    for wrong in ("", f'[[model]]\nref = "ftp://x/y?token={PASTED}"\n'):
        workspace.root.mkdir(exist_ok=True)
        workspace.manifest.write_text(pasted + wrong)
        assert world.run("sync", "-y") == (2 if wrong else 0), world.shown
    assert workspace.lock.exists()
    workspace.manifest.unlink()


def test_a_mirror_that_is_not_trusted_sees_no_token(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MODELHUB_TRUST_MIRRORS": "0", "HF_TOKEN": HF, "CIVITAI_TOKEN": CIVITAI}.items():
        monkeypatch.setenv(name, value)
    world.civitai.needs_token = False
    before = len(world.civitai.requests), len(world.hf.requests)
    world.hf.repos[REPO].gated = False
    for command in (f"pull {world.ref}", f"pull hf:{REPO} --name kip-too", "search kip --hub hf", "outdated"):
        assert world.run(*command.split()) == 0, world.shown
    assert all("authorization" not in one.headers for one in world.civitai.requests[before[0] :])
    assert [one.token for one in world.hf.requests[before[1] :] if one.token] == []


def test_nothing_is_left_by_a_process_that_was_killed(world: World) -> None:
    world.civitai.storage.always = slow(20_000, piece=1000)
    child = subprocess.Popen(
        [sys.executable, "-m", "cli", "pull", world.ref, "--jsonl", "-vv"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    until = time.monotonic() + 20
    while not world.civitai.storage.requests and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.2)
    child.kill()
    world.shown += child.communicate()[0].decode()
    assert child.returncode == -9
    assert world.civitai.storage.requests
    assert list(world.ground.rglob("*.part"))


def test_an_error_that_nobody_foresaw_shows_its_traceback_without_tokens(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr("modelhub.network._network.whole", fails)
    with suppress(ModelHubError):
        world.run("pull", world.ref)
    assert "ZeroDivisionError" in world.shown
