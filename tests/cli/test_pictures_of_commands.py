"""What a command takes for a picture."""

from pathlib import Path

import pytest

from cli.pictures import is_picture
from inference.images.formats import format_named


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "avif"])
def test_what_generate_writes_is_a_picture(name: str) -> None:
    assert is_picture(Path("a").with_suffix(format_named(name, 80).suffix))


@pytest.mark.parametrize("name", ["a.safetensors", "kip", "12", "civitai:12@3"])
def test_what_names_a_model_is_none(name: str) -> None:
    assert not is_picture(Path(name))
