"""`modelhub train lora|textual-inversion|full|hypernetwork`, and what belongs to trainings."""

from typing import Annotated

import typer

from cli.blocks import show_blocks
from cli.entries import show_entries
from cli.evaluating import evaluate as evaluate_run
from cli.flags.judging import JudgingFlags
from cli.flags.training import (
    CaptionFlags,
    ComputeFlags,
    FullFlags,
    HypernetworkFlags,
    LearningFlags,
    LoraFlags,
    ObjectiveFlags,
    PictureFlags,
    RecipeFlags,
    RunningFlags,
    WordFlags,
)
from cli.options import Device
from cli.render import table
from cli.session import Session
from cli.training import find_rate, follow, require_packages, train
from cli.trainings import show_training, show_trainings

command = typer.Typer(help="Train new models on your own pictures.", no_args_is_help=True)


@command.command()
def lora(
    session: Session,
    origin: RecipeFlags,
    pictures: PictureFlags,
    captions: CaptionFlags,
    method: LoraFlags,
    learning: LearningFlags,
    objective: ObjectiveFlags,
    compute: ComputeFlags,
    running: RunningFlags,
) -> None:
    """Train a LoRA on a folder of captioned pictures, and catalogue it.

    Captions stand beside the pictures as .txt files; kohya's N_name folders are read too.
    """
    groups = (pictures, captions, method, learning, objective, compute, running)
    train(session, "lora", origin, groups, compute.device)


@command.command("textual-inversion")
def textual_inversion(
    session: Session,
    origin: RecipeFlags,
    pictures: PictureFlags,
    captions: CaptionFlags,
    method: WordFlags,
    learning: LearningFlags,
    objective: ObjectiveFlags,
    compute: ComputeFlags,
    running: RunningFlags,
) -> None:
    """Teach the text encoder a new word, and nothing else; the model stays as it is."""
    groups = (pictures, captions, method, learning, objective, compute, running)
    train(session, "textual_inversion", origin, groups, compute.device)


@command.command()
def full(
    session: Session,
    origin: RecipeFlags,
    pictures: PictureFlags,
    captions: CaptionFlags,
    method: FullFlags,
    learning: LearningFlags,
    objective: ObjectiveFlags,
    compute: ComputeFlags,
    running: RunningFlags,
) -> None:
    """Train all weights: DreamBooth with --class, fine-tuning without."""
    groups = (pictures, captions, method, learning, objective, compute, running)
    train(session, "full", origin, groups, compute.device)


@command.command()
def hypernetwork(
    session: Session,
    origin: RecipeFlags,
    pictures: PictureFlags,
    captions: CaptionFlags,
    method: HypernetworkFlags,
    learning: LearningFlags,
    objective: ObjectiveFlags,
    compute: ComputeFlags,
    running: RunningFlags,
) -> None:
    """Train small nets before attention, as stable-diffusion-webui does."""
    groups = (pictures, captions, method, learning, objective, compute, running)
    train(session, "hypernetwork", origin, groups, compute.device)


@command.command("range")
def range_(
    session: Session,
    origin: RecipeFlags,
    pictures: PictureFlags,
    captions: CaptionFlags,
    learning: LearningFlags,
    objective: ObjectiveFlags,
    compute: ComputeFlags,
    method: Annotated[str, typer.Option(help="lora, textual-inversion, full or hypernetwork.")] = "lora",
    lowest: Annotated[float, typer.Option(min=0.0, help="Rate to begin with.")] = 1e-6,
    highest: Annotated[float, typer.Option(min=0.0, help="Rate to end with, unless it breaks before.")] = 1e-1,
) -> None:
    """Find a learning rate: try rising ones for --steps steps (100), and keep nothing but a picture of the losses."""
    groups = (pictures, captions, learning, objective, compute)
    find_rate(session, method.replace("-", "_"), origin, groups, (lowest, highest), compute.device)


@command.command()
def resume(
    session: Session,
    run: Annotated[int, typer.Argument(metavar="RUN", help="Number of the interrupted run.")],
    device: Device = None,
) -> None:
    """Go on with an interrupted training: it takes the very steps that it would have taken."""
    require_packages()
    with session.open_catalog() as catalog:
        from trainers.beginning import check_resumable

        check_resumable(run, catalog)
        from trainers.train import resume as go_on

        job = go_on(run, catalog=catalog, device=session.settings(device=device).device)
        follow(session, catalog, job, run=run)


@command.command("evaluate")
def evaluate(
    session: Session,
    run: Annotated[int, typer.Argument(metavar="RUN", help="Number of a training with copies.")],
    judging: JudgingFlags,
    device: Device = None,
) -> None:
    """Draw and measure every copy at several strengths; the best pair becomes the copy's default weight."""
    require_packages()
    evaluate_run(session, run, judging, device)


@command.command("presets")
def presets(
    session: Session, name: Annotated[str | None, typer.Argument(metavar="[PRESET]", help="One to read.")] = None
) -> None:  # fmt: skip
    """List recipes that begin well, by what is trained and on which family; or print one, with its reasons."""
    from trainers.presets import presets as all_of_them
    from trainers.presets import read_preset

    if name:
        one = read_preset(name)
        session.output.show(one, text=lambda: one.text.rstrip(), ids=[one.name])
        return
    found = all_of_them()
    rows = [(one.name, one.method.replace("_", "-"), one.family, one.about) for one in found]
    heads = ("PRESET", "METHOD", "FAMILY", "FOR")
    session.output.show(found, text=lambda: table(heads, rows), ids=[one.name for one in found])


@command.command("entries")
def entries(
    session: Session,
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help="Parts of their names.")] = None,
    method: Annotated[str, typer.Option(help="lora, textual-inversion, full or hypernetwork.")] = "lora",
) -> None:
    """List what a recipe or --set may say, each entry with its default and what it means."""
    show_entries(session, method, words or [])


@command.command("blocks")
def blocks(
    session: Session, ref: Annotated[str, typer.Argument(metavar="REF", help="A checkpoint.")]
) -> None:  # fmt: skip
    """List the blocks of a checkpoint, by which options.block_ranks, block_alphas and block_rates call them."""
    show_blocks(session, ref)


@command.command("runs")
def runs(session: Session) -> None:
    """List trainings, newest first: what they are of, how far they came, what they made."""
    show_trainings(session)


@command.command("show")
def show(
    session: Session, run: Annotated[int, typer.Argument(metavar="RUN", help="Number of a training.")]
) -> None:  # fmt: skip
    """Show one training: on what, how its losses went, what lies in its folder, what can be done next."""
    show_training(session, run)
