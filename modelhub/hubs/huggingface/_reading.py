"""What the hub's client tells of a repository -> listings (pure)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from posixpath import basename, relpath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from modelhub.hubs._address import HubRef
from modelhub.hubs._listing import Gate, Listing, Preview, RemoteFile, Scan
from modelhub.hubs.huggingface._addresses import NAME
from modelhub.hubs.huggingface._models import Blob, Model
from modelhub.hubs.huggingface._words import bases, family_of, kind_of, licence_of, trigger_words
from modelhub.words.file_names import safe_name, safe_path
from modelhub.words.strangers import cleaned, texts_in

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoFile

__all__ = ["Door", "blobs_of", "hit", "listing_of", "scan_of"]

_NSFW = "not-for-all-audiences"
"""The tag that the hub demands of what is not: what has none is PG-13 to us."""
_PG_13 = 2
_MAX_NAME, _MAX_URL, _MAX_TAGS, _MAX_PREVIEWS = 200, 2_000, 100, 20
_SCANS = {
    "safe": Scan.SAFE,
    **dict.fromkeys(("unsafe", "suspicious", "infected"), Scan.DANGER),
    **dict.fromkeys(("unscanned", "queued", "pending", "scanning"), Scan.PENDING),
}
_MEANINGLESS = {"pytorch_lora_weights", "diffusion_pytorch_model", "pytorch_model", "adapter_model", "model", "lora"}
_MEANINGLESS |= {"learned_embeds", "weights", "diffusion_model", "unet", "vae", "text_encoder"}
"""Stems that programs give to whatever they write."""
_FILMS = (".mp4", ".webm")

Scans = Mapping[str, tuple[Scan, str]]
"""Path -> what was found in that file, and the hub's word for it."""


@dataclass(frozen=True, slots=True)
class Door:
    """Whether we may have the bytes."""

    gate: Gate = Gate.OPEN
    said: str = ""


def blobs_of(info: "ModelInfo") -> tuple[Blob, ...]:
    """The files of the commit that was asked for, but those that are named to mislead."""
    return tuple(
        Blob(one.rfilename, one.size, one.blob_id or "", _sha256(one.lfs.sha256 if one.lfs else None))
        for one in info.siblings or ()
        if one.rfilename.isprintable() and ".." not in one.rfilename.split("/")
    )


def scan_of(file: "RepoFile") -> tuple[Scan, str]:
    """Only ``safe`` is safe."""
    status = cleaned(file.security.status, _MAX_NAME) if file.security else ""
    return _SCANS.get(status, Scan.UNKNOWN), "" if status == "safe" else status


def listing_of(
    info: "ModelInfo", commit: str, model: Model, *, scans: Scans, door: Door, endpoint: str
) -> Listing | None:
    """One model of a repository at `commit`; None when its names are one on some system, which nobody may hold."""
    files = tuple(_file(blob, model, commit, scans) for blob in model.blobs)
    if len({one.path.casefold() for one in files}) < len(files):
        return None
    card, class_name = _card(info), _class_name(info)
    tags = texts_in(info.tags, limit=_MAX_NAME, count=_MAX_TAGS)
    return Listing(
        ref=HubRef(NAME, info.id, commit, model.at),
        name=_name(info.id, model),
        files=files,
        is_folder=model.folder is not None,
        version=commit[:8],
        kind=kind_of(model, tags, class_name),
        precision=model.precision,
        format=model.format,
        pruned=True if "pruned" in model.at.lower() else None,
        gate=door.gate,
        gate_said=door.said,
        previews=tuple(_previews(info, commit, endpoint)),
        **_of_repository(info, card, tags, class_name, endpoint),
    )


