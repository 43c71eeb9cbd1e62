"""What the documents promise is run."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from inference.samplers import Options, Sampler
from inference.schedules import SigmaTable, sigmas
from modelhub.families import family
from trainers.recipe import read_recipe

ROOT = Path(__file__).parent.parent


def test_the_worked_example_of_contributing_is_a_sampler_that_converges() -> None:
    sampler = _heun()
    levels = sigmas("Karras", SigmaTable(family("sd1").noise), 20)
    start = torch.full((1, 4, 2, 2), levels[0], dtype=torch.float64)

    *_, last = sampler.sample(_spread_of_one, start, levels, draw=lambda: start, options=Options())

    # a data distribution of standard deviation 1 shrinks x by sqrt((1 + 0) / (1 + sigma^2))
    exact = start / (1 + levels[0] ** 2) ** 0.5
    assert torch.allclose(last.x, exact, rtol=0.02)


@pytest.mark.parametrize("recipe", sorted((ROOT / "examples/recipes").glob("*.toml")), ids=lambda path: path.name)
def test_an_example_recipe_reads(recipe: Path) -> None:
    assert read_recipe(recipe).dataset.images.parent == recipe.parent


def test_both_readmes_show_the_same_commands_and_pictures() -> None:
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))

    assert _commands(english) == _commands(chinese)
    assert _pictures(english) == _pictures(chinese)


def test_both_training_guides_show_the_same_commands_and_output() -> None:
    english, chinese = _training_guides()

    assert [_blocks(section) for section in english] == [_blocks(section) for section in chinese]


def test_both_training_guides_name_the_same_things_in_each_section_and_row() -> None:
    for section, translated in zip(*_training_guides(), strict=True):
        heading = section.partition("\n")[0]
        assert _rows(section) == _rows(translated), heading
        assert _names(section) == _names(translated), heading
        assert _pictures(section) == _pictures(translated), heading


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "README.zh-CN.md",
        "CONTRIBUTING.md",
        "docs/catalog.md",
        "docs/hubs.md",
        "docs/training.md",
        "docs/training.zh-CN.md",
    ],
)
def test_every_link_to_a_file_leads_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]

    assert targets
    assert [target for target in targets if not ((ROOT / document).parent / target).exists()] == []


def test_the_drawn_tree_names_only_what_is_there() -> None:
    tree = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("```")[3]
    folder, missing = "", []
    for line in tree.strip().splitlines():
        names = [
            name
            for name in re.split(r"\s{2,}|\s(?=[\w/]+(?:\.py|/))", line.strip())
            if re.fullmatch(r"[\w/]+(\.py|/)", name)
        ]
        if not line.startswith(" "):
            folder = line.split()[0]
            names = names[1:]
        missing += [folder + name for name in names if not (ROOT / folder / name).exists()]

    assert missing == []


def _heun() -> Sampler:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert block
    source = re.sub(r"^   ", "", block[1], flags=re.MULTILINE)
    module = ModuleType("contributing_example")
    sys.modules[module.__name__] = module
    exec(compile(source, "CONTRIBUTING.md", "exec"), module.__dict__)
    sampler: Sampler = module.SAMPLER
    return sampler


def _spread_of_one(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """The exact denoiser of data that is normal with mean 0 and deviation 1."""
    return x / (1 + sigma**2)


def _commands(text: str) -> list[str]:
    return [line.split("#")[0].strip() for line in re.findall(r"^\$ (.*)$", text, re.MULTILINE)]


def _training_guides() -> list[list[str]]:
    """The sections of the English one, then those of the Chinese one."""
    guides = (ROOT / "docs" / name for name in ("training.md", "training.zh-CN.md"))
    return [guide.read_text(encoding="utf-8").split("\n## ") for guide in guides]


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```.*?^```$", text, re.DOTALL | re.MULTILINE)


def _rows(text: str) -> list[list[str]]:
    """What each row of the tables names in backticks, in any order, since languages order words differently."""
    return [sorted(re.findall(r"`[^`]+`", row)) for row in re.findall(r"^\|.*$", text, re.MULTILINE)]


def _names(text: str) -> set[str]:
    """What the text around the blocks names in backticks."""
    return set(re.findall(r"`[^`]+`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def _pictures(text: str) -> list[str]:
    return re.findall(r"images/[\w.-]+", text)
