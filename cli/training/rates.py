"""What `modelhub train range` does and shows."""

from collections.abc import Sequence

from cli.flags.entries import entries_of
from cli.flags.training.recipe import RecipeFlags
from cli.session import Session
from cli.training.recipe import wanted
from cli.training.train import require_packages, saying
from trainers.spelling import method_of

__all__ = ["find_rate"]

_STEPS = 100


def find_rate(
    session: Session, method: str, origin: RecipeFlags, groups: Sequence[object], rates: tuple[float, float],
    device: str | None,
) -> None:  # fmt: skip
    """Carry out a range test of a method, as it is typed, and show what it suggests."""
    require_packages()
    with session.open_catalog() as catalog:
        recipe, preset = wanted(catalog, method_of(method), origin, groups)
        from trainers.beginning import look_over

        beginning = session.run(look_over(recipe, catalog))
        from trainers.range_test import range_test

        told = recipe.steps if any(entries_of(group).get("steps") for group in groups) else _STEPS
        place = session.settings(device=device).device
        job = range_test(
            recipe, catalog=catalog, lowest=rates[0], highest=rates[1], steps=told, device=place, beginning=beginning
        )
        found = session.run(saying(preset, job))
        path = catalog.workspace.runs / f"range-{recipe.name}.png"
    path.parent.mkdir(exist_ok=True)
    found.picture().save(path)
    breaks = "none broke it" if found.breaks is None else f"it breaks at {found.breaks:.2g}"
    text = f"{found.suggested:.2g}  (the loss falls fastest at {found.steepest:.2g}, {breaks})\n{path}"
    session.output.show({"range": found, "picture": path}, text=lambda: text, ids=[f"{found.suggested:.2g}"])
