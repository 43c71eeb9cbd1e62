"""What Civitai answers to each question (pure, but for the links of its storage); the facts of its own source."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from tests.servers.civitai_shapes import as_posted, drifted, has_digest, matches

if TYPE_CHECKING:
    from tests.servers.civitai import Civitai

__all__ = ["Answer", "Asked", "answered"]

Json = dict[str, Any]
_UP_TO = {"None": 1, "Soft": 1 | 2, "Mature": 1 | 2 | 4, "X": 31}
"""The levels of pictures that each word asks for."""
_BROWSERS = ("mozilla", "chrome", "safari", "firefox", "opera", "edge")


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any = None


class Answer(NamedTuple):
    """What comes back: a text is a page, bytes are bytes, all else is JSON."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


def answered(hub: "Civitai", asked: Asked) -> Answer:
    """What `hub` says to this, as it is now."""
    if asked.headers.get("user-agent", "").startswith("Python-urllib"):
        return Answer(403, "<html>Just a moment...</html>")
    for method, pattern, answer in _ROUTES:
        if asked.method == method and (found := re.fullmatch(pattern, asked.path)):
            return answer(hub, asked, *found.groups())
    return Answer(404, {"error": "Not found"})


def _who(hub: "Civitai", asked: Asked) -> str | None:
    return hub.tokens.get(asked.headers.get("authorization", "").removeprefix("Bearer "))


def _me(hub: "Civitai", asked: Asked) -> Answer:
    name = _who(hub, asked)
    told = {"id": 1, "username": name, "tier": "free", "status": "active", "isMember": False}
    return Answer(200, told) if name else Answer(401, {"error": "Unauthorized"})


def _model(hub: "Civitai", asked: Asked, number: str) -> Answer:
    held = hub.models.get(int(number))
    return Answer(200, _shown(hub, held)) if held else Answer(404, {"error": f"No model with id {number}"})


def _version(hub: "Civitai", asked: Asked, number: str) -> Answer:
    found = [each for each in _published(hub) if each["id"] == int(number)]
    return Answer(200, _alone(hub, found[0])) if found else Answer(404, {"error": f"No version with id {number}"})


def _by_hash(hub: "Civitai", asked: Asked, digest: str) -> Answer:
    found = [each for each in _published(hub) if has_digest(each, digest)]
    return Answer(200, _alone(hub, found[0])) if found else Answer(404, {"error": "Model not found"})


def _by_hashes(hub: "Civitai", asked: Asked) -> Answer:
    if len(asked.body) > 100 or any(len(each) != 64 for each in asked.body):
        return Answer(400, {"error": {"issues": [{"code": "too_big"}]}})
    found = [each for each in _published(hub) if any(has_digest(each, digest, "SHA256") for digest in asked.body)]
    return Answer(200, [_alone(hub, each) for each in reversed(found)])


def _hash_ids(hub: "Civitai", asked: Asked) -> Answer:
    if len(asked.body) > 10_000:
        return Answer(400, {"error": {"issues": [{"code": "too_big"}]}})
    wanted = {each.upper() for each in asked.body}
    rows = ((each, file["hashes"].get("SHA256")) for each in _published(hub) for file in each["files"])
    return Answer(
        200,
        [
            {"modelVersionId": each["id"], "modelId": each["modelId"], "hash": one}
            for each, one in rows
            if one in wanted
        ],
    )


def _models(hub: "Civitai", asked: Asked) -> Answer:
    one = {name: each[-1] for name, each in asked.query.items()}
    if "page" in one and "query" in one:
        return Answer(400, {"error": "Cannot use page param with query search. Use cursor-based pagination."})
    if int(one.get("page", 0)) * int(one.get("limit", 100)) > 1000:
        return Answer(429, {"error": "You've requested too many pages, please use cursors instead"})
    if unknown := {*asked.query.get("baseModels", ())} - {*hub.bases} | {*asked.query.get("types", ())} - {*hub.types}:
        issues = [{"code": "invalid_value", "message": f"Invalid option: {one}"} for one in sorted(unknown)]
        return Answer(400, {"error": {"name": "ZodError", "issues": issues}})
    if {"favorites", "hidden"} & one.keys() and not _who(hub, asked):
        return Answer(401, {"error": "Unauthorized"})
    found = [
        each
        for each in hub.models.values()
        if matches(each, asked.query) and not (hub.is_for_all_ages and each["nsfw"])
    ]
    first, size = int(one.get("cursor", 0)), min(int(one.get("limit", 100)), hub.page_size)
    items, metadata = found[first : first + size], {}
    if first + size < len(found):
        nearer = {**asked.query, "cursor": [str(first + size)]}
        metadata = {
            "nextCursor": first + size,
            "nextPage": f"{hub.url}{asked.path}?{urlencode(nearer, doseq=True)}",
        }
    return Answer(200, {"items": [_shown(hub, each) for each in items], "metadata": metadata})


def _enums(hub: "Civitai", asked: Asked) -> Answer:
    told = {"ModelType": hub.types, "ActiveBaseModel": hub.bases[:5], "BaseModel": hub.bases}
    return Answer(200, {**told, "ModelFileType": ["Model", "VAE"], "BaseModelType": ["Standard", "Inpainting"]})


