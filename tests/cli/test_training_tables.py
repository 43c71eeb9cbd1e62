"""What docs/training.md says in place of other trainers' flags is taken as it stands there, row by row."""

import re
import shlex
from pathlib import Path

import pytest

from cli.app import main
from modelhub.catalog import Catalog
from tests import tiny
from tests.trainers.pictures import write_set

GUIDE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
_SECTION = GUIDE.partition("## From kohya's flags")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (?!kohya's scripts|webui's tab|---)(.+?) \| (.+?) \|$", _SECTION, re.MULTILINE)
"""(what they say, what is said here)"""


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set")


@pytest.fixture
def base(catalog: Catalog, tmp_path: Path) -> str:
    return catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="starter").name


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
def test_what_the_tables_say_is_taken_as_it_stands(base: str, images: Path, method: str, pack: list[str]) -> None:
    words = [{"DIR": str(images), "PROJECT": "mira"}.get(word, word) for word in pack]
    every = ["--base", base, "--images", str(images), "--dry-run", "--device", "cpu", "-q", *words]

    assert main(["train", method, *every]) == 0
