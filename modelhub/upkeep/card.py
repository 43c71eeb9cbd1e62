"""A model's card in Markdown, as HuggingFace shows it. Whatever strangers wrote is shown in it, never obeyed (pure)."""

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from modelhub import __version__, licences
from modelhub.catalog import Account, Base, Heard
from modelhub.families import known
from modelhub.kinds import Artifact, Kind
from modelhub.words.markdown import code, fenced, inline, paragraphs, quoted
from modelhub.words.telling import training_rows
from modelhub.words.training import Training

__all__ = ["card"]

_DRAWS = (Kind.CHECKPOINT, Kind.UNET, Kind.LORA, Kind.EMBEDDING, Kind.HYPERNETWORK)
_WORDS_OF_KIND = {Kind.EMBEDDING: "textual_inversion", Kind.TEXT_ENCODER: "text-encoder"}
_PIPELINES = {
    "sd1": "StableDiffusionPipeline",
    "sd2": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
    "sd3": "StableDiffusion3Pipeline",
    "flux1": "FluxPipeline",
    "chroma": "ChromaPipeline",
    "lumina2": "Lumina2Pipeline",
    "qwen_image": "QwenImagePipeline",
    "z_image": "ZImagePipeline",
}
_LICENCES = frozenset(
    {
        *("apache-2.0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-sa-4.0", "cc0-1.0"),
        *("creativeml-openrail-m", "mit", "openrail", "openrail++"),
    }
)
"""Those that HuggingFace has a name for; any other one is told in its own words."""
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


def card(account: Account, *, beside: Path | None = None) -> str:
    """The page of one artifact; its preview is linked from the folder `beside`, by default the file's own."""
    artifact, training = account.artifact, account.training or Training()
    folder = beside or artifact.path.parent
    parts = [
        "\n".join(["---", *_front(account, training), "---"]),
        f"# {inline(training.title or artifact.name)}",
        *_preview(artifact, folder),
        *_opening(artifact, training),
        *_trigger_words(artifact),
        *_section("How to use it", _usage(account, training, 1.0 if artifact.weight is None else artifact.weight)),
        *_section("How it was trained", ["\n".join(_rows(account, training))]),
        *_section("Files and digests", ["\n".join(_files(artifact))]),
        *_section("Where it comes from", ["\n".join(_origins(account))]),
        f"*Written by ModelHub {__version__}.*",
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, parts: list[str]) -> Iterator[str]:
    if any(parts):
        yield f"## {title}"
        yield from parts


# What programs read


def _front(account: Account, training: Training) -> Iterator[str]:
    artifact = account.artifact
    facts = artifact.facts
    yield from _licence(training)
    if base := _repository(account.base, training):
        yield f"base_model: {quoted(base)}"
    if facts.kind in _DRAWS:
        yield "library_name: diffusers"
        yield "pipeline_tag: text-to-image"
    yield "tags:"
    yield from (f"- {quoted(tag)}" for tag in _tags(artifact, training))
    if artifact.trigger_words:
        yield f"instance_prompt: {quoted(artifact.trigger_words[0])}"


def _licence(training: Training) -> Iterator[str]:
    named = " ".join((training.licence or "").split())
    if (identity := licences.known(named).name) in _LICENCES:
        yield f"license: {identity}"
    elif named:
        yield "license: other"
        yield f"license_name: {quoted(named[:100])}"


def _repository(base: Base | None, training: Training) -> str:
    """The base's address at HuggingFace: its front matter takes nothing else."""
    named = training.base_name or ""
    return named if base is None and _REPOSITORY.fullmatch(named) else ""


def _tags(artifact: Artifact, training: Training) -> dict[str, None]:
    facts = artifact.facts
    kind = _WORDS_OF_KIND.get(facts.kind, facts.kind.value)
    diffusion = "stable-diffusion" if (facts.family or "").startswith("sd") else ""
    named = (kind, facts.algorithm, facts.family, diffusion, *artifact.tags, *training.keywords)
    return dict.fromkeys(one for one in named if one)


# What people read


def _preview(artifact: Artifact, folder: Path) -> Iterator[str]:
    if artifact.preview is None:
        return
    try:
        place = Path(os.path.relpath(artifact.preview, folder)).as_posix()
    except ValueError:  # on another drive
        return
    mark = "!" if artifact.preview.suffix.lower() in _PICTURES else ""
    yield f"{mark}[preview]({quote(place)})"


def _opening(artifact: Artifact, training: Training) -> Iterator[str]:
    facts = artifact.facts
    family = known()[facts.family].title if facts.family and facts.family in known() else "an unknown family"
    by = f" by {inline(training.author)}" if training.author else ""
    kind = facts.kind.replace("_", " ")
    yield f"{'An' if kind[0] in 'aeiou' else 'A'} {kind} for {inline(family)}{by}."
    for text in (training.description, training.usage_hint, artifact.note):
        if text:
            yield paragraphs(text)


def _trigger_words(artifact: Artifact) -> Iterator[str]:
    if artifact.trigger_words:
        yield "## Trigger words"
        yield "\n".join(f"- {code(word)}" for word in artifact.trigger_words)


def _usage(account: Account, training: Training, weight: float) -> list[str]:
    artifact = account.artifact
    prompt = artifact.trigger_words[0] if artifact.trigger_words else "a photo of a cat"
    told = _USES.get(artifact.facts.kind, _use_nothing)(artifact, prompt, f"{weight:g}", account.base)
    return [part for title, block in told for part in (f"**{title}**", block)]


_Use = Iterator[tuple[str, str]]


