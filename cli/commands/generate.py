"""`modelhub generate "PROMPT"`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.flags.canvas import CanvasFlags
from cli.flags.models import ModelFlags
from cli.flags.sampling import SamplingFlags
from cli.flags.text import TextFlags
from cli.session import Session
from cli.translations import shown_translation
from modelhub.errors import BadValue, MissingPackage

if TYPE_CHECKING:
    from inference.generate import Picture
    from inference.request import GenerationRequest

_FLAGS = {"width": "size", "height": "size", "negative_prompt": "negative"}
"""Fields of a request whose flags are called otherwise."""


def command(
    session: Session,
    prompt: Annotated[str, typer.Argument(help="What to draw; - reads it from stdin.")],
    models: ModelFlags,
    sampling: SamplingFlags,
    canvas: CanvasFlags,
    text: TextFlags,
    negative: Annotated[str, typer.Option("--negative", "-n", help="What to keep out.")] = "",
    translate: Annotated[
        bool, typer.Option("--translate", help="Put Chinese in the prompts into tags first, and show them.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the pictures.", show_default="outputs/DATE")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default="auto")] = None,
    require: Annotated[
        str | None, typer.Option(metavar="USE", help="Fail unless the licences of all models allow it: commercial.")
    ] = None,
) -> None:
    """Draw pictures with models from the catalog; each carries all that draws it again."""
    _check_installed()
    prompt = sys.stdin.read().strip() if prompt == "-" else prompt
    if translate:
        prompt, negative = shown_translation(session, prompt), shown_translation(session, negative)
    fields = {"prompt": prompt, "negative_prompt": negative}
    for group in (models, sampling, canvas, text):
        fields |= group.fields()
    with session.open_catalog() as catalog:
        from inference.engine import Engine
        from inference.generate import generate, output_folder
        from inference.plan import default_model

        fields["model"] = fields["model"] or default_model(catalog)
        engine = Engine(session.settings(device=device).device)
        folder = out or output_folder(catalog.workspace)
        pictures = session.run(generate(_request(fields), catalog=catalog, engine=engine, out=folder, require=require))
    session.output.show([_document(one) for one in pictures], text=lambda: _told(pictures), ids=_paths(pictures))


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
        name = "-".join(str(one) for one in first["loc"] if isinstance(one, str))
        flag = _FLAGS.get(name, name).replace("_", "-")
        raise BadValue(f"--{flag}: {first['msg'].lower()}", mend="modelhub generate --help") from None


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
