"""Captions and masks: never read, unreadable, empty, too long, or saying what only prompts say."""

import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.trainers.doctor.examining import codes, examined, finding, healthy, unlike
from trainers.doctor import Severity
from trainers.recipe import AugmentOptions, CaptionOptions


def renamed(folder: Path, ending: str) -> Path:
    for file in folder.glob("*.txt"):
        file.rename(file.with_name(file.stem + ending))
    return folder


@pytest.mark.parametrize("ending", [".cap", ".TXT", ".png.txt", ".tags"])
def test_captions_of_another_ending_are_refused_even_where_a_folder_gives_a_class(ending: str, tmp_path: Path) -> None:
    folder = renamed(healthy(tmp_path / "10_zorbu"), ending)

    found = finding(examined(tmp_path), "caption-extension")

    assert found.severity is Severity.ERROR
    assert found.what.startswith(
        f"8 captions would never be read, since they end in {ending}, and .txt and .caption are"
    )
    assert found.mend == f'for f in {folder}/*{ending}; do mv -n "$f" "${{f%{ending}}}.txt"; done'


def test_an_ending_that_is_asked_for_is_read(tmp_path: Path) -> None:
    folder = renamed(healthy(tmp_path), ".cap")

    assert codes(examined(folder, captions=CaptionOptions(extensions=(".cap",)))) == []


def test_captions_in_several_folders_are_renamed_by_one_command(tmp_path: Path) -> None:
    renamed(healthy(tmp_path / "a"), ".cap")
    renamed(healthy(tmp_path / "b", first=8), ".cap")

    mend = str(finding(examined(tmp_path), "caption-extension").mend)

    assert mend.startswith(f"find {tmp_path}/a {tmp_path}/b -name '*.cap' -exec bash -c ")