def _images(hub: "Civitai", asked: Asked) -> Answer:
    """Those that a version's author and others made with it; how, only where that is asked for."""
    one = {name: each[-1] for name, each in asked.query.items()}
    number, levels = int(one["modelVersionId"]), _UP_TO[one.get("nsfw", "None")]
    own = [image for each in _published(hub) if each["id"] == number for image in each["images"]]
    seen = [each for each in (*own, *hub.posted.get(number, ())) if each["nsfwLevel"] & levels]
    chance, with_meta = hub.chance if hub.seed is not None else None, one.get("withMeta") == "true"
    shown = [as_posted(each, chance, with_meta=with_meta) for each in seen[: int(one.get("limit", 50))]]
    return Answer(200, {"items": shown, "metadata": {}})


def _download(hub: "Civitai", asked: Asked, number: str) -> Answer:
    refused = _refused(hub, asked, number)
    if refused and any(one in asked.headers.get("user-agent", "").lower() for one in _BROWSERS):
        return Answer(302, None, {"Location": f"{hub.url}/login?returnUrl=/api/download/models/{number}"})
    if refused:
        return refused
    version = next(each for each in _published(hub) if each["id"] == int(number))
    file = next((each for each in version["files"] if _is_asked_for(each, asked)), None)
    if file is None:
        return Answer(404, {"error": "File not found"})
    return Answer(307, None, {"Location": hub.storage.sign(f"{file['id']}/{file['name']}")})


def _is_asked_for(file: Json, asked: Asked) -> bool:
    """By its number, where the version owns it; a VAE that is another version's is found by its sort only."""
    if "fileId" in asked.query:
        return str(file["id"]) == asked.query["fileId"][-1] and not file.get("isLinked")
    return "type" not in asked.query or file["type"] == asked.query["type"][-1]


def _refused(hub: "Civitai", asked: Asked, number: str) -> Answer | None:
    version = next((each for each in _published(hub) if each["id"] == int(number)), None)
    if version is None:
        return Answer(404, {"error": "File not found"})
    if hub.models[version["modelId"]].get("mode") == "Archived":
        return Answer(410, {"error": "Model archived, not available for download"})
    if version["usageControl"] != "Download":
        return Answer(401, {"error": "Unauthorized", "message": "The creator has disabled downloads on this file"})
    if hub.needs_token and not _who(hub, asked):
        told = "The creator of this asset requires you to be logged in to download it"
        return Answer(401, {"error": "Unauthorized", "message": told})
    if paid := version.get("paidAccess"):
        told = {
            "error": "Early Access",
            "deadline": paid.get("endsAt"),
            "message": "This asset is in Early Access.",
        }
        return Answer(403, told)
    return None


def _probed(hub: "Civitai", asked: Asked, number: str) -> Answer:
    """Asked with HEAD it refuses valid tokens."""
    return Answer(401)


def _page(hub: "Civitai", asked: Asked) -> Answer:
    return Answer(200, "<html><title>Log in</title></html>")


def _picture(hub: "Civitai", asked: Asked, number: str) -> Answer:
    return Answer(200, hub.contents[int(number)], {"Content-Type": "image/jpeg"})


# Its objects, as each endpoint shows them


def _published(hub: "Civitai") -> list[Json]:
    every = [each for model in hub.models.values() for each in model["modelVersions"]]
    return sorted((each for each in every if each.get("status") == "Published"), key=lambda one: one["publishedAt"])


def _shown(hub: "Civitai", model: Json) -> Json:
    published = [each for each in model["modelVersions"] if each.get("status") == "Published"]
    versions = [_without(_stripped(hub, each, model), "modelId") for each in published]
    shown = {**model, "modelVersions": versions}
    return drifted(shown, hub.chance) if hub.seed is not None else shown


def _alone(hub: "Civitai", version: Json) -> Json:
    """Without its model's author, tags and permissions."""
    model = hub.models[version["modelId"]]
    of_model = {name: model[name] for name in ("name", "type", "nsfw", "poi", "mode") if name in model}
    shown = {**_stripped(hub, version, model), "model": of_model}
    return drifted(shown, hub.chance) if hub.seed is not None else shown


def _stripped(hub: "Civitai", version: Json, model: Json) -> Json:
    gone = {"Archived": ("files",), "TakenDown": ("files", "images")}.get(model.get("mode", ""), ())
    shown = {**version, **{name: [] for name in gone}}
    return _without(shown, "downloadUrl") if gone else shown


def _without(shown: Json, name: str) -> Json:
    return {each: one for each, one in shown.items() if each != name}


_ROUTES: Sequence[tuple[str, str, Callable[..., Answer]]] = (
    ("GET", r"/api/v1/models", _models),
    ("GET", r"/api/v1/models/(\d+)", _model),
    ("GET", r"/api/v1/model-versions/(\d+)", _version),
    ("GET", r"/api/v1/model-versions/by-hash/(\w+)", _by_hash),
    ("POST", r"/api/v1/model-versions/by-hash", _by_hashes),
    ("POST", r"/api/v1/model-versions/by-hash/ids", _hash_ids),
    ("GET", r"/api/v1/images", _images),
    ("GET", r"/api/v1/enums", _enums),
    ("GET", r"/api/v1/me", _me),
    ("GET", r"/api/download/models/(\d+)", _download),
    ("HEAD", r"/api/download/models/(\d+)", _probed),
    ("GET", r"/login", _page),
    ("GET", r"/picture/(\d+)/.*", _picture),
)
