"""What became of each file is decided without touching any."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.catalog import KnownFile
from modelhub.upkeep.scan.changes import Changes, differing, plan
from modelhub.upkeep.scan.walk import Seen

SECOND = 1_000_000_000


def seen(path: str, *, size: int = 10, at: int = 100, key: str = "1:1", sidecars: str = "") -> Seen:
    return Seen(path, size, at * SECOND, key, sidecars)


def known(
    path: str,
    *,
    size: int = 10,
    at: int = 100,
    key: str | None = "1:1",
    sidecars: str = "",
    present: bool = True,
    outdated: bool = False,
    sample: str | None = "s",
    artifact: int = 1,
) -> KnownFile:
    return KnownFile(path, size, at * SECOND, key, sidecars, present, outdated, sample, artifact)


def planned(
    found: Iterable[Seen], held: Iterable[KnownFile], *, gone: Iterable[KnownFile] = (), sample: str | None = "s"
) -> Changes:
    by_path = {one.path: one for one in held}
    return plan({one.path: one for one in found}, by_path, gone=gone, sample=lambda _: sample)


def told(changes: Changes) -> dict[str, object]:
    """What is not empty, by paths."""
    paths = {
        "new": [one.path for one in changes.new],
        "moved": [f"{move.was.path}>{move.now.path}" for move in changes.moved],
        "changed": [one.path for one in changes.changed],
        "returned": [one.path for one in changes.returned],
        "stale": [one.path for one in changes.stale],
        "missing": [one.path for one in changes.missing],
        "rekeyed": dict(changes.rekeyed),
        "unchanged": changes.unchanged,
    }
    return {name: value for name, value in paths.items() if value}


CASES: dict[str, tuple[list[Seen], list[KnownFile], dict[str, object]]] = {
    "nothing": ([], [], {}),
    "a new file": ([seen("/a")], [], {"new": ["/a"]}),
    "a file as it was": ([seen("/a")], [known("/a")], {"unchanged": 1}),
    "a file that is gone": ([], [known("/a")], {"missing": ["/a"]}),
    "a file that has been gone for long": ([], [known("/a", present=False)], {}),
    "a file that is back": ([seen("/a")], [known("/a", present=False)], {"returned": ["/a"]}),
    "another size": ([seen("/a", size=11)], [known("/a")], {"changed": ["/a"]}),
    "another time": ([seen("/a", at=101)], [known("/a")], {"changed": ["/a"]}),
    "an older time": ([seen("/a", at=99)], [known("/a")], {"changed": ["/a"]}),
    "other notes beside it": ([seen("/a", sidecars="x")], [known("/a")], {"stale": ["/a"]}),
    "identified by an older version": ([seen("/a")], [known("/a", outdated=True)], {"stale": ["/a"]}),
    "a disk that was mounted anew": (
        [seen("/a", key="2:1")],
        [known("/a")],
        {"unchanged": 1, "rekeyed": {"/a": "2:1"}},
    ),
    "a key that was not known": ([seen("/a")], [known("/a", key=None)], {"unchanged": 1, "rekeyed": {"/a": "1:1"}}),
    "renamed": ([seen("/b")], [known("/a")], {"moved": ["/a>/b"]}),
    "renamed while it was missing": ([seen("/b")], [known("/a", present=False)], {"moved": ["/a>/b"]}),
    "renamed in case only": ([seen("/KIP")], [known("/kip")], {"moved": ["/kip>/KIP"]}),
    "moved to another disk": ([seen("/b", key="2:7")], [known("/a")], {"moved": ["/a>/b"]}),
    "moved to a disk of coarse times": ([seen("/b", key="2:7", at=101)], [known("/a")], {"moved": ["/a>/b"]}),
    "renamed and touched": ([seen("/b", at=999)], [known("/a")], {"moved": ["/a>/b"]}),
    "another file of the same size": (
        [seen("/b", key="1:2", at=999)],
        [known("/a")],
        {"new": ["/b"], "missing": ["/a"]},
    ),
    "another file with the freed inode": ([seen("/b", size=11)], [known("/a")], {"new": ["/b"], "missing": ["/a"]}),
    "copied": ([seen("/a"), seen("/b", key="1:2")], [known("/a")], {"new": ["/b"], "unchanged": 1}),
    "a second name": ([seen("/a"), seen("/b")], [known("/a")], {"new": ["/b"], "unchanged": 1}),
    "renamed beside a second name": (
        [seen("/a"), seen("/c")],
        [known("/a"), known("/b")],
        {"moved": ["/b>/c"], "unchanged": 1},
    ),
    "one lost, two found": ([seen("/b"), seen("/c")], [known("/a")], {"moved": ["/a>/b"], "new": ["/c"]}),
    "two lost, one found: the name decides": (
        [seen("/new/b", key="9:9")],
        [known("/old/a"), known("/old/b", key="1:2", artifact=2)],
        {"moved": ["/old/b>/new/b"], "missing": ["/old/a"]},
    ),
    "two lost, one found: the inode decides": (
        [seen("/new/b")],
        [known("/old/b", key="1:2"), known("/old/a", artifact=2)],
        {"moved": ["/old/a>/new/b"], "missing": ["/old/b"]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_became_of_a_file(case: str) -> None:
    found, held, expected = CASES[case]
    assert told(planned(found, held)) == expected


@pytest.mark.parametrize("sample", ["another", None])
def test_without_the_same_inode_the_bytes_must_look_the_same(sample: str | None) -> None:
    changes = planned([seen("/b", key="2:7")], [known("/a")], sample=sample)
    assert told(changes) == {"new": ["/b"], "missing": ["/a"]}


def test_the_same_inode_size_and_time_need_no_reading() -> None:
    assert told(planned([seen("/b")], [known("/a")], sample=None)) == {"moved": ["/a>/b"]}


def test_two_files_of_one_size_and_time_that_changed_places_are_changed() -> None:
    held = [known("/a", key="1:1", sample="a"), known("/b", key="1:2", sample="b")]
    changes = plan(
        {"/a": seen("/a", key="1:2"), "/b": seen("/b", key="1:1")},
        {one.path: one for one in held},
        sample={"/a": "b", "/b": "a"}.get,
    )
    assert [one.path for one in changes.changed] == ["/a", "/b"]


def test_what_left_another_place_may_have_come_here_and_is_not_called_missing() -> None:
    assert told(planned([seen("/b")], [], gone=[known("/elsewhere")])) == {"moved": ["/elsewhere>/b"]}
    assert told(planned([], [], gone=[known("/elsewhere")])) == {}


def test_files_as_they_were_are_set_aside_and_counted() -> None:
    rows = {"/a": tuple(seen("/a")), "/b": tuple(seen("/b", size=3)), "/c": tuple(seen("/c"))}
    held = [tuple(known("/a")), tuple(known("/b")), tuple(known("/d"))]
    found, others, unchanged = differing(rows, held)
    assert (list(found), [one.path for one in others], unchanged) == (["/b", "/c"], ["/b", "/d"], 1)


FILES = st.lists(
    st.builds(
        seen,
        st.sampled_from(["/a", "/b", "/c", "/d", "/e"]),
        size=st.integers(1, 2),
        at=st.integers(1, 4),
        key=st.sampled_from(["1:1", "1:2", "1:3", "2:1"]),
    ),
    max_size=6,
)


def as_known(files: Iterable[Seen]) -> dict[str, KnownFile]:
    return {
        one.path: KnownFile(*one[:4], "", present=True, outdated=False, sample=str(one[1:4]), artifact_id=number)
        for number, one in enumerate(files)
    }


@given(before=FILES, after=FILES)
def test_every_file_has_one_fate(before: list[Seen], after: list[Seen]) -> None:
    found, held = {one.path: one for one in after}, as_known(before)
    changes = plan(found, held, sample=lambda path: str(found[path][1:4]))
    arrived = [move.now for move in changes.moved]
    sorts = [changes.new, changes.changed, changes.returned, changes.stale, arrived]
    assert sum(map(len, sorts)) + changes.unchanged == len(found)
    lost = {one.path for one in changes.missing} | {move.was.path for move in changes.moved}
    assert lost == held.keys() - found.keys()
    assert len({move.was.path for move in changes.moved}) == len(changes.moved)


@given(files=FILES)
def test_the_same_again_is_no_change(files: list[Seen]) -> None:
    found = {one.path: one for one in files}
    assert told(plan(found, as_known(found.values()), sample=lambda _: None)) in ({}, {"unchanged": len(found)})
