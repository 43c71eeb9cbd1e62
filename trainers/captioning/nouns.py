"""What captioning is asked for, and what it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

__all__ = ["Change", "Outcome", "Say", "Writing"]

Say: TypeAlias = Callable[[Sequence[Path]], Sequence[str | None]]
"""Pictures -> what is to be seen in each; None for one that cannot be opened."""
Outcome: TypeAlias = Literal["written", "same", "kept", "nothing", "unreadable", "failed"]
"""``kept`` for a caption that was not to be overwritten, ``nothing`` where there is nothing to say, ``failed`` where
a model could not take the picture."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How captions come to stand beside pictures."""

    extension: str = ".txt"
    """Of new files; a caption that is there stays in its own."""
    append: bool = False
    """Add what is new to captions that are there."""
    overwrite: bool = False
    """Put what is said in place of captions that are there."""
    dry: bool = False
    """Decide everything, write nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one picture's caption."""

    picture: Path
    file: Path
    """Where its caption stands, or would."""
    before: str | None
    """None where there was no file."""
    after: str | None
    """What the file says now, or would; None where it has nothing to say."""
    outcome: Outcome
    why: str = ""
    """What is wrong with the picture, where something is."""
