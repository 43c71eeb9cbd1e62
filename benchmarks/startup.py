"""How soon the command line answers, against a bare interpreter's start."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks._figure import Figure, seconds_in_turn


def measure() -> Iterator[Figure]:
    bare, helped, imported = seconds_in_turn(
        7,
        lambda: _run("-c", "pass"),
        lambda: _run("-m", "cli", "--help"),
        lambda: _run("-c", "import modelhub"),
    )
    yield Figure("modelhub --help / bare interpreter", helped / bare, "x", at_most=30)
    yield Figure("import modelhub / bare interpreter", imported / bare, "x")


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
