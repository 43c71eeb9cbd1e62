"""`modelhub demo`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.artifacts import artifacts_table
from cli.options import Device
from cli.session import Session
from modelhub.errors import MissingPackage
from modelhub.kinds import Artifact

if TYPE_CHECKING:
    from trainers.demo import Story


def command(
    session: Session,
    device: Device = None,
) -> None:
    """Tell the whole story offline, in minutes: catalogue a small model, draw, train a LoRA, use it by its ID."""
    try:
        from trainers.demo import demo
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "all") from error
    with session.create_catalog() as catalog:
        story = session.run(demo(catalog=catalog, device=session.settings(device=device).device))
        held = catalog.list()
    session.output.show(story, text=lambda: _told(story, held), ids=[story.sheet])


def _told(story: "Story", held: Sequence[Artifact]) -> str:
    without = story.distances["without the LoRA"]
    lines = ["mean distance from the held-out poses (of 255):"]
    lines += [f"  {label:<18} {value:5.1f}  ({value / without:.2f}x)" for label, value in story.distances.items()]
    try_it = f'modelhub generate "mimo holding a pizza" --model {story.base.id} --lora {story.lora.id} --cfg 4'
    sheet = f"contact sheet: {story.sheet}"
    return "\n".join([*lines, "", f"try it: {try_it}", "", sheet, "", artifacts_table(held)])
