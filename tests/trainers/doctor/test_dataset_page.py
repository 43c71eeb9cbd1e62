"""The page of a dataset: whole in itself, safe to open, and true."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

from PIL import Image

from modelhub.jobs import drain
from tests.trainers.doctor.examining import healthy, unlike
from trainers.doctor import Orders, Report, examine
from trainers.doctor.page import page, write_page
from trainers.doctor.page.charts import bars, dots, token_bars
from trainers.recipe import DatasetOptions

VOID = {"meta", "img", "br", "rect", "circle"}


class Reader(HTMLParser):
    """Elements, attributes and text; fails on what is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(data.strip())

    def values(self, tag: str, name: str) -> list[str]:
        return [value for one, each, value in self.attributes if (one, each) == (tag, name)]


def report(folder: Path, trigger: str = "zorbu") -> Report:
    return drain(examine(DatasetOptions(images=folder), Orders((64,), trigger), thumbnail=32))


def test_the_page_shows_every_picture_with_its_caption(tmp_path: Path) -> None:
    read = Reader(page(report(healthy(tmp_path))))

    pictures = [base64.b64decode(uri.partition(",")[2]) for uri in read.values("img", "src")]
    assert [Image.open(io.BytesIO(one)).size for one in pictures] == [(32, 32)] * 8
    assert {"0.png", "zorbu", "thing 0", "Nothing is wrong with it."} <= set(read.text)
    assert any("bucket 64 x 64" in text for text in read.text)


def test_strangers_words_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "<b>set")
    evil = '<script>alert(1)</script>, "><img src=x onerror=alert(1)>, 蓝色的眼睛'
    (folder / "0.txt").write_text(evil, encoding="utf-8")

    html = page(report(folder))
    read = Reader(html)

    assert {"<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "蓝色的眼睛", "<b>set"} <= set(read.text)
    assert "<script" not in html
    assert not any(name.startswith("on") for _, name, _ in read.attributes)


def test_nothing_is_fetched_to_show_it(tmp_path: Path) -> None:
    html = page(report(healthy(tmp_path)))
    read = Reader(html)

    assert all(uri.startswith("data:image/webp;base64,") for uri in read.values("img", "src"))
    assert all(uri.startswith("#") for uri in read.values("a", "href"))
    assert "default-src 'none'" in read.values("meta", "content")[1]
    assert not re.search(r"https?:|@import|url\(", html)


def test_copies_stand_side_by_side_and_findings_lead_to_their_pictures(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    unlike(0, (128, 128)).save(folder / "again.jpg")
    (folder / "again.txt").write_text("zorbu, again")

    read = Reader(page(report(folder)))

    places = set(read.values("article", "id"))
    assert "Pictures that look the same" in read.text
    assert {uri.removeprefix("#") for uri in read.values("a", "href")} <= places
    assert {"#p0", "#p8"} <= set(read.values("a", "href"))


def test_a_picture_that_does_not_open_has_its_place_all_the_same(tmp_path: Path) -> None:
    folder = healthy(tmp_path)
    (folder / "0.png").write_bytes(b"")

    read = Reader(page(report(folder)))

    assert "does not open" in read.text
    assert "error: broken-picture" in read.text


def test_a_dataset_of_nothing_has_a_page_that_says_so(tmp_path: Path) -> None:
    assert "error" in Reader(page(report(tmp_path / "nowhere"))).text


def test_the_same_dataset_gives_the_same_page(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set")
    write_page(report(folder), tmp_path / "pages" / "a.html")

    assert (tmp_path / "pages" / "a.html").read_text(encoding="utf-8") == page(report(folder))
    assert [one.name for one in (tmp_path / "pages").iterdir()] == ["a.html"]


def test_bars_are_as_long_as_their_share_of_the_longest() -> None:
    assert [(one.label, one.width) for one in bars([("a", 4), ("b", 1)])] == [("a", 100.0), ("b", 25.0)]
    assert bars([]) == []


def test_captions_beyond_a_chunk_are_marked() -> None:
    rows = token_bars([0, 25, 26, 75, 76])

    assert [(one.label, one.value, one.is_long) for one in rows] == [
        ("1-25", 2, False), ("26-50", 1, False), ("51-75", 1, False), ("76-100", 1, True),
    ]  # fmt: skip


def test_sizes_are_dots_within_the_frame_each_once() -> None:
    found = dots([(400, 100), (400, 100)], [(200, 200)])

    assert [(one.across, one.down, one.is_bucket) for one in found] == [(70.71, 29.29, True), (100.0, 50.0, False)]


def test_the_page_of_names_and_captions_that_no_page_may_hold_is_a_page(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "set")
    unlike(99).save(folder / "<b>bold\x1b\udcff.png")
    (folder / "<b>bold\x1b\udcff.txt").write_text("</article><script>alert(1)</script>\x0c\x01")

    write_page(
        drain(examine(DatasetOptions(images=folder), Orders(resolutions=(64,)), thumbnail=8)), tmp_path / "a.html"
    )

    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    Reader(html)
    assert "<script" not in html
    assert "<b>bold" not in html
    assert not re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]", html)
