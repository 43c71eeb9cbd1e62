"""What a command ends with where not all of its work could be done."""

from collections.abc import Sequence

import typer

from modelhub.errors import ModelHubError

__all__ = ["PARTIAL", "end"]

PARTIAL = 5
"""Some of it was done, and some could not be."""


def end(failed: Sequence[tuple[object, ModelHubError]], *, done: object) -> None:
    """End with `PARTIAL` where something failed and something was `done`, with the first error's where nothing was.

    Does nothing where all went well.
    """
    if failed:
        raise typer.Exit(PARTIAL if done else failed[0][1].exit_code)
