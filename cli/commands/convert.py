"""`modelhub convert REF|PATH...`: models in another format, layout or precision."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import end
from cli.options import DryRun
from cli.render import error_json, size_text, table
from cli.session import Session
from modelhub.errors import BadValue, ModelHubError

if TYPE_CHECKING:
    from inference.conversion import Converted, Planned


class To(StrEnum):
    """How a whole model is to lie on the disk."""

    SINGLE = "single"
    FOLDER = "folder"


def command(
    session: Session,
    refs: Annotated[list[str], typer.Argument(metavar="REF|PATH...", help="Models of the catalog, or files.")],
    out: Annotated[Path | None, typer.Option(help="File to write, or folder.", show_default="beside it")] = None,
    to: Annotated[
        To | None, typer.Option(help="One checkpoint, as webui and ComfyUI read it, or a folder of diffusers.")
    ] = None,
    fp16: Annotated[bool, typer.Option("--fp16", help="Shorten wide numbers to half precision.")] = False,
    bf16: Annotated[bool, typer.Option("--bf16", help="Write numbers in bfloat16.")] = False,
    fp32: Annotated[bool, typer.Option("--fp32", help="Write numbers in full precision.")] = False,
    keep_ema: Annotated[bool, typer.Option("--keep-ema/--drop-ema", help="Averaged weights of a training.")] = True,
    prune: Annotated[bool, typer.Option("--prune", help="Keep only what drawing needs.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Write pickled models (.ckpt, .pt, .pth, .bin) as safetensors, without running anything of theirs.

    Upscalers of ncnn (.param with .bin) become safetensors too. Whole models go from a folder of diffusers to one file
    and back; safetensors files are shortened and pruned. The originals stay where they are; the results get their
    names and tags.
    """
    from inference.conversion import Layout, Precision, Wish, convert_model, plan_model

    if out is not None and out.suffix == ".safetensors" and len(refs) != 1:
        raise BadValue(f"--out {out} cannot hold {len(refs)} models", mend="modelhub convert REF... --out FOLDER")
    precisions = [one for one, asked in zip(Precision, (fp16, bf16, fp32), strict=True) if asked]
    if len(precisions) > 1:
        raise BadValue("a model is written in one precision", mend="modelhub convert ... --fp16, --bf16 or --fp32")
    wish = Wish(out, next(iter(precisions), None), keep_ema=keep_ema, prune=prune, layout=Layout(to) if to else None)
    planned: list[Planned] = []
    converted: list[Converted] = []
    failed: list[tuple[str, ModelHubError]] = []
    with session.create_catalog() as catalog:
        for ref in dict.fromkeys(refs):
            try:
                planned.append(plan_model(ref, wish, catalog=catalog))
                if not dry_run:
                    converted.append(session.run(convert_model(planned[-1], catalog=catalog)))
            except ModelHubError as error:
                failed.append((ref, error))
    if failed and len(refs) == 1:
        raise failed[0][1]
    _show(session, planned, converted, failed, dry_run=dry_run)
    end(failed, done=planned if dry_run else converted)


def _show(
    session: Session,
    planned: Sequence["Planned"],
    converted: Sequence["Converted"],
    failed: Sequence[tuple[str, ModelHubError]],
    *,
    dry_run: bool,
) -> None:
    document = {
        "planned": [_plan_json(one) for one in planned],
        "converted": converted,
        "failed": [{"ref": ref, **error_json(error)} for ref, error in failed],
    }
    text = _planned_text(planned) if dry_run else _converted_text(converted)
    session.output.show(document, text=lambda: text, ids=[one.artifact.id for one in converted])
    for ref, error in failed:
        session.output.hint(f"not converted: {ref}: {error.message}")


def _plan_json(one: "Planned") -> dict[str, object]:
    plan = one.plan
    facts = {"source": plan.source, "target": one.target, "tensors": len(plan.tensors), "size": plan.size}
    return {**facts, "dropped": plan.dropped, "strangers": plan.strangers}


def _planned_text(planned: Sequence["Planned"]) -> str:
    lines = []
    for one in planned:
        held = f"{len(one.plan.tensors):,} tensors, {size_text(one.plan.size)}"
        lines += [f"would write {one.target} ({held})", *_notes(one.plan.dropped)]
        if one.plan.strangers:
            lines.append(f"  loading the original would import {', '.join(one.plan.strangers)}; converting does not")
    return "\n".join(lines) or "nothing to convert"


def _converted_text(converted: Sequence["Converted"]) -> str:
    if not converted:
        return "nothing converted"
    rows = [
        (one.artifact.id, one.artifact.name, size_text(one.conversion.size), one.conversion.target) for one in converted
    ]
    notes = [line for one in converted for line in _notes(one.conversion.dropped, one.conversion.too_large)]
    return "\n".join([table(("ID", "NAME", "SIZE", "PATH"), rows), *notes])


def _notes(dropped: Sequence[str], too_large: Sequence[str] = ()) -> list[str]:
    told = (("left out", dropped), ("kept as it was, float16 being too small for it", too_large))
    return [f"  {what}: {_some(names)}" for what, names in told if names]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
