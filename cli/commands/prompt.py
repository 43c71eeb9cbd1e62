"""`modelhub prompt explain "PROMPT"` and its neighbours: what a prompt says, before a picture is drawn from it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.flags.prompts import typed
from cli.render import jsonable, table
from cli.session import Session
from cli.translations import OWN_TERMS, told, translated
from modelhub.errors import BadValue, MissingPackage
from modelhub.kinds import Kind

if TYPE_CHECKING:
    from inference.plan import LoadPlan
    from inference.prompt.completion import Completion
    from inference.prompt.explain import Explanation, Steps

command = typer.Typer(help="Look at prompts before pictures are drawn from them.", no_args_is_help=True)


@command.command("explain")
def explain(
    session: Session,
    prompt: Annotated[str, typer.Argument(help="The prompt to explain; - reads it from stdin.")],
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="REF", help="Look up what it names, for this model.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Sampling steps.")] = 20,
    sampler: Annotated[str, typer.Option(help="As in generate: some samplers look at the prompt twice a step.")] = (
        "DPM++ 2M"
    ),
) -> None:
    """Show what a prompt comes to: its texts step by step, their tokens, weights and chunks, and its networks."""
    text = typed(prompt)
    try:
        from inference.prompt import explain as explaining
        from inference.prompt.embeddings import Embedding, EmbeddingNames
        from inference.samplers import find
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "inference") from error
    calls = steps * find(sampler)[0].calls
    explaining.explain(text, calls)  # a tag that is none is said before anything is looked up
    plan = _planned(session, text, model, steps=steps, sampler=sampler) if model else None
    embeddings = [Embedding(one.name, one.count) for one in plan.base.embeddings] if plan else []
    explanation = explaining.explain(text, calls, EmbeddingNames(embeddings))
    found = _found(session, plan) if plan else {}
    result = {**jsonable(explanation), "found": found.get("lora", []), "used": found} if plan else explanation
    session.output.show(result, text=lambda: "\n\n".join(_explained(explanation, found, plan)))


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
    translation = translated(session, typed(prompt), terms)
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
    """Complete a word of a prompt, one text to insert a line: tags, Chinese phrases, <lora:...>, embeddings,
    __wildcards__."""
    from inference.prompt import completion
    from inference.prompt.wildcards import Wildcards

    found: list[Completion]
    if completion.asks_for_lora(beginning):
        found = _models(session, beginning, Kind.LORA)
    elif beginning.startswith("__"):
        found = completion.wildcards(beginning, Wildcards(session.workspace.root / "wildcards"))
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


def _planned(session: Session, prompt: str, model: str, *, steps: int, sampler: str) -> "LoadPlan":
    """Raises what `generate` would raise for the prompt."""
    from inference.plan import resolve
    from inference.request import GenerationRequest

    with session.open_catalog() as catalog:
        return resolve(GenerationRequest(prompt=prompt, model=model, steps=steps, sampler=sampler), catalog)


def _found(session: Session, plan: "LoadPlan") -> dict[str, list[str]]:
    """Role -> ID and name of what the catalog has for it."""
    found: dict[str, list[str]] = {}
    with session.open_catalog() as catalog:
        for role, one in plan.used:
            found.setdefault(role, []).append(f"{one} {catalog.artifact(one).name}")
    return found


def _explained(
    explanation: "Explanation", found: Mapping[str, Sequence[str]], plan: "LoadPlan | None"
) -> Iterator[str]:
    yield from _readers(plan) if plan else ()
    for number, part in enumerate(explanation.parts, start=1):
        if len(explanation.parts) > 1 or part.weight != 1.0:
            yield f"prompt {number} of {len(explanation.parts)}, weight {part.weight:g}"
        if len(part.texts) > 1:
            yield table(("CALLS", "TEXT"), [(_range(each), each.text) for each in part.steps])
        for text in part.texts:
            yield f"text: {text.text.strip()}"
            for index, chunk in enumerate(text.chunks, start=1):
                rows = [("" if token.id is None else token.id, f"{token.weight:g}", token.word) for token in chunk]
                title = f"chunk {index} of {len(text.chunks)}: {len(chunk)} of 75 tokens"
                yield f"{title}\n{table(('TOKEN', 'WEIGHT', 'WORD'), rows)}" if rows else title
    for index, tag in enumerate(explanation.loras):
        which = f", which is {found['lora'][index]}" if plan else ""
        yield f"LoRA {tag.name}{which}: text encoder {tag.text_encoder:g}, UNet {tag.unet:g}"
    for index, network in enumerate(explanation.hypernetworks):
        which = f", which is {plan.base.hypernetworks[index].name}" if plan else ""
        yield f"hypernetwork {network.name}{which}: strength {network.strength:g}"
    for embedding in found.get("embedding", ()):
        yield f"embedding {embedding}"
    for note in explanation.notes:
        yield f"note: {note}"


def _readers(plan: "LoadPlan") -> Iterator[str]:
    from inference.prompt.readers import READERS

    for reader in READERS.get(plan.base.family.name, ()):
        yield f"read by {reader.name}: its {reader.layer}; chunks are filled up with token {reader.padding}"


def _range(steps: "Steps") -> str:
    return str(steps.first) if steps.first == steps.last else f"{steps.first}-{steps.last}"
