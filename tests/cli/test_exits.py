"""What a command ends with, where not all of its work could be done."""

import pytest
import typer

from cli.exits import PARTIAL, end
from modelhub.errors import BrokenFile, MissingFile, ModelHubError

FAILED: list[tuple[object, ModelHubError]] = [
    ("a", BrokenFile("a", "is cut off")),
    ("b", MissingFile("b is not there")),
]


@pytest.mark.parametrize(("done", "code"), [(["c"], PARTIAL), ([], BrokenFile.exit_code)])
def test_it_tells_a_part_from_nothing_at_all(done: list[str], code: int) -> None:
    with pytest.raises(typer.Exit) as caught:
        end(FAILED, done=done)

    assert caught.value.exit_code == code


def test_where_nothing_failed_the_command_goes_on() -> None:
    end([], done=[])
