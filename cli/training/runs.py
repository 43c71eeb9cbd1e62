"""What `modelhub train runs` and `modelhub train show` show."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.render import table
from cli.session import Session

if TYPE_CHECKING:
    from trainers.running.history import Past

__all__ = ["show_run", "show_runs"]

_NEXT = {
    "done": "judge its copies: modelhub train evaluate {}",
    "interrupted": "go on: modelhub train resume {}",
    "failed": "go on: modelhub train resume {}",
}
"""State -> what can be done with the run."""


def show_runs(session: Session) -> None:
    """All of them, a line each."""
    with session.open_catalog() as catalog:
        from trainers.running.history import history

        found = history(catalog)
    rows = [
        (one.run, one.name, one.method, one.state, f"{one.step}/{one.steps}", _loss(one.loss), ", ".join(one.made))
        for one in found
    ]
    heads = ("RUN", "NAME", "METHOD", "STATE", "STEP", "LOSS", "MADE")
    text = table(heads, rows) if rows else "no trainings yet: modelhub train lora --base REF --images DIR"
    session.output.show(found, text=lambda: text, ids=[one.run for one in found])


def show_run(session: Session, run: int) -> None:
    """One of them, and the command that follows."""
    with session.open_catalog() as catalog:
        from trainers.running.history import past

        one = past(catalog.run(run), catalog)
    session.output.show(one, text=lambda: "\n".join(_told(one)), ids=[one.run])
    if one.state in _NEXT:
        session.output.hint(_NEXT[one.state].format(one.run))


def _told(one: "Past") -> Iterator[str]:
    held_out = "" if one.held_out_loss is None else f", of held-out pictures {_loss(one.held_out_loss)}"
    rows = {
        "base": one.base,
        "steps": f"{one.step} of {one.steps}",
        "loss": "" if one.loss is None else f"{_loss(one.loss)}{held_out}",
        "began": f"{one.began:%Y-%m-%d %H:%M} UTC" + (f", took {one.took}" if one.took else ""),
        "folder": str(one.folder),
        **{what: str(path) for what, path in one.files.items()},
        "made": ", ".join(one.made),
        "error": one.error or "",
    }
    yield f"run {one.run}  {one.name}  {one.method}  {one.state}"
    yield from (f"  {what:<12} {text}" for what, text in rows.items() if text)


def _loss(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.4f}"
