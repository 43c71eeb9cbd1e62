from pathlib import Path

import pytest

from inference.grid.prompts_file import read_prompts
from inference.request import GenerationRequest, Variation
from modelhub.errors import BadValue, MissingFile

REQUEST = GenerationRequest(prompt="", model="m", steps=7)


def test_each_line_is_a_prompt_or_changes_more(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text(
        "# my list\n\na red cat\n"
        '--prompt "a dog, brown" --negative_prompt "blue" --seed 4 --steps 9 --cfg_scale 3.5 --width 64 --tiling '
        "--sampler_name Heun --subseed 5 --subseed_strength 0.25\n"
    )

    cat, dog = read_prompts(path, REQUEST)

    assert cat == REQUEST.model_copy(update={"prompt": "a red cat"})
    assert (dog.prompt, dog.negative_prompt, dog.seed, dog.steps, dog.cfg) == ("a dog, brown", "blue", 4, 9, 3.5)
    assert (dog.width, dog.tiling, dog.sampler) == (64, True, "Heun")
    assert dog.variation == Variation(seed=5, strength=0.25)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--stps 3", r"line 1 of .*--stps is not known"),
        ("--steps", "--steps says nothing"),
        ("--steps many", "line 1"),
        ("--steps 0", "greater than or equal to 1"),
        ('--prompt "open', "line 1"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "p.txt").write_text(line)
    with pytest.raises(BadValue, match=said):
        read_prompts(tmp_path / "p.txt", REQUEST)


def test_a_file_without_prompts_or_none_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("# nothing\n")
    with pytest.raises(BadValue, match="holds no prompts"):
        read_prompts(tmp_path / "p.txt", REQUEST)
    with pytest.raises(MissingFile):
        read_prompts(tmp_path / "q.txt", REQUEST)
