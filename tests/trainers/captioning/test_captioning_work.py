"""A folder of pictures gets captions, and what is there stays unless it is asked otherwise."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from modelhub.errors import BadValue, MissingFile
from modelhub.jobs import Done, Notice, Progress, drain
from tests.trainers.pictures import write_picture
from trainers.captioning import Change, Rules, Say, Writing, caption
from trainers.captioning.names import by_name

NAMED = by_name("name")
OVER = Writing(overwrite=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures ``fox_1``, which has a caption, and ``10_wolf/grey_wolf (2)``, which has none."""
    write_picture(tmp_path / "set" / "fox_1.png", caption="a fox")
    write_picture(tmp_path / "set" / "10_wolf" / "grey_wolf (2).png", caption=None)
    return tmp_path / "set"


def captioned(
    folder: Path, say: Say | None = NAMED, rules: Rules | None = None, writing: Writing | None = None, **more: object
) -> dict[str, Change]:
    changes = drain(caption(folder, say, rules or Rules(), writing or Writing(), **more))  # type: ignore[arg-type]
    return {one.picture.stem: one for one in changes}


def texts(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8").strip() for path in sorted(folder.rglob("*.txt"))}


def test_only_what_has_no_caption_gets_one(folder: Path) -> None:
    changes = captioned(folder)

    assert texts(folder) == {"fox_1": "a fox", "grey_wolf (2)": "grey wolf"}
    assert {name: one.outcome for name, one in changes.items()} == {"fox_1": "kept", "grey_wolf (2)": "written"}


def test_a_model_is_not_asked_of_what_is_kept(folder: Path) -> None:
    asked: list[str] = []

    def say(pictures: Sequence[Path]) -> list[str | None]:
        asked.extend(one.stem for one in pictures)
        return ["seen"] * len(pictures)

    captioned(folder, say)
    assert asked == ["grey_wolf (2)"]


def test_overwriting_is_asked_for(folder: Path) -> None:
    changes = captioned(folder, writing=OVER)

    assert texts(folder)["fox_1"] == "fox"
    assert (changes["fox_1"].before, changes["fox_1"].after) == ("a fox", "fox")


def test_appending_adds_what_is_new(folder: Path) -> None:
    rules = Rules(removed=("a fox",), trigger="mira")
    captioned(folder, by_name("folder"), rules, Writing(append=True))

    assert texts(folder) == {"fox_1": "mira, a fox, set", "grey_wolf (2)": "mira, wolf"}


def test_rules_alone_change_what_is_there_when_they_may(folder: Path) -> None:
    rules = Rules(replaced=(("fox", "vixen"),), trigger="mira")

    kept = captioned(folder, None, rules)
    assert (kept["fox_1"].after, kept["fox_1"].outcome) == ("mira, a vixen", "kept")
    assert texts(folder) == {"fox_1": "a fox", "grey_wolf (2)": "mira"}
    assert captioned(folder, None, rules, OVER)["grey_wolf (2)"].outcome == "same"
    assert texts(folder)["fox_1"] == "mira, a vixen"


def test_a_dry_run_decides_the_same_and_writes_nothing(folder: Path) -> None:
    before = sorted(folder.rglob("*"))

    dry = captioned(folder, writing=Writing(overwrite=True, dry=True))
    assert sorted(folder.rglob("*")) == before
    assert texts(folder) == {"fox_1": "a fox"}
    assert dry == captioned(folder, writing=OVER)


def test_a_second_time_there_is_nothing_to_do(folder: Path) -> None:
    captioned(folder, writing=OVER)

    assert {one.outcome for one in captioned(folder, writing=OVER).values()} == {"same"}


def test_a_caption_stays_in_its_own_file(tmp_path: Path) -> None:
    write_picture(tmp_path / "fox.png", caption=None).with_suffix(".caption").write_text("old", encoding="utf-8")

    captioned(tmp_path, writing=OVER)
    assert (tmp_path / "fox.caption").read_text(encoding="utf-8") == "fox\n"
    assert not (tmp_path / "fox.txt").exists()


def test_new_files_have_the_extension_that_is_asked_for(tmp_path: Path) -> None:
    write_picture(tmp_path / "fox.png", caption=None)

    captioned(tmp_path, writing=Writing(extension=".tags"))
    captioned(tmp_path, writing=Writing(extension=".tags"))
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".png"] == ["fox.tags"]


