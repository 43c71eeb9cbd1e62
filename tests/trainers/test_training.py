"""Recipe to catalogued LoRA, whole: what is trained, written, recorded, drawn, stopped and resumed."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from inference.engine import Engine
from inference.generate import Picture, generate
from inference.request import GenerationRequest, LoraUse
from modelhub.catalog import Catalog
from modelhub.errors import (
    BadValue,
    Conflict,
    Incompatible,
    MissingFile,
    ModelHubError,
    NameTaken,
    NotFound,
    UnknownRef,
)
from modelhub.headers import read_table
from modelhub.jobs import Done, Event, Notice, Preview, Step, drain
from modelhub.kinds import Artifact, Kind
from modelhub.workspace import Workspace
from tests import tiny_families
from tests.trainers.pictures import write_picture, write_set
from trainers.recipe import DatasetOptions, LoraOptions, OptimizerOptions, PreviewOptions, Recipe, SaveOptions
from trainers.running.runs import RunFolder
from trainers.train import resume, train

PREVIEW = PreviewOptions(every=2, prompts=("a ramp, (blue:1.2)",), negative_prompt="red", sampling_steps=2, seed=5)


def recipe(images: Path, name: str = "kip", **entries: Any) -> Recipe:
    usual = {"steps": 3, "batch": 2, "learning_rate": 1e-2, "options": LoraOptions(rank=2, alpha=1.5), "seed": 4}
    dataset = DatasetOptions(images=images, **entries.pop("dataset", {}))
    return Recipe(**{"base": "tiny", "name": name, "dataset": dataset, **usual, **entries})


def run(catalog: Catalog, wanted: Recipe) -> tuple[Artifact, list[Event[Artifact]]]:
    events = list(train(wanted, catalog=catalog, device="cpu"))
    assert isinstance(events[-1], Done)
    return events[-1].result, events


def only_run(catalog: Catalog) -> Any:
    found = catalog.last_run("train")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two squares and, three times, a wide one with a kohya caption."""
    folder = write_set(tmp_path_factory.mktemp("set") / "pictures", (64, 64), (80, 80))
    write_picture(folder / "3_kip" / "wide.png", (128, 64), caption=None)
    return folder


@pytest.fixture
def base(catalog: Catalog, checkpoint: Path) -> Artifact:
    return catalog.add(checkpoint, name="tiny")


class Finished:
    """One finished training, looked at by many tests and changed by none."""

    def __init__(self, root: Path, checkpoint: Path, images: Path) -> None:
        self.catalog = Catalog.create(Workspace(root))
        self.base = self.catalog.add(checkpoint, name="tiny")
        self.recipe = recipe(images, preview=PREVIEW, save=SaveOptions(every=2))
        self.artifact, self.events = run(self.catalog, self.recipe)
        self.run = only_run(self.catalog)
        self.folder = self.catalog.workspace.runs / f"{self.run.id:04d}-kip"
        self.metadata = read_table(self.artifact.path).metadata


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path, images: Path) -> Iterator[Finished]:
    made = Finished(tmp_path_factory.mktemp("workspace"), checkpoint, images)
    yield made
    made.catalog.close()


def test_what_was_trained_is_identified_as_what_it_is(finished: Finished) -> None:
    facts = finished.artifact.facts

    assert (facts.kind, facts.family, facts.algorithm, facts.rank) == (Kind.LORA, "sd1", "lora", 2)
    assert finished.artifact.name == "kip"
    assert finished.artifact.path == finished.catalog.workspace.models / "lora" / "kip.safetensors"


def test_the_run_tells_what_it_used_and_what_it_made(finished: Finished) -> None:
    assert (finished.run.state, finished.run.error) == ("done", None)
    assert finished.run.inputs == (("base", finished.base.id),)
    assert finished.run.outputs == (finished.artifact.id,)
    made_by = finished.catalog.lineage(finished.artifact.id).made_by
    assert made_by is not None
    assert made_by.id == finished.run.id
    assert finished.run.payload["base"] == finished.catalog.sha256(finished.base)


def test_every_step_is_told_and_kept(finished: Finished) -> None:
    told = [(event.step, event.loss) for event in finished.events if isinstance(event, Step)]
    kept = [json.loads(line) for line in (finished.folder / "losses.jsonl").read_text().splitlines()]

    assert [step for step, _ in told] == [1, 2, 3]
    assert [(line["step"], line["loss"]) for line in kept] == told


