"""`modelhub train lora|textual-inversion|full|hypernetwork`, and what belongs to trainings."""

from typing import Annotated

import typer

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
from cli.session import Session
from cli.training.blocks import show_blocks
from cli.training.entries import show_entries
from cli.training.evaluation import evaluate as evaluate_run
from cli.training.presets import show_preset, show_presets
from cli.training.rates import find_rate
from cli.training.runs import show_run, show_runs
from cli.training.train import go_on, require_packages, train

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
    find_rate(session, method, origin, groups, (lowest, highest), compute.device)


@command.command()
def resume(
    session: Session,
    run: Annotated[int, typer.Argument(metavar="RUN", help="Number of the interrupted run.")],
    device: Device = None,
) -> None:
    """Go on with an interrupted training: it takes the very steps that it would have taken."""
    go_on(session, run, device)


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
    if name:
        show_preset(session, name)
    else:
        show_presets(session)


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
    show_runs(session)


@command.command("show")
def show(
    session: Session, run: Annotated[int, typer.Argument(metavar="RUN", help="Number of a training.")]
) -> None:  # fmt: skip
    """Show one training: on what, how its losses went, what lies in its folder, what can be done next."""
    show_run(session, run)
