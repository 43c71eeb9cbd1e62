"""docs/hubs.md is run, line by line, against both hubs on this machine; what it prints is what the page shows."""

import io
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from modelhub import errors, hubs, packs
from modelhub.settings._hubs import _ENTRIES
from modelhub.sync import read_manifest
from tests import tables
from tests.cli.conftest import Run
from tests.cli.guides import assert_named_commands_exist, assert_shown, commands_of
from tests.servers.civitai import Civitai
from tests.servers.huggingface import HuggingFace

GUIDE = Path(__file__).parents[2] / "docs" / "hubs.md"
TEXT = GUIDE.read_text(encoding="utf-8")
Before = Mapping[str, Callable[[], object]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home, with a token and a folder of models from before."""
    monkeypatch.delenv("MODELHUB_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    (tmp_path / "token.txt").write_text("civitai-secret\n")
    made(tmp_path / "webui" / "old-lamp.safetensors", rank=2)
    return tmp_path


@pytest.fixture
def both(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Before]:
    """Both hubs, and what happens there before a line of the page is typed."""
    with Civitai() as civitai, HuggingFace() as huggingface:
        for name, value in {**civitai.environ, **huggingface.environ}.items():
            monkeypatch.setenv(name, value)
        civitai.tokens["civitai-secret"] = "ada"
        kip = civitai.model(name="Kip the robot")
        publish(civitai, kip, made(home / "made" / "kip.safetensors", rank=4), words=["kip robot"])
        lamp = civitai.model(name="Old lamp")
        publish(civitai, lamp, (home / "webui" / "old-lamp.safetensors").read_bytes(), words=["lamp"])
        card = {"license": "mit", "instance_prompt": "ink style"}
        files: dict[str, bytes | None] = {"ink.safetensors": made(home / "made" / "ink.safetensors", rank=8)}
        huggingface.put("mira/ink-style", files, tags=["lora"], card=card)
        huggingface.put("mira/bad-hands", {"bad-hands.pt": embedding(home / "made" / "bad-hands.pt")})
        newer = made(home / "made" / "kip-2.safetensors", rank=6)
        yield {"modelhub outdated": lambda: publish(civitai, kip, newer, words=["kip robot"])}


def made(path: Path, *, rank: int) -> bytes:
    return tables.write(path, tables.tiny_lora(rank=rank)).read_bytes()


def embedding(path: Path) -> bytes:
    torch.save({"string_to_token": {"*": 265}, "string_to_param": {"*": torch.ones(2, 768)}}, path)
    return path.read_bytes()


def publish(hub: Civitai, model: dict[str, Any], content: bytes, *, words: list[str]) -> None:
    name = model["name"].split()[0].lower()
    number = len(model["modelVersions"]) + 1
    file = hub.file(content, name=f"{name}.safetensors" if number == 1 else f"{name}-v{number}.safetensors")
    hub.version(model, files=[file], trainedWords=words, images=[hub.image(b"\xff\xd8\xff\xe0 a picture")])


def test_every_command_of_the_guide_prints_what_the_guide_shows(
    run: Run, home: Path, both: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line, shown in commands_of(TEXT):
        both.get(line, lambda: None)()
        words = shlex.split(line.replace("~", str(home)))
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
        elif words[0] == "modelhub":
            _type(run, line, words[1:], shown, home, monkeypatch)
        else:
            subprocess.run(words, check=True)


def _type(run: Run, line: str, words: list[str], shown: list[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "<" in words:
        *words, _, path = words
        monkeypatch.setattr("sys.stdin", io.StringIO(Path(path).read_text(encoding="utf-8")))
    ran = run(*words)
    assert ran.code == 0, f"$ {line}\n{ran.out}{ran.err}"
    out = ran.out.replace(str(home), "~")
    assert_shown(line, out, shown)


def test_every_command_named_in_the_text_exists_with_its_options(run: Run) -> None:
    assert_named_commands_exist(TEXT, run)


def test_every_address_on_the_page_is_one() -> None:
    rows = re.findall(r"^\| (Civitai|HuggingFace|a folder) \| (.*) \|$", TEXT, re.MULTILINE)
    written = [one for _, row in rows for one in re.findall(r"`([^`@][^`]*)`", row)]
    digits = {"civitai:hash:DIGITS": "civitai:hash:deadbeef00"}
    assert {hubs.parse(digits.get(one, one)).hub for one in written} == {"civitai", "hf", "folder"}


def test_the_manifest_on_the_page_reads(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)[0], encoding="utf-8")
    manifest = read_manifest(path)
    assert manifest.require == "commercial"
    assert [(one.name, one.tags) for one in manifest.entries] == [("kip", ()), ("ink", ("style",))]
    assert set(manifest.mirrors) == {"civitai:", "*"}


def test_the_table_of_settings_is_complete() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", TEXT, re.MULTILINE)
    assert dict(rows) == {name: entry.variable for name, entry in _ENTRIES.items()}


def test_every_pack_is_named() -> None:
    assert set(re.findall(r"pack:([\w-]+)", TEXT)) == set(packs.packs())


def test_the_table_of_exit_codes_holds_what_errors_end_with() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d) \|", TEXT, re.MULTILINE)}
    kinds = (errors.NotOffered, errors.LicenceForbids, errors.UnsafeFile, errors.BrokenFile)
    ends = {one.exit_code for one in (*kinds, errors.OutOfResources, errors.NetworkError)}
    assert listed == ends | {5}
