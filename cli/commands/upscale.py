"""`modelhub upscale PICTURE|FOLDER...`: larger pictures, better faces."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.flags.canvas import sides
from cli.flags.faces import FaceFlags
from cli.options import Device
from cli.render import table
from cli.session import Session
from modelhub.errors import BadValue, MissingPackage

if TYPE_CHECKING:
    from inference.postprocess.work import Processed


def command(
    session: Session,
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE|FOLDER...", help="What to enlarge.")],
    faces: FaceFlags,
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="REF", help="An upscaler, Lanczos, Nearest, or None for no change.")
    ] = "Lanczos",
    scale: Annotated[float | None, typer.Option(help="How many times as large.", show_default="2")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Pixels to cover, in place of --scale; the aspect stays.")
    ] = None,
    crop: Annotated[bool, typer.Option("--crop", help="Cut off what hangs over --size.")] = False,
    second: Annotated[str | None, typer.Option(metavar="REF", help="Another upscaler to blend in.")] = None,
    second_visibility: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="How much of the second one's picture covers the first one's.")
    ] = 0.5,
    out: Annotated[Path | None, typer.Option(help="Folder for the results.", show_default="outputs/DATE")] = None,
    device: Device = None,
) -> None:
    """Make pictures larger, with upscalers and face restorers from the catalog.

    The results are PNG files under the old names; they keep the parameters that drew them, and nothing is overwritten.
    """
    if scale is not None and size is not None:
        raise BadValue("--scale and --size say two different things", mend="give one of them")
    try:
        from inference.engine import Engine
        from inference.generate import output_folder
        from inference.postprocess.plan import Size, pictures_in, plan_post
        from inference.postprocess.work import postprocess
        from inference.request import Faces
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "inference") from error
    wanted = Size(2.0 if scale is None else scale, sides(size) if size else None, crop)
    sources = pictures_in(pictures)
    again = Faces(model=faces.faces, visibility=faces.faces_visibility) if faces.faces else None
    with session.open_catalog() as catalog:
        plan = plan_post(
            wanted, model, second=second, second_visibility=second_visibility, faces=again, catalog=catalog
        )
        engine = Engine(session.settings(device=device).device)
        folder = out or output_folder(catalog.workspace)
        made = session.run(postprocess(sources, plan, catalog=catalog, engine=engine, out=folder))
    session.output.show(made, text=lambda: _told(made), ids=[str(one.path) for one in made])


def _told(made: "tuple[Processed, ...]") -> str:
    return table(("SIZE", "PATH"), [(f"{one.width}x{one.height}", one.path) for one in made])