def _use_lora(artifact: Artifact, prompt: str, weight: str, base: Base | None) -> _Use:
    stem, model = artifact.path.stem, str(base.artifact.name) if base else "MODEL"
    yield "stable-diffusion-webui: put it in `models/Lora` and say", fenced(f"{_line(prompt)} <lora:{stem}:{weight}>")
    yield f"ComfyUI: put it in `models/loras`, node `LoraLoader`, strength {weight}, and say", fenced(_line(prompt))
    load = f'pipe.load_lora_weights(".", weight_name={quoted(artifact.path.name)})'
    yield "diffusers", _python(artifact, base.artifact.path.name if base else "MODEL.safetensors", prompt, load)
    lora = shlex.quote(f"{artifact.name}={weight}")
    yield (
        "ModelHub",
        fenced(f"modelhub generate {shlex.quote(_line(prompt))} --model {shlex.quote(model)} --lora {lora}"),
    )


def _use_checkpoint(artifact: Artifact, prompt: str, _weight: str, _base: Base | None) -> _Use:
    yield "stable-diffusion-webui", "Put it in `models/Stable-diffusion` and choose it at the top of the page."
    yield "ComfyUI", "Put it in `models/checkpoints`, node `CheckpointLoaderSimple`."
    yield "diffusers", _python(artifact, artifact.path.name, prompt)
    yield "ModelHub", _command(prompt, "--model", artifact.name)


def _use_embedding(artifact: Artifact, _prompt: str, _weight: str, _base: Base | None) -> _Use:
    stem = artifact.path.stem
    yield "stable-diffusion-webui: put it in `embeddings` and say", fenced(stem)
    yield "ComfyUI: put it in `models/embeddings` and say", fenced(f"embedding:{stem}")
    load = f"pipe.load_textual_inversion({quoted(artifact.path.name)}, token={quoted(stem.lower())})"
    yield "diffusers", _python(artifact, "MODEL.safetensors", stem.lower(), load)


def _use_for_words(artifact: Artifact, _prompt: str, _weight: str, _base: Base | None) -> _Use:
    ref = shlex.quote(artifact.name)
    yield "ModelHub", fenced(f"modelhub dataset caption FOLDER --{artifact.facts.kind} {ref}")


def _use_nothing(artifact: Artifact, _prompt: str, _weight: str, _base: Base | None) -> _Use:
    place = _PLACES.get(artifact.facts.kind)
    if place:
        yield "stable-diffusion-webui", f"Put it in `{place[0]}`."
        yield "ComfyUI", f"Put it in `{place[1]}`, node `{place[2]}`."


_PLACES = {
    Kind.VAE: ("models/VAE", "models/vae", "VAELoader"),
    Kind.UNET: ("models/Stable-diffusion", "models/diffusion_models", "UNETLoader"),
    Kind.TEXT_ENCODER: ("models/text_encoder", "models/text_encoders", "CLIPLoader"),
    Kind.CONTROLNET: ("models/ControlNet", "models/controlnet", "ControlNetLoader"),
    Kind.HYPERNETWORK: ("models/hypernetworks", "models/hypernetworks", "HypernetworkLoader"),
    Kind.UPSCALER: ("models/ESRGAN", "models/upscale_models", "UpscaleModelLoader"),
    Kind.IMAGE_ENCODER: ("models/ControlNetPreprocessor", "models/clip_vision", "CLIPVisionLoader"),
}
_USES: Mapping[Kind, Callable[[Artifact, str, str, Base | None], _Use]] = {
    Kind.LORA: _use_lora,
    Kind.CHECKPOINT: _use_checkpoint,
    Kind.EMBEDDING: _use_embedding,
    Kind.TAGGER: _use_for_words,
    Kind.CAPTIONER: _use_for_words,
}


def _python(artifact: Artifact, model: str, prompt: str, *more: str) -> str:
    pipeline = _PIPELINES.get(artifact.facts.family or "", "DiffusionPipeline")
    lines = [f"from diffusers import {pipeline}", "", f"pipe = {pipeline}.from_single_file({quoted(model)})", *more]
    return fenced("\n".join([*lines, f"image = pipe({quoted(prompt)}).images[0]"]), "python")


def _command(prompt: str, *flags: str) -> str:
    return fenced(shlex.join(["modelhub", "generate", *map(_line, (prompt, *flags))]))


def _line(text: str) -> str:
    return " ".join(text.split())


def _rows(account: Account, training: Training) -> Iterator[str]:
    if account.base:
        yield f"- **on**: {inline(account.base.artifact.name)} ({_proof(account.base)})"
    elif training.base_name or training.base_version:
        yield f"- **on**: {inline(training.base_name or training.base_version or '')}"
    yield from (f"- **{label}**: {inline(text)}" for label, text in training_rows(training))


def _proof(base: Base) -> str:
    proven = base.artifact.digests.get("sha256")
    return f"SHA-256 {code(proven)}" if proven and base.found_by != "name" else "by its name only"


def _files(artifact: Artifact) -> Iterator[str]:
    yield f"- {code(artifact.path.name)}, {artifact.size:,} bytes"
    yield from (f"- {name}: {code(value)}" for name, value in artifact.digests.items())


def _origins(account: Account) -> Iterator[str]:
    yield from (f"- {_told_by(one)}" for one in account.sources)
    run = account.lineage.made_by
    if run and run.kind != "pull":
        yield f"- made here by a run of {run.kind} on {run.started_at:%Y-%m-%d}"
    yield from (f"- trained on it: {inline(one.name)}" for one in account.derived)


def _told_by(one: Heard) -> str:
    named = " ".join(str(one.said[key]) for key in ("name", "version") if one.said.get(key))
    gone = f", deleted there since {one.gone_at:%Y-%m-%d}" if one.gone_at else ""
    return f"{code(one.ref)} {inline(named)}, seen {one.seen_at:%Y-%m-%d}{gone}"
