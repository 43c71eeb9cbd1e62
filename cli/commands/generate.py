"""`modelhub generate "PROMPT" --model REF`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.session import Session
from cli.translations import shown_translation
from modelhub.errors import BadValue, MissingPackage

if TYPE_CHECKING:
    from inference.generate import Picture
    from inference.request import GenerationRequest

_SAMPLERS = (
    "DDIM, DDIM CFG++, DPM2, DPM2 a, DPM adaptive, DPM fast, DPM++ 2M, DPM++ 2M SDE, DPM++ 2M SDE Heun, DPM++ 2S a, "
    "DPM++ 3M SDE, DPM++ SDE, Euler, Euler a, Heun, LCM, LMS, PLMS, Restart or UniPC; a schedule may follow"
)
_SCHEDULES = (
    "Automatic, Uniform, Karras, Exponential, Polyexponential, SGM Uniform, KL Optimal, Align Your Steps, Simple, "
    "Normal, DDIM or Beta"
)
_FLAGS = {
    "s_churn": "s-churn",
    "s_tmin": "s-tmin",
    "s_tmax": "s-tmax",
    "s_noise": "s-noise",
    "width": "size",
    "height": "size",
    "negative_prompt": "negative",
    "clip_skip": "clip-skip",
    "comma_backtrack": "comma-backtrack",
}
"""Fields of a request whose flags are called otherwise."""


def command(
    session: Session,
    prompt: Annotated[str, typer.Argument(help="What to draw; - reads it from stdin.")],
    model: Annotated[str, typer.Option("--model", "-m", metavar="REF", help="Checkpoint to draw with.")],
    negative: Annotated[str, typer.Option("--negative", "-n", help="What to keep out.")] = "",
    lora: Annotated[
        list[str] | None,
        typer.Option(metavar="REF[=W[,TE]]", help="LoRA, its weight, and the text encoder's; may be repeated."),
    ] = None,
    vae: Annotated[str | None, typer.Option(metavar="REF", help="VAE in place of the checkpoint's own.")] = None,
    steps: Annotated[int, typer.Option(help="Sampling steps.")] = 20,
    cfg: Annotated[float, typer.Option(help="Guidance: how strictly the prompt is followed; 1 is without.")] = 7.0,
    sampler: Annotated[str, typer.Option(help=f"{_SAMPLERS}.")] = "DPM++ 2M",
    schedule: Annotated[str, typer.Option(help=f"{_SCHEDULES}.")] = "Automatic",
    eta: Annotated[
        float | None, typer.Option(help="Share of fresh noise in each step.", show_default="the sampler's own")
    ] = None,
    s_churn: Annotated[float, typer.Option(help="Noise added before steps of Euler, Heun and DPM2.")] = 0.0,
    s_tmin: Annotated[float, typer.Option(help="Noise level that churn stops at.")] = 0.0,
    s_tmax: Annotated[float, typer.Option(help="Noise level that churn starts at; 0 is any.")] = 0.0,
    s_noise: Annotated[float, typer.Option(help="Factor on all noise that samplers add.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the first image, the next ones count up; -1 is a random one.")] = -1,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Pixels; the model's own size by default.")] = None,
    batch: Annotated[int, typer.Option(help="Images drawn at a time.")] = 1,
    count: Annotated[int, typer.Option(help="Batches, one after the other.")] = 1,
    translate: Annotated[
        bool, typer.Option("--translate", help="Put Chinese in the prompts into tags first, and show them.")
    ] = False,
    clip_skip: Annotated[int, typer.Option(help="Layer of the text encoder to read, from its end.")] = 1,
    emphasis: Annotated[
        str, typer.Option(help="What weights in prompts do: Original, No norm, Ignore or None (as webui names them).")
    ] = "Original",
    comma_backtrack: Annotated[
        int, typer.Option(help="Tokens that may move on, so that 75 of them end at a comma; 0 is never.")
    ] = 20,
    noise: Annotated[str, typer.Option(help="NV draws an NVIDIA card's noise anywhere; CPU is torch's own.")] = "NV",
    out: Annotated[Path | None, typer.Option(help="Folder for the pictures.", show_default="outputs/DATE")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default="auto")] = None,
    require: Annotated[
        str | None, typer.Option(metavar="USE", help="Fail unless the licences of all models allow it: commercial.")
    ] = None,
) -> None:
    """Draw pictures with models from the catalog; each carries all that draws it again."""
    text = sys.stdin.read().strip() if prompt == "-" else prompt
    if translate:
        text, negative = shown_translation(session, text), shown_translation(session, negative)
    fields = {
        "prompt": text,
        "negative_prompt": negative,
        "model": model,
        "vae": vae,
        "steps": steps,
        "cfg": cfg,
        "sampler": sampler,
        "schedule": schedule,
        "eta": eta,
        "s_churn": s_churn,
        "s_tmin": s_tmin,
        "s_tmax": s_tmax,
        "s_noise": s_noise,
        "seed": seed,
        "batch": batch,
        "count": count,
        "clip_skip": clip_skip,
        "emphasis": emphasis,
        "comma_backtrack": comma_backtrack,
        "noise": noise,
        **_sides(size),
    }
    request = _request(fields, lora or [])
    with session.open_catalog() as catalog:
        from inference.engine import Engine
        from inference.generate import generate, output_folder

        engine = Engine(session.settings(device=device).device)
        folder = out or output_folder(catalog.workspace)
        pictures = session.run(generate(request, catalog=catalog, engine=engine, out=folder, require=require))
    session.output.show([_document(one) for one in pictures], text=lambda: _told(pictures), ids=_paths(pictures))


def _request(fields: dict[str, object], loras: list[str]) -> "GenerationRequest":
    """The request, or an error that names the flag that is wrong, or the extra that is not installed."""
    try:
        from pydantic import ValidationError

        import inference.generate  # noqa: F401  # brings torch and the model libraries, or says which one is missing
        from inference.request import GenerationRequest, LoraUse
    except ModuleNotFoundError as error:
        raise MissingPackage(str(error.name), "inference") from error
    try:
        return GenerationRequest.model_validate({**fields, "loras": [LoraUse.parse(one) for one in loras]})
    except ValidationError as error:
        first = error.errors()[0]
        flag = _FLAGS.get(str(first["loc"][0]), str(first["loc"][0]))
        raise BadValue(f"--{flag}: {first['msg'].lower()}", mend="modelhub generate --help") from None


def _sides(size: str | None) -> dict[str, int]:
    if size is None:
        return {}
    width, _, height = size.lower().replace("×", "x").partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise BadValue(f"{size!r} is no size", mend="write --size 512x768")
    return {"width": int(width), "height": int(height)}


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
