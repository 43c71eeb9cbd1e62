"""Addresses at HuggingFace in the forms that people paste (pure)."""

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote, urlsplit

from modelhub.errors import BadValue
from modelhub.hubs._address import HubRef, shown

__all__ = ["NAME", "address", "is_repository", "written"]

NAME = "hf"
_HOSTS = ("huggingface.co", "hf.co", "hf-mirror.com")
_REPO = re.compile(r"\w[\w.-]{0,95}/[\w.-]{1,96}", re.ASCII)
_NOT_MODELS = {"datasets": "a data set", "spaces": "a space", "buckets": "a bucket", "kernels": "a kernel"}
_ROUTES = ("blob", "resolve", "raw", "tree", "commit", "commits", "blame")
_SPECIAL = re.compile(r"refs/(?:pr|convert)/[^/]+")
"""Revisions whose slashes the hub's pages do not always escape."""
_AIR = re.compile(
    r"(?:urn:)?(?:air:)?(?:[\w-]+:){0,2}huggingface:(?P<repo>[^@+:]+)(?:@(?P<version>[^+]+))?(?:\+(?P<file>.+))?",
    re.IGNORECASE,
)
_AIR_FORMAT = re.compile(r"\.(?:safetensors?|ckpt|diffusers|gguf|pickletensor|onnx|other)$", re.IGNORECASE)
_MEND = "write hf:OWNER/REPO, with /PATH and @REVISION as needed"


def address(text: str) -> HubRef | None:
    """``hf:``, ``hf://``, an AIR of source huggingface, or a page of the hub or its best known mirror."""
    if found := _AIR.fullmatch(text):
        return _of_air(found)
    scheme, colon, rest = text.partition(":")
    match scheme.lower():
        case "hf" if colon:
            return _of_uri(text, rest[2:]) if rest.startswith("//") else _of_ours(text, rest)
        case "http" | "https" if _is_hub(text):
            return _of_page(text)
    return None


def written(ref: HubRef) -> str:
    """The repository as it is; what could be mistaken in a path or a revision as ``%40``."""
    file = f"/{_escaped(ref.file)}" if ref.file else ""
    version = f"@{_escaped(ref.version)}" if ref.version else ""
    return f"hf:{ref.model}{file}{version}"


def is_repository(text: object) -> bool:
    """Whether it is written as a repository's name may be."""
    return isinstance(text, str) and bool(_REPO.fullmatch(text))


def _of_ours(text: str, rest: str) -> HubRef:
    where, _, version = rest.partition("@")
    return _ref(text, [unquote(one) for one in where.split("/")], unquote(version))


def _of_uri(text: str, rest: str) -> HubRef:
    """HuggingFace's own form: the revision stands before the path, ``hf://OWNER/REPO@REVISION/PATH``."""
    repo, mark, after = rest.removeprefix("models/").partition("@")
    if not mark or repo.count("/") != 1:
        return _of_ours(text, rest.removeprefix("models/"))
    special = _SPECIAL.match(after)
    version = special[0] if special else after.partition("/")[0]
    path = after[len(version) :].split("/")
    return _ref(text, [*repo.split("/"), *map(unquote, path)], unquote(version))


def _of_air(found: re.Match[str]) -> HubRef:
    last = next(name for name in ("file", "version", "repo") if found[name])
    part = {name: found[name] or "" for name in ("repo", "version", "file")}
    if last != "file" and (last != "repo" or part["repo"].count("/") == 1):
        part[last] = _AIR_FORMAT.sub("", part[last])
    return _ref(found[0], [*part["repo"].split("/"), *part["file"].split("/")], part["version"])


def _of_page(text: str) -> HubRef:
    parts = [unquote(one) for one in urlsplit(text).path.split("/") if one]
    parts = parts[2:] if parts[:2] == ["api", "models"] else parts
    if parts[2:3] == ["revision"]:
        parts[2] = "tree"
    if len(parts) < 4 or parts[2] not in _ROUTES:
        return _ref(text, parts[:2], "")
    rest = "/".join(parts[3:])
    special = _SPECIAL.match(rest)
    version = special[0] if special else parts[3]
    path = [] if parts[2] in ("commit", "commits") else rest[len(version) :].split("/")
    return _ref(text, [*parts[:2], *path], version)


def _ref(text: str, parts: Sequence[str], version: str) -> HubRef:
    """``main`` is the newest, as no revision is: the hub's default branch has no other name."""
    owner, *rest = parts or [""]
    if owner in _NOT_MODELS:
        raise BadValue(f"{shown(text)!r} is {_NOT_MODELS[owner]}, not a model", mend=_MEND)
    repo, path = f"{owner}/{rest[0] if rest else ''}", "/".join(one for one in rest[1:] if one)
    if not is_repository(repo) or ".." in path.split("/"):
        raise BadValue(f"{shown(text)!r} names no model at HuggingFace", mend=_MEND)
    return HubRef(NAME, repo, version=version if version not in ("", "main") else None, file=path or None)


def _is_hub(url: str) -> bool:
    host = re.match(r"https?://(?:www\.)?([^/?#:@]+)(?::443)?(?=[/?#]|$)", url, re.IGNORECASE)
    return host is not None and host[1].lower() in _HOSTS


def _escaped(text: str) -> str:
    return "".join(one if one.isprintable() and one not in "%@ " else quote(one, safe="") for one in text)
