"""How Civitai shows its objects, and how that differs from month to month and from model to model (pure)."""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

from blake3 import blake3

__all__ = ["BASES", "TYPES", "as_posted", "drifted", "has_digest", "hashes", "matches"]

Json = dict[str, Any]
TYPES = ("Checkpoint", "TextualInversion", "Hypernetwork", "AestheticGradient", "LORA", "LoCon", "DoRA", "Controlnet")
TYPES += ("Upscaler", "MotionModule", "VAE", "TextEncoder", "UNet", "CLIPVision", "CLIP", "VisionLanguage", "LLM")
TYPES += ("Poses", "Wildcards", "Workflows", "ComfyWorkflows", "Detection", "Other")
BASES = ("SD 1.5", "SDXL 1.0", "Pony", "Illustrious", "NoobAI", "SD 1.4", "SD 1.5 LCM", "SD 1.5 Hyper", "SD 2.0")
BASES += ("SD 2.1", "SD 3", "SD 3.5", "SDXL Lightning", "SDXL Turbo", "Flux.1 S", "Flux.1 D", "Chroma", "Other")
"""Some of them; the first are those that new models may name."""


def hashes(content: bytes) -> dict[str, str]:
    """Every digest that the hub takes of a file, as it writes them."""
    sha256 = hashlib.sha256(content).hexdigest().upper()
    found = {"SHA256": sha256, "AutoV2": sha256[:10], "SHA256_12": sha256[:12]}
    found |= {
        "CRC32": crc32(content).to_bytes(4, "little").hex().upper(),
        "BLAKE3": blake3(content).hexdigest().upper(),
    }
    if content[8:9] == b"{":
        begin = 8 + int.from_bytes(content[:8], "little")
        found["AutoV3"] = hashlib.sha256(content[begin:]).hexdigest()[:12].upper()
    return found


def has_digest(version: Json, digest: str, algorithm: str | None = None) -> bool:
    """Whether one of its files has that digest, of whatever algorithm."""
    each = [(name, one) for file in version["files"] for name, one in file["hashes"].items()]
    return any(one == digest.upper() and algorithm in (None, name) for name, one in each)


def matches(model: Json, query: Mapping[str, Sequence[str]]) -> bool:
    """Whether a model is among what ``GET /models`` was asked for; models for adults only where asked."""
    if query.get("nsfw", ["false"])[-1] != "true" and model["nsfw"]:
        return False
    return all(_FILTERS[name](model, each) for name, each in query.items() if name in _FILTERS)


def _bases(model: Json) -> set[str]:
    return {each["baseModel"] for each in model["modelVersions"]}


_FILTERS: Mapping[str, Callable[[Json, Sequence[str]], bool]] = {
    "ids": lambda model, each: str(model["id"]) in each[-1].split(","),
    "query": lambda model, each: each[-1].casefold() in model["name"].casefold(),
    "types": lambda model, each: model["type"] in each,
    "baseModels": lambda model, each: bool(_bases(model) & set(each)),
    "allowCommercialUse": lambda model, each: bool(set(model["allowCommercialUse"] or ()) & set(each)),
}


def as_posted(image: Json, chance: random.Random | None, *, with_meta: bool) -> Json:
    """A version's picture as the gallery shows it: its level is a word, and its number has another name."""
    word = {1: "None", 2: "Soft", 4: "Mature"}.get(image["nsfwLevel"], "X")
    meta = {"id": image["id"], "meta": image["meta"]} if with_meta and "meta" in image else None
    shown = {**image, "nsfwLevel": word, "browsingLevel": image["nsfwLevel"], "nsfw": word != "None", "meta": meta}
    return _without(shown, ("meta", "nsfw", "width"), chance) if chance else shown


def drifted(shown: Json, chance: random.Random) -> Json:
    """A model or version in another of the shapes that the hub has had; what is optional may be missing."""
    versions = [_version(each, chance) for each in shown.get("modelVersions", ())]
    model = _without({**shown, **({"modelVersions": versions} if versions else {})}, _OPTIONAL, chance)
    if "allowCommercialUse" in model:
        model["allowCommercialUse"] = chance.choice(_COMMERCIAL)(model["allowCommercialUse"])
    return _version(model, chance) if "files" in model else model


_OPTIONAL = ("tags", "creator", "stats", "nsfwLevel", "description", "allowNoCredit", "allowDerivatives", "minor")
_OPTIONAL_OF_VERSION = ("status", "availability", "images", "stats", "trainedWords", "downloadUrl", "usageControl")
_OPTIONAL_OF_FILE = ("metadata", "pickleScanResult", "virusScanResult", "primary", "type", "downloadUrl")
_LEVELS = ("Image", "RentCivit", "Rent", "Sell")
_COMMERCIAL: Sequence[Callable[[Any], Any]] = (
    lambda held: held,
    lambda held: "{" + ",".join(held) + "}" if isinstance(held, list) else held,
    lambda held: max(held, key=_LEVELS.index) if held and isinstance(held, list) else "None",
)
"""An array, PostgreSQL's own way to write one, and the old single level that means all lower ones too."""


def _version(shown: Json, chance: random.Random) -> Json:
    paid = shown.get("paidAccess")
    version = _without(shown, (*_OPTIONAL_OF_VERSION, "paidAccess"), chance)
    if paid:
        version |= {"paidAccess": paid} if chance.random() < 0.5 else {"earlyAccessEndsAt": paid.get("endsAt")}
    return {**version, "files": [_file(each, chance) for each in shown.get("files", ())]}


def _file(shown: Json, chance: random.Random) -> Json:
    drop: Callable[[Json], Json] = chance.choice([lambda one: one, lambda one: {**one, "hashes": {}}, _hashless])
    return _without(drop(shown), _OPTIONAL_OF_FILE, chance)


def _hashless(file: Json) -> Json:
    return {name: one for name, one in file.items() if name != "hashes"}


def _without(shown: Json, optional: Sequence[str], chance: random.Random) -> Json:
    return {name: one for name, one in shown.items() if name not in optional or chance.random() < 0.8}
