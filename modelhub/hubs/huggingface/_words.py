"""What a model card says, in our words (pure). It is by strangers: cleaned, and believed as a hub is believed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelhub.hubs.huggingface._models import Model
from modelhub.kinds import Kind
from modelhub.licences import Licence, from_huggingface
from modelhub.words.strangers import cleaned, distinct, texts_in

__all__ = [
    "BASE_TAGS",
    "KIND_TAGS",
    "bases",
    "family_of",
    "is_about_pictures",
    "kind_of",
    "licence_of",
    "trigger_words",
]

_MAX = 300
"""Characters of a name, a tag, a prompt."""
_MANY = 50
KIND_TAGS: Mapping[str, Kind] = {
    "lora": Kind.LORA,
    "lycoris": Kind.LORA,
    "controlnet": Kind.CONTROLNET,
    "textual_inversion": Kind.EMBEDDING,
    "textual-inversion": Kind.EMBEDDING,
    "hypernetwork": Kind.HYPERNETWORK,
    "t2i-adapter": Kind.ADAPTER,
    "ip-adapter": Kind.ADAPTER,
    "vae": Kind.VAE,
    "upscaler": Kind.UPSCALER,
    "esrgan": Kind.UPSCALER,
    "image-to-text": Kind.CAPTIONER,
    "image-text-to-text": Kind.CAPTIONER,
    "image-captioning": Kind.CAPTIONER,
    "image-feature-extraction": Kind.IMAGE_ENCODER,
}
_FOLDERS = {
    **dict.fromkeys(("vae", "vae_1_0"), Kind.VAE),
    **dict.fromkeys(("unet", "transformer", "diffusion_models", "diffusion_model"), Kind.UNET),
    **dict.fromkeys(("text_encoder", "text_encoder_2", "text_encoder_3", "text_encoders", "clip"), Kind.TEXT_ENCODER),
    **dict.fromkeys(("lora", "loras"), Kind.LORA),
    "controlnet": Kind.CONTROLNET,
    "embeddings": Kind.EMBEDDING,
    "upscale_models": Kind.UPSCALER,
}
"""Of diffusers, and of ComfyUI, whose own repositories are laid out so."""
_CLASSES = (
    ("Pipeline", Kind.CHECKPOINT),
    ("ControlNet", Kind.CONTROLNET),
    ("Autoencoder", Kind.VAE),
    ("UNet", Kind.UNET),
    ("Transformer", Kind.UNET),
    ("Adapter", Kind.ADAPTER),
)
"""Parts of diffusers' class names; the first that fits."""
_FAMILIES = (
    ("sdxl-refiner", ("stablediffusionxlrefiner", "sdxlrefiner")),
    ("sdxl", ("stablediffusionxl", "sdxl", "illustriousxl", "noobai", "ponydiffusion", "animaginexl")),
    ("sd3", ("stablediffusion3",)),
    ("sd-x4-upscaler", ("stablediffusionx4upscaler",)),
    ("sd2", ("stablediffusion2", "stablediffusionv2")),
    ("sd1", ("stablediffusionv1", "stablediffusion15", "stablediffusion14")),
    ("flux2", ("flux2",)),
    ("flux1", ("flux1", "fluxpipeline", "fluxkontext", "fluxfill")),
    ("pixart", ("pixart",)),
    ("kolors", ("kolors",)),
    ("auraflow", ("auraflow",)),
    ("qwen-image", ("qwenimage",)),
    ("z-image", ("zimage",)),
    ("lumina2", ("lumina2", "luminaimage2")),
    ("svd", ("stablevideodiffusion",)),
)
"""Parts of the names of repositories and classes, without their punctuation; the first that fits."""
BASE_TAGS: Mapping[str, str] = {
    "sd1": "stable-diffusion",
    "sd2": "stable-diffusion",
    "sdxl": "stable-diffusion-xl",
    "sd3": "sd3",
    "flux1": "flux",
}
"""How authors tag what is made for a family."""
_PICTURES = ("image", "video", "diffusion")


def bases(card: Mapping[str, Any]) -> tuple[str, ...]:
    """The repositories that it says it is made from."""
    return texts_in(card.get("base_model"), limit=_MAX, count=_MANY)


def trigger_words(card: Mapping[str, Any]) -> tuple[str, ...]:
    """What calls it, in a prompt."""
    return distinct([cleaned(card.get("instance_prompt"), _MAX)])


def licence_of(card: Mapping[str, Any], repository: str) -> Licence:
    """By its own name, where the card gives one beside ``other``; what it is made from binds it too."""
    name, own = (cleaned(card.get(key), _MAX) for key in ("license", "license_name"))
    link = cleaned(card.get("license_link"), _MAX)
    trusted = link if link.startswith("https://") else None
    return from_huggingface(own or name, link=trusted, repository=repository, bases=bases(card))


def family_of(*names: str) -> str | None:
    """The family that the first telling one of `names` means: bases, classes, tags, the repository itself."""
    return next((family for name in names for family in _families_in(name)), None)


def kind_of(model: Model, tags: Sequence[str], class_name: str) -> Kind | None:
    """What the place of its files says, else the class of the repository, else its tags."""
    at = model.at.partition("#")[0]
    folders = [_FOLDERS[part] for part in at.split("/")[:-1] if part in _FOLDERS]
    if folders:
        return folders[-1]
    if model.format == "onnx":
        return Kind.TAGGER
    if at.endswith("model_index.json"):
        return Kind.CHECKPOINT
    if at.endswith("adapter_config.json"):
        return Kind.LORA
    of_class = next((kind for part, kind in _CLASSES if part in class_name), None) if model.folder == "" else None
    return of_class or next((KIND_TAGS[tag] for tag in tags if tag in KIND_TAGS), None)


def is_about_pictures(pipeline: str | None) -> bool:
    """Whether a repository's task may be ours; many models have none."""
    return not pipeline or any(part in pipeline for part in _PICTURES)


def _families_in(name: str) -> Iterator[str]:
    bare = re.sub(r"[^a-z0-9]", "", name.rpartition("/")[2].lower())
    for family, parts in _FAMILIES:
        if any(part in bare for part in parts):
            yield family
