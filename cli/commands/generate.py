"""`modelhub generate "PROMPT"`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cli.flags.canvas import CanvasFlags
from cli.flags.control import ControlFlags
from cli.flags.drawing import DrawingFlags
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
from cli.flags.prompts import PromptFlags
from cli.flags.refiner import RefinerFlags
from cli.flags.sampling import SamplingFlags
from cli.flags.text import TextFlags
from cli.flags.tiles import TileFlags
from cli.session import Session
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
    words: PromptFlags,
    drawing: DrawingFlags,
) -> None:
    """Draw pictures with models from the catalog; each carries all that draws it again."""
    _check_installed()
    with session.open_catalog() as catalog:
        from inference.engine import Engine
        from inference.generate import generate, output_folder
        from inference.images.inputs import Inputs
        from inference.plan import default_model

        memory = origin.memory(session, catalog)
        said = {**words.fields(is_told=bool(memory.remembered or many.prompts))}
        for group in (models, sampling, canvas, text, tiles, hires, refiner, faces, control):
            said |= memory.anchored(group).fields()
        said |= memory.anchored(init).fields(memory.anchored(mask))
        fields = memory.merged(said)
        fields |= words.worded(session, text, fields)
        fields["model"] = fields.get("model") or default_model(catalog)
        wildcards, literal = (
            catalog.workspace.root / "wildcards",
            bool(memory.remembered) and not session.given & _WORDS,
        )
        series = many.series(_request(fields), wildcards=wildcards, endless=canvas.endless, literal=literal)
        series = loop.around(series, Inputs(catalog.workspace.inputs))
        engine = Engine(session.settings(device=drawing.device).device)
        if drawing.dry_run:
            _show_plan(session, next(series).request, engine, catalog)
            return
        out, form = files.out or output_folder(catalog.workspace), files.form()
        job = generate(series, catalog=catalog, engine=engine, out=out, require=drawing.require, form=form)
        pictures = session.run(job)
    session.output.show([_document(one) for one in pictures], text=lambda: _told(pictures), ids=_paths(pictures))


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
