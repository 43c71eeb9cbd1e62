"""`models.toml`: what it may say, and what is said of one that is wrong."""

from pathlib import Path

import pytest

from modelhub.errors import BadValue, MissingFile
from modelhub.kinds import Kind
from modelhub.pull import Choice
from modelhub.sync import new_manifest, read_manifest, repointed
from modelhub.sync.manifest import Entry, Manifest

_WHOLE = """
schema = 1
require = "commercial"

[mirrors]
civitai = ["/nas/models", "https://models.example.net/all/"]
"hf:ada/" = "backup"
"*" = "hf:ada/copies"

[models]
robot = "https://civitai.com/models/12?modelVersionId=34"

[[model]]
ref = "hf:ada/bob"
name = "bob"
kind = "lora"
tags = ["a", "b", "a"]
precision = "fp16"
format = "safetensors"
file = "*small*"
pruned = true
"""


def _read(folder: Path, text: str) -> Manifest:
    (folder / "models.toml").write_text(text, encoding="utf-8")
    return read_manifest(folder / "models.toml")


def test_every_entry_is_read(tmp_path: Path) -> None:
    found = _read(tmp_path, _WHOLE)
    robot, bob = found.entries
    assert (str(robot.ref), robot.name) == ("civitai:12@34", "robot")
    assert (bob.kind, bob.tags) == (Kind.LORA, ("a", "b"))
    assert bob.choice == Choice("*small*", "fp16", "safetensors", True)
    assert found.require == "commercial"
    assert found.mirrors["civitai"] == ("/nas/models", "https://models.example.net/all/")
    assert found.mirrors["hf:ada/"] == (str(tmp_path / "backup"),)
    assert found.mirrors["*"] == ("hf:ada/copies",)


def test_a_relative_folder_is_meant_from_where_the_file_lies(tmp_path: Path) -> None:
    found = _read(tmp_path, '[models]\na = "folder:./nas/a.safetensors"\nb = "folder:/b.safetensors"\n')
    assert [one.ref.model for one in found.entries] == [str(tmp_path / "nas" / "a.safetensors"), "/b.safetensors"]


def test_an_empty_file_wants_nothing(tmp_path: Path) -> None:
    assert _read(tmp_path, "") == Manifest()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[model]]\nref = "hf:a/b"\ntag = ["x"]', "model 1 (hf:a/b): Object contains unknown field `tag`"),
        ('[[model]]\nname = "kip"', "model 1 (kip): Object missing required field `ref`"),
        (
            '[[model]]\nref = "hf:a/b"\n[[model]]\nref = "nowhere"',
            "model 2 (nowhere): 'nowhere' is no address at a hub",
        ),
        ('[[model]]\nref = "hf:a/b"\nkind = "lorra"', "model 1 (hf:a/b): Invalid enum value 'lorra'"),
        ('[[model]]\nref = "hf:a/b"\ntags = "x"', "model 1 (hf:a/b): Expected `array`, got `str` - at `$.tags`"),
        ('[[model]]\nref = "hf:a/b"\nname = "12"', "'12' is no model name"),
        ('[models]\nkip = "nowhere"', "models.kip: 'nowhere' is no address at a hub"),
        ("modles = 1", "Object contains unknown field `modles`"),
        ('[mirrors]\ncivitai = "ftp://x"', "mirrors of 'civitai': 'ftp://x' is no address"),
        ("[models", "is no TOML"),
        ("schema = 2", "was written by a newer ModelHub"),
        ('[models]\nkip = "hf:a/b"\n[[model]]\nref = "hf:a/c"\nname = "kip"', "two entries are called kip"),
        ('[[model]]\nref = "hf:a/b"\n[[model]]\nref = "https://huggingface.co/a/b"', "two entries are called hf:a/b"),
    ],
)
def test_what_is_wrong_is_named_with_its_entry(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadValue) as error:
        _read(tmp_path, text)
    assert said in error.value.message
    assert "models.toml" in error.value.message


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(MissingFile) as error:
        read_manifest(tmp_path / "models.toml")
    assert error.value.mend == "modelhub sync --init"


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    robot, bob = _read(tmp_path, _WHOLE).entries
    entries = (robot, Entry(bob.ref, "bob", tags=("ä",)))
    assert _read(tmp_path, new_manifest(entries)).entries == entries
    assert _read(tmp_path, new_manifest(())).entries == ()


@pytest.mark.parametrize(
    "table", ['[models]\nrobot = "{}"  # mine\n', '[[model]]\n# mine\nref = "{}"\nname = "robot"\n']
)
def test_an_address_changes_and_all_else_stays(tmp_path: Path, table: str) -> None:
    before = f"# all of it\n{table.format('civitai:12@34')}"
    entry = _read(tmp_path, before).entries[0]
    ref = _read(tmp_path, '[models]\nx = "civitai:12"').entries[0].ref
    assert repointed(before, entry, ref) == f"# all of it\n{table.format('civitai:12')}"
