"""`modelhub prompt explain "PROMPT"` and its neighbours: what a prompt says, before a picture is drawn from it."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.render import jsonable, table
from cli.session import Session
from cli.translations import OWN_TERMS, told, translated
from modelhub.errors import BadValue, MissingPackage
from modelhub.kinds import Kind

if TYPE_CHECKING:
    from inference.prompt.completion import Completion
    from inference.prompt.explain import Explanation, Steps

command = typer.Typer(help="Look at prompts before pictures are drawn from them.", no_args_is_help=True)


@command.command("explain")
def explain(
    session: Session,
    prompt: Annotated[str, typer.Argument(help="The prompt to explain; - reads it from stdin.")],
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="REF", help="Look its LoRAs up too, and see if they fit.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Sampling steps.")] = 20,
    sampler: Annotated[str, typer.Option(help="As in generate: some samplers look at the prompt twice a step.")] = (
        "DPM++ 2M"
    ),
) -> None:
    """Show what a prompt comes to: its texts step by step, their tokens, weights and chunks, and its LoRAs."""
    text = sys.stdin.read().strip() if prompt == "-" else prompt
    try:
        from inference.prompt import explain as explaining
        from inference.samplers import find
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "inference") from error
    explanation = explaining.explain(text, steps * find(sampler)[0].calls)
    loras = _loras(session, text, model) if model else []
    result = {**jsonable(explanation), "found": loras} if model else explanation
    session.output.show(result, text=lambda: "\n\n".join(_explained(explanation, loras)))


@command.command("translate")
def translate(
    session: Session,
    prompt: Annotated[str, typer.Argument(help="The prompt to translate; - reads it from stdin.")],
    terms: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own phrases: a CSV of tags.", show_default="the workspace's terms.csv"),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 2 when a word is unknown.")] = False,
) -> None:
    """Put a Chinese prompt into tags that models know, and show what became of each phrase."""
    translation = translated(session, sys.stdin.read().strip() if prompt == "-" else prompt, terms)
    session.output.show(translation, text=lambda: told(translation), ids=[translation.prompt])
    if strict and translation.unknown:
        raise typer.Exit(BadValue.exit_code)


@command.command("complete")
def complete(
    session: Session,
    beginning: Annotated[str, typer.Argument(metavar="PREFIX", help="The word as far as it is typed.")],
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 20,
    tags: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="CSV of tags, beside tags/*.csv of the workspace; may be repeated."),
    ] = None,
) -> None:
    """Complete a word of a prompt, one text to insert a line: tags, Chinese phrases, <lora:...>, embeddings."""
    from inference.prompt import completion

    found: list[Completion]
    if completion.asks_for_lora(beginning):
        found = _models(session, beginning, Kind.LORA)
    else:
        own = session.workspace.root / OWN_TERMS
        given = [session.cwd / one.expanduser() for one in tags or []]
        files = [*sorted((session.workspace.root / "tags").glob("*.csv")), *([own] if own.is_file() else []), *given]
        found = [*completion.tags(beginning, files), *_models(session, beginning, Kind.EMBEDDING)]
    shown = completion.best(found, limit)
    session.output.show(shown, text=lambda: "\n".join(map(_line, shown)), ids=[one.insert for one in shown])


def _models(session: Session, beginning: str, kind: Kind) -> "list[Completion]":
    """Models of the catalog, where there is one."""
    if not session.workspace.catalog.is_file():
        return []
    from inference.prompt.completion import Named, models
    from modelhub.catalog import Query

    with session.open_catalog() as catalog:
        held = catalog.list(Query(kinds=(kind,)))
    return models(beginning, [Named(one.name, one.aliases) for one in held], kind)


def _line(one: "Completion") -> str:
    return one.insert if one.alias is None else f"{one.insert}  ← {one.alias}"


def _loras(session: Session, prompt: str, model: str) -> list[str]:
    """The LoRAs of a prompt as the catalog names them; raises what `generate` would raise for them."""
    from inference.plan import resolve
    from inference.request import GenerationRequest

    with session.open_catalog() as catalog:
        plan = resolve(GenerationRequest(prompt=prompt, model=model), catalog)
        return [f"{one} {catalog.artifact(one).name}" for role, one in plan.used if role == "lora"]


def _explained(explanation: "Explanation", loras: Sequence[str]) -> Iterator[str]:
    for number, part in enumerate(explanation.parts, start=1):
        if len(explanation.parts) > 1 or part.weight != 1.0:
            yield f"prompt {number} of {len(explanation.parts)}, weight {part.weight:g}"
        if len(part.texts) > 1:
            yield table(("CALLS", "TEXT"), [(_range(each), each.text) for each in part.steps])
        for text in part.texts:
            yield f"text: {text.text.strip()}"
            for index, chunk in enumerate(text.chunks, start=1):
                rows = [(token.id, f"{token.weight:g}", token.word) for token in chunk]
                title = f"chunk {index} of {len(text.chunks)}: {len(chunk)} of 75 tokens"
                yield f"{title}\n{table(('TOKEN', 'WEIGHT', 'WORD'), rows)}" if rows else title
    for index, tag in enumerate(explanation.loras):
        which = f", which is {loras[index]}" if loras else ""
        yield f"LoRA {tag.name}{which}: text encoder {tag.text_encoder:g}, UNet {tag.unet:g}"
    for note in explanation.notes:
        yield f"note: {note}"


def _range(steps: "Steps") -> str:
    return str(steps.first) if steps.first == steps.last else f"{steps.first}-{steps.last}"
