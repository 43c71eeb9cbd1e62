"""What an answer means, without a server."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from modelhub.errors import AccessDenied, BrokenFile, NotOffered, Unreachable
from modelhub.transfer._judging import Asked, Setback, Take, judge, strong_validator

FRESH = Asked("kip.safetensors", "hub.example")
HALF = Asked("kip.safetensors", "hub.example", position=10, total=30, validator='"one"')


def setback(status: int, headers: dict[str, str], asked: Asked = HALF) -> Setback:
    with pytest.raises(Setback) as told:
        judge(status, headers, asked)
    return told.value


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"one"'}, '"one"'),
        ({"ETag": 'W/"one"', "Last-Modified": "Sun"}, "Sun"),
        ({"ETag": '""'}, ""),
        ({"ETag": "one"}, ""),
        ({}, ""),
    ],
)
def test_only_strong_tags_stand_for_bytes(headers: dict[str, str], validator: str) -> None:
    assert strong_validator(headers) == validator


def test_a_whole_file_is_taken_from_its_beginning() -> None:
    assert judge(200, {"Content-Length": "30"}, FRESH) == Take(0, 30, "")
    assert judge(200, {}, HALF) == Take(0, None, "")


def test_the_rest_is_taken_where_it_was_asked_for() -> None:
    headers = {"Content-Range": "bytes 10-29/30", "ETag": '"one"'}
    assert judge(206, headers, HALF) == Take(10, 30, '"one"')
    assert judge(206, {"Content-Range": "bytes 10-29/*"}, HALF) == Take(10, 30, '"one"')


@pytest.mark.parametrize(
    "said", ["", "bytes 0-29/30", "bytes 11-29/30", "items 10-29/30", "bytes 10-29", "bytes 10-29/31"]
)
def test_another_part_begins_again(said: str) -> None:
    assert setback(206, {"Content-Range": said}).restart


def test_another_tag_begins_again_unless_the_bytes_are_pinned() -> None:
    headers = {"Content-Range": "bytes 10-29/30", "ETag": '"two"'}
    assert setback(206, headers).restart
    pinned = Asked("kip", "hub.example", 10, promised=30, total=30, validator='"one"', is_pinned=True)
    assert judge(206, headers, pinned) == Take(10, 30, '"two"')


def test_nothing_beyond_our_position_means_whole() -> None:
    whole = Asked("kip", "hub.example", position=30, validator='"one"')
    assert judge(416, {"Content-Range": "bytes */30"}, whole) is None
    assert setback(416, {"Content-Range": "bytes */31"}, whole).restart
    assert setback(416, {"Content-Range": "bytes */30", "ETag": '"two"'}, whole).restart
    assert setback(416, {}, whole).restart


@pytest.mark.parametrize("sort", ["text/html", "text/html; charset=utf-8", "application/json", "application/ld+json"])
def test_weights_are_no_page(sort: str) -> None:
    assert "a page" in setback(200, {"Content-Type": sort}).error.message


def test_a_page_that_was_asked_for_is_a_file() -> None:
    assert judge(200, {"Content-Type": "text/html"}, Asked("about.html", "hub.example", weights=False))


@pytest.mark.parametrize(
    ("status", "error", "tries"),
    [
        (400, AccessDenied, 2),
        (401, AccessDenied, 2),
        (403, AccessDenied, 2),
        (404, NotOffered, 2),
        (408, Unreachable, None),
        (429, Unreachable, None),
        (500, Unreachable, None),
        (503, Unreachable, None),
        (302, Unreachable, 2),
    ],
)
def test_refusals_are_tried_again_as_often_as_helps(status: int, error: type[Exception], tries: int | None) -> None:
    told = setback(status, {})
    assert (type(told.error), told.tries, told.restart) == (error, tries, False)


@pytest.mark.parametrize("status", [410, 451])
def test_what_is_gone_is_gone(status: int) -> None:
    with pytest.raises(NotOffered):
        judge(status, {}, FRESH)


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("", None), ("soon", None), ("-1", None)])
def test_a_pause_is_told_in_seconds(said: str, seconds: float | None) -> None:
    assert setback(503, {"Retry-After": said}).seconds == seconds


@pytest.mark.parametrize(("ahead", "seconds"), [(60, 60), (-60, 0)])
def test_a_pause_is_told_as_a_time(ahead: float, seconds: float) -> None:
    said = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    assert setback(503, {"Retry-After": said}).seconds == pytest.approx(seconds, abs=5)


def test_another_size_is_a_broken_promise() -> None:
    told = setback(200, {"Content-Length": "29"}, Asked("kip", "hub.example", promised=30))
    assert isinstance(told.error, BrokenFile)
    assert told.restart
