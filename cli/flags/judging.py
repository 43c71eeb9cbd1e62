"""How a training is judged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from modelhub.errors import BadValue

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

    def judging(self) -> "Judging":
        from trainers.evaluation.evaluate import Judging

        return Judging(
            strengths=_numbers(self.strengths or ""),
            prompts=tuple(self.prompt or ()),
            seeds=self.seeds,
            steps=self.steps,
            cfg=self.cfg,
            copies=self.copies,
            encoder=self.encoder,
            most_drift=self.most_drift,
        )


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(one) for one in text.split(",") if one.strip())
    except ValueError:
        raise BadValue(f"{text!r} are no strengths", mend="write --strengths 0.4,0.7,1") from None