def test_the_header_is_text_by_names_that_other_tools_look_for(finished: Finished) -> None:
    base = finished.catalog.sha256(finished.base)
    expected = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": "2",
        "ss_network_alpha": "1.5",
        "ss_base_model_version": "sd_v1",
        "ss_v2": "False",
        "ss_output_name": "kip",
        "ss_sd_model_name": "tiny",
        "ss_new_sd_model_hash": base,
        "ss_steps": "3",
        "ss_max_train_steps": "3",
        "ss_seed": "4",
        "ss_learning_rate": "0.01",
        "ss_text_encoder_lr": "0.0001",
        "ss_min_snr_gamma": "5.0",
        "ss_noise_offset": "None",
        "ss_total_batch_size": "2",
        "ss_resolution": "(64, 64)",
        "ss_num_train_images": "5",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": "stable-diffusion-v1/lora",
        "modelspec.title": "kip",
        "modelspec.resolution": "64x64",
        "modelspec.prediction_type": "epsilon",
        "modelhub.kind": "lora",
        "modelhub.family": "sd1",
    }

    assert all(isinstance(value, str) for value in finished.metadata.values())
    assert {key: finished.metadata.get(key) for key in expected} == expected


def test_the_header_counts_the_pictures(finished: Finished) -> None:
    told = {key: json.loads(finished.metadata[f"ss_{key}"]) for key in ("dataset_dirs", "bucket_info", "tag_frequency")}

    assert told["dataset_dirs"] == {
        "3_kip": {"n_repeats": 3, "img_count": 1},
        "pictures": {"n_repeats": 1, "img_count": 2},
    }
    assert told["tag_frequency"] == {"3_kip": {"kip": 1}, "pictures": {"blue": 2, "ramp 0": 1, "ramp 1": 1}}
    buckets = {tuple(one["resolution"]): one["count"] for one in told["bucket_info"]["buckets"].values()}
    assert buckets[64, 64] == 2
    assert sum(buckets.values()) == 3


def test_the_digests_in_the_header_are_those_of_the_bytes_after_it(finished: Finished) -> None:
    data = finished.artifact.path.read_bytes()
    digest = hashlib.sha256(data[8 + int.from_bytes(data[:8], "little") :]).hexdigest()

    assert finished.metadata["sshs_model_hash"] == digest
    assert finished.metadata["modelspec.hash_sha256"] == f"0x{digest}"


def test_the_same_recipe_makes_the_same_bytes_in_another_workspace(
    finished: Finished, catalog: Catalog, base: Artifact
) -> None:
    again, _ = run(catalog, finished.recipe)

    assert again.path.read_bytes() == finished.artifact.path.read_bytes()


