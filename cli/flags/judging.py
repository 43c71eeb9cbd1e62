"""How a training is judged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from cli.flags.numbers import row

if TYPE_CHECKING:
    from trainers.evaluation.evaluate import Judging

__all__ = ["JudgingFlags"]


@dataclass(frozen=True, slots=True)
class JudgingFlags:
    """What `trainers.evaluation.evaluate.Judging` says."""

    section: ClassVar = "What is drawn and measured"

    strengths: Annotated[
        str | None, typer.Option(metavar="W,W,...", help="To look at.", show_default="0.4,0.6,0.8,1")
    ] = None
    prompt: Annotated[
        list[str] | None, typer.Option(help="To draw; may be repeated.", show_default="held-out captions")
    ] = None
    copies: Annotated[int, typer.Option(metavar="N", help="Only the last ones.", show_default="all")] = 0
    seeds: Annotated[int, typer.Option(min=1, help="Pictures a prompt.")] = 2
    steps: Annotated[int, typer.Option(min=1, help="Of sampling.")] = 20
    cfg: Annotated[float, typer.Option(help="How strongly prompts guide.")] = 7.0
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="CLIP, DINOv2 or SigLIP to see likeness by.", show_default="colours and edges"
        ),
    ] = None
    most_drift: Annotated[float, typer.Option(help="Of unrelated pictures; 1 is as much as another seed.")] = 0.5

    def numbers(self) -> tuple[float, ...]:
        """The strengths; raises `BadValue` for what are none, while nothing is loaded."""
        told = self.strengths
        return tuple(row(told, float, "--strengths", what="row of strengths", example="0.4,0.7,1")) if told else ()

    def judging(self) -> "Judging":
        from trainers.evaluation.evaluate import Judging

        return Judging(
            strengths=self.numbers(),
            prompts=tuple(self.prompt or ()),
            seeds=self.seeds,
            steps=self.steps,
            cfg=self.cfg,
            copies=self.copies,
            encoder=self.encoder,
            most_drift=self.most_drift,
        )
