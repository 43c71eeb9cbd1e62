"""`models.lock`: what is written is what is read, and it is written for a review."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelhub.errors import BadValue
from modelhub.hubs import HubRef
from modelhub.kinds import Kind
from modelhub.licences import Answer, Licence
from modelhub.pull import Choice
from modelhub.sync.lock import Locked, LockedFile, content_sha256
from modelhub.sync.lock_file import read_lock, write_lock
from modelhub.sync.manifest import Entry

_REF = HubRef("civitai", "12", "34", "56")
_LOCKED = Locked(
    name="kip",
    asked=HubRef("civitai", "12"),
    ref=_REF,
    files=(LockedFile("kip.safetensors", "ab" * 32, 7, "56"),),
    kind=Kind.LORA,
    choice=Choice(precision="fp16", pruned=False),
    tags=("a",),
    base="SD 1.5",
    trigger_words=('he said "kip"', "机器人"),
    licence=Licence("mit", None, sell_images=Answer.YES, because=("the hub says so",)),
    locked_at=date(2026, 11, 22),
)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    folder = replace(_LOCKED, name="a", is_folder=True, files=(*_LOCKED.files, LockedFile("sub/x.json", "cd" * 32, 1)))
    path = tmp_path / "models.lock"
    assert write_lock(path, (_LOCKED, folder))
    assert read_lock(path) == (folder, _LOCKED), "by name, whatever the order was"


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(max_examples=50, deadline=None)
@given(_TEXTS, st.lists(_TEXTS, max_size=3), _TEXTS)
def test_any_text_survives(name: str, words: list[str], path: str) -> None:
    told = replace(_LOCKED, name=name, trigger_words=tuple(words), files=(LockedFile(path, "ab" * 32, 7),))
    with TemporaryDirectory() as folder:
        write_lock(Path(folder, "models.lock"), (told,))
        assert read_lock(Path(folder, "models.lock")) == (told,)


def test_it_is_not_written_again_when_it_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "models.lock"
    assert write_lock(path, (_LOCKED,))
    assert not write_lock(path, (_LOCKED,))
    assert write_lock(path, ())
    assert read_lock(path) == ()


def test_what_lies_below_it_is_named_from_there_so_that_the_folder_may_be_moved(tmp_path: Path) -> None:
    def lying(folder: str) -> Locked:
        ref = HubRef("folder", str(tmp_path / folder / "nas" / "k.safetensors"))
        return replace(_LOCKED, asked=ref, ref=ref)

    (tmp_path / "a").mkdir()
    write_lock(tmp_path / "a" / "models.lock", (lying("a"),))
    (tmp_path / "a").rename(tmp_path / "b")
    assert read_lock(tmp_path / "b" / "models.lock") == (lying("b"),)


def test_without_a_file_nothing_is_locked(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "models.lock") == ()


@pytest.mark.parametrize("text", ["<<<<<<< HEAD", "[[model]]\nname = 'x'", "schema = 99", "[[model]]\nfoo = 1"])
def test_a_lock_that_a_merge_broke_is_an_error_with_a_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "models.lock").write_text(text)
    with pytest.raises(BadValue) as error:
        read_lock(tmp_path / "models.lock")
    assert error.value.mend


@pytest.mark.parametrize(
    ("entry", "answers"),
    [
        (Entry(HubRef("civitai", "12"), choice=_LOCKED.choice), True),
        (Entry(HubRef("civitai", "12", "34"), choice=_LOCKED.choice), True),
        (Entry(HubRef("civitai", "12"), kind=Kind.LORA, choice=_LOCKED.choice), True),
        (Entry(HubRef("civitai", "12", "35"), choice=_LOCKED.choice), False),
        (Entry(HubRef("civitai", "12")), False),
        (Entry(HubRef("civitai", "12"), kind=Kind.VAE, choice=_LOCKED.choice), False),
        (Entry(HubRef("hf", "12"), choice=_LOCKED.choice), False),
    ],
)
def test_it_answers_what_it_was_asked_and_what_covers_it(entry: Entry, answers: bool) -> None:
    assert _LOCKED.answers(entry) is answers


def test_a_folders_digest_is_that_of_its_list_of_files() -> None:
    assert content_sha256({"a": "ab"}, is_folder=False) == "ab"
    assert content_sha256({"a": "ab", "b": None}, is_folder=True) is None
    assert content_sha256({}, is_folder=True) is None
    both = {"a": "ab", "b": "cd"}
    assert content_sha256(both, is_folder=True) == content_sha256(dict(reversed(both.items())), is_folder=True)