def test_pictures_that_share_a_caption_are_looked_at_once(tmp_path: Path) -> None:
    write_picture(tmp_path / "fox.png", caption=None)
    write_picture(tmp_path / "fox.jpg", caption=None)

    assert [one.picture.name for one in captioned(tmp_path).values()] == ["fox.jpg"]


def test_masks_get_no_captions(folder: Path) -> None:
    write_picture(folder / "masks" / "fox_1.png", caption=None)
    write_picture(folder / "fox_1-masklabel.png", caption=None)

    captioned(folder, masks=folder / "masks")
    assert set(texts(folder)) == {"fox_1", "grey_wolf (2)"}


def test_where_there_is_nothing_to_say_no_file_is_made(tmp_path: Path) -> None:
    write_picture(tmp_path / "003.png", caption=None)

    assert captioned(tmp_path)["003"].outcome == "nothing"
    assert not list(tmp_path.glob("*.txt"))


def test_a_picture_that_does_not_open_is_named_and_the_others_go_on(folder: Path) -> None:
    def say(pictures: Sequence[Path]) -> list[str | None]:
        return [None if "wolf" in one.stem else "seen" for one in pictures]

    events = list(caption(folder, say, Rules(), OVER))
    assert any(isinstance(one, Notice) and "grey_wolf (2).png cannot be opened" in one.message for one in events)
    assert texts(folder) == {"fox_1": "seen"}


