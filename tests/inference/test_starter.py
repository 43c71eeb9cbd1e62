"""The shipped checkpoint is what the product says of it, and draws."""

from inference.engine import Engine
from inference.generate import Picture, render
from inference.images.compare import thumbnail
from inference.plan import resolve
from inference.request import GenerationRequest
from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.kinds import Kind


def test_the_starter_is_a_small_sd1_checkpoint(catalog: Catalog) -> None:
    artifact = catalog.add(starter.CHECKPOINT)

    assert (artifact.facts.kind, artifact.facts.family, artifact.facts.format) == (
        Kind.CHECKPOINT,
        "sd1",
        "safetensors/ldm",
    )
    assert artifact.facts.conflicts == ()
    assert artifact.size <= 32_000_000


def test_the_starter_draws_a_red_apple_that_is_red_and_round(catalog: Catalog) -> None:
    catalog.add(starter.CHECKPOINT, name="starter")
    request = GenerationRequest(prompt="red apple, noto style", model="starter", seed=7, steps=20, cfg=4)

    [picture] = [one for one in render(resolve(request, catalog), Engine("cpu")) if isinstance(one, Picture)]

    small = thumbnail(picture.image).astype(float)
    middle, corners = small[6:12, 5:11].mean(axis=(0, 1)), small[[0, 0, -1, -1], [0, -1, 0, -1]].mean(axis=0)
    assert picture.image.size == (128, 128)
    assert middle[0] - middle[1:].max() > 60
    assert corners.min() > 200
