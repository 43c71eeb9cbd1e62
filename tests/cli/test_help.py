"""Help that can be taken in: whole phrases in lists, options under headings."""

import pytest

from cli.help import phrase
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("docstring", "told"),
    [
        ("Take models out. Files go to the trash.", "Take models out"),
        ("Draw pictures with models from the catalog; each carries all.", "Draw pictures with models from the catalog"),
        ("Write pickles (.ckpt, .pt) as safetensors, which run nothing.", "Write pickles (.ckpt, .pt) as safetensors"),
        (
            "Add tags to models and take them away, e.g. ``tag kip +style -draft``.",
            "Add tags to models and take them away",
        ),
        ("Say what each of these models is, was, and may still be.", "Say what each of these models is"),
        ("Say what each of these models is and was and may be", "Say what each of these models is and was ..."),
    ],
)
def test_a_list_tells_what_makes_sense_alone(docstring: str, told: str) -> None:
    assert phrase(docstring, 45) == told


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["dataset", "--help"]])
def test_no_list_of_commands_breaks_off(run: Run, arguments: list[str]) -> None:
    assert "..." not in run(*arguments).out.partition("Commands:")[2]


def test_options_stand_under_their_headings_and_the_common_ones_last(run: Run) -> None:
    lines = run("train", "lora", "--help").out.splitlines()
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings[:4] == ["Recipe:", "Pictures:", "Captions:", "LoRA:"]
    assert headings[-1] == "Options:"
    assert "[default: the preset's]" in " ".join(lines)
    assert lines.index("Captions:") < lines.index(next(line for line in lines if "--trigger" in line))
