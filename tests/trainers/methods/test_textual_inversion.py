"""A new word: only its vectors move, texts that say it change, and its files are what everybody reads."""

import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from inference.engine import Engine
from inference.generate import generate
from inference.plan import ModelPlan
from inference.prompt.tokenizer import tokenize
from inference.request import GenerationRequest
from inference.weights.pickles import save_pickle
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.errors import BrokenFile
from modelhub.jobs import drain
from tests import tiny_families
from tests.trainers.bases import Models, loaded, planned
from trainers.material.texts import Texts
from trainers.methods import Export
from trainers.methods.textual_inversion import TextualInversion, prepare
from trainers.recipe import DatasetOptions, Recipe, TextualInversionOptions


@pytest.fixture(scope="module")
def xl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of tiny SDXL models: read it, never write to it."""
    return tiny_families.write_sdxl(tmp_path_factory.mktemp("xl") / "xl.safetensors")


def recipe(**options: Any) -> Recipe:
    return Recipe(
        method="textual_inversion", base="x", name="kip", dataset=DatasetOptions(images=Path("x")), steps=10,
        options=TextualInversionOptions(**{"vectors": 2, **options}),
    )  # fmt: skip


def begun(path: Path, name: str = "sd1", **options: Any) -> tuple[TextualInversion, Models, ModelPlan]:
    plan = planned(path, name)
    models = loaded(plan)
    return prepare(models, plan, recipe(**options)), models, plan


def said(one: tuple[TextualInversion, Models, ModelPlan], text: str) -> Tensor:
    trainee, models, plan = one
    return Texts(plan, models, trainee.words, clip_skip=1, learns=True).encode([text]).tokens


def taught(one: tuple[TextualInversion, Models, ModelPlan], steps: int = 2) -> None:
    """A few real steps towards another encoding."""
    trainee, _, _ = one
    optimizer = torch.optim.AdamW([{"params": list(group.parameters)} for group in trainee.groups()], lr=0.1)
    for step in range(steps):
        optimizer.zero_grad()
        (said(one, "a picture of kip") - 1).square().mean().backward()
        optimizer.step()
        trainee.after_step(step + 1)


def written(trainee: TextualInversion, folder: Path, *formats: str) -> list[tuple[Export, Path]]:
    found = []
    for number, export in enumerate(trainee.exports(formats)):
        path = folder / f"kip{number}{export.suffix}"
        if export.pickled:
            save_pickle(path, export.pickled)
        else:
            save_tensors(path, export.tensors, export.metadata)
        found.append((export, path))
    return found


def test_it_begins_as_its_initial_words_in_every_table(xl: Path) -> None:
    trainee, models, _ = begun(xl, "sdxl", vectors=3, initial="red fox")

    red, fox = tokenize(["red fox"])[0]
    for role in ("text_encoder", "text_encoder_2"):
        table = models[role].get_input_embeddings().weight  # type: ignore[operator]
        assert torch.equal(trainee.words[role]["kip"], table[[red, fox, red]])


def test_a_word_that_is_not_taught_yet_says_what_its_initial_word_says(checkpoint: Path) -> None:
    one = begun(checkpoint, vectors=1, initial="fox")

    assert torch.equal(said(one, "a kip, wet"), said(one, "a fox, wet"))


def test_without_initial_words_it_begins_as_noise_of_the_tables_spread(checkpoint: Path) -> None:
    first, models, _ = begun(checkpoint, vectors=75)
    again, _, _ = begun(checkpoint, vectors=75)

    vectors = first.words["text_encoder"]["kip"]
    table = models["text_encoder"].get_input_embeddings().weight  # type: ignore[operator]
    assert torch.equal(vectors, again.words["text_encoder"]["kip"])
    assert vectors.std().item() == pytest.approx(table.std().item(), rel=0.1)


@pytest.mark.parametrize("name", ["sd1", "sdxl"])
def test_its_vectors_move_in_every_text_encoder_and_nothing_else_does(checkpoint: Path, xl: Path, name: str) -> None:
    one = begun(xl if name == "sdxl" else checkpoint, name)
    trainee, models, _ = one
    before = {role: vectors["kip"].detach().clone() for role, vectors in trainee.words.items()}
    base = {role: {key: value.clone() for key, value in models[role].state_dict().items()} for role in before}
    plain, ours = said(one, "a fox"), said(one, "a kip")

    taught(one)

    assert len(before) == (2 if name == "sdxl" else 1)
    for role, vectors in before.items():
        assert not torch.allclose(trainee.words[role]["kip"], vectors, atol=1e-3)
        assert all(torch.equal(models[role].state_dict()[key], value) for key, value in base[role].items())
    assert torch.equal(said(one, "a fox"), plain)
    assert not torch.allclose(said(one, "a kip"), ours, atol=1e-3)


@pytest.mark.parametrize("keep_norm", [True, False])
def test_its_vectors_stay_as_long_as_the_tables_median_row(checkpoint: Path, keep_norm: bool) -> None:
    one = begun(checkpoint, keep_norm=keep_norm)

    taught(one)

    table = one[1]["text_encoder"].get_input_embeddings().weight  # type: ignore[operator]
    norms = one[0].words["text_encoder"]["kip"].norm(dim=1)
    assert torch.allclose(norms, table.norm(dim=1).median().expand(2), rtol=1e-5) == keep_norm


def test_once_they_no_longer_learn_they_are_left_to_the_bit(checkpoint: Path) -> None:
    trainee, _, _ = begun(checkpoint, until=0.5)
    before = trainee.words["text_encoder"]["kip"].detach().clone()

    trainee.after_step(6)

    assert [group.until for group in trainee.groups()] == [0.5]
    assert torch.equal(trainee.words["text_encoder"]["kip"], before)


@pytest.mark.parametrize(
    ("caption", "phrase"),
    [
        ("kip in the rain", "kip in the rain"),
        ("a dog, KIP", "a dog, KIP"),
        ("a dog", "kip, a dog"),
        ("skipping", "kip, skipping"),
        ("", "kip"),
    ],
)
def test_captions_that_lack_the_token_get_it(checkpoint: Path, caption: str, phrase: str) -> None:
    assert begun(checkpoint)[0].phrase(caption, random.Random(0)) == phrase


@pytest.mark.parametrize(("templates", "count"), [("object", 27), ("style", 19)])
def test_templates_take_the_place_of_captions(checkpoint: Path, templates: str, count: int) -> None:
    trainee, _, _ = begun(checkpoint, templates=templates)
    chance = random.Random(0)

    phrases = {trainee.phrase("a dog", chance) for _ in range(1000)}

    assert len(phrases) == count
    assert all("kip" in one and "dog" not in one and "{" not in one for one in phrases)


def test_headers_tell_the_token_after_the_trigger_that_calls_for_it_too(checkpoint: Path) -> None:
    plan = planned(checkpoint)
    wanted = recipe(token="mimokin").model_copy(update={"trigger": "mimo"})
    (export,) = prepare(loaded(plan), plan, wanted).exports(["kohya"])

    assert export.metadata["modelspec.trigger_phrase"] == "mimo, mimokin"
    assert export.metadata["modelhub.trigger_words"] == '["mimo", "mimokin"]'


def test_the_token_is_the_recipes_trigger_where_the_options_name_none(checkpoint: Path) -> None:
    plan = planned(checkpoint)
    wanted = recipe().model_copy(update={"trigger": "mira"})

    assert list(prepare(loaded(plan), plan, wanted).words["text_encoder"]) == ["mira"]


def test_what_it_writes_for_one_text_encoder(checkpoint: Path) -> None:
    trainee, _, _ = begun(checkpoint, token="mira")
    vectors = trainee.words["text_encoder"]["mira"]

    kohya, diffusers, webui = trainee.exports(("a1111", "diffusers"))

    assert [list(one.tensors) for one in (kohya, diffusers)] == [["emb_params"], ["mira"]]
    assert kohya.metadata["ss_output_name"] == "mira"
    assert webui.suffix == ".pt"
    assert webui.pickled is not None
    assert torch.equal(webui.pickled["string_to_param"]["*"], vectors)  # type: ignore[index]
    assert {name: one for name, one in webui.pickled.items() if name != "string_to_param"} == {
        "string_to_token": {"*": 265},
        "name": "mira",
        "step": 10,
        "sd_checkpoint": "a" * 10,
        "sd_checkpoint_name": "tiny",
    }


def test_what_it_writes_for_two_text_encoders(xl: Path) -> None:
    kohya, webui = begun(xl, "sdxl")[0].exports(("kohya", "diffusers", "a1111"))

    assert {name: one.shape for name, one in kohya.tensors.items()} == {"clip_l": (2, 8), "clip_g": (2, 16)}
    assert webui.pickled is not None
    assert {"clip_l", "clip_g", "name", "step"} <= webui.pickled.keys()


@pytest.mark.parametrize("name", ["sd1", "sdxl"])
def test_files_as_they_were_written_pass_the_check(checkpoint: Path, xl: Path, tmp_path: Path, name: str) -> None:
    one = begun(xl if name == "sdxl" else checkpoint, name)
    taught(one)

    for export, path in written(one[0], tmp_path, "diffusers", "a1111"):
        one[0].check(export, path)


@pytest.mark.parametrize("name", ["sd1", "sdxl"])
def test_files_of_an_earlier_step_fail_the_check(checkpoint: Path, xl: Path, tmp_path: Path, name: str) -> None:
    one = begun(xl if name == "sdxl" else checkpoint, name)
    before = written(one[0], tmp_path, "diffusers", "a1111")
    taught(one, 1)

    for export, path in before:
        with pytest.raises(BrokenFile, match="kip reads back other than it was trained"):
            one[0].check(export, path)


def test_the_pickle_is_as_webui_allows_it_and_always_the_same(checkpoint: Path, tmp_path: Path) -> None:
    trainee, _, _ = begun(checkpoint)

    first, second = (written(trainee, tmp_path, "a1111")[1][1].read_bytes() for _ in range(2))

    assert first == second
    path = tmp_path / "kip1.pt"
    assert set(zipfile.ZipFile(path).namelist()) == {"archive/data.pkl", "archive/version", "archive/data/0"}
    content = torch.load(path, weights_only=True)
    assert torch.equal(content["string_to_param"]["*"], trainee.words["text_encoder"]["kip"])


def test_a_picture_drawn_with_the_token_is_another_one(checkpoint: Path, tmp_path: Path, catalog: Catalog) -> None:
    one = begun(checkpoint, initial="fox", vectors=1)
    catalog.add(checkpoint, name="tiny")
    for name, steps in (("first", 0), ("taught", 3)):
        taught(one, steps)
        save_tensors(
            tmp_path / f"{name}.safetensors",
            one[0].exports(())[0].tensors,
            {"modelhub.family": "sd1", "modelhub.kind": "embedding"},
        )
        catalog.add(tmp_path / f"{name}.safetensors", name=name)

    fox, first, later = (drawn(catalog, f"a wet {word}", tmp_path) for word in ("fox", "first", "taught"))

    assert np.array_equal(fox, first)
    assert not np.array_equal(fox, later)


def drawn(catalog: Catalog, prompt: str, out: Path) -> np.ndarray[Any, Any]:
    request = GenerationRequest(prompt=prompt, model="tiny", seed=1, steps=2)
    (picture,) = drain(generate(request, catalog=catalog, engine=Engine("cpu"), out=out))
    return np.asarray(picture.image)


@pytest.mark.parametrize(
    "entries",
    [
        {"dataset": {"images": "x", "regularisation": "y"}},
        {"dataset": {"subsets": [{"images": "x"}, {"images": "y", "regularisation": True}]}},
        {"dataset": {"images": "x"}, "prior": {"draw": 9, "caption": "a dog"}},
    ],
)
def test_pictures_of_the_class_are_refused_since_they_teach_it_nothing(entries: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="leave out the pictures of its class"):
        Recipe(method="textual_inversion", base="x", name="kip", **entries)