def test_the_header_has_a_digest_of_every_picture_and_caption(finished: Finished, images: Path) -> None:
    told = {row["sha256"]: row for row in json.loads(finished.metadata["modelhub.dataset"])}
    files = sorted(images.rglob("*.png"))

    assert told.keys() == {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    wide = told[hashlib.sha256((images / "3_kip" / "wide.png").read_bytes()).hexdigest()]
    assert (wide["repeats"], wide["caption_sha256"]) == (3.0, hashlib.sha256(b"kip").hexdigest())


def test_the_header_tells_nobody_where_pictures_lay(finished: Finished, images: Path) -> None:
    assert str(images.parent) not in json.dumps(finished.metadata)
    assert json.loads(finished.metadata["modelhub.recipe"])["dataset"]["images"] == "pictures"


def test_what_is_said_before_is_how_much_it_is_and_how_fast_it_learns(finished: Finished) -> None:
    said = " / ".join(event.message for event in finished.events if isinstance(event, Notice))

    assert "3 steps of 2 pictures: 3 pictures" in said
    assert "learning rate 0.01 x alpha 1.5 / rank 2 = 0.0075; text encoder 0.0001" in said


def test_the_course_of_the_losses_is_drawn(finished: Finished) -> None:
    with Image.open(finished.folder / "loss.png") as image:
        assert image.size == (1000, 560)


def test_a_preview_is_what_a_later_picture_of_that_copy_and_seed_is(finished: Finished, tmp_path: Path) -> None:
    (preview,) = (event for event in finished.events if isinstance(event, Preview))
    copy = finished.catalog.add(finished.folder / "kip-step00000002.safetensors", name="kip-at-2")
    request = GenerationRequest(
        prompt=PREVIEW.prompts[0], negative_prompt="red", model="tiny", loras=(LoraUse(ref=copy.name),), steps=2, seed=5
    )

    (later,) = drain(generate(request, catalog=finished.catalog, engine=Engine("cpu"), out=tmp_path))

    assert preview.step == 2
    assert Image.open(preview.path).tobytes() == later.image.tobytes()
    bare = request.model_copy(update={"loras": ()})
    (other,) = drain(generate(bare, catalog=finished.catalog, engine=Engine("cpu"), out=tmp_path))
    assert other.image.tobytes() != later.image.tobytes()


def test_the_base_is_back_to_the_bit_after_drawing_with_the_lora(finished: Finished, tmp_path: Path) -> None:
    engine = Engine("cpu")

    def draw(*loras: LoraUse) -> Picture:
        request = GenerationRequest(prompt="a ramp", model="tiny", loras=loras, steps=1, seed=1)
        (drawn,) = drain(generate(request, catalog=finished.catalog, engine=engine, out=tmp_path))
        return drawn

    before = draw().image.tobytes()
    with_lora = draw(LoraUse(ref="kip", unet=3.0, text_encoder=3.0)).image.tobytes()

    assert with_lora != before
    assert draw().image.tobytes() == before


def test_a_name_that_is_taken_is_refused_before_any_work(catalog: Catalog, base: Artifact, images: Path) -> None:
    with pytest.raises(NameTaken, match=f"'tiny' is taken by catalog ID {base.id}") as caught:
        drain(train(recipe(images, name="tiny"), catalog=catalog))

    assert caught.value.mend == "choose another with --name"
    assert catalog.last_run("train") is None


def test_a_file_in_the_way_is_not_written_over(catalog: Catalog, base: Artifact, images: Path) -> None:
    path = catalog.workspace.models / "lora" / "kip.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"precious")

    with pytest.raises(NameTaken, match=r"taken by \S+kip\.safetensors"):
        drain(train(recipe(images), catalog=catalog))
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"base": "nothing-of-the-kind"}, UnknownRef),
        ({"name": "a/b"}, BadValue),
        ({"clip_skip": 9}, BadValue),
        ({"dataset": {"bucket_step": 128}}, BadValue),
    ],
)
def test_what_is_wrong_is_said_before_a_run_begins(
    catalog: Catalog, base: Artifact, images: Path, change: dict[str, Any], error: type[ModelHubError]
) -> None:
    with pytest.raises(error):
        drain(train(recipe(images, **change), catalog=catalog))

    assert catalog.last_run("train") is None
    assert not catalog.workspace.runs.exists()


def test_a_base_that_cannot_be_trained_is_refused(catalog: Catalog, images: Path, tmp_path: Path) -> None:
    catalog.add(tiny_families.write_refiner(tmp_path / "refiner.safetensors"))

    with pytest.raises(Incompatible, match="refiner cannot be trained: it finishes pictures that another model has"):
        drain(train(recipe(images, base="refiner"), catalog=catalog))


def stopped_after(steps: int, catalog: Catalog, wanted: Recipe) -> int:
    """Begin a training, close it after so many steps (0: among the latents), and return its run."""
    job = train(wanted, catalog=catalog, device="cpu")
    for event in job:
        if (steps == 0 and catalog.last_run("train")) or (isinstance(event, Step) and event.step == steps):
            break
    job.close()  # type: ignore[attr-defined]
    return int(only_run(catalog).id)


