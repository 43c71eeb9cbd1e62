"""The one path of every picture, with real files, a real catalog and tiny weights."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from inference.engine import Engine
from inference.generate import REQUEST_KEY, Picture, generate, render
from inference.plan import resolve
from inference.request import GenerationRequest, LoraUse
from inference.samplers import known
from modelhub import __version__
from modelhub.catalog import Catalog, Run
from modelhub.errors import BadValue, ModelHubError, OutOfResources
from modelhub.headers import data_digest, read_table
from modelhub.jobs import Done, Progress, drain
from modelhub.workspace import Workspace
from tests import tiny

KIP = {
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k": (8, 16),
    "lora_te_text_model_encoder_layers_0_mlp_fc1": (32, 16),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def shelf(folder: Path) -> Iterator[Catalog]:
    with Catalog.create(Workspace(folder)) as catalog:
        catalog.add(tiny.write_checkpoint(folder / "tiny.safetensors"))
        catalog.add(tiny.write_vae(folder / "soft.safetensors", seed=1))
        catalog.add(tiny.write_lora(folder / "kip.safetensors", KIP, alpha=8.0))
        yield catalog


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def request(**fields: object) -> GenerationRequest:
    defaults = {"prompt": "a cat", "model": "tiny", "steps": 3, "seed": 1, "sampler": "Euler a"}
    return GenerationRequest.model_validate({**defaults, **fields})


def pixels(picture: Picture | Path) -> NDArray[np.int16]:
    image = Image.open(picture) if isinstance(picture, Path) else picture.image
    return np.asarray(image, dtype=np.int16)


def draw(shelf: Catalog, engine: Engine, **fields: object) -> list[NDArray[np.int16]]:
    """Pixels only; nothing is saved."""
    events = render(resolve(request(**fields), shelf), engine)
    return [pixels(event) for event in events if isinstance(event, Picture)]


def furthest(ones: Sequence[NDArray[np.int16]], others: Sequence[NDArray[np.int16]]) -> int:
    return max(int(abs(one - other).max()) for one, other in zip(ones, others, strict=True))


def last_run(shelf: Catalog) -> Run:
    return shelf.lineage(1).used_by[0]


# What decides the pixels


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M"])
def test_the_same_request_draws_the_same_pixels(shelf: Catalog, engine: Engine, sampler: str) -> None:
    ours, again = draw(shelf, engine, sampler=sampler), draw(shelf, Engine("cpu"), sampler=sampler)

    assert furthest(ours, again) == 0
    assert ours[0].shape == (64, 64, 3)
    assert ours[0].std() > 1


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a dog"}, {"prompt": "a (cat:1.4)"}, {"negative_prompt": "blurry"}, {"vae": "soft"}, {"steps": 4},
        {"loras": [LoraUse(ref="kip")]}, {"sampler": "DPM++ 2M"}, {"schedule": "Karras"}, {"cfg": 3.0}, {"seed": 2},
        {"width": 72}, {"clip_skip": 2}, {"noise": "CPU"}, {"eta": 0.5}, {"s_noise": 0.9},
        {"prompt": "[a cat:a dog:1]"}, {"prompt": "a cat AND a dog"},
        {"prompt": "a cat :0.5"}, {"prompt": "a cat <lora:kip>"}, {"negative_prompt": "[blurry:bad:1]"},
    ],
    ids=str,
)  # fmt: skip
def test_every_field_of_a_request_has_a_part_in_the_pixels(
    shelf: Catalog, engine: Engine, change: dict[str, object]
) -> None:
    (base,), (changed,) = draw(shelf, engine), draw(shelf, engine, **change)

    assert base.shape != changed.shape or (base != changed).any()


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M", "DPM++ SDE", "DDIM CFG++", "LCM"])
def test_a_batch_draws_what_its_images_draw_alone(shelf: Catalog, engine: Engine, sampler: str) -> None:
    """Each image's noise comes from a generator of its own; pixels may differ by one step of 255."""
    batch = draw(shelf, engine, sampler=sampler, batch=3)
    in_turn = draw(shelf, engine, sampler=sampler, batch=1, count=3)
    singles = [draw(shelf, engine, sampler=sampler, seed=seed)[0] for seed in (1, 2, 3)]

    assert furthest(batch, singles) <= 1
    assert furthest(in_turn, singles) == 0
    assert (singles[0] != singles[1]).any()


