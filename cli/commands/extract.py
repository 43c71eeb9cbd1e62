"""`modelhub extract TUNED --base BASE`: what a checkpoint has learned, as a LoRA."""

from typing import Annotated

import typer

from cli.render import size_text
from cli.session import Session
from modelhub.errors import BadValue


def command(
    session: Session,
    tuned: Annotated[str, typer.Argument(metavar="TUNED", help="Fine-tuned checkpoint.")],
    base: Annotated[str, typer.Option(metavar="REF", help="The checkpoint that it was tuned from.")],
    rank: Annotated[int, typer.Option(help="How much the LoRA can hold.")] = 32,
    text_encoder: Annotated[
        bool, typer.Option("--text-encoder/--no-text-encoder", help="Take the text encoders' differences too.")
    ] = True,
    least: Annotated[float, typer.Option(help="Leave out modules that differ by less.")] = 1e-5,
    name: Annotated[str | None, typer.Option(help="What to call it.", show_default="TUNED-lora")] = None,
) -> None:
    """Take what a fine-tuned checkpoint adds to its base out of it, as a LoRA that every tool reads."""
    from pydantic import ValidationError

    from inference.merging.extract import ExtractRecipe, extract

    try:
        recipe = ExtractRecipe(tuned=tuned, base=base, rank=rank, text_encoder=text_encoder, least=least)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadValue(f"--{first['loc'][0]}: {first['msg'].lower()}", mend="modelhub extract --help") from None
    with session.open_catalog() as catalog:
        called = name or f"{catalog.resolve(tuned).name}-lora"
        artifact = session.run(extract(recipe, catalog=catalog, name=called))
    session.output.show(
        artifact, text=lambda: f"{artifact.id} {artifact.name}, {size_text(artifact.size)}", ids=[artifact.id]
    )
