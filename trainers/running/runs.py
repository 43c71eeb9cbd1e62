"""The folder of a training: its recipe, where its state, copies and previews lie, its losses (no torch)."""

import glob
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelhub.workspace import Workspace

if TYPE_CHECKING:
    from trainers.recipe import Recipe

__all__ = ["RunFolder"]

_DIGITS = 8
"""Of a step in the name of a file, so that names stand in the order of steps."""
_STEP = re.compile(rf"(?:^|-)step(\d{{{_DIGITS}}})")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where one training keeps its things; the number is the run's in the catalog."""

    path: Path

    @classmethod
    def of(cls, workspace: Workspace, run: int, name: str) -> "RunFolder":
        """That of a run, by its number in the catalog and its recipe's name."""
        return cls(workspace.runs / f"{run:04d}-{name}")

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.toml"

    @property
    def state(self) -> Path:
        """What a resumed training goes on from; replaced whole, so a killed process leaves the last good one."""
        return self.path / "state.pt"

    @property
    def losses(self) -> Path:
        """A line a step, as JSON."""
        return self.path / "losses.jsonl"

    @property
    def validation(self) -> Path:
        """A line a look at the held-out pictures, as JSON."""
        return self.path / "validation.jsonl"

    @property
    def plot(self) -> Path:
        """The course of the losses as a picture."""
        return self.path / "loss.png"

    @property
    def sheet(self) -> Path:
        """What its copies drew, side by side, when they were judged."""
        return self.path / "evaluation" / "grid.png"

    @property
    def tensorboard(self) -> Path:
        """A folder of event files."""
        return self.path / "tensorboard"

    @property
    def previews(self) -> Path:
        """A folder."""
        return self.path / "previews"

    def preview(self, step: int, number: int) -> Path:
        """The picture of the `number`-th preview prompt after a step."""
        return self.previews / f"step{step:0{_DIGITS}d}-{number}.png"

    def copy(self, name: str, step: int) -> Path:
        """The model as it was after a step."""
        return self.path / f"{name}-step{step:0{_DIGITS}d}.safetensors"

    def copies(self, name: str) -> dict[int, Path]:
        """Step -> the model as it was then, of all copies that are kept, in their order."""
        return {step: self.copy(name, step) for step in self.copied(name) if self.copy(name, step).is_file()}

    def copied(self, name: str) -> dict[int, list[Path]]:
        """Step -> all files that were written then: the model in each of its formats, and what belongs to it."""
        found: dict[int, list[Path]] = {}
        for path in sorted(self.path.glob(f"{glob.escape(name)}-step*")):
            step = path.name.removeprefix(f"{name}-step")[:_DIGITS]
            if step.isdecimal():
                found.setdefault(int(step), []).append(path)
        return found

    @property
    def pictures(self) -> Path:
        """What is learned from, as JSON: digests, no paths."""
        return self.path / "pictures.json"

    def begin(self, recipe: "Recipe", pictures: Sequence[Mapping[str, Any]]) -> None:
        from trainers.recipe import write_recipe

        self.path.mkdir(parents=True, exist_ok=True)
        self.pictures.write_text(json.dumps(pictures), encoding="utf-8")
        write_recipe(recipe, self.recipe)

    def read_pictures(self) -> list[Mapping[str, Any]]:
        """Those that the run was begun with; none where it was begun by a version that did not note them."""
        rows: list[Mapping[str, Any]] = []
        if self.pictures.is_file():
            rows = json.loads(self.pictures.read_text(encoding="utf-8"))
        return rows

    def read_recipe(self) -> "Recipe":
        """The recipe that the run was begun with; raises `MissingFile` where there is no such run."""
        from trainers.recipe import read_recipe

        return read_recipe(self.recipe)

    def forget_state(self) -> None:
        """A finished run has nothing to resume."""
        self.state.unlink(missing_ok=True)

    def forget_after(self, step: int) -> None:
        """Drop what was noted, copied and drawn after later steps, which are taken again."""
        for path in (self.losses, self.validation):
            _forget_after(path, step)
        for path in (*self.path.glob("*-step*"), *self.previews.glob("step*")):
            if (numbers := _STEP.findall(path.name)) and int(numbers[-1]) > step:
                path.unlink()

    def note_loss(self, step: int, loss: float, learning_rate: float) -> None:
        _append(self.losses, {"step": step, "loss": loss, "learning_rate": learning_rate})

    def note_validation(self, step: int, loss: float) -> None:
        """Of the held-out pictures, after a step; in place of what was noted of it before."""
        _forget_after(self.validation, step - 1)
        _append(self.validation, {"step": step, "loss": loss})


def _forget_after(path: Path, step: int) -> None:
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if json.loads(line)["step"] <= step), encoding="utf-8")


def _append(path: Path, row: Mapping[str, float]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
