"""Whatever people paste of Civitai comes to one address, and tokens in it go nowhere."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub import hubs
from modelhub.errors import BadValue
from modelhub.hubs import HubRef
from modelhub.hubs.civitai import address, written

NUMBERS = st.integers(1, 2**31 - 1).map(str)
REFS = st.one_of(
    st.builds(HubRef, st.just("civitai"), NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS),
    st.builds(HubRef, st.just("civitai"), st.just(""), NUMBERS, st.none() | NUMBERS),
    st.builds(
        lambda digest: HubRef("civitai", digest=digest),
        st.sampled_from((8, 10, 12, 64)).flatmap(
            lambda size: st.text("0123456789abcdef", min_size=size, max_size=size)
        ),
    ),
)


@given(REFS)
def test_the_written_form_means_what_it_was_written_of(ref: HubRef) -> None:
    assert address(written(ref)) == ref
    assert hubs.parse(str(ref)) == ref


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("civitai:12", "civitai:12"),
        ("CivitAI:012@34", "civitai:12@34"),
        ("civitai:model:12", "civitai:12"),
        ("civitai:version:34", "civitai:@34"),
        ("civitai:version:34+56", "civitai:@34+56"),
        ("civitai:hash:ABCDEF0123", "civitai:hash:abcdef0123"),
        ("urn:air:sdxl:lora:civitai:12@34", "civitai:12@34"),
        ("URN:AIR:SD1:CHECKPOINT:CIVITAI:12@34+56.SafeTensors", "civitai:12@34+56"),
        ("air:flux1/dev:lora:civitai:12", "civitai:12"),
        ("urn:air:civitai:12", "civitai:12"),
        ("lora:civitai:12@34", "civitai:12@34"),
        ("https://civitai.com/models/12", "civitai:12"),
        ("civitai.com/models/12/kip-the-robot/", "civitai:12"),
        ("http://www.civitai.red/models/12/x?modelVersionId=34&token=s3cret#comments", "civitai:12@34"),
        ("https://civitai.com/model-versions/34", "civitai:@34"),
        ("https://civitai.com/api/download/models/34?type=Model&fileId=56&token=s3cret", "civitai:@34+56"),
        ("https://civitai.com/api/v1/models/12", "civitai:12"),
        ("https://civitai.com/api/v1/model-versions/34", "civitai:@34"),
        ("https://civitai.com/api/v1/model-versions/by-hash/ABCDEF01", "civitai:hash:abcdef01"),
    ],
)
def test_every_form_comes_to_one(text: str, kept: str) -> None:
    assert str(hubs.parse(text)) == kept


@pytest.mark.parametrize(
    "text",
    [
        "kip",
        "12",
        "hf:owner/repo",
        "urn:air:sdxl:checkpoint:huggingface:owner/repo@main",
        "civitai-r2:12",
        "https://notcivitai.com/models/12",
        "https://civitai.com.evil.example/models/12",
        "https://civitai.com@evil.example/models/12",
        "https://[civitai.com/models/12",
        "./loras/civitai:12",
    ],
)
def test_what_is_others_is_left_to_others(text: str) -> None:
    assert address(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "civitai:",
        "civitai:kip",
        "civitai:0",
        "civitai:٣",
        f"civitai:{2**31}",
        "civitai:hash:abc",
        "civitai:hash:xyz",
        "urn:air:sdxl:lora:civitai:kip",
        "https://civitai.com/images/12?token=s3cret",
        "https://civitai.com/models/12?modelVersionId=newest",
    ],
)
def test_what_is_ours_and_no_model_is_refused_without_its_secrets(text: str) -> None:
    with pytest.raises(BadValue) as refused:
        address(text)
    assert "s3cret" not in refused.value.message


@given(st.text(), st.sampled_from(["", "civitai:", "urn:air:", "https://civitai.com/models/", "civitai.red/"]))
def test_any_text_is_an_address_or_none_or_refused(text: str, before: str) -> None:
    with suppress(BadValue):
        ref = address(before + text)
        assert ref is None or address(written(ref)) == ref
