"""The plan of a sync, on worlds of plain values."""

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelhub.errors import LicenceForbids, NameTaken, NotOffered
from modelhub.hubs import HubRef
from modelhub.kinds import Kind
from modelhub.sync.manifest import Entry, Manifest
from modelhub.sync.planning import plan, questions
from modelhub.sync.steps import Adopt, Blocked, Drop, Holding, Keep, Prune, Pull, Rename, Tag, Untag
from tests.modelhub.sync.worlds import World, digest, listing

_OFFERED = (listing(1, 1, 10), listing(1, 2, 20), listing(2, 1, 30), listing(3, 1, 30))


def _ref(model: int, version: int | None = None) -> HubRef:
    return HubRef("civitai", str(model), str(version) if version else None)


def _manifest(*entries: Entry) -> Manifest:
    return Manifest(entries)


def _held(number: int, content: int, *sources: HubRef, name: str = "", tags: tuple[str, ...] = ()) -> Holding:
    return Holding(number, name or f"n{number}", frozenset(tags), digest(content), frozenset(sources))


def test_what_is_missing_is_pulled_in_its_newest_version() -> None:
    planned = World(_OFFERED).plan(_manifest(Entry(_ref(1))))
    assert [one.listing.ref.version for one in planned.pulls] == ["2"]


def test_what_is_locked_stays_though_a_newer_version_is_offered() -> None:
    manifest = _manifest(Entry(_ref(1)))
    world = World(_OFFERED[:1])
    world = world.after(world.plan(manifest), manifest)
    newer = replace(world, offered=_OFFERED, held=())
    assert [one.listing.ref.version for one in newer.plan(manifest).pulls] == ["1"]


def test_an_entry_that_asks_for_another_version_now_leaves_its_lock() -> None:
    manifest = _manifest(Entry(_ref(1, 1)))
    world = World(_OFFERED).after(World(_OFFERED).plan(manifest), manifest)
    planned = world.plan(_manifest(Entry(_ref(1, 2))))
    assert [type(one) for one in planned.changes] == [Drop, Pull]


def test_what_is_locked_and_here_needs_no_hub() -> None:
    manifest = _manifest(Entry(_ref(1)))
    world = World(_OFFERED).after(World(_OFFERED).plan(manifest), manifest)
    assert questions(manifest, world.lock, world.held) == {}
    assert [type(one) for one in world.plan(manifest).steps] == [Keep]


def test_what_is_held_from_there_is_locked_as_it_is() -> None:
    old = _OFFERED[0]
    world = World(_OFFERED, (_held(4, 10, old.ref),))
    assert world.plan(_manifest(Entry(_ref(1)))).steps == (Keep(Entry(_ref(1)), old, 4),)


def test_bytes_that_are_here_from_elsewhere_are_adopted() -> None:
    entry = Entry(_ref(2), name="kip")
    planned = World(_OFFERED, (_held(4, 30, name="kip"),)).plan(_manifest(entry))
    assert planned.steps == (Adopt(entry, _OFFERED[2], 4),)


def test_a_file_that_is_gone_from_the_disk_is_pulled_again() -> None:
    lost = replace(_held(4, 30, _OFFERED[2].ref), is_present=False)
    assert len(World(_OFFERED, (lost,)).plan(_manifest(Entry(_ref(2)))).pulls) == 1


def test_names_that_change_places_pass_through_a_third_one() -> None:
    held = (_held(1, 20, _OFFERED[1].ref, name="a"), _held(2, 30, _OFFERED[2].ref, name="b"))
    planned = World(_OFFERED, held).plan(_manifest(Entry(_ref(1), name="b"), Entry(_ref(2), name="a")))
    assert [(one.was, one.name) for one in planned.changes if isinstance(one, Rename)] == [
        ("a", "a-renamed"),
        ("b", "a"),
        ("a-renamed", "b"),
    ]


def test_a_name_that_a_stranger_keeps_blocks_its_entry() -> None:
    planned = World(_OFFERED, (_held(4, 99, name="kip"),)).plan(_manifest(Entry(_ref(1), name="kip")))
    assert isinstance(planned.blocked[0].error, NameTaken)
    assert not planned.pulls


def test_tags_that_the_manifest_gave_are_taken_back_and_the_owners_stay() -> None:
    before = _manifest(Entry(_ref(1), tags=("x", "y")))
    world = World(_OFFERED).after(World(_OFFERED).plan(before), before)
    world = replace(world, held=(replace(world.held[0], tags=world.held[0].tags | {"mine"}),))
    after = _manifest(Entry(_ref(1), tags=("y", "z")))
    changes = world.plan(after).changes
    assert [type(one) for one in changes] == [Tag, Untag]
    assert world.after(world.plan(after), after).held[0].tags == {"y", "z", "mine"}


def test_what_the_manifest_asks_for_no_longer_stays_unless_it_is_pruned() -> None:
    manifest = _manifest(Entry(_ref(1)))
    world = World(_OFFERED).after(World(_OFFERED).plan(manifest), manifest)
    assert [type(one) for one in world.plan(_manifest()).steps] == [Drop]
    assert [type(one) for one in world.plan(_manifest(), prune=True).steps] == [Prune, Drop]


