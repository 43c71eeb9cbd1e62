"""What a step is shown, and what SDXL is told of it."""

from collections import Counter
from pathlib import Path

from modelhub.families import family
from trainers.dataset import Sample
from trainers.framing.augment import views_of
from trainers.framing.buckets import Placement
from trainers.framing.views import Item, View
from trainers.material.material import Material
from trainers.recipe import AugmentOptions, SubsetOptions

PLACED = Placement((64, 128), (150, 128), (20, 0))


def material(*, tells_sizes: bool = True, **augment: object) -> Material:
    subset = SubsetOptions(images=Path("x"), augment=AugmentOptions.model_validate(augment))
    samples = [Sample(Path("a.png"), "", (1200, 1024), "a", "x", subset)]
    return Material(samples, [Item(0, PLACED, 1)], {}, family("sdxl").latent, tells_sizes=tells_sizes)


def shown(found: Material, times: int = 400) -> list[View]:
    return [found.view(0, seed=1, step=step, place=0) for step in range(times)]


def test_every_copy_is_shown_about_equally_often_and_no_other() -> None:
    found = material(flip=True, crop="random", variations=4)

    counts = Counter(shown(found))

    assert counts.keys() == set(views_of(found.items[0], found.samples[0]))
    assert all(25 < count < 80 for count in counts.values())


def test_what_is_shown_hangs_on_seed_step_and_place_alone() -> None:
    found = material(flip=True, color=True)

    assert shown(found) == shown(found)
    assert shown(found) != [found.view(0, seed=2, step=step, place=0) for step in range(400)]
    assert shown(found) != [found.view(0, seed=1, step=step, place=1) for step in range(400)]


def test_a_picture_without_copies_is_always_shown_alike() -> None:
    assert set(shown(material(), 20)) == {View(0, PLACED)}


def test_sdxl_is_told_the_pictures_size_the_cut_and_the_cuts_size_heights_first() -> None:
    assert material().sizes(View(0, PLACED)) == (1024, 1200, 0, 20, 128, 64)


def test_in_a_mirror_image_the_cut_begins_where_it_ended() -> None:
    """150 wide, 20 to the left of the cut and 66 to the right of it."""
    assert material().sizes(View(0, PLACED, mirrored=True)) == (1024, 1200, 0, 66, 128, 64)


def test_a_random_cut_is_told_as_it_is() -> None:
    found = material(crop="random")
    for view in views_of(found.items[0], found.samples[0]):
        sizes = found.sizes(view)
        assert sizes is not None
        assert sizes[2:4] == view.placement.crop[::-1]


def test_other_families_are_told_no_sizes() -> None:
    assert material(tells_sizes=False).sizes(View(0, PLACED)) is None


def test_where_repeats_are_fractions_pictures_take_turns_and_epochs_are_of_one_length() -> None:
    one = material()
    items = [Item(0, PLACED, 0.1)] * 100
    found = Material(one.samples, items, {}, one.latent)

    epochs = [found.epoch(number) for number in range(10)]

    assert sorted(index for epoch in epochs for index in epoch) == list(range(100))
    assert all(8 <= len(epoch) <= 12 for epoch in epochs)
