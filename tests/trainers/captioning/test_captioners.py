"""Captioners in transformers' folders, on small nets of random weights."""

import json
from pathlib import Path

import pytest
import torch

from modelhub.errors import BrokenFile, Incompatible, MissingFile, UnsafeFile
from tests.trainers.captioners import write_captioner, write_chat
from tests.trainers.pictures import write_picture
from trainers.captioning.captioners import CaptionerOptions, open_captioner

SHORT = CaptionerOptions(max_tokens=8)


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_captioner(tmp_path_factory.mktemp("blip"))


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