@pytest.mark.parametrize("steps", [0, 2])
def test_a_stopped_training_resumes_to_the_very_same_tensors(
    finished: Finished, catalog: Catalog, base: Artifact, images: Path, steps: int
) -> None:
    number = stopped_after(steps, catalog, recipe(images))
    assert only_run(catalog).state == "interrupted"
    assert [one.name for one in catalog.list()] == ["tiny"]

    events = list(resume(number, catalog=catalog, device="cpu"))

    assert isinstance(events[-1], Done)
    ours, theirs = load_file(events[-1].result.path), load_file(finished.artifact.path)
    assert all(torch.equal(one, theirs[name]) for name, one in ours.items())
    assert [event.step for event in events if isinstance(event, Step)] == list(range(steps + 1, 4))
    assert (Notice("goes on at step 2 of 3") in events) is (steps == 2)
    assert (only_run(catalog).state, only_run(catalog).outputs) == ("done", (events[-1].result.id,))
    lines = (catalog.workspace.runs / f"{number:04d}-kip" / "losses.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]


def test_what_was_due_after_the_step_of_a_stop_is_done_when_it_resumes(
    catalog: Catalog, base: Artifact, tmp_path: Path
) -> None:
    images = write_set(tmp_path / "pictures", *[(64, 64 + 8 * index) for index in range(11)])
    entries: dict[str, Any] = {"save": SaveOptions(every=2), "validation": {"every": 1, "pairs": 1}}
    number = stopped_after(2, catalog, recipe(images, preview=PREVIEW, **entries))
    folder = RunFolder.of(catalog.workspace, number, "kip")
    assert not folder.copies("kip")

    list(resume(number, catalog=catalog, device="cpu"))

    assert list(folder.copies("kip")) == [2]
    assert folder.preview(2, 1).is_file()
    looks = [json.loads(line)["step"] for line in folder.validation.read_text().splitlines()]
    assert looks == [1, 2, 3]


def test_resuming_refuses_a_changed_dataset(catalog: Catalog, base: Artifact, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "pictures")
    number = stopped_after(1, catalog, recipe(folder))
    (folder / "0.txt").write_text("another caption")

    with pytest.raises(Incompatible, match=r"images or captions were changed since the run began: \S+\.png "):
        next(resume(number, catalog=catalog))
    assert only_run(catalog).state == "interrupted"


def test_resuming_refuses_a_changed_recipe(catalog: Catalog, base: Artifact, images: Path) -> None:
    number = stopped_after(1, catalog, recipe(images))
    path = catalog.workspace.runs / f"{number:04d}-kip" / "recipe.toml"
    path.write_text(path.read_text().replace("learning_rate = 0.01", "learning_rate = 0.02", 1))

    with pytest.raises(Incompatible, match=r"recipe\.toml was changed"):
        next(resume(number, catalog=catalog))


def test_what_is_finished_running_or_unknown_is_not_resumed(
    finished: Finished, catalog: Catalog, base: Artifact, images: Path
) -> None:
    with pytest.raises(BadValue, match=f"run {finished.run.id} is finished: it made {finished.artifact.id}"):
        next(resume(finished.run.id, catalog=finished.catalog))
    with pytest.raises(NotFound, match="no run 99"):
        next(resume(99, catalog=catalog))
    drawing = catalog.begin_run("generate", {}, [])
    with pytest.raises(BadValue, match="is no training"):
        next(resume(drawing, catalog=catalog))
    job = train(recipe(images), catalog=catalog, device="cpu")
    next(event for event in job if catalog.last_run("train"))
    with pytest.raises(Conflict, match="still going on"):
        next(resume(only_run(catalog).id, catalog=catalog))
    job.close()  # type: ignore[attr-defined]


def test_a_training_that_learned_nothing_says_so_and_leaves_no_file(
    catalog: Catalog, base: Artifact, images: Path
) -> None:
    """Half precision holds nothing so small."""
    wanted = recipe(images, learning_rate=1e-12, text_encoder_learning_rate=0, save=SaveOptions(every=1))
    job = train(wanted, catalog=catalog, device="cpu")
    told: list[str] = []
    with pytest.raises(ModelHubError, match="nothing was learned: in fp16, kip would draw what the base") as caught:
        told.extend(one.message for one in job if isinstance(one, Notice))

    assert "modelhub train range finds, or --set export.precision=fp32" in str(caught.value.mend)
    assert "the copy of step 1 has no effect yet: nothing was learned so far" in told
    assert only_run(catalog).state == "failed"
    assert not list((catalog.workspace.models / "lora").iterdir())


def test_a_training_that_ruins_its_weights_says_so_in_its_run_and_keeps_no_state_of_them(
    catalog: Catalog, base: Artifact, images: Path
) -> None:
    """At such a learning rate the second loss is no number."""
    steady = OptimizerOptions(warmup=0, schedule="constant")
    wanted = recipe(images, optimizer=steady).model_copy(update={"learning_rate": 1e30})
    with pytest.raises(ModelHubError, match=r"the loss became (nan|inf) at step 2"):
        drain(train(wanted, catalog=catalog, device="cpu"))

    failed = only_run(catalog)
    assert failed.state == "failed"
    assert "the loss became" in str(failed.error)
    assert not (catalog.workspace.runs / f"{failed.id:04d}-kip" / "state.pt").exists()
    assert not (catalog.workspace.models / "lora").exists()


def test_a_missing_caption_is_said_before_a_run_begins(catalog: Catalog, base: Artifact, tmp_path: Path) -> None:
    write_picture(tmp_path / "pictures" / "bare.png", caption=None)

    with pytest.raises(BadValue, match=r"without a caption: \S*bare\.png"):
        drain(train(recipe(tmp_path / "pictures"), catalog=catalog))
    with pytest.raises(MissingFile):
        drain(train(recipe(tmp_path / "nowhere"), catalog=catalog))
    assert catalog.last_run("train") is None