def test_what_is_not_utf_8_is_named_with_its_encoding(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.txt").write_bytes("蓝色的猫, zorbu".encode("gb18030"))

    found = finding(examined(folder), "caption-encoding")

    assert "seems to be GB18030" in found.what
    assert f"for f in {folder}/0.txt; do" in str(found.mend)
    assert "iconv -f GB18030 -t UTF-8" in str(found.mend)


def test_pictures_without_captions_are_refused_where_captions_are_learned_from(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set")
    (folder / "0.txt").unlink()

    assert finding(examined(folder), "no-caption").which == (folder / "0.png",)
    assert "no-caption" not in codes(examined(folder, captioned=False))
    assert "no-caption" not in codes(examined(folder, captions=CaptionOptions(source="none")))


def test_empty_lonely_and_second_captions_are_told(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.txt").write_text(" \n")
    (folder / "lost.txt").write_text("zorbu")
    (folder / "readme.txt").write_text("about the set")
    (folder / "1.caption").write_text("zorbu, something else")
    (folder / "2.caption").write_text("zorbu, thing 2")

    report = examined(folder)

    assert finding(report, "empty-caption").which == (folder / "0.txt",)
    assert finding(report, "orphan-caption").which == (folder / "lost.txt",)
    assert finding(report, "second-caption").which == (folder / "1.caption",)


@pytest.mark.parametrize(
    ("caption", "code"),
    [
        ("zorbu, <lora:kip:0.8>", "network-tag"),
        ("zorbu, (smile:1.3)", "prompt-weights"),
        ("zorbu, ((smile))", "prompt-weights"),
        ("zorbu\nNegative prompt: bad", "prompt-parameters"),
    ],
)
def test_what_belongs_into_prompts_is_told(caption: str, code: str, tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.txt").write_text(caption)

    assert finding(examined(folder), code).which == (folder / "0.png",)


def test_brackets_of_names_and_weights_that_are_read_are_fine(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.txt").write_text("zorbu, saber (fate)")
    weighted = CaptionOptions(weights=True)

    assert codes(examined(folder)) == []
    (folder / "0.txt").write_text("zorbu, (smile:1.3)")
    assert codes(examined(folder, captions=weighted)) == []


def test_lengths_are_counted_in_tokens_with_all_that_is_put_around(tmp_path: Path) -> None:
    """A comma and a word are two tokens; the trigger and the prefix count."""
    folder = healthy(tmp_path)
    (folder / "0.txt").write_text("cat, " * 37 + "cat")
    (folder / "1.txt").write_text("zorbu, " + "cat, " * 37 + "cat")
    (folder / "2.txt").write_text("cat " * 230)
    short = CaptionOptions(tokens=75, prefix="a photo of")

    report = examined(folder)

    assert finding(report, "long-caption").which == (folder / "0.png", folder / "1.png")
    assert finding(report, "cut-caption").which == (folder / "2.png",)
    assert len(finding(examined(folder, captions=short), "cut-caption").which) == 3


def test_a_trigger_within_another_word_does_not_count(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.txt").write_text("zorbulous, cat")

    report = examined(folder)

    assert finding(report, "trigger-inside").which == (folder / "0.png",)
    assert "1 of 8 captions lack the trigger" in finding(report, "trigger-added").what


@pytest.mark.parametrize(("trigger", "code"), [("person", "trigger-known"), ("q7x9-kk3z-99vv", "trigger-long")])
def test_triggers_are_judged_by_their_tokens(trigger: str, code: str, tmp_path: Path) -> None:
    assert code in codes(examined(healthy(tmp_path), trigger=trigger))


def test_tags_that_never_vary_and_two_spellings_are_told(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    for index in range(8):
        eyes = "blue_eyes" if index % 2 else "blue eyes"
        (folder / f"{index}.txt").write_text(f"zorbu, 1girl, Solo, {eyes}, thing {index}")

    report = examined(folder)

    assert "2 tags in every caption: 1girl, solo" in finding(report, "constant-tag").what
    assert "blue eyes / blue_eyes" in finding(report, "tag-spelling").what
    (folder / "0.txt").write_text("zorbu, solo")
    assert "1 tag in every caption: solo" in finding(examined(folder), "constant-tag").what


def test_one_constant_tag_is_offered_as_the_trigger(tmp_path: Path) -> None:
    assert (
        finding(examined(healthy(tmp_path), trigger=""), "constant-tag").mend
        == "--trigger 'zorbu' keeps it in its place"
    )


def mask(path: Path, white: int, size: tuple[int, int] = (64, 64)) -> None:
    """White in its first rows."""
    path.parent.mkdir(exist_ok=True)
    picture = Image.new("L", size)
    picture.paste(255, (0, 0, size[0], white))
    picture.save(path)


def test_masks_that_are_missing_misshapen_empty_or_lonely_are_told(tmp_path: Path) -> None:
    folder, masks = healthy(tmp_path / "set"), tmp_path / "masks"
    for index in range(7):
        mask(masks / f"{index}.png", white=32)
    mask(masks / "0.png", white=0)
    mask(masks / "1.png", white=1)
    mask(masks / "2.png", white=32, size=(64, 48))
    mask(masks / "lost.png", white=64)
    (masks / "3.png").write_bytes(b"")

    report = examined(folder, masks=masks)

    told = {code: [path.name for path in finding(report, code).which] for code in codes(report)}
    assert told == {
        "broken-mask": ["3.png"], "empty-mask": ["0.png"], "small-mask": ["1.png"], "mask-shape": ["2.png"],
        "orphan-mask": ["lost.png"], "no-mask": ["7.png"],
    }  # fmt: skip


def test_masks_of_no_picture_and_masks_that_leave_nothing_are_refused(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set")
    (tmp_path / "none").mkdir()
    for index in range(8):
        mask(tmp_path / "black" / f"{index}.png", white=0)

    assert finding(examined(folder, masks=tmp_path / "none"), "no-masks").severity is Severity.ERROR
    assert finding(examined(folder, masks=tmp_path / "black"), "empty-mask").severity is Severity.ERROR
    assert examined(folder, masks=tmp_path / "nowhere").is_refused


def test_a_caption_beside_two_pictures_is_told(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    unlike(20).save(folder / "0.jpg")

    found = finding(examined(folder), "shared-caption")

    assert found.which == (folder / "0.jpg", folder / "0.png")
    assert str(found.mend).startswith(f"give each a name of its own: mv {folder}/0.png {folder}/0-png.png")


def test_captions_without_a_separator_are_parted_by_commas(tmp_path: Path) -> None:
    report = examined(healthy(tmp_path), captions=CaptionOptions(separator=""))

    assert codes(report) == codes(examined(healthy(tmp_path)))


def test_captions_that_are_all_the_same_are_told_as_such(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    for file in folder.glob("*.txt"):
        file.write_text("zorbu, " + "thing " * 12)

    report = examined(folder)

    assert codes(report) == ["same-captions"]
    assert finding(report, "same-captions").what.endswith("thing thin\N{HORIZONTAL ELLIPSIS}")


def test_sides_in_captions_of_mirrored_pictures_are_told(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "3.txt").write_text("zorbu, looking leftwards")
    (folder / "4.txt").write_text("zorbu, on a brightly lit copyright")

    assert finding(examined(folder, augment=AugmentOptions(flip=True)), "sides-flipped").which == (folder / "3.png",)
    assert codes(examined(folder)) == []


def test_many_captions_of_one_encoding_are_mended_at_once(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    for index in range(8):
        (folder / f"{index}.txt").write_bytes(f"zorbu, вещь {index}".encode("cp1251"))
    (folder / "7.txt").write_text("zorbu, вещь", encoding="utf-8")

    found = finding(examined(folder), "caption-encoding")
    subprocess.run(["bash", "-c", str(found.mend)], check=True)

    assert len(found.which) == 7
    assert codes(examined(folder)) == []
    assert (folder / "3.txt").read_text(encoding="utf-8") == "zorbu, вещь 3"


def test_a_list_that_may_hold_the_captions_is_pointed_to(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.txt").unlink()
    (folder / "meta_cap.json").write_text("{}")

    assert "if meta_cap.json lists their captions" in str(finding(examined(folder), "no-caption").mend)


@pytest.mark.parametrize("end", ["_mask", "-mask"])
def test_masks_among_the_pictures_are_refused_until_they_are_moved(tmp_path: Path, end: str) -> None:
    folder = healthy(tmp_path / "a set")
    for index in range(8):
        mask(folder / f"{index}{end}.png", white=32)

    found = finding(examined(folder), "learned-mask")
    command, flag = str(found.mend).split(", and --masks ")
    subprocess.run(["bash", "-c", command], check=True)

    assert len(found.which) == 8
    assert flag == f"'{folder}-masks'"
    assert codes(examined(folder, masks=Path(f"{folder}-masks"))) == []
