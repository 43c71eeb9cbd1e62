"""Captioners in transformers' folders, on small nets of random weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.weights.convert_folder import convert_folder, plan_folder_conversion
from modelhub.errors import BadValue, BrokenFile, Incompatible, MissingFile, UnsafeFile
from modelhub.jobs import drain
from tests.trainers.captioners import CAPTIONERS, pickle_weights, write_captioner, write_chat
from tests.trainers.pictures import write_picture
from trainers.captioning.asking import WAYS
from trainers.captioning.captioners import CaptionerOptions, open_captioner
from trainers.captioning.nets import precision

SHORT = CaptionerOptions(max_tokens=8)


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_captioner(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="module")
def florence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_captioner(tmp_path_factory.mktemp("florence2"), "florence2")


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chat(tmp_path_factory.mktemp("llava"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    return [write_picture(folder / f"{shade}.png", (40, 30), shade=shade) for shade in (0, 120, 250)]


@pytest.mark.parametrize("kind", ["blip", "git", "vit-gpt2"])
def test_every_type_says_what_transformers_own_says(kind: str, tmp_path: Path, pictures: list[Path]) -> None:
    import transformers
    from PIL import Image

    folder = write_captioner(tmp_path / kind, kind)
    net = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    looks = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    pixels = looks(images=[Image.open(one) for one in pictures], return_tensors="pt")["pixel_values"]
    tokens = net.generate(pixel_values=pixels, max_length=8, num_beams=3, do_sample=False)

    said = open_captioner(folder, SHORT, device="cpu")(pictures)
    assert said == tokenizer.batch_decode(tokens, skip_special_tokens=True)
    assert len(set(said)) > 1


def test_a_sentence_is_no_longer_than_asked(blip: Path, pictures: list[Path]) -> None:
    (short,) = open_captioner(blip, CaptionerOptions(max_tokens=4), device="cpu")(pictures[:1])

    assert short is not None
    assert len(short.split()) <= 4


def test_beams_do_not_depend_on_what_is_looked_at_together(blip: Path, pictures: list[Path]) -> None:
    say = open_captioner(blip, SHORT, device="cpu")

    assert say(pictures) == [say([one])[0] for one in pictures]


def test_words_by_lot_follow_the_seed_and_the_picture_alone(blip: Path, pictures: list[Path], tmp_path: Path) -> None:
    say = open_captioner(blip, CaptionerOptions(top_p=0.9, max_tokens=8), device="cpu")
    moved = tmp_path / "renamed.png"
    moved.write_bytes(pictures[1].read_bytes())
    before = torch.random.get_rng_state()

    together = say(pictures)
    assert (torch.random.get_rng_state() == before).all()
    assert say([moved]) == [together[1]]
    other = open_captioner(blip, CaptionerOptions(top_p=0.9, max_tokens=8, seed=1), device="cpu")
    assert other(pictures) != together


@pytest.mark.parametrize("kind", ["blip2-opt", "blip2-t5"])
def test_blip2_says_what_transformers_own_says(kind: str, tmp_path: Path, pictures: list[Path]) -> None:
    folder = write_captioner(tmp_path / kind, kind)
    wanted = answers(folder, pictures)

    assert open_captioner(folder, SHORT, device="cpu")(pictures) == wanted
    assert len(set(wanted)) > 1


def test_a_prompt_that_is_no_special_word_is_not_part_of_the_caption(tmp_path: Path, pictures: list[Path]) -> None:
    folder = write_captioner(tmp_path / "blip2", "blip2-opt")
    wanted = answers(folder, pictures)
    edited(folder / "tokenizer.json", lambda told: told["added_tokens"].clear())
    edited(folder / "tokenizer_config.json", lambda told: told.pop("extra_special_tokens", None))

    said = open_captioner(folder, SHORT, device="cpu")(pictures)
    assert not any(one and one.startswith("<image> <image>") for one in said)
    assert [" ".join(one.replace("<s>", "").split()) for one in said if one] == wanted


class TestFlorence2:
    """Florence-2 is told a task; what it says is the caption without the marks around it."""

    @pytest.mark.parametrize(
        ("task", "meant"),
        [
            ("detailed_caption", "<DETAILED_CAPTION>"),
            ("more-detailed-caption", "<MORE_DETAILED_CAPTION>"),
            ("<CAPTION>", "<CAPTION>"),
            ("<GENERATE_TAGS>", "<GENERATE_TAGS>"),
        ],
    )
    def test_it_does_the_task_that_is_named(self, task: str, meant: str) -> None:
        processor = CAPTIONERS["florence2"]()[0]

        assert WAYS["florence2"].words(processor, CaptionerOptions(task=task)) == meant

    def test_by_itself_it_describes_in_detail_and_pictures_differ(self, florence: Path, pictures: list[Path]) -> None:
        said, short = (
            open_captioner(florence, one, device="cpu")(pictures)
            for one in (SHORT, CaptionerOptions(max_tokens=8, task="caption"))
        )

        assert said == answers(florence, pictures, text=["<DETAILED_CAPTION>"] * len(pictures))
        assert len(set(said)) > 1
        assert said != short

    def test_its_words_are_those_that_its_own_processor_would_leave(self, florence: Path, pictures: list[Path]) -> None:
        import transformers
        from PIL import Image

        processor = transformers.AutoProcessor.from_pretrained(florence, backend="pil")
        net = transformers.AutoModelForImageTextToText.from_pretrained(florence).eval()
        inputs = processor(text=["<CAPTION>"], images=[Image.open(pictures[0])], return_tensors="pt")
        (text,) = processor.batch_decode(net.generate(**inputs, max_new_tokens=8, num_beams=3, do_sample=False))
        wanted = processor.post_process_generation(text=text, task="<CAPTION>", image_size=(40, 30))["<CAPTION>"]

        say = open_captioner(florence, CaptionerOptions(max_tokens=8, task="caption"), device="cpu")
        assert say(pictures[:1]) == [wanted]

    def test_a_fine_tunes_own_task_goes_in_as_it_is(self, florence: Path, pictures: list[Path]) -> None:
        say = open_captioner(florence, CaptionerOptions(max_tokens=8, task="<GENERATE_TAGS>"), device="cpu")

        assert say(pictures) == answers(florence, pictures, text=["<GENERATE_TAGS>"] * len(pictures))

    @pytest.mark.parametrize("task", ["detaled_caption", "od", "<OD>", "<REGION_TO_CATEGORY>", ""])
    def test_tasks_that_answer_with_no_words_alone_are_refused(self, task: str) -> None:
        processor = CAPTIONERS["florence2"]()[0]

        with pytest.raises(BadValue, match="caption, detailed_caption, more_detailed_caption, ocr"):
            WAYS["florence2"].words(processor, CaptionerOptions(task=task))

    def test_a_wrong_task_is_told_before_a_picture_is_opened(self, florence: Path) -> None:
        with pytest.raises(BadValue, match="--task od"):
            open_captioner(florence, CaptionerOptions(task="od"), device="cpu")

    @pytest.mark.parametrize(("width", "size"), [(1024, "base"), (2048, "large")])
    def test_its_authors_layout_is_refused_naming_what_to_pull(
        self, width: int, size: str, florence: Path, tmp_path: Path
    ) -> None:
        config = {
            "model_type": "florence2", "auto_map": {"AutoConfig": "configuration_florence2.Florence2Config"},
            "vision_config": {"model_type": "davit", "dim_embed": [128, 256, 512, width]},
            "text_config": {"model_type": "florence2_language"},
        }  # fmt: skip
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (tmp_path / "model.safetensors").write_bytes((florence / "model.safetensors").read_bytes())
        (tmp_path / "configuration_florence2.py").write_text("raise SystemExit('it was run')", encoding="utf-8")

        with pytest.raises(Incompatible, match="never run here") as caught:
            open_captioner(tmp_path, SHORT, device="cpu")
        assert caught.value.mend == f"modelhub pull hf:florence-community/Florence-2-{size}"


def test_blip2_from_before_it_had_a_word_for_pictures_is_refused(tmp_path: Path) -> None:
    folder = write_captioner(tmp_path / "blip2", "blip2-opt")
    edited(folder / "config.json", lambda told: told.pop("image_token_index"))

    with pytest.raises(Incompatible, match="image_token_index"):
        open_captioner(folder, SHORT, device="cpu")


class TestShards:
    """A net in several files says the same as in one."""

    @pytest.mark.parametrize("kind", ["blip2-opt", "florence2"])
    def test_in_safetensors(self, kind: str, tmp_path: Path, pictures: list[Path]) -> None:
        whole, parts = (write_captioner(tmp_path / shard, kind, shard=shard) for shard in ("1GB", "20KB"))
        assert len(list(parts.glob("model-*.safetensors"))) > 1

        said = [open_captioner(one, SHORT, device="cpu")(pictures[:2]) for one in (whole, parts)]
        assert said[0] == said[1]

    @pytest.mark.parametrize(("kind", "shard"), [("blip", "1GB"), ("blip2-opt", "20KB"), ("florence2", "20KB")])
    def test_pickles_are_refused_and_as_converted_say_the_same(
        self, kind: str, shard: str, tmp_path: Path, pictures: list[Path]
    ) -> None:
        folder = write_captioner(tmp_path / "net", kind, shard=shard)
        wanted = open_captioner(folder, SHORT, device="cpu")(pictures[:1])
        pickle_weights(folder)

        with pytest.raises(UnsafeFile, match="no weights in safetensors") as caught:
            open_captioner(folder, SHORT, device="cpu")
        assert caught.value.mend == f"modelhub convert {folder}"
        drain(convert_folder(plan_folder_conversion(folder), tmp_path / "made"))
        assert open_captioner(tmp_path / "made", SHORT, device="cpu")(pictures[:1]) == wanted

    def test_a_list_of_safetensors_that_names_a_pickle_is_refused(self, tmp_path: Path) -> None:
        folder = write_captioner(tmp_path / "net", shard="20KB")
        index = folder / "model.safetensors.index.json"
        listed = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        (folder / "odd.bin").write_bytes(b"cos\nsystem\n(S'echo hello'\ntR.")
        text = json.dumps({"metadata": {}, "weight_map": {**listed, next(iter(listed)): "odd.bin"}})
        index.write_text(text, encoding="utf-8")

        with pytest.raises(UnsafeFile, match="no weights in safetensors"):
            open_captioner(folder, SHORT, device="cpu")


def test_a_net_that_lacks_a_tensor_is_refused_and_none_is_made_up(florence: Path, tmp_path: Path) -> None:
    weights = load_file(florence / "model.safetensors")
    lacking = "model.multi_modal_projector.image_projection.weight"
    for file in florence.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    del weights[lacking]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})

    with pytest.raises(BrokenFile, match=f"lacks 1 tensors of its net: {lacking}"):
        open_captioner(tmp_path, SHORT, device="cpu")


@pytest.mark.parametrize(
    ("stored", "device", "wanted"),
    [
        (torch.float32, "cpu", torch.float32),
        (torch.float16, "cpu", torch.float32),
        (torch.float32, "cuda", torch.float16),
        (torch.float16, "cuda", torch.float16),
        (torch.bfloat16, "cuda", torch.bfloat16),
    ],
)
def test_nets_work_in_full_precision_on_a_processor_and_in_half_elsewhere(
    stored: torch.dtype, device: str, wanted: torch.dtype, tmp_path: Path
) -> None:
    weights = {"net": torch.ones(8, 8, dtype=stored), "norm": torch.ones(8)}
    save_file(weights, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")

    assert precision(tmp_path, torch.device(device)) is wanted


@pytest.mark.parametrize("kind", CAPTIONERS)
def test_half_precision_goes_through_every_net(
    kind: str, tmp_path: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_captioner(tmp_path / kind, kind)
    monkeypatch.setattr("trainers.captioning.captioners.precision", lambda *_: torch.float16)

    said = open_captioner(folder, SHORT, device="cpu")(pictures)
    assert all(isinstance(one, str) for one in said)


def answers(folder: Path, pictures: list[Path], **words: Any) -> list[str]:
    """What transformers' own says, asked as its documentation does."""
    import transformers
    from PIL import Image

    processor = transformers.AutoProcessor.from_pretrained(folder, backend="pil")
    net = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    inputs = processor(images=[Image.open(one) for one in pictures], return_tensors="pt", **words)
    tokens = net.generate(**inputs, max_new_tokens=8, num_beams=3, do_sample=False)
    return [one.strip() for one in processor.batch_decode(tokens, skip_special_tokens=True)]


