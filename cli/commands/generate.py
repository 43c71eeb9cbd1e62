"""`modelhub generate "PROMPT"`."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.flags.canvas import CanvasFlags
from cli.flags.control import ControlFlags
from cli.flags.faces import FaceFlags
from cli.flags.files import FileFlags
from cli.flags.hires import HiresFlags
from cli.flags.init import InitFlags
from cli.flags.loopback import LoopbackFlags
from cli.flags.many import ManyFlags
from cli.flags.mask import MaskFlags
from cli.flags.models import ModelFlags
from cli.flags.origin import OriginFlags
from cli.flags.places import flag_at
from cli.flags.refiner import RefinerFlags
from cli.flags.sampling import SamplingFlags
from cli.flags.text import TextFlags
from cli.flags.tiles import TileFlags
from cli.session import Session
from cli.translations import shown_translation
from modelhub.errors import BadValue, MissingPackage

if TYPE_CHECKING:
    from inference.engine import Engine
    from inference.generate import Picture
    from inference.request import GenerationRequest
    from modelhub.catalog import Catalog

_WORDS = {"prompt", "negative", "style"}
"""Parameters that put words into the prompts."""


def command(
    session: Session,
    origin: OriginFlags,
    models: ModelFlags,
    sampling: SamplingFlags,
    canvas: CanvasFlags,
    text: TextFlags,
    init: InitFlags,
    mask: MaskFlags,
    tiles: TileFlags,
    loop: LoopbackFlags,
    hires: HiresFlags,
    refiner: RefinerFlags,
    faces: FaceFlags,
    control: ControlFlags,
    many: ManyFlags,
    files: FileFlags,
    prompt: Annotated[
        str | None, typer.Argument(help="What to draw; - reads it from stdin.", show_default="that of --from")
    ] = None,
    negative: Annotated[str, typer.Option("--negative", "-n", help="What to keep out.")] = "",
    translate: Annotated[
        bool, typer.Option("--translate", help="Put Chinese in the prompts into tags first, and show them.")
    ] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default="auto")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be drawn, with which models, in how much memory.")
    ] = False,
    require: Annotated[
        str | None, typer.Option(metavar="USE", help="Fail unless the licences of all models allow it: commercial.")
    ] = None,
) -> None:
    """Draw pictures with models from the catalog; each carries all that draws it again."""
    _check_installed()
    with session.open_catalog() as catalog:
        from inference.engine import Engine
        from inference.generate import generate, output_folder
        from inference.images.inputs import Inputs
        from inference.plan import default_model

        memory = origin.memory(session, catalog)
        is_told = bool(memory.remembered or many.prompts)
        said: dict[str, Any] = {"prompt": _typed(prompt, is_told=is_told), "negative_prompt": negative}
        for group in (models, sampling, canvas, text, tiles, hires, refiner, faces, control):
            said |= memory.anchored(group).fields()
        said |= memory.anchored(init).fields(memory.anchored(mask))
        fields = memory.merged(said)
        fields |= _worded(session, text, fields, translate=translate)
        fields["model"] = fields.get("model") or default_model(catalog)
        engine = Engine(session.settings(device=device).device)
        folder = files.out or output_folder(catalog.workspace)
        wildcards = catalog.workspace.root / "wildcards"
        literal = bool(memory.remembered) and not session.given & _WORDS
        series = many.series(_request(fields), wildcards=wildcards, endless=canvas.endless, literal=literal)
        series = loop.around(series, Inputs(catalog.workspace.inputs))
        if dry_run:
            _show_plan(session, next(series).request, engine, catalog)
            return
        job = generate(series, catalog=catalog, engine=engine, out=folder, require=require, form=files.form())
        pictures = session.run(job)
    session.output.show([_document(one) for one in pictures], text=lambda: _told(pictures), ids=_paths(pictures))


def _typed(prompt: str | None, *, is_told: bool) -> str:
    """The prompt as it was given; raises `BadValue` where there is none, unless one `is_told` elsewhere."""
    if prompt is None and not is_told:
        raise BadValue("nobody says what to draw", mend='modelhub generate "PROMPT", --from IMAGE, or --prompts FILE')
    return sys.stdin.read().strip() if prompt == "-" else prompt or ""


def _worded(session: Session, text: TextFlags, fields: Mapping[str, Any], *, translate: bool) -> Mapping[str, str]:
    """Both prompts as they are drawn: translated on request, and in the styles that were asked for."""
    prompt, negative = (fields.get(name) or "" for name in ("prompt", "negative_prompt"))
    if translate:
        prompt, negative = shown_translation(session, prompt), shown_translation(session, negative)
    prompt, negative = text.styled(prompt, negative, session.workspace.root / "styles.csv")
    return {"prompt": prompt, "negative_prompt": negative}


def _show_plan(session: Session, request: "GenerationRequest", engine: "Engine", catalog: "Catalog") -> None:
    """The first rendering, looked up and checked; no weight is read."""
    from inference.memory import estimate, giga
    from inference.plan import resolve

    plan = resolve(request, catalog)
    models = [(role, number, catalog.artifact(number).name) for role, number in plan.used]
    width, height = plan.size
    needed = estimate(plan, engine.itemsize)
    document = {
        "request": plan.request.payload(),
        "models": [{"role": role, "id": number, "name": name} for role, number, name in models],
        "memory": {"models": needed.models, "denoising": needed.denoising, "decoding": needed.decoding},
        "room": engine.room,
    }
    images = "an image" if plan.request.images == 1 else f"{plan.request.images} images"
    lines = [
        f"would draw {images} of {width}x{height}",
        *(f"  {role} {number} {name}" for role, number, name in models),
    ]
    lines.append(f"needs {needed} of memory; {giga(engine.room)} are there")
    session.output.show(document, text=lambda: "\n".join(lines))


def _check_installed() -> None:
    """Raises `MissingPackage` naming the extra to install."""
    try:
        import inference.generate  # noqa: F401  # brings torch and the model libraries
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "inference") from error


def _request(fields: Mapping[str, Any]) -> "GenerationRequest":
    """The request, or an error that names the flag that is wrong."""
    from pydantic import ValidationError

    from inference.request import GenerationRequest

    try:
        return GenerationRequest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        flag = flag_at([one for one in first["loc"] if isinstance(one, str)])
        raise BadValue(f"{flag}: {first['msg'].lower()}", mend="modelhub generate --help") from None


def _paths(pictures: "tuple[Picture, ...]") -> list[str]:
    return [str(picture.path) for picture in pictures]


def _document(picture: "Picture") -> dict[str, object]:
    return {
        "path": picture.path,
        "seed": picture.seed,
        "parameters": picture.infotext,
        "request": picture.request.payload(),
    }


def _told(pictures: "tuple[Picture, ...]") -> str:
    return "\n".join(_paths(pictures))