def test_a_lora_at_weight_0_draws_what_the_base_draws(shelf: Catalog, engine: Engine) -> None:
    without = draw(shelf, engine)

    assert furthest(draw(shelf, engine, loras=[LoraUse(ref="kip", unet=0, text_encoder=0)]), without) == 0


def test_after_a_lora_the_base_draws_as_before(shelf: Catalog, engine: Engine) -> None:
    before = draw(shelf, engine)
    with_lora = draw(shelf, engine, loras=[LoraUse(ref="kip")])

    assert furthest(draw(shelf, engine), before) == 0
    assert furthest(draw(shelf, engine, loras=[LoraUse(ref="kip")]), with_lora) == 0


def test_emphasis_and_comma_backtrack_have_a_part_in_the_pixels(shelf: Catalog, engine: Engine) -> None:
    weighted, long = "a (cat:1.4)", f"{'cat ' * 70}, {'dog ' * 20}"

    modes = [draw(shelf, engine, prompt=weighted, emphasis=one)[0] for one in ("Original", "No norm", "Ignore", "None")]
    assert len({mode.tobytes() for mode in modes}) == 4
    assert furthest(draw(shelf, engine, prompt=long), draw(shelf, engine, prompt=long, comma_backtrack=0)) > 0


def test_a_lora_in_the_prompt_draws_what_it_draws_by_flag(shelf: Catalog, engine: Engine) -> None:
    by_flag = draw(shelf, engine, prompt="a  cat", loras=[LoraUse(ref="kip", unet=0.8, text_encoder=0.6)])

    assert furthest(draw(shelf, engine, prompt="a <lora:kip:0.6:0.8> cat # a note"), by_flag) == 0


def test_a_prompt_that_changes_is_drawn_in_a_batch_as_alone(shelf: Catalog, engine: Engine) -> None:
    fields = {"prompt": f"[cat|(dog:1.3)] AND {'fish, ' * 40}:0.4", "negative_prompt": "[bad::1]"}

    batch = draw(shelf, engine, batch=2, **fields)

    assert furthest(batch, [draw(shelf, engine, seed=seed, **fields)[0] for seed in (1, 2)]) <= 1


# What the engine keeps


def test_models_are_loaded_once_and_changed_in_parts(shelf: Catalog) -> None:
    engine = Engine("cpu")

    def prepared(**fields: object) -> dict[str, nn.Module]:
        return dict(engine.prepare(resolve(request(**fields), shelf).base))

    first, again, soft = prepared(), prepared(loras=[LoraUse(ref="kip")]), prepared(vae="soft")

    assert again == first
    assert soft["vae"] is not first["vae"]
    assert (soft["unet"], soft["text_encoder"]) == (first["unet"], first["text_encoder"])


def test_a_file_that_was_replaced_is_loaded_again(tmp_path: Path) -> None:
    path = tiny.write_checkpoint(tmp_path / "tiny.safetensors")
    engine = Engine("cpu")
    with Catalog.create(Workspace(tmp_path)) as catalog:
        catalog.add(path)
        before = draw(catalog, engine)
        tiny.write_checkpoint(path, seed=1)
        catalog.add(path)

        assert furthest(draw(catalog, engine), before) > 0


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ModelHubError, match="'tpu' is no device"):
        Engine("tpu")


# What is written


def test_pictures_lie_in_the_folder_with_what_drew_them(shelf: Catalog, engine: Engine, tmp_path: Path) -> None:
    pictures = drain(generate(request(count=2), catalog=shelf, engine=engine, out=tmp_path / "new"))

    assert [picture.path for picture in pictures] == [
        tmp_path / "new" / "00001-1.png",
        tmp_path / "new" / "00002-2.png",
    ]
    for picture in pictures:
        assert picture.path is not None
        with Image.open(picture.path) as image:
            image.load()
            assert image.text == {"parameters": picture.infotext, REQUEST_KEY: picture.request.to_json()}  # type: ignore[attr-defined]
        assert (pixels(picture.path) == pixels(picture)).all()


def test_a_second_run_writes_behind_the_first(shelf: Catalog, engine: Engine, tmp_path: Path) -> None:
    (first,) = drain(generate(request(), catalog=shelf, engine=engine, out=tmp_path))
    assert first.path is not None
    before = first.path.read_bytes()

    drain(generate(request(), catalog=shelf, engine=engine, out=tmp_path))

    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["00001-1.png", "00002-1.png"]
    assert first.path.read_bytes() == before


