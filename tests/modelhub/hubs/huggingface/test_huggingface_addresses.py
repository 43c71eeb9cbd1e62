"""Addresses at HuggingFace in the forms that people paste."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelhub import hubs
from modelhub.errors import BadValue
from modelhub.hubs import HubRef
from modelhub.hubs.huggingface import address, written

_NAME = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True).filter(
    lambda one: one not in ("datasets", "spaces", "buckets", "kernels")
)
_PART = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1).filter(
    lambda one: one not in (".", "..")
)
_PATH = st.lists(_PART, min_size=1, max_size=3).map("/".join)


def _ref(version: str | None = None, file: str | None = None) -> HubRef:
    return HubRef("hf", "kip/styles-1.0", version, file)


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("hf:kip/styles-1.0", _ref()),
        ("HF:kip/styles-1.0/", _ref()),
        ("hf:kip/styles-1.0@main", _ref()),
        ("hf:kip/styles-1.0/a/b.pt", _ref(file="a/b.pt")),
        ("hf:kip/styles-1.0/a.pt@v1", _ref("v1", "a.pt")),
        ("hf:kip/styles-1.0@refs/pr/1", _ref("refs/pr/1")),
        ("hf:kip/styles-1.0/a%40b.pt", _ref(file="a@b.pt")),
        ("hf:kip/styles-1.0/model_index.json#fp16@v1", _ref("v1", "model_index.json#fp16")),
        ("hf://kip/styles-1.0", _ref()),
        ("hf://models/kip/styles-1.0/a.pt", _ref(file="a.pt")),
        ("hf://kip/styles-1.0@v1/a/b.pt", _ref("v1", "a/b.pt")),
        ("hf://kip/styles-1.0@refs/pr/1/a.pt", _ref("refs/pr/1", "a.pt")),
        ("https://huggingface.co/kip/styles-1.0", _ref()),
        ("https://www.huggingface.co/kip/styles-1.0/", _ref()),
        ("https://hf.co/kip/styles-1.0?library=diffusers#usage", _ref()),
        ("https://hf-mirror.com/kip/styles-1.0/tree/main", _ref()),
        ("https://huggingface.co/kip/styles-1.0/tree/v1/unet", _ref("v1", "unet")),
        ("https://huggingface.co/kip/styles-1.0/blob/main/a%20b.pt", _ref(file="a b.pt")),
        ("https://huggingface.co/kip/styles-1.0/resolve/v1/a.pt?download=true", _ref("v1", "a.pt")),
        ("https://huggingface.co/kip/styles-1.0/blob/refs%2Fpr%2F1/a.pt", _ref("refs/pr/1", "a.pt")),
        ("https://huggingface.co/kip/styles-1.0/tree/refs/pr/1/unet", _ref("refs/pr/1", "unet")),
        ("https://huggingface.co/kip/styles-1.0/commit/0a1b2c", _ref("0a1b2c")),
        ("https://huggingface.co/kip/styles-1.0/discussions/3", _ref()),
        ("https://huggingface.co/api/models/kip/styles-1.0/revision/v1", _ref("v1")),
        ("urn:air:sdxl:lora:huggingface:kip/styles-1.0", _ref()),
        ("URN:AIR:sdxl:lora:huggingface:kip/styles-1.0@main.safetensor", _ref()),
        ("air:sdxl:lora:huggingface:kip/styles-1.0@v1+a/b.safetensors", _ref("v1", "a/b.safetensors")),
    ],
)
def test_every_form_is_understood(text: str, ref: HubRef) -> None:
    assert hubs.parse(text) == ref


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("https://huggingface.co/datasets/kip/faces", "a data set"),
        ("https://huggingface.co/spaces/kip/demo", "a space"),
        ("hf:datasets/kip/faces", "a data set"),
        ("https://huggingface.co/kip", "names no model"),
        ("https://huggingface.co/", "names no model"),
        ("hf:kip", "names no model"),
        ("hf:", "names no model"),
        ("hf:kip/styles/../../etc", "names no model"),
        ("hf:kip/sty les", "names no model"),
    ],
)
def test_what_is_no_model_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadValue, match=why) as raised:
        address(text)
    assert text in raised.value.message
    assert "hf:OWNER/REPO" in (raised.value.mend or "")


@pytest.mark.parametrize(
    "text",
    [
        "civitai:12",
        "https://huggingface.co.evil.org/kip/styles",
        "https://nothuggingface.co/kip/styles",
        "https://huggingface.co@evil.org/kip/styles",
        "urn:air:sdxl:lora:civitai:12@34",
        "kip",
        "hfoo",
    ],
)
def test_what_belongs_to_others_is_left_to_them(text: str) -> None:
    assert address(text) is None


@given(_NAME, _NAME, st.none() | _PATH.filter(lambda one: one != "main"), st.none() | _PATH)
def test_writing_and_reading_an_address_changes_nothing(
    owner: str, name: str, version: str | None, file: str | None
) -> None:
    ref = HubRef("hf", f"{owner}/{name}", version, file)
    assert address(written(ref).strip()) == ref


@given(st.text())
def test_any_text_is_understood_or_refused_politely(text: str) -> None:
    for prefix in ("hf:", "hf://", "https://huggingface.co/", "urn:air:huggingface:"):
        try:
            ref = address(prefix + text)
        except BadValue:
            continue
        assert ref is None or address(written(ref)) == ref
