"""What `--dry-run` shows of a training."""

from typing import TYPE_CHECKING

from cli.plans import reason
from cli.render import error_json
from cli.session import Session

if TYPE_CHECKING:
    from modelhub.catalog import Catalog
    from trainers.presets import Preset
    from trainers.recipe import Recipe

__all__ = ["show_estimate"]


def show_estimate(
    session: Session, catalog: "Catalog", recipe: "Recipe", preset: "Preset | None", device: str
) -> None:  # fmt: skip
    """What it would take, and what would be in its way; no weight is read."""
    from trainers.beginning import in_the_way, look_over

    begun = session.run(look_over(recipe, catalog))
    obstacles = in_the_way(begun.plan, catalog)
    from inference.memory import giga
    from trainers.running.announcing import Forecast

    forecast = Forecast.of(begun.plan, device)
    document = {
        "preset": preset and preset.name,
        "recipe": forecast.plan.recipe.payload(), "estimate": forecast.needed, "seconds": forecast.seconds,
        "room": forecast.room, "notices": (*begun.told, *forecast.plan.notices),
        "obstacles": [error_json(one) for one in obstacles],
    }  # fmt: skip
    named = [f"preset {preset.name}: {preset.about}"] if preset else []
    lines = [*named, *forecast.lines, f"{giga(forecast.room)} of memory are free"]
    session.output.show(document, text=lambda: "\n".join(lines))
    for notice in (*begun.told, *forecast.plan.notices, *map(reason, obstacles)):
        session.output.hint(notice)