def test_nothing_is_pruned_while_an_entry_is_blocked() -> None:
    manifest = _manifest(Entry(_ref(1)))
    world = World(_OFFERED).after(World(_OFFERED).plan(manifest), manifest)
    assert not [one for one in world.plan(_manifest(Entry(_ref(9))), prune=True).steps if isinstance(one, Prune)]


def test_two_entries_for_the_same_bytes_are_one_too_many() -> None:
    planned = World(_OFFERED).plan(_manifest(Entry(_ref(2)), Entry(_ref(3))))
    assert [type(one) for one in planned.steps] == [Pull, Blocked]


def test_a_hub_that_has_it_not_blocks_only_its_own_entry() -> None:
    planned = World(_OFFERED).plan(_manifest(Entry(_ref(9)), Entry(_ref(1))))
    assert [type(one) for one in planned.steps] == [Blocked, Pull]
    assert isinstance(planned.blocked[0].error, NotOffered)


def test_the_listing_of_the_wanted_kind_is_taken() -> None:
    vae = listing(1, 2, 21, kind=Kind.VAE)
    planned = World((vae, *_OFFERED[:2])).plan(_manifest(Entry(_ref(1), kind=Kind.VAE)))
    assert planned.pulls[0].listing == vae


def test_what_a_licence_forbids_is_blocked() -> None:
    refused = LicenceForbids("no")
    world, manifest = World(_OFFERED), _manifest(Entry(_ref(1)))
    offers = {one: world.offer(one.ref) for one in manifest.entries}
    planned = plan(manifest, (), offers, (), forbids=lambda entry, found: refused)
    assert planned.steps == (Blocked(manifest.entries[0], refused),)


_EXAMPLES = int(os.environ.get("MODELHUB_STEPS", "300"))
_NAMES = st.sampled_from(["a", "b", "c", None])
_TAGS = st.lists(st.sampled_from(["x", "y"]), unique=True).map(tuple)
_CONTENTS = st.integers(0, 5)
_REFS = st.builds(_ref, st.integers(1, 4), st.sampled_from([None, 1, 2]))
_LISTINGS = st.lists(st.builds(listing, st.integers(1, 4), st.integers(1, 2), _CONTENTS), max_size=6).map(
    lambda found: tuple({one.ref: one for one in found}.values())
)


@st.composite
def _holdings(draw: st.DrawFn) -> tuple[Holding, ...]:
    contents = draw(st.lists(_CONTENTS, unique=True, max_size=5))
    names = draw(st.permutations(["a", "b", "c", "d", "e"]))
    sources = st.frozensets(
        st.builds(lambda m, v: listing(m, v, 0).ref, st.integers(1, 4), st.integers(1, 2)), max_size=2
    )
    return tuple(
        Holding(number + 1, names[number], frozenset(draw(_TAGS)), digest(content), draw(sources), draw(st.booleans()))
        for number, content in enumerate(contents)
    )


@st.composite
def _manifests(draw: st.DrawFn) -> Manifest:
    entries = draw(st.lists(st.builds(Entry, _REFS, _NAMES, st.none(), _TAGS), max_size=4))
    refs: dict[HubRef, Entry] = {}
    for entry in entries:
        if entry.name is None or all(entry.name != one.name for one in refs.values()):
            refs.setdefault(entry.ref, entry)
    return Manifest(tuple(refs.values()))


@settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_LISTINGS, _holdings(), _manifests(), _manifests(), st.booleans())
def test_any_plan_reaches_its_manifest_and_a_second_one_finds_nothing_to_do(
    offered: tuple, held: tuple[Holding, ...], first: Manifest, second: Manifest, prune: bool
) -> None:
    world = World(offered, held)
    for manifest in (first, second):
        planned = world.plan(manifest, prune=prune)
        blocked = {one.entry for one in planned.blocked}
        world = world.after(planned, manifest)
        for entry in set(manifest.entries) - blocked:
            holding = world.holding(entry, manifest)
            assert entry.name is None or _is_called(entry.name, holding, world.held)
            assert holding.tags >= set(entry.tags)
        again = world.plan(manifest, prune=prune)
        assert {type(one) for one in again.changes} <= {Blocked}
        assert {one.entry for one in again.blocked} == blocked
        assert len(set(world.fetched)) == len(world.fetched)


def _is_called(name: str, holding: Holding, held: tuple[Holding, ...]) -> bool:
    """It has the name, or has left it to another one from the same address."""
    owner = next(one for one in held if one.name == name)
    return owner == holding or bool(owner.sources & holding.sources)


def test_a_pickle_leaves_its_name_to_what_it_was_converted_to() -> None:
    entry = Entry(_ref(2), name="kip")
    ref = _OFFERED[2].ref
    held = (_held(4, 30, ref, name="kip-pickle"), _held(5, 31, ref, name="kip"))
    assert World(_OFFERED, held).plan(_manifest(entry)).steps == (Keep(entry, _OFFERED[2], 4),)


@pytest.mark.parametrize("times", [1, 2])
def test_blocked_entries_keep_what_is_locked(times: int) -> None:
    manifest = _manifest(Entry(_ref(1), name="kip"))
    world = World(_OFFERED).after(World(_OFFERED).plan(manifest), manifest)
    world = replace(world, held=(_held(7, 99, name="kip"),), offered=())
    for _ in range(times):
        world = world.after(world.plan(manifest), manifest)
    assert [one.ref.version for one in world.lock] == ["2"]