def test_stopped_in_between_what_was_said_is_there_whole(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_picture(tmp_path / f"{name}.png", caption=None)

    job = caption(tmp_path, NAMED, Rules(), Writing(), batch=2)
    for event in job:
        if isinstance(event, Progress) and event.done == 2:
            job.close()  # type: ignore[attr-defined]
    assert texts(tmp_path) == {"a": "a", "b": "b"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.txt", "b.png", "b.txt", "c.png"]


def test_progress_counts_pictures(folder: Path) -> None:
    events = list(caption(folder, NAMED, Rules(), Writing()))

    assert [(one.done, one.total) for one in events if isinstance(one, Progress)] == [(1, 2), (2, 2)]
    assert isinstance(events[-1], Done)


def test_what_is_kept_takes_no_place_in_a_batch(tmp_path: Path) -> None:
    for number in range(6):
        write_picture(tmp_path / f"{number}.png", caption="there" if number % 2 else None)
    asked: list[list[str]] = []

    def say(pictures: Sequence[Path]) -> list[str | None]:
        asked.append([one.stem for one in pictures])
        return ["seen"] * len(pictures)

    changes = captioned(tmp_path, say, batch=2)
    assert asked == [["0", "2"], ["4"]]
    assert list(changes) == ["0", "1", "2", "3", "4", "5"]


def test_after_a_stop_the_same_again_goes_on_there(tmp_path: Path) -> None:
    for name in "abcd":
        write_picture(tmp_path / f"{name}.png", caption=None)
    asked: list[str] = []

    def say(pictures: Sequence[Path]) -> list[str | None]:
        asked.extend(one.stem for one in pictures)
        if asked == ["a", "b", "c", "d"]:
            raise KeyboardInterrupt
        return ["seen"] * len(pictures)

    with pytest.raises(KeyboardInterrupt):
        captioned(tmp_path, say, batch=2)
    captioned(tmp_path, say, batch=2)
    assert asked == ["a", "b", "c", "d", "c", "d"]
    assert set(texts(tmp_path)) == set("abcd")


def test_what_a_person_writes_meanwhile_stays(tmp_path: Path) -> None:
    write_picture(tmp_path / "fox.png", caption=None)

    def say(pictures: Sequence[Path]) -> list[str | None]:
        (tmp_path / "fox.txt").write_text("written by hand", encoding="utf-8")
        return ["seen"] * len(pictures)

    assert captioned(tmp_path, say)["fox"].outcome == "kept"
    assert texts(tmp_path) == {"fox": "written by hand"}


class TestAModelThatFails:
    """One picture that a model cannot take is told with the reason; the others get their captions."""

    @staticmethod
    def say(pictures: Sequence[Path]) -> list[str | None]:
        if any(one.stem == "b" for one in pictures):
            raise ValueError("absolute aspect ratio\nmust be smaller than 200")
        return ["seen"] * len(pictures)

    @pytest.fixture
    def three(self, tmp_path: Path) -> Path:
        for name in "abc":
            write_picture(tmp_path / f"{name}.png", caption=None)
        return tmp_path

    def test_the_others_of_its_batch_are_asked_again_one_by_one(self, three: Path) -> None:
        changes = captioned(three, self.say, batch=3)

        assert {name: one.outcome for name, one in changes.items()} == {"a": "written", "b": "failed", "c": "written"}
        assert texts(three) == {"a": "seen", "c": "seen"}

    def test_the_reason_is_told(self, three: Path) -> None:
        events = caption(three, self.say, Rules(), Writing(), batch=3)

        (notice,) = [one.message for one in events if isinstance(one, Notice)]
        assert notice.endswith("b.png got no caption: absolute aspect ratio must be smaller than 200")

    def test_what_is_wrong_with_the_model_itself_ends_it(self, three: Path) -> None:
        def say(pictures: Sequence[Path]) -> list[str | None]:
            raise BadValue("no such task")

        with pytest.raises(BadValue, match="no such task"):
            captioned(three, say)


def test_a_list_of_captions_is_told_of(folder: Path) -> None:
    (folder / "metadata.jsonl").write_text('{"file_name": "fox_1.png", "text": "listed"}', encoding="utf-8")

    notices = [one.message for one in caption(folder, NAMED, Rules(), Writing()) if isinstance(one, Notice)]
    assert "metadata.jsonl lists captions too" in notices[0]


def test_captions_in_another_encoding_are_refused_before_anything_is_written(folder: Path) -> None:
    (folder / "fox_1.txt").write_bytes("ein Fuchs, groß".encode("cp1252"))

    with pytest.raises(BadValue, match="not UTF-8"):
        captioned(folder, writing=OVER)
    assert not list(folder.rglob("grey*.txt"))


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no images"):
        captioned(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("red_fox_003", "red fox"),
        ("red fox (12)", "red fox"),
        ("r2d2", "r2d2"),
        ("scene-4", "scene"),
        ("1girl, smile", "1girl, smile"),
        ("02-walking-right", "walking right"),
        ("02_red t-shirt", "red t-shirt"),
        ("20240301_120000", ""),
        ("狐狸_2", "狐狸"),
    ],
)
def test_names_say_what_they_say_but_for_their_numbers(name: str, words: str) -> None:
    assert NAMED([Path(f"{name}.png")]) == [words]


@pytest.mark.parametrize(("name", "words"), [("10_red_fox", "red fox"), ("my wolves", "my wolves")])
def test_folders_say_their_class(name: str, words: str) -> None:
    assert by_name("folder")([Path(name) / "1.png"]) == [words]


def test_a_caption_is_written_beside_a_name_as_long_as_a_disk_allows(folder: Path) -> None:
    write_picture(folder / f"{'x' * 251}.png", caption=None)

    captioned(folder)

    assert (folder / f"{'x' * 251}.txt").read_text().strip() == "x" * 251


def test_a_caption_that_cannot_be_written_is_told_with_a_mend(folder: Path) -> None:
    write_picture(folder / f"{'x' * 251}.png", caption=None)

    with pytest.raises(BadValue, match=r"x\.caption cannot be written: File name too long") as told:
        captioned(folder, writing=Writing(extension=".caption"))

    assert told.value.mend