def hit(info: "ModelInfo", endpoint: str) -> Listing:
    """A repository as a search finds it: which files it has is not told."""
    tags = texts_in(info.tags, limit=_MAX_NAME, count=_MAX_TAGS)
    told = vars(info)
    used = told.get("used_storage", told.get("usedStorage"))  # older clients keep the hub's own name
    return Listing(
        ref=HubRef(NAME, info.id),
        name=safe_name(info.id),
        kind=kind_of(Model("", (), "", "diffusers", ""), tags, _class_name(info)),
        gate=Gate.APPROVAL if info.gated else Gate.OPEN,
        gate_said=f"ask at {endpoint}/{info.id}" if info.gated else "",
        total=used if isinstance(used, int) and used > 0 else None,
        **_of_repository(info, _card(info), tags, _class_name(info), endpoint),
    )


def _of_repository(
    info: "ModelInfo", card: Mapping[str, Any], tags: Sequence[str], class_name: str, endpoint: str
) -> dict[str, Any]:
    made_from = bases(card)
    return {
        "title": info.id,
        "family": family_of(*made_from, class_name, *tags, info.id),
        "base": made_from[0] if made_from else "",
        "creator": info.id.partition("/")[0],
        "tags": tags,
        "trigger_words": trigger_words(card),
        "licence": licence_of(card, info.id),
        "nsfw": _NSFW in tags,
        "downloads": info.downloads if isinstance(info.downloads, int) else None,
        "published_at": info.last_modified or info.created_at,
        "page": f"{endpoint}/{info.id}",
    }


def _file(blob: Blob, model: Model, commit: str, scans: Scans) -> RemoteFile:
    within = basename(blob.path) if model.folder is None else relpath(blob.path, model.folder or ".")
    scan, said = scans.get(blob.path, (Scan.UNKNOWN, ""))
    return RemoteFile(
        path=safe_path(within),
        key=f"{commit}/{blob.path}",
        size=blob.size,
        digests={"sha256": blob.sha256} if blob.sha256 else {},
        scan=scan,
        scan_said=said,
    )


def _sha256(told: object) -> str | None:
    return told.lower() if isinstance(told, str) and re.fullmatch(r"[0-9a-fA-F]{64}", told) else None


def _name(repo: str, model: Model) -> str:
    """The file's own, unless programs call every file so."""
    own = basename(model.at).rpartition(".")[0]
    if model.folder is None and own.partition(".")[0].lower() not in _MEANINGLESS:
        return safe_name(own)
    folder = model.at.rpartition("/")[0] if model.folder is None else model.folder
    return safe_name("-".join([repo.rpartition("/")[2], *filter(None, folder.split("/"))]))


def _card(info: "ModelInfo") -> Mapping[str, Any]:
    card: Any = info.card_data
    return card.to_dict() if card else {}


def _class_name(info: "ModelInfo") -> str:
    config: Any = info.config
    said = config.get("diffusers") if isinstance(config, dict) else None
    return cleaned(said.get("_class_name"), _MAX_NAME) if isinstance(said, dict) else ""


def _previews(info: "ModelInfo", commit: str, endpoint: str) -> Iterator[Preview]:
    """The pictures of the repository that its page shows as examples."""
    level = 0 if _NSFW in (info.tags or ()) else _PG_13
    held = {one.rfilename for one in info.siblings or ()}
    examples: Any = info.widget_data
    for one in examples[:_MAX_PREVIEWS] if isinstance(examples, list) else ():
        output = one.get("output") if isinstance(one, dict) else None
        path = _within(cleaned(output.get("url"), _MAX_URL), info.id) if isinstance(output, dict) else ""
        if path in held:
            url = f"{endpoint}/{info.id}/resolve/{commit}/{quote(path)}"
            yield Preview(url, nsfw_level=level, is_film=path.lower().endswith(_FILMS))


def _within(url: str, repo: str) -> str:
    """The path that an example's address names in its own repository; empty for any other place."""
    path = url.rpartition(f"/{repo}/resolve/main/")[2]
    return "" if "://" in path or ".." in path.split("/") or path.startswith("/") else path
