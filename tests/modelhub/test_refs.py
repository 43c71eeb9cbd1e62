"""References are told apart by their looks, and names keep out of the other forms' way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub.errors import BadValue
from modelhub.refs import ModelRef, RefForm, WeightedRef, check_name

FORMS = {
    "12": RefForm.ID,
    "12345678": RefForm.ID,
    "0a1b2c3d": RefForm.DIGEST,
    "DEADBEEF00": RefForm.DIGEST,
    "0a1b2c3": RefForm.NAME,
    "dreamshaper-8": RefForm.NAME,
    "模型": RefForm.NAME,
    "lora/kip.safetensors": RefForm.PATH,
    "kip.safetensors": RefForm.PATH,
    "KIP.CKPT": RefForm.PATH,
    "~/kip": RefForm.PATH,
    r"c:\models\kip": RefForm.PATH,
    "hf:owner/repo@main": RefForm.HUB,
    "civitai:12@34": RefForm.HUB,
    "urn:air:sd1:lora:civitai:1@2": RefForm.HUB,
    "https://civitai.com/models/1": RefForm.HUB,
    "folder:/nas/models": RefForm.HUB,
    "file:///nas/kip.safetensors": RefForm.HUB,
}


@pytest.mark.parametrize(("text", "form"), FORMS.items())
def test_a_reference_has_one_form(text: str, form: RefForm) -> None:
    assert ModelRef.parse(text).form is form


@given(st.text(min_size=1).filter(str.strip))
def test_a_reference_is_read_back_as_it_was_written(text: str) -> None:
    ref = ModelRef.parse(text)
    assert ModelRef.parse(str(ref)) == ref


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_reference_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        ModelRef.parse(text)


@pytest.mark.parametrize(
    ("text", "unet", "text_encoder"),
    [("7", 1.0, 1.0), ("7=0.8", 0.8, 0.8), ("civitai:1@2=0.8,0.6", 0.8, 0.6), ("kip=-1", -1.0, -1.0)],
)
def test_weights_stand_behind_the_equals_sign(text: str, unet: float, text_encoder: float) -> None:
    parsed = WeightedRef.parse(text)
    assert (parsed.unet, parsed.text_encoder) == (unet, text_encoder)
    assert WeightedRef.parse(str(parsed)) == parsed


@pytest.mark.parametrize("text", ["7=", "7=heavy", "7=1,2,3", "=1"])
def test_weights_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadValue):
        WeightedRef.parse(text)


@pytest.mark.parametrize("name", ["kip", "dreamshaper 8", "模型-2", "v1.5"])
def test_a_readable_name_is_taken(name: str) -> None:
    assert check_name(name) == name


MISREAD = ["", " kip", "12", "deadbeef", "a:b", "a=1", "a@b", "a/b", "<a>", "x.ckpt", "~x", "a\nb"]


@pytest.mark.parametrize("name", MISREAD)
def test_a_name_that_could_be_misread_is_refused(name: str) -> None:
    with pytest.raises(BadValue):
        check_name(name)