def edited(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    change(told)
    file.write_text(json.dumps(told), encoding="utf-8")


class TestChatModels:
    """LLaVA and its like are asked, and what they answer is the caption."""

    def test_the_answer_alone_is_the_caption(self, llava: Path, pictures: list[Path]) -> None:
        import transformers
        from PIL import Image

        processor = transformers.AutoProcessor.from_pretrained(llava, backend="pil")
        net = transformers.AutoModelForImageTextToText.from_pretrained(llava).eval()
        asked = "USER: <image> word7 word8 ASSISTANT:"
        wanted = []
        for path in pictures:
            inputs = processor(text=[asked], images=[Image.open(path)], return_tensors="pt")
            tokens = net.generate(**inputs, max_new_tokens=5, num_beams=3, do_sample=False)
            wanted.append(processor.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))

        say = open_captioner(llava, CaptionerOptions(max_tokens=5, question="word7 word8"), device="cpu")
        assert say(pictures) == wanted
        assert len(set(wanted)) == len(pictures)

    def test_another_question_has_another_answer(self, llava: Path, pictures: list[Path]) -> None:
        first, second = (
            open_captioner(llava, CaptionerOptions(max_tokens=5, question=one), device="cpu")(pictures)
            for one in ("word7", "word9")
        )

        assert first != second

    def test_words_by_lot_follow_the_seed_and_the_picture(self, llava: Path, pictures: list[Path]) -> None:
        say = open_captioner(llava, CaptionerOptions(max_tokens=5, top_p=0.9), device="cpu")

        assert say(pictures) == [say([one])[0] for one in pictures]

    def test_what_is_no_picture_has_no_words(self, llava: Path, tmp_path: Path) -> None:
        (tmp_path / "broken.png").write_bytes(b"no picture")

        assert open_captioner(llava, SHORT, device="cpu")([tmp_path / "broken.png"]) == [None]


