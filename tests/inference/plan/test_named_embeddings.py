"""Which embeddings a request's words stand for, and pictures drawn with them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from inference.engine import Engine
from inference.generate import Picture, render
from inference.plan import EmbeddingPlan, resolve
from inference.request import GenerationRequest, Hires, NetworkUse
from inference.weights.convert import convert, plan_conversion
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.digests import file_digests
from modelhub.errors import Incompatible
from modelhub.jobs import drain
from modelhub.kinds import Facts, Kind
from modelhub.workspace import Workspace
from tests import tiny, tiny_families

SD1 = {"modelhub.family": "sd1"}


def write(path: Path, metadata: Mapping[str, str] = SD1, **shapes: tuple[int, ...]) -> Path:
    generator = torch.Generator().manual_seed(len(path.name))
    save_tensors(path, {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}, metadata)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("words")


@pytest.fixture(scope="module")
def shelf(folder: Path) -> Iterator[Catalog]:
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        catalog.add(tiny_families.write_sdxl(folder / "wide.safetensors"))
        sdxl = Facts(kind=Kind.EMBEDDING, family="sdxl")
        catalog.add(write(folder / "EasyCat.safetensors", emb_params=(3, 16)))
        catalog.add(write(folder / "kitty.safetensors", emb_params=(1, 16)), name="my-kitty")
        catalog.add(write(folder / "thin.safetensors", emb_params=(1, 8)))
        catalog.add(write(folder / "endless.safetensors", emb_params=(76, 16)))
        catalog.add(write(folder / "pair.safetensors", {}, clip_l=(2, 8), clip_g=(2, 16)), facts=sdxl)
        catalog.add(write(folder / "half.safetensors", {}, clip_g=(2, 16)), facts=sdxl)
        yield catalog


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def request(prompt: str, **fields: object) -> GenerationRequest:
    defaults = {"prompt": prompt, "model": "tiny", "steps": 3, "seed": 1, "sampler": "Euler a"}
    return GenerationRequest.model_validate({**defaults, **fields})


def found(shelf: Catalog, prompt: str, **fields: object) -> list[str]:
    return [one.name for one in resolve(request(prompt, **fields), shelf).base.embeddings]


def pixels(shelf: Catalog, engine: Engine, asked: GenerationRequest) -> NDArray[np.int16]:
    (image,) = [one.image for one in render(resolve(asked, shelf), engine) if isinstance(one, Picture)]
    return np.asarray(image, dtype=np.int16)


def test_what_the_prompts_name_is_found_and_written_down(shelf: Catalog, folder: Path) -> None:
    plan = resolve(request("a (easycat:1.2)", negative_prompt="kitty"), shelf)

    digests = [file_digests(folder / f"{name}.safetensors")["sha256"] for name in ("EasyCat", "kitty")]
    rows = {"text_encoder": "emb_params"}
    assert {one.name: one for one in plan.base.embeddings} == {
        "EasyCat": EmbeddingPlan("EasyCat", digests[0], folder / "EasyCat.safetensors", rows, 3),
        "kitty": EmbeddingPlan("kitty", digests[1], folder / "kitty.safetensors", rows, 1),
    }
    assert {one.name: one.ref for one in plan.request.embeddings or ()} == dict(
        zip(("EasyCat", "kitty"), digests, strict=True)
    )
    assert sorted(plan.used) == [("embedding", 3), ("embedding", 4), ("model", 1)]
    assert resolve(plan.request, shelf) == plan


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("a dog", []),
        ("[dog:my-kitty:0.5]", ["my-kitty"]),
        ("dog AND kitty", ["kitty"]),
        ("[dog|fox|kitty]", ["kitty"]),
        ("[dog:kitty:9]", []),
        ("pair", []),
    ],
)
def test_only_what_a_text_encoder_will_read_counts(shelf: Catalog, prompt: str, named: list[str]) -> None:
    assert found(shelf, prompt) == named


def test_the_second_passes_words_count_too(shelf: Catalog) -> None:
    hires = Hires(negative_prompt="easycat")

    assert sorted(found(shelf, "[dog:kitty:1.5]", hires=hires)) == ["EasyCat", "kitty"]
    assert found(shelf, "[dog:kitty:1.5]") == []


def test_a_picture_is_drawn_again_after_a_rename(folder: Path, engine: Engine) -> None:
    with Catalog.create(Workspace(folder / "own")) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "own" / "tiny.safetensors"))
        kitty = catalog.add(write(folder / "own" / "paw.safetensors", emb_params=(2, 16)), name="cat-paw")
        plan = resolve(request("a cat-paw"), catalog)
        drawn = pixels(catalog, engine, plan.request)
        catalog.rename(kitty.id, "something-else")

        assert np.array_equal(pixels(catalog, engine, plan.request), drawn)
        assert not np.array_equal(pixels(catalog, engine, request("a cat-paw")), drawn)


def test_a_resolved_request_finds_no_further_words(shelf: Catalog) -> None:
    plan = resolve(request("a kitty", embeddings=[]), shelf)

    assert (plan.base.embeddings, plan.request.embeddings) == ((), ())


@pytest.mark.parametrize(
    ("prompt", "model", "wrong"),
    [
        ("thin", "tiny", "thin does not fit tiny: its vectors for the text encoder are 8 wide, .* 16 wide"),
        ("half", "wide", "half does not fit wide: its vectors for the text encoder are missing"),
        ("endless", "tiny", "endless.safetensors has not 1 to 75 vectors"),
    ],
)
def test_one_that_cannot_fit_is_refused_when_it_is_named(shelf: Catalog, prompt: str, model: str, wrong: str) -> None:
    with pytest.raises(Incompatible, match=wrong):
        resolve(request(prompt, model=model), shelf)


@pytest.mark.parametrize(("model", "name"), [("tiny", "kitty"), ("wide", "pair")])
def test_it_changes_the_picture(shelf: Catalog, engine: Engine, model: str, name: str) -> None:
    asked = request(f"a {name}", model=model)
    with_it = pixels(shelf, engine, asked)

    without = pixels(shelf, engine, asked.model_copy(update={"embeddings": ()}))

    assert not np.array_equal(with_it, without)
    assert np.array_equal(pixels(shelf, engine, asked), with_it)


def test_what_webui_trained_is_found_once_it_is_converted(folder: Path, shelf: Catalog) -> None:
    vectors = torch.randn(2, 16)
    saved = {"string_to_token": {"*": 265}, "string_to_param": {"*": vectors}, "name": "x", "step": 5}
    torch.save(saved, folder / "walter.pt")
    drain(convert(plan_conversion(folder / "walter.pt"), folder / "walter.safetensors"))
    sd1 = Facts(kind=Kind.EMBEDDING, family="sd1")
    shelf.add(folder / "walter.pt", name="walter", facts=replace(sd1, format="pickle/webui"))
    with pytest.raises(Incompatible, match="walter is a pickle"):
        resolve(request("walter"), shelf)
    shelf.add(folder / "walter.safetensors", facts=sd1)

    (plan,) = resolve(request("walter"), shelf).base.embeddings

    assert plan.path == folder / "walter.safetensors"
    assert (plan.count, plan.rows) == (2, {"text_encoder": "emb_params"})


def test_what_a_request_names_by_digest_goes_before_the_catalogs_names(shelf: Catalog) -> None:
    uses = [NetworkUse(name="dog", ref="EasyCat")]

    assert found(shelf, "a dog and a kitty", embeddings=uses) == ["dog"]
