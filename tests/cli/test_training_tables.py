"""What docs/training.md says in place of other trainers' flags is taken as it stands there, row by row."""

import re
import shlex
from pathlib import Path

import pytest

from cli.app import main
from inference.weights.export import checkpoint_tensors
from inference.weights.hints import write_hints
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests.tiny_families import HINTS, sdxl_models
from tests.trainers.pictures import write_set

GUIDE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
_SECTION = GUIDE.partition("## From kohya's flags")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (?!kohya's scripts|webui's tab|---)(.+?) \| (.+?) \|$", _SECTION, re.MULTILINE)
"""(what they say, what is said here)"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with an SDXL base that has the blocks and text encoders that the tables name, and three pictures."""
    folder = tmp_path_factory.mktemp("tables")
    write_set(folder / "set")
    tensors = checkpoint_tensors(**sdxl_models(layers_per_block=2), family="sdxl")
    header = {"modelhub.family": "sdxl", "modelhub.kind": "checkpoint", **write_hints(HINTS)}
    save_tensors(folder / "tiny.safetensors", tensors, header)
    with Catalog.create(Workspace(folder)) as opened:
        opened.add(folder / "tiny.safetensors", name="starter")
    return folder


def said_here(told: str) -> list[list[str]]:
    """Each flag, or flags that belong together, with what it is given."""
    spans = [shlex.split(span) for span in re.findall(r"`(--[^`]*)`", told)]
    return [span for span in spans if "REF" not in span]


def method_of(told: str) -> str:
    found = re.search(r"`train ([\w-]+)`", told)
    return found[1] if found else "lora"


def entries_of(words: list[str]) -> set[str]:
    """Flags, and what --set sets; an algorithm excludes much else."""
    flags = {word for word in words if word.startswith("--") and word != "--set"}
    assert len(words) > 1 or flags, words
    return flags | {words[at + 1].partition("=")[0] for at, word in enumerate(words) if word == "--set"}


def packed(method: str) -> list[list[str]]:
    """All of a method's rows in as few commands as can be, none of which says a thing twice."""
    packs: list[list[str]] = []
    for words in (words for _, told in ROWS if method_of(told) == method for words in said_here(told)):
        own = entries_of(words)
        free = (pack for pack in packs if not entries_of(pack) & own and "--algorithm" not in (*own, *pack))
        pack = next(free, None)
        if pack is None:
            packs.append(list(words))
        else:
            pack += words
    return packs


PACKS = [(method, pack) for method in ("lora", "textual-inversion", "hypernetwork") for pack in packed(method)]


def test_both_tables_are_read() -> None:
    assert len(ROWS) > 60
    assert sum(len(entries_of(pack)) for _, pack in PACKS) > 100


@pytest.mark.parametrize(("method", "pack"), PACKS, ids=[f"{method} {' '.join(pack[:2])}" for method, pack in PACKS])
def test_what_the_tables_say_is_taken_as_it_stands(
    home: Path, method: str, pack: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELHUB_HOME", str(home))
    images = str(home / "set")
    words = [{"DIR": images, "PROJECT": "mira"}.get(word, word) for word in pack]
    every = ["--base", "starter", "--images", images, "--dry-run", "--device", "cpu", "-q", *words]

    assert main(["train", method, *every]) == 0