def test_the_parameters_are_what_webui_would_write(
    shelf: Catalog, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    asked = request(
        prompt="a (cat:1.2), oil", negative_prompt="blurry, bad", vae="soft", steps=2, cfg=5.5, width=72, seed=7,
        loras=[LoraUse(ref="kip", unet=0.8, text_encoder=0.6)], sampler="DPM++ 2M", clip_skip=2,
    )  # fmt: skip
    (picture,) = drain(generate(asked, catalog=shelf, engine=engine, out=tmp_path))

    model, vae = (
        hashlib.sha256((folder / f"{one}.safetensors").read_bytes()).hexdigest()[:10] for one in ("tiny", "soft")
    )
    lora = data_digest(folder / "kip.safetensors", read_table(folder / "kip.safetensors"))[:12]
    assert picture.infotext == (
        "a (cat:1.2), oil <lora:kip:0.6:0.8>\n"
        "Negative prompt: blurry, bad\n"
        "Steps: 2, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 5.5, Seed: 7, Size: 72x64, "
        f"Model hash: {model}, Model: tiny, VAE hash: {vae}, VAE: soft.safetensors, Clip skip: 2, RNG: NV, "
        f'Lora hashes: "kip: {lora}", Version: ModelHub {__version__}'
    )


def test_a_plain_request_writes_no_empty_fields(shelf: Catalog, engine: Engine) -> None:
    (picture,) = [event for event in render(resolve(request(), shelf), engine) if isinstance(event, Picture)]

    keys = re.findall(r"(?:^|, )(\w[\w ]+): ", picture.infotext.split("\n")[-1])
    assert picture.infotext.startswith("a cat\nSteps: 3, Sampler: Euler a, Schedule type: Uniform, ")
    assert keys == [
        "Steps",
        "Sampler",
        "Schedule type",
        "CFG scale",
        "Seed",
        "Size",
        "Model hash",
        "Model",
        "RNG",
        "Version",
    ]


def test_a_lora_in_the_prompt_keeps_its_place_in_the_parameters(
    shelf: Catalog, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    asked = request(prompt="a <lora:3:0.5> (cat)", loras=[LoraUse(ref="kip", unet=0.2)], emphasis="No norm")

    (picture,) = drain(generate(asked, catalog=shelf, engine=engine, out=tmp_path))

    lora = data_digest(folder / "kip.safetensors", read_table(folder / "kip.safetensors"))[:12]
    assert picture.infotext.startswith("a <lora:kip:0.5> (cat) <lora:kip:1:0.2>\nSteps: ")
    assert f'RNG: NV, Emphasis: No norm, Lora hashes: "kip: {lora}", Version' in picture.infotext
    (again,) = drain(generate(picture.request, catalog=shelf, engine=engine, out=tmp_path))
    assert again.infotext == picture.infotext
    assert furthest([pixels(again)], [pixels(picture)]) == 0


def test_the_request_in_a_picture_draws_it_again(shelf: Catalog, tmp_path: Path) -> None:
    """Also an image of a batch, with a random seed, LoRA and VAE; by another engine."""
    asked = request(seed=-1, batch=2, vae="soft", loras=[LoraUse(ref="kip", unet=0.7)], negative_prompt="x")
    pictures = drain(generate(asked, catalog=shelf, engine=Engine("cpu"), out=tmp_path))

    for picture in pictures:
        assert picture.path is not None
        with Image.open(picture.path) as image:
            image.load()
            stored = GenerationRequest.from_json(image.text[REQUEST_KEY])  # type: ignore[attr-defined]
        (again,) = drain(generate(stored, catalog=shelf, engine=Engine("cpu"), out=tmp_path))
        assert furthest([pixels(again)], [pixels(picture)]) <= 1
        assert again.infotext == picture.infotext


def test_a_run_and_its_pictures_are_recorded(shelf: Catalog, engine: Engine, tmp_path: Path) -> None:
    asked = request(count=2, vae="soft", loras=[LoraUse(ref="kip")])
    pictures = drain(generate(asked, catalog=shelf, engine=engine, out=tmp_path))

    run = last_run(shelf)
    assert (run.kind, run.state, run.error) == ("generate", "done", None)
    assert run.inputs == (("model", 1), ("vae", 2), ("lora", 3))
    assert run.payload == json.loads(resolve(asked, shelf).request.to_json())
    assert [(one.path, one.infotext, one.width) for one in run.images] == [(p.path, p.infotext, 64) for p in pictures]
    assert [one.sha256 for one in run.images] == [
        hashlib.sha256(one.path.read_bytes()).hexdigest() for one in run.images
    ]


# What is said on the way, and how it ends


def test_every_step_of_every_batch_is_told(shelf: Catalog, engine: Engine, tmp_path: Path) -> None:
    events = list(generate(request(count=2, batch=2, steps=2), catalog=shelf, engine=engine, out=tmp_path))

    told = [(event.task, event.done, event.total) for event in events if isinstance(event, Progress)]
    assert told == [(task, done, 2) for task in ("images 1-2 of 4", "images 3-4 of 4") for done in (0, 1, 2)]
    assert isinstance(events[-1], Done)


def test_what_is_interrupted_keeps_its_finished_pictures_and_no_halves(
    shelf: Catalog, engine: Engine, tmp_path: Path
) -> None:
    job = generate(request(count=4), catalog=shelf, engine=engine, out=tmp_path)
    for event in job:
        if isinstance(event, Progress) and (event.task, event.done) == ("images 3-3 of 4", 2):
            break

    job.close()  # type: ignore[attr-defined]

    assert sorted(path.name for path in tmp_path.iterdir()) == ["00001-1.png", "00002-2.png"]
    for path in tmp_path.iterdir():
        Image.open(path).load()
    run = last_run(shelf)
    assert (run.state, len(run.images)) == ("interrupted", 2)
    assert furthest(draw(shelf, engine), draw(shelf, Engine("cpu"))) == 0


def test_a_failed_run_says_why(shelf: Catalog, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelHubError):
        drain(generate(request(), catalog=shelf, engine=engine, out=tmp_path / "file"))

    run = last_run(shelf)
    assert (run.state, run.images) == ("failed", ())
    assert run.error is not None
    assert "is no folder" in run.error


def test_a_disk_that_runs_full_keeps_the_whole_pictures_and_nothing_else(
    shelf: Catalog, engine: Engine, small_disk: Path
) -> None:
    with pytest.raises(OutOfResources, match=r"the disk is full: .*00002-2.png was not written") as caught:
        drain(generate(request(count=3), catalog=shelf, engine=engine, out=small_disk))

    assert caught.value.mend == f"free space first: df -h {small_disk}"
    assert [path.name for path in small_disk.iterdir()] == ["00001-1.png"]
    Image.open(small_disk / "00001-1.png").load()
    assert (last_run(shelf).state, len(last_run(shelf).images)) == ("failed", 1)


@pytest.mark.parametrize("sampler", known())
def test_every_sampler_draws_and_counts_its_steps_to_the_end(shelf: Catalog, engine: Engine, sampler: str) -> None:
    plan = resolve(
        GenerationRequest(prompt="a cat", model="tiny", width=64, height=64, sampler=sampler, steps=3, seed=1), shelf
    )

    events = list(render(plan, engine))

    counts = [event.done for event in events if isinstance(event, Progress)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == next(event.total for event in events if isinstance(event, Progress))
    assert f"Sampler: {sampler}, Schedule type: {plan.request.schedule}," in events[-1].infotext


def test_what_was_said_of_added_noise_stands_in_the_infotext(shelf: Catalog, engine: Engine) -> None:
    fields = {"prompt": "a cat", "model": "tiny", "width": 64, "height": 64, "steps": 2, "seed": 1}
    churned = GenerationRequest(**fields, sampler="Euler", s_churn=5, s_tmax=3.5, eta=0.5)

    *_, picture = render(resolve(churned, shelf), engine)

    assert "Eta: 0.5, Sigma churn: 5, Sigma tmax: 3.5," in picture.infotext


def test_an_adaptive_sampler_draws_one_image_at_a_time(shelf: Catalog) -> None:
    with pytest.raises(BadValue, match="draws one at a time, not 4") as refused:
        resolve(GenerationRequest(prompt="a cat", model="tiny", sampler="DPM adaptive", batch=4), shelf)

    assert refused.value.mend == "modelhub generate ... --batch 1 --count 4"