def test_what_is_no_picture_has_no_words(blip: Path, pictures: list[Path], tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    say = open_captioner(blip, SHORT, device="cpu")

    assert say([tmp_path / "broken.png"]) == [None]
    assert say([tmp_path / "broken.png", pictures[0]]) == [None, *say(pictures[:1])]


def test_a_file_in_its_folder_will_do(blip: Path) -> None:
    assert open_captioner(blip / "model.safetensors", SHORT, device="cpu")([]) == []


def test_pickled_weights_are_refused_with_what_mends_them(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "blip"}', encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")

    with pytest.raises(UnsafeFile, match="no weights in safetensors") as caught:
        open_captioner(tmp_path, SHORT)
    assert "modelhub convert" in str(caught.value.mend)


def test_a_net_of_another_type_is_refused_naming_those_that_caption(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}), encoding="utf-8")
    (tmp_path / "model.safetensors").touch()

    with pytest.raises(Incompatible, match="of type llama; captioners are blip, git"):
        open_captioner(tmp_path, SHORT)


def test_a_chat_model_that_brings_its_own_code_is_refused(llava: Path, tmp_path: Path) -> None:
    for file in llava.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "seer.py").write_text("raise SystemExit('it was run')", encoding="utf-8")
    edited(tmp_path / "config.json", lambda told: told.update(model_type="seer", auto_map={"AutoModel": "seer.Net"}))

    with pytest.raises(Incompatible, match="of type seer, which needs code of its own") as caught:
        open_captioner(tmp_path, SHORT, device="cpu")
    assert caught.value.mend == "modelhub pull hf:florence-community/Florence-2-base"


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"config\.json"):
        open_captioner(tmp_path, SHORT)


@pytest.mark.parametrize("text", ["no json", "[]"])
def test_a_broken_configuration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")

    with pytest.raises(BrokenFile, match="no JSON object"):
        open_captioner(tmp_path, SHORT)


def test_broken_weights_are_refused(blip: Path, tmp_path: Path) -> None:
    for file in blip.iterdir():
        (tmp_path / file.name).write_bytes(
            file.read_bytes()[:100] if file.suffix == ".safetensors" else file.read_bytes()
        )

    with pytest.raises(BrokenFile, match="cannot load"):
        open_captioner(tmp_path, SHORT, device="cpu")
