"""`modelhub merge A [B [C]]`: a new checkpoint out of others."""

from typing import Annotated

import typer

from cli.options import DryRun
from cli.render import size_text
from cli.session import Session
from modelhub.errors import BadValue

_METHODS = {1: "none", 2: "weighted-sum", 3: "add-difference"}


def command(
    session: Session,
    refs: Annotated[
        list[str],
        typer.Argument(metavar="A [B [C]]", help="Two are summed, (1 - M) A + M B; of three, A + M (B - C)."),
    ],
    multiplier: Annotated[float, typer.Option("-M", "--multiplier", help="How much of B, or of B - C.")] = 0.3,
    vae: Annotated[str | None, typer.Option(metavar="REF", help="VAE to bake in.")] = None,
    lora: Annotated[
        list[str] | None, typer.Option(metavar="REF[=W[,TE]]", help="LoRA to bake in; may be repeated.")
    ] = None,
    fp16: Annotated[bool, typer.Option("--fp16", help="Shorten wide numbers to half precision.")] = False,
    drop_ema: Annotated[bool, typer.Option("--drop-ema", help="Leave out the averaged weights of a training.")] = False,
    discard: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Leave out tensors whose names it is found in.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call the result.", show_default="as webui would, 0.7(a) + 0.3(b)")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Merge checkpoints, and bake a VAE and LoRAs into one; the catalog remembers what it was made of."""
    from pydantic import ValidationError

    from inference.merging.merge import merge
    from inference.merging.plan import plan_merge
    from inference.merging.recipe import MergeRecipe
    from inference.request import LoraUse

    if len(refs) not in _METHODS:
        raise BadValue(f"{len(refs)} models cannot be merged at once", mend="modelhub merge A B [C]")
    fields = dict(zip("abc", refs, strict=False)) | {"method": _METHODS[len(refs)], "multiplier": multiplier}
    fields |= {"vae": vae, "half": fp16, "drop_ema": drop_ema, "discard": discard}
    try:
        recipe = MergeRecipe.model_validate({**fields, "loras": [LoraUse.parse(one) for one in lora or []]})
    except ValidationError as error:
        first = error.errors()[0]
        raise BadValue(first["msg"].removeprefix("Value error, "), mend="modelhub merge --help") from None
    with session.open_catalog() as catalog:
        if dry_run:
            plan = plan_merge(recipe, catalog)
            said = f"would write {name or plan.title} ({len(plan.tensors):,} tensors, {size_text(plan.size)})"
            document = {"name": name or plan.title, "tensors": len(plan.tensors), "size": plan.size}
            session.output.show(document, text=lambda: said)
            return
        artifact = session.run(merge(recipe, catalog=catalog, name=name))
    session.output.show(
        artifact, text=lambda: f"{artifact.id} {artifact.name}, {size_text(artifact.size)}", ids=[artifact.id]
    )
