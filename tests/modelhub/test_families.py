"""Families are told apart by what their files show."""

import pytest

from modelhub.errors import BadValue
from modelhub.families import family, known


def test_every_family_is_found_under_its_own_name() -> None:
    assert "sd1" in known()
    assert all(family(name).name == name for name in known())


def test_no_two_families_show_the_same_shapes() -> None:
    unets = [one.unet for one in known().values() if one.unet]
    shown = [(one.channels, one.context_width, one.conv_projections, one.class_width) for one in unets]
    assert len(set(shown)) == len(shown)


def test_an_unknown_family_is_refused_naming_the_known() -> None:
    with pytest.raises(BadValue, match="sd1"):
        family("sd9")


@pytest.mark.parametrize("name", known())
def test_components_are_dotted_names_so_that_no_torch_is_needed(name: str) -> None:
    assert all(dotted.count(".") == 1 for dotted in family(name).components.values())
