"""Families are told apart by what their files show."""

from collections import Counter
from itertools import chain

import pytest

from modelhub.errors import BadValue
from modelhub.families import family, known

LAYOUTS = {"native", "diffusers"}


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


@pytest.mark.parametrize("name", known())
def test_a_family_is_a_unet_or_a_transformer(name: str) -> None:
    assert bool(family(name).transformer) != bool(family(name).unet)


@pytest.mark.parametrize("name", known())
def test_a_transformer_is_described_by_its_layouts_and_known_by_several_tensors(name: str) -> None:
    layouts = family(name).transformer
    assert {layout.name for layout in layouts} <= LAYOUTS
    assert all(len(layout.requires) > 4 for layout in layouts), "fewer would be no more certain than a UNet"


@pytest.mark.parametrize("name", known())
def test_a_name_narrows_only_variants_that_tensors_show(name: str) -> None:
    one = family(name)
    shown = {variant.name for variant in one.variants} | {None}
    assert {named.among for named in one.named_variants} <= shown


@pytest.mark.parametrize("name", known())
def test_a_borrowed_vae_is_built_as_its_owners(name: str) -> None:
    one = family(name)
    owner = family(one.vae_of or name)
    assert (owner.vae, owner.latent.channels, owner.vae_of) == (one.vae, one.latent.channels, None)


@pytest.mark.parametrize(
    "field", ["hub_names", "base_versions", "modelspec_architectures", "name_marks", "ordinary_marks", "vae_names"]
)
def test_no_two_families_go_by_one_name(field: str) -> None:
    names = chain.from_iterable(getattr(one, field) for one in known().values())
    assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("name", known())
def test_what_we_write_names_the_family_in_a_header(name: str) -> None:
    assert family(name).modelspec_architectures, "a header could not say what it is"
