"""A folder, or another machine's collection on a disk, as a hub."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub import hubs
from modelhub.errors import BadValue, NotOffered, Unreachable
from modelhub.hubs import HubRef, Listing
from modelhub.hubs.folder import Folder, address, written
from modelhub.kinds import Kind
from modelhub.licences import known
from modelhub.pull._beside import write_note


def _pipeline(folder: Path) -> None:
    for name in ("model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "README.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('{"unet": ["diffusers", "UNet2DConditionModel"]}')


class TestAddresses:
    def test_a_prefix_and_a_file_url_mean_the_same(self) -> None:
        assert address("folder:/nas/a b.pt") == address("file:///nas/a%20b.pt") == HubRef("folder", "/nas/a b.pt")

    def test_a_relative_path_begins_where_the_command_runs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert address("folder:models/../kip.pt") == HubRef("folder", str(tmp_path / "kip.pt"))

    def test_another_machine_is_refused_with_the_way_out(self) -> None:
        with pytest.raises(BadValue, match="another machine") as raised:
            address("file://nas/kip.pt")
        assert "mount" in (raised.value.mend or "")

    @pytest.mark.parametrize("text", ["hf:a/b", "kip", "/nas/kip.pt", "C:\\kip.pt"])
    def test_what_others_understand_is_left_to_them(self, text: str) -> None:
        assert address(text) is None

    @given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
    def test_writing_and_reading_an_address_changes_nothing(self, name: str) -> None:
        ref = HubRef("folder", os.path.abspath(f"/nas/{name}"))
        assert address(written(ref).strip()) == ref


class TestListings:
    def test_a_folder_lists_its_files_and_the_folders_that_are_one_model(self, tmp_path: Path) -> None:
        _pipeline(tmp_path / "sdxl")
        (tmp_path / "loras").mkdir()
        (tmp_path / "loras" / "kip.safetensors").write_bytes(b"kip")
        (tmp_path / "notes.txt").write_text("no model")
        (tmp_path / ".incoming").mkdir()
        (tmp_path / ".incoming" / "half.safetensors").write_bytes(b"half")
        listed = Folder().listings(HubRef("folder", str(tmp_path)))
        assert [(one.name, one.is_folder) for one in listed] == [("kip", False), ("sdxl", True)]
        assert [file.path for file in listed[1].files] == [
            "model_index.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors",
        ]

    def test_a_size_is_exact(self, tmp_path: Path) -> None:
        (tmp_path / "kip.pt").write_bytes(b"12345")
        (listing,) = Folder().listings(HubRef("folder", str(tmp_path / "kip.pt")))
        assert (listing.size, listing.format) == (5, "pickle")

    @pytest.mark.parametrize("name", ["kip.pt", "called-otherwise-then.pt"])
    def test_a_digest_comes_from_the_note_of_the_pull(self, tmp_path: Path, name: str) -> None:
        digest = hashlib.sha256(b"kip").hexdigest()
        (tmp_path / "kip.pt").write_bytes(b"kip")
        (tmp_path / "kip.modelhub.json").write_text(json.dumps({"schema": 1, "sha256": {name: digest}}))
        (listing,) = Folder().listings(HubRef("folder", str(tmp_path / "kip.pt")))
        assert listing.files[0].digests == {"sha256": digest}

    def test_what_a_hub_said_of_it_comes_from_there_too(self, tmp_path: Path) -> None:
        told = Listing(
            HubRef("civitai", "1", "2", "3"),
            "kip",
            kind=Kind.LORA,
            trigger_words=("a kip",),
            base="SDXL 1.0",
            creator="ada",
            tags=("robot",),
            licence=known("mit"),
            nsfw=True,
        )
        (tmp_path / "kip.pt").write_bytes(b"kip")
        write_note(tmp_path / "kip.pt", told, {})
        (one,) = Folder().listings(HubRef("folder", str(tmp_path / "kip.pt")))
        assert (one.kind, one.trigger_words, one.family, one.base) == (Kind.LORA, ("a kip",), "sdxl", "SDXL 1.0")
        assert (one.creator, one.tags, one.licence, one.nsfw) == ("ada", ("robot",), known("mit"), True)

    @pytest.mark.parametrize("note", ["[]", "{", '{"sha256": "abc"}', '{"sha256": {"kip.pt": 7}}'])
    def test_a_note_that_makes_no_sense_says_nothing(self, tmp_path: Path, note: str) -> None:
        (tmp_path / "kip.pt").write_bytes(b"kip")
        (tmp_path / "kip.modelhub.json").write_text(note)
        assert Folder().listings(HubRef("folder", str(tmp_path / "kip.pt")))[0].files[0].digests == {}

    def test_a_folder_without_models_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(NotOffered, match="holds no model"):
            Folder().listings(HubRef("folder", str(tmp_path)))


class TestLocating:
    def test_a_file_that_changed_since_is_not_given(self, tmp_path: Path) -> None:
        (tmp_path / "kip.pt").write_bytes(b"kip")
        (listing,) = Folder().listings(HubRef("folder", str(tmp_path / "kip.pt")))
        (tmp_path / "kip.pt").write_bytes(b"another")
        with pytest.raises(Unreachable, match="changed"):
            Folder().locate(listing, listing.files[0])

    def test_a_disk_that_is_not_there_says_nothing_of_its_models(self, tmp_path: Path) -> None:
        gone, unplugged = (HubRef("folder", str(tmp_path / name)) for name in ("kip.pt", "disk/kip.pt"))
        assert Folder().latest([gone, unplugged]) == {gone: ()}


def test_a_listed_file_is_addressed_by_itself(tmp_path: Path) -> None:
    (tmp_path / "kip.pt").write_bytes(b"kip")
    (listing,) = Folder().listings(HubRef("folder", str(tmp_path)))
    assert hubs.parse(str(listing.ref)).model == str(tmp_path / "kip.pt")
